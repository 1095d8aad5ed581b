"""Columns of another program's evaluation log."""

from collections.abc import Sequence
from pathlib import Path

from empirical.records import logs
from empirical.records.column import Columns
from empirical.records.faults import RecordsError
from empirical.records.gathering import Gathered, from_python
from empirical.records.names import absent


def read(path: Path, wanted: Sequence[str] | None, limit: int | None = None) -> Columns | None:
    """The named columns, or all, of a log; None for a file that is none. Raises RecordsError without a column of it."""
    loaded = logs.load(path)
    if loaded is None:
        return None
    log, document = loaded
    rows = logs.flatten(log, document)
    present = list(rows[0]) if rows else []
    lacking = [absent(name, present) for name in wanted or () if name not in present]
    if lacking:
        raise RecordsError(f"{path}, a log of {log.name}, {'; '.join(lacking)}")
    names = present if wanted is None else list(wanted)
    gathered = Gathered(str(path), names, "entry", limit)
    gathered.add([from_python([row[name] for row in rows]) for name in names], len(rows), 1)
    left = logs.left_out(log, document)
    notes = [f"a log of {log.name}, read as flat records"]
    if left:
        notes.append(f"left out, as no scorer said anything of them: {left:,} of {left + len(rows):,} entries")
    return gathered.columns(log.name, notes)
