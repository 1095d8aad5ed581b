"""Read the raw rows of a result folder, and write and read the tables of its comparison."""

from io import BytesIO
from pathlib import Path
from shlex import quote

import pandas as pd
import pyarrow as pa

from sims.running.certificates import Maker, read, write
from sims.running.files import StoreError
from sims.running.fingerprint import fingerprint
from sims.running.spreadsheet import csv
from sims.sweeps.store import Store

COMPARE = Maker("compare", "pstar compare {folder}", mark="summary.json", guest=True)
FIGURES = Maker("figures", "pstar figures {folder}", mark="figures", guest=True)
NAMES = ("cells", "crossings", "lines", "maps")
TABLES = tuple(f"tables/{name}.csv" for name in NAMES)
WRITTEN = (*TABLES, "summary.json", "report.txt")


def read_rows(root: Path) -> pd.DataFrame:
    """rows.parquet of a finished sweep. Raises StoreError where there is none or it is damaged."""
    path = root / "rows.parquet"
    if not path.is_file():
        hint = "its sweep is not finished: run it again" if (root / "shards").is_dir() else "not a result folder"
        raise StoreError(f"{path} does not exist; {hint} (pstar sweep FILE.toml --out {quote(str(root))})")
    try:
        return pd.read_parquet(BytesIO(Store(root).read_rows()), page_checksum_verification=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise StoreError(
            f"{path} is damaged ({str(error).splitlines()[0]}); run pstar sweep again, it is rebuilt from the shards"
        ) from None


def as_files(tables: dict[str, pd.DataFrame]) -> dict[str, bytes]:
    """One CSV per table, by the names of the files."""
    return {f"tables/{name}.csv": csv(table).encode() for name, table in tables.items()}


def write_comparison(
    root: Path, tables: dict[str, pd.DataFrame], more: dict[str, bytes], read: dict[str, str]
) -> list[Path]:
    """The tables of a comparison, and ``more`` files that say the same, with their certificate.

    ``read``: `sums` of the rows, taken before they were read.
    """
    made = {"program": fingerprint("sims.comparison.compare")}
    return write(root, COMPARE, as_files(tables) | more, read=read, made=made)


def read_tables(root: Path) -> dict[str, pd.DataFrame]:
    """The tables of a comparison. Raises StoreError where there is none, or one is not as it was written."""
    return {name: pd.read_csv(BytesIO(read(root, COMPARE, f"tables/{name}.csv"))) for name in NAMES}
