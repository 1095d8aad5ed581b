"""Whether a result folder is whole: every file against its checksum, and all of them of one sweep, the manifest's.

Manifest, shards and rows may each be good and yet of different sweeps: a folder that grew and was killed, or files that
were copied. So the trials that the manifest asks for, those of the shards, and the rows are compared.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sims.running.files import FileError, MissingError
from sims.running.sums import DAMAGED, MISSING, Checked, Fault, size_of
from sims.sweeps.asked import Asked, asked
from sims.sweeps.receipt import Receipt, done_seeds
from sims.sweeps.store import CHECKSUM, MANIFEST, ROWS, Store, receipt_name, shard_name, table_of

OTHER = "of another sweep"


def is_sweep(root: Path) -> bool:
    """Whether a folder is that of a sweep, though its shards or its manifest be lost."""
    return (root / "shards").is_dir() or (root / CHECKSUM).is_file() or _manifest(Store(root)) is not None


def _manifest(store: Store) -> dict[str, Any] | None:
    """None where it cannot be read, as where it is a pipe."""
    try:
        return store.read_manifest()
    except FileError:
        return None


def check(root: Path) -> Checked:
    """Every file of a sweep against its checksum, and whether they belong together. For a folder of this machine.

    A copy of rows.parquet and its checksum alone, as of a bucket, is whole.
    """
    store = Store(root)
    again = f"pstar verify --repair {shlex.quote(str(root))}"
    sweep = f"pstar sweep FILE.toml --out {shlex.quote(str(root))}"
    faults, waiting = [], []
    top = [root / MANIFEST, root / ROWS, root / CHECKSUM]
    finished, rows = any(path.exists() for path in top[1:]), None
    if finished:  # rows before the shards, which are there when rows are written
        try:
            rows = table_of(store.read_rows())
        except MissingError as error:
            faults.append(Fault(Path(error.filename), MISSING, again))
        except (OSError, ValueError, pa.ArrowException) as error:
            faults.append(Fault(top[1], f"{DAMAGED} ({error})", again))
    else:
        waiting.append(f"{top[1]} is not there yet")
    manifest = _manifest(store)
    receipts, damaged, foreign = store.survey()
    copied = finished and not top[0].exists() and not (root / "shards").is_dir()
    if manifest is None and not copied:
        faults.append(Fault(top[0], DAMAGED if top[0].exists() else MISSING, f"{sweep}, again"))
    for path, _, what in (line.partition(": ") for line in damaged):
        faults.append(Fault(Path(path), what, again))
    orphans = store.orphans()
    if finished:
        faults += [Fault(root / receipt_name(chunk), MISSING, again) for chunk in orphans]
    else:
        waiting += [f"{root / shard_name(chunk)}: a shard without its receipt" for chunk in orphans]
    strange = [Path(line.partition(": ")[0]) for line in foreign]
    ours = receipts
    if not copied:
        draws = {receipt.shape.draws for receipt in receipts if receipt.shape.method == "simulation"}
        wanted = asked(manifest, draws)
        ours = receipts if wanted is None else [each for each in receipts if wanted.owns(each)]
        found = _together(store, wanted, ours, receipts, rows)
        if found.odd == MANIFEST:
            faults.append(Fault(top[0], f"{OTHER} than the shards", f"{sweep}, again"))
            ours = receipts
        elif found.odd == ROWS:
            faults.append(Fault(top[1], found.what, again))
        elif found.odd and not (damaged or orphans):  # else those are named
            remedy = again if len(ours) == len(receipts) else f"move away what is not ours there, then {again}"
            faults.append(Fault(root / "shards", found.what, remedy))
        if found.lacking:
            waiting.append(f"{found.lacking}; to continue: {sweep}")
        strange += [
            root / name(each.chunk) for each in receipts if each not in ours for name in (shard_name, receipt_name)
        ]
    shards = [root / name for each in ours for name in (shard_name(each.chunk), receipt_name(each.chunk))]
    files = [path for path in (*top, *shards) if path.exists()]
    return Checked(len(files) + len(damaged), size_of(files), tuple(faults), tuple(waiting), tuple(strange))


class Together(NamedTuple):
    """Which of manifest, shards and rows is not of the sweep of the others, and what is still to be computed."""

    odd: str = ""
    what: str = ""
    lacking: str = ""


def _together(
    store: Store, wanted: Asked | None, ours: Sequence[Receipt], receipts: Sequence[Receipt], rows: pa.Table | None
) -> Together:
    """Compare what the manifest asks for, the shards (``ours`` are of it), and the rows."""
    if rows is None:
        if receipts and not ours:
            return Together(MANIFEST)
        return Together(lacking="" if wanted is None else _lacking(store, wanted, wanted.lacking(done_seeds(ours))))
    if not {"cell", "seed"} <= set(rows.column_names):
        return Together(ROWS, f"{OTHER} than {MANIFEST}")
    within = wanted is None or wanted.holds(rows["cell"].unique().to_pylist(), rows["seed"].to_numpy())
    absent, same = held(store, ours, rows)
    if not within or absent:
        if held(store, receipts, rows) == (0, True):
            return Together(MANIFEST)
        if not within:
            return Together(ROWS, f"{OTHER} than {MANIFEST}")
    if not same:
        return Together(ROWS, f"{OTHER} than the shards, or of other shards")
    lost = f"{MISSING}: {absent:,} of the {rows.num_rows:,} trials that {ROWS} has" if absent else ""
    odd = "shards" if absent else ""
    if wanted is None or rows.num_rows >= wanted.trials:
        return Together(odd, lost)
    left = wanted.lacking(done_seeds(ours)) - absent
    behind = f"{store.rows_path} has {rows.num_rows:,} of the {wanted.trials:,} trials that {MANIFEST} asks for"
    return Together(odd, lost, _lacking(store, wanted, left) if left > 0 else behind)


def _lacking(store: Store, wanted: Asked, count: int) -> str:
    if not count:
        return ""
    return f"{count:,} of the {wanted.trials:,} trials that {store.files.path(MANIFEST)} asks for are not computed"


def held(store: Store, receipts: Sequence[Receipt], rows: pa.Table) -> tuple[int, bool]:
    """(How many rows no shard holds, whether the others are as the shards have them, in the order of the rows)."""
    if not receipts or not rows.num_rows:
        return rows.num_rows, True
    order = rows["cell"].unique().to_pylist()
    seeds = 1 + pc.max(rows["seed"]).as_py()
    try:
        stored = store.rows(receipts, order, seeds)
    except pa.ArrowInvalid:  # shards of sweeps with other columns
        return 0, False
    mine, theirs = (_keys(table, order, seeds) for table in (rows, stored))
    there = np.isin(mine, theirs)
    both = rows.filter(pa.array(there)), stored.filter(pa.array(np.isin(theirs, mine)))
    return int(np.sum(~there)), _equal(*both)


def _keys(table: pa.Table, order: Sequence[str], seeds: int) -> np.ndarray:
    """A number for each trial."""
    place = pc.index_in(table["cell"], pa.array(order, pa.string())).to_numpy().astype(np.int64)
    return np.asarray(place * seeds + table["seed"].to_numpy())


def _equal(one: pa.Table, other: pa.Table) -> bool:
    """Whether two tables have the same columns and values; NaN is equal to NaN."""
    if not one.schema.equals(other.schema):
        return False
    return all(
        a.equals(b) or (pa.types.is_floating(a.type) and np.array_equal(a.to_numpy(), b.to_numpy(), equal_nan=True))
        for a, b in zip(one.columns, other.columns, strict=True)
    )
