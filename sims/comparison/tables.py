"""Read the raw rows of a result folder, and write and read the tables of its comparison."""

import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from shlex import quote

import numpy as np
import pandas as pd
import pyarrow as pa

from sims.running.certificates import Maker, read, write
from sims.running.files import StoreError
from sims.running.fingerprint import fingerprint
from sims.running.spreadsheet import csv
from sims.sweeps.asked import asked
from sims.sweeps.receipt import Receipt
from sims.sweeps.store import MANIFEST, Store, table_of
from theory.errors import Note

COMPARE = Maker("compare", "pstar compare {folder}", mark="summary.json", guest=True)
FIGURES = Maker("figures", "pstar figures {folder}", mark="figures", guest=True)
NAMES = ("cells", "crossings", "lines", "maps")
TABLES = tuple(f"tables/{name}.csv" for name in NAMES)
WRITTEN = (*TABLES, "summary.json", "report.txt")


def read_rows(root: Path) -> pd.DataFrame:
    """rows.parquet of a finished sweep. Warns where the folder's manifest asks for more trials than it has.

    Raises StoreError where there is none, it is damaged, or it is of another sweep than the manifest or the shards.
    """
    path = root / "rows.parquet"
    if not path.is_file():
        hint = "its sweep is not finished: run it again" if (root / "shards").is_dir() else "not a result folder"
        raise StoreError(f"{path} does not exist; {hint} (pstar sweep FILE.toml --out {quote(str(root))})")
    try:
        rows = table_of(Store(root).read_rows()).to_pandas()
    except (OSError, ValueError, pa.ArrowException) as error:
        raise StoreError(
            f"{path} is damaged ({str(error).splitlines()[0]}); run pstar sweep again, it is rebuilt from the shards"
        ) from None
    _judge(root, rows)
    return rows


def _judge(root: Path, rows: pd.DataFrame) -> None:
    """Refuse rows that are not of the folder's own sweep, as far as its manifest and one of its shards say."""
    store, which = Store(root), f"see pstar verify {quote(str(root))}"
    if not {"cell", "seed", "accuracy"} <= set(rows.columns):
        return
    wanted = asked(store.read_manifest(), rows["draws"].unique() if "draws" in rows else ())
    shard = (wanted and _a_shard(store, wanted.owns)) or _a_shard(store)
    if wanted is not None:
        alien = not wanted.holds(rows["cell"].unique(), rows["seed"].to_numpy())
        if alien or (shard is not None and shard[0].root_seed != wanted.root_seed):
            raise StoreError(f"{store.rows_path} is of another sweep than {root}/{MANIFEST}; {which}")
    if shard is not None and not _in_shard(rows, shard[1]):
        raise StoreError(f"{store.rows_path} is of another sweep than {root}/shards; {which}")
    if wanted is not None and len(rows) < wanted.trials:
        warnings.warn(
            Note(
                f"{store.rows_path} has {len(rows):,} of the {wanted.trials:,} trials that the sweep has grown to, and "
                f"these alone are compared; to continue: pstar sweep FILE.toml --out {quote(str(root))}"
            ),
            stacklevel=3,
        )


def _a_shard(store: Store, which: Callable[[Receipt], bool] = bool) -> tuple[Receipt, pd.DataFrame] | None:
    """The first intact shard of a kind with its receipt, if there is one."""
    found = store.first(which)
    return found and (found[0], table_of(found[1]).to_pandas())


def _in_shard(rows: pd.DataFrame, shard: pd.DataFrame) -> bool:
    """Whether the rows that a shard has as well are the same there."""
    who = ["cell", "seed"]
    both = rows.loc[rows["cell"].isin(shard["cell"]), [*who, "accuracy"]].merge(shard[[*who, "accuracy"]], on=who)
    return np.array_equal(both["accuracy_x"], both["accuracy_y"], equal_nan=True)


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
