"""Read the raw rows of a result folder, and write and read the tables of its comparison."""

from io import BytesIO
from pathlib import Path

import pandas as pd
import pyarrow as pa

from sims.running.files import StoreError, located, write_atomic
from sims.sweeps.store import Store

NAMES = ("cells", "crossings", "lines", "maps")


def read_rows(root: Path) -> pd.DataFrame:
    """rows.parquet of a finished sweep. Raises StoreError where there is none or it is damaged."""
    path = root / "rows.parquet"
    if not path.is_file():
        hint = "its sweep is not finished: run it again" if (root / "shards").is_dir() else "not a result folder"
        raise StoreError(f"{path} does not exist; {hint} (pstar sweep FILE.toml --out {root})")
    try:
        return pd.read_parquet(BytesIO(Store(root).read_rows()), page_checksum_verification=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise StoreError(
            f"{path} is damaged ({str(error).splitlines()[0]}); run pstar sweep again, it is rebuilt from the shards"
        ) from None


def write_tables(root: Path, tables: dict[str, pd.DataFrame]) -> None:
    """One CSV per table, under root/tables."""
    folder = root / "tables"
    with located(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write_atomic(folder / f"{name}.csv", table.to_csv(index=False).encode())


def read_tables(root: Path) -> dict[str, pd.DataFrame]:
    """The tables of a comparison. Raises StoreError where there is none, or one cannot be read."""
    tables = {}
    for name in NAMES:
        path = root / "tables" / f"{name}.csv"
        if not path.is_file():
            raise StoreError(f"{path} does not exist; run first: pstar compare {root}")
        try:
            tables[name] = pd.read_csv(path)
        except (OSError, ValueError) as error:
            raise StoreError(f"{path} cannot be read ({str(error).strip()}); run again: pstar compare {root}") from None
    return tables
