"""Rows of own files and of data sets of the hub, as they are; see `corpus` for what they must have."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from empirical.summarization.hub import LONGEST
from sims.running.text import one_line
from theory.errors import RunError


def of_files(files: Sequence[str], source: str, split: str) -> pd.DataFrame:
    """All rows of own files of one kind. Raises RunError for what cannot be read, and where there is no row."""
    read = pd.read_parquet if files[0].endswith(".parquet") else _lines
    try:
        rows = pd.concat([read(file) for file in files], ignore_index=True)
        if rows.empty:
            raise ValueError("no rows")
    except Exception as error:  # of the reader, which has many
        raise RunError(
            f"{source} cannot be read ({one_line(error, LONGEST)}); check that its {split} files are whole .jsonl or "
            ".parquet files with rows"
        ) from None
    return rows


def _lines(file: str) -> pd.DataFrame:
    """A row per line of JSON."""
    rows = []
    with Path(file).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
            if not isinstance(row, dict):
                raise ValueError(f"line {number} is {type(row).__name__}, where {{...}} is wanted")
            rows.append(row)
    return pd.DataFrame(rows)


def of_hub(url: str, source: str, cache: Path | str | None, remedy: str) -> pd.DataFrame:
    """All rows of the parquet files of a data set. Raises RunError for what cannot be read."""
    import datasets

    datasets.disable_progress_bars()
    try:
        return datasets.load_dataset(
            "parquet",
            data_files={"rows": [url]},
            split="rows",
            cache_dir=None if cache is None else str(cache),
            keep_in_memory=True,
        ).to_pandas()
    except Exception as error:
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
        raise RunError(f"{source} cannot be read ({one_line(cause, LONGEST)}); {remedy}") from None
