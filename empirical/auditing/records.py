"""Records from a CSV, JSON-lines or Parquet file, read strictly: what is not understood is refused, with its place.

Rows are counted from 1 at the first record (a CSV's header is none).
"""

import csv
import json
import math
from collections.abc import Callable, Iterable, Sized
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sims.running.files import located
from theory.errors import InputError

KINDS = (".csv", ".jsonl", ".parquet")
FLAGS = {"0": False, "1": True, "false": False, "true": True, "no": False, "yes": True}
MISSING = ("", None)
BLOCK = 8192
"""Rows of a CSV that are looked at together."""

Columns = dict[str, list[Any]]


class RecordsError(InputError):
    """A file of records that cannot be audited as it is."""


def read(path: Path, names: Iterable[str]) -> Columns:
    """The named columns of a file, as they are. Raises RecordsError for a file without records, or without a column."""
    wanted = list(dict.fromkeys(names))
    if path.suffix.lower() not in KINDS:
        raise RecordsError(f"{path} ends in {path.suffix!r}, not in one of {', '.join(KINDS)}; convert the file")
    if not path.is_file():
        raise RecordsError(f"{path} is not a file; give the file that holds the records")
    reader = {".csv": _read_csv, ".jsonl": _read_jsonl, ".parquet": _read_parquet}[path.suffix.lower()]
    try:
        with located(path):
            columns = reader(path, wanted)
    except UnicodeDecodeError as error:
        raise RecordsError(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}); convert it") from None
    if not columns[wanted[0]]:
        raise RecordsError(f"{path} holds no records; an audit needs at least one")
    return columns


def as_flags(name: str, values: list[Any]) -> NDArray[np.bool_]:
    """Booleans from booleans, the numbers 0 and 1, or the words 0/1, true/false, yes/no in any case."""
    return np.array(_few(name, values, _flag, "neither 0/1, true/false nor yes/no; recode the column"), bool)


def as_numbers(name: str, values: list[Any]) -> NDArray[np.float64]:
    """Finite numbers."""
    found = _plain(values)
    if found is not None and np.isfinite(found).all():
        return found
    return np.array(_each(name, values, _number, "not a finite number; recode the column"), float)


def as_quality(name: str, values: list[Any]) -> NDArray[np.float64]:
    """Numbers in [0, 1]."""
    found = _plain(values)
    if found is not None and ((found >= 0) & (found <= 1)).all():
        return found
    return np.array(_each(name, values, _grade, "not a number in [0, 1]; divide per cents by 100"), float)


def as_labels(name: str, values: list[Any]) -> NDArray[np.str_]:
    """Names of classes, as text."""
    return np.array(_few(name, values, str, "no name of a class"), str)


def _few(name: str, values: list[Any], convert: Callable[[Any], Any], why: str) -> list[Any]:
    """`_each`, where few values differ: each of them once, unless one is refused or several kinds could be equal."""
    if len(set(map(type, values))) == 1 and isinstance(values[0], (str, bool, int)):
        known = {value: None if _missing(value) else convert(value) for value in set(values)}
        if None not in known.values():
            return list(map(known.__getitem__, values))
    return _each(name, values, convert, why)


def _plain(values: list[Any]) -> NDArray[np.float64] | None:
    """Numbers where all are one kind of number, or text that Python reads as one; None where they are not."""
    if set(map(type, values)) not in ({str}, {int}, {float}):
        return None
    try:
        return np.array(list(map(float, values)), float)
    except (ValueError, OverflowError):
        return None


def _missing(value: Any) -> bool:
    return value in MISSING or (isinstance(value, float) and math.isnan(value)) or not str(value).strip()


def _each(name: str, values: list[Any], convert: Callable[[Any], Any], why: str) -> list[Any]:
    converted = []
    for row, value in enumerate(values, 1):
        if _missing(value):
            raise RecordsError(
                f"column {name!r}, row {row} is missing; fill it in, or take the row out if what is missing is missing "
                "by chance (rows that were hard to judge are not)"
            )
        result = convert(value)
        if result is None:
            raise RecordsError(f"column {name!r}, row {row} is {value!r}, {why}")
        converted.append(result)
    return converted


def _flag(value: Any) -> bool | None:
    if isinstance(value, str):
        return FLAGS.get(value.strip().lower())
    return bool(value) if isinstance(value, (bool, int, float)) and value in (0, 1) else None


def _number(value: Any) -> float | None:
    try:
        number = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _grade(value: Any) -> float | None:
    number = _number(value)
    return number if number is not None and 0 <= number <= 1 else None


def _absent(path: Path, name: str, present: Iterable[str]) -> RecordsError:
    return RecordsError(f"{path} has no column {name!r}; it has {', '.join(map(repr, present)) or 'none'}")


def _read_csv(path: Path, wanted: list[str]) -> Columns:
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, strict=True)
        try:
            header = next(lines, None)
            if header is None:
                raise RecordsError(f"{path} is empty; its first line names the columns")
            places = {name: _place(path, name, header) for name in wanted}
            columns: Columns = {name: [] for name in wanted}
            rows, done = filter(None, lines), 0
            while True:
                block: list[list[str]] = []
                try:
                    block.extend(islice(rows, BLOCK))
                finally:  # rows that came before one that cannot be read are refused first
                    _check_widths(path, block, header, done)
                if not block:
                    return columns
                for name, place in places.items():
                    columns[name].extend(map(itemgetter(place), block))
                done += len(block)
        except csv.Error as error:
            raise RecordsError(f"{path}, line {lines.line_num} is not CSV: {error}; mend the line") from None


def _check_widths(path: Path, block: list[list[str]], header: Sized, done: int) -> None:
    if set(map(len, block)) - {len(header)}:
        row, line = next((row, line) for row, line in enumerate(block, done + 1) if len(line) != len(header))
        raise RecordsError(f"{path}, row {row} has {len(line)} fields for {len(header)} columns; mend the line")


def _place(path: Path, name: str, header: list[str]) -> int:
    if name not in header:
        raise _absent(path, name, header)
    if header.count(name) > 1:
        raise RecordsError(f"{path} has {header.count(name)} columns {name!r}; rename all but one")
    return header.index(name)


def _read_jsonl(path: Path, wanted: list[str]) -> Columns:
    columns: Columns = {name: [] for name in wanted}
    with open(path, encoding="utf-8-sig") as file:
        for row, line in enumerate(filter(str.strip, file), 1):
            try:
                record = json.loads(line)
            except ValueError as error:
                raise RecordsError(f"{path}, row {row} is not JSON: {error}; give one object per line") from None
            if not isinstance(record, dict):
                raise RecordsError(f"{path}, row {row} is not a JSON object; give one object per line")
            for name in wanted:
                if row == 1 and name not in record:
                    raise _absent(path, name, record)
                columns[name].append(record.get(name))
    return columns


def _read_parquet(path: Path, wanted: list[str]) -> Columns:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        for name in wanted:
            if name not in file.schema_arrow.names:
                raise _absent(path, name, file.schema_arrow.names)
        table = file.read(columns=wanted)
    except pa.ArrowException as error:
        raise RecordsError(f"{path} is no readable Parquet file ({str(error).splitlines()[0]})") from None
    return {name: table[name].to_pylist() for name in wanted}
