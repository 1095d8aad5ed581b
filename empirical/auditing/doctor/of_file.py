"""`of_file`: the doctor of a file, a table of records or another program's log."""

from pathlib import Path

from empirical.auditing.doctor.examine import Findings, examine
from empirical.records import logs
from empirical.records.faults import Faults
from empirical.records.reading import peek
from empirical.records.reading import read as read_all

MOST = 1_000_000
"""Records that are looked at."""


def of_file(path: Path) -> Findings:
    """Look at all columns of a file. Raises InputError for one that cannot be read, or holds no records."""
    read = logs.load(path)
    if read is None:
        found = peek(path, MOST)
        if not found.rows:
            read_all(path, list(found) or ["correct"])  # which says what is wrong with the file
        pending = [one.pending for one in found.values() if one.pending][:1]
        broken = [f"some records cannot be read: {Faults.error(*pending)}"] if pending else []
        first = [f"only the first {MOST:,} records were looked at"] if found.rows == MOST else []
        return examine({name: one.values for name, one in found.items()}, notes=[*broken, *found.notes, *first])
    log, document = read
    rows = logs.flatten(log, document)
    names = list(rows[0]) if rows else []
    left = logs.left_out(log, document)
    notes = [f"left out, as no scorer said anything of them: {left:,} of {left + len(rows):,} entries"] if left else []
    columns = {name: [row[name] for row in rows] for name in names}
    return examine(columns, log.name, log.suggest(names), notes)
