"""What stages read of the folders of those before them, which come by role."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

Folders = Mapping[str, Path]


def piece(table: pd.DataFrame, part: int, parts: int) -> pd.DataFrame:
    """Piece ``part`` of ``parts`` of nearly equal length."""
    return table.iloc[len(table) * part // parts : len(table) * (part + 1) // parts].reset_index(drop=True)


def joined(inputs: Folders, name: str) -> pd.DataFrame:
    """The pieces of a table in their order."""
    parts = [role for role in inputs if role.startswith("part")]
    return pd.concat([pd.read_parquet(inputs[role] / f"{name}.parquet") for role in parts], ignore_index=True)


def rows(inputs: Folders, name: str, columns: list[str] | None = None) -> pd.DataFrame:
    """Rows of the corpus."""
    return pd.read_parquet(inputs["prepare"] / f"{name}.parquet", columns=columns)


def aligned(path: Path, pool: pd.DataFrame) -> pd.DataFrame:
    """A table with a row for each article of the pool, in the pool's order."""
    table = pd.read_parquet(path)
    assert table["id"].equals(pool["id"]), path
    return table


def labelled(inputs: Folders, name: str) -> tuple[list[str], list[str]]:
    """Articles and references of a part of the corpus."""
    found = rows(inputs, name, ["text", "summary"])
    return found["text"].tolist(), found["summary"].tolist()
