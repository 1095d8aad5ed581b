"""`read` the columns that are named, `peek` at the first records of all, and the names of the `columns` there are."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from empirical.records import arrow, delimited, json_array, json_lines, of_log
from empirical.records.column import Columns
from empirical.records.faults import Faults, RecordsError
from empirical.records.names import All
from empirical.records.sources import Source, opened

EVERY = All()
LISTS = re.compile(rb'\{\s*"[^"]*"\s*:\s*[\[{]')


def read(path: Path, names: Iterable[str]) -> Columns:
    """The named columns of a file, of a folder of Hugging Face `datasets`, or of standard input for the path -.

    A name with dots, as ``r.correct`` or ``filters.0``, is a field or an entry of a nested column. What is wrong with
    single lines is raised together with what is wrong with their values, when a column is made flags, numbers or
    labels.

    Raises:
        RecordsError: no file, none of a kind that is known, without records, without one of the columns.
        FileError: the system refuses.
    """
    wanted = list(dict.fromkeys(name.strip() for name in names))
    if not wanted:
        raise RecordsError(f"no column of {path} is named; name one")
    columns = _read(path, wanted, None)
    pending = columns[wanted[0]].pending
    if not columns.rows:
        Faults.refuse(pending)
        raise RecordsError(f"{pending.source} holds no records; give at least one")
    return columns


def table(path: Path, want: All = EVERY) -> Columns:
    """Every column of a file, each with an outermost name.

    Twins, columns without a name, and nested values that are no lists which ``want`` allows are among ``pending`` of
    what is returned, beside what is wrong with single lines; no column is left out in silence. Raises as `read` does.
    """
    columns = _read(path, None, None, want)
    if not columns.rows:
        Faults.refuse(columns.pending)
        raise RecordsError(f"{columns.pending.source} holds no records; give at least one")
    return columns


def peek(path: Path, rows: int = 10_000) -> Columns:
    """All columns of the first records, those of nested columns by their dotted paths. Raises as `read` does."""
    return _read(path, None, rows)


def columns(path: Path) -> list[str]:
    """The names that `read` takes, nested ones as dotted paths; as the first records have them. Raises as `read`."""
    return list(peek(path, 1000))


def _read(path: Path, wanted: list[str] | None, limit: int | None, want: All | None = None) -> Columns:
    log = of_log.read(Path(path), wanted, limit)
    if log is not None:
        return log
    with opened(Path(path)) as source:
        if source.kind == "CSV":
            return delimited.read(source, wanted, limit, want)
        if source.kind == "JSON":
            return (json_array if _is_array(source) else json_lines).read(source, wanted, limit, want)
        return arrow.read(source, wanted, limit, want)


def _is_array(source: Source) -> bool:
    """Whether JSON is a list, not an object per line. Raises RecordsError where it is one object with all in it."""
    start = source.sample.lstrip()
    if start.startswith(b"["):
        return source.suffix == ".json" or start[1:].lstrip()[:1] in (b"{", b"]")
    first, _, rest = start.partition(b"\n")
    whole = not rest.strip() and LISTS.match(start)
    if source.suffix == ".json" and (whole or (rest and _cut(first))):
        raise RecordsError(
            f"{source.name} holds one object, not a list of records; give [{{...}}, ...] or an object per line, as "
            "pandas writes by to_json(orient='records', lines=True)"
        )
    return False


def _cut(line: bytes) -> bool:
    """Whether a line of JSON goes on in the next."""
    try:
        json.loads(line)
    except json.JSONDecodeError as error:
        return error.pos >= len(line.rstrip().decode(errors="ignore")) - 1
    except (ValueError, RecursionError):
        pass
    return False
