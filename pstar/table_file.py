"""A file of problems, a line each: read strictly, predicted from, and written again with what was found."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from empirical import records
from pstar import tables
from theory.columns import OTHER_NAMES, SPECTRUM
from theory.decimals import typed
from theory.errors import InputError
from theory.line_faults import LineFault, TableError

if TYPE_CHECKING:
    from pathlib import Path

LISTS = {False: SPECTRUM, True: ("gram", "prior", "label", "keep")}
"""Columns that hold lists: of two classes, and of K."""
WORDS = ("loss", "setting")
NEUTRAL = {"loss": "squared", "setting": "", "intercept": 0.0}
"""In the place of what could not be read, while the other columns are checked."""
MISSING = "has no value; fill it in, or leave the line out"

Columns = Mapping[str, Any]


@dataclass(frozen=True)
class Lines:
    """A table as it was read. What is wrong with it is not raised before `predicted`, which knows all of it."""

    frame: pd.DataFrame
    """As it is written again."""
    cells: pd.DataFrame
    """As it is predicted from."""
    of_classes: bool
    """Whether the table is of K classes."""
    notes: tuple[str, ...]
    _raw: records.Columns = field(repr=False)
    _unread: frozenset[str] = field(repr=False)
    """Columns that are there and could not be read at all."""
    _told: Mapping[str, Any] = field(repr=False)
    """By column the lines of which it has been said that they hold no number."""
    _faults: records.Faults = field(repr=False)
    _parts: tuple[records.Faults, ...] = field(repr=False)
    """All there are, ``_faults`` among them."""

    def predicted(
        self,
        choose: Callable[[pd.DataFrame], dict[str, Any]],
        check: Callable[[Columns], None],
        predict: Callable[[Columns], dict[str, Any]],
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is predicted from, as ``choose`` takes it of the cells, and what ``predict`` says of it.

        Raises RecordsError with all faults at once: of the file, of names, of cells, and what ``check`` says of lines.
        """
        columns: dict[str, Any] = {}
        try:
            columns = choose(self.cells)
            if any(self._parts):
                read = {name: values for name, values in columns.items() if name not in self._unread}
                check(read | {name: value for name, value in NEUTRAL.items() if name in self._unread})
            else:
                return columns, predict(columns)
        except TableError as error:
            self._add(error.faults, columns)
        except InputError as error:
            if not self._unread:
                self._faults.add(str(error))
        raise records.Faults.error(*(part for part in self._parts if part))

    def _add(self, found: list[LineFault], columns: Columns) -> None:
        """Faults of lines, where they stand in the file; without those that have been told."""
        for line, column, what in found:
            name = next((other for other in self._told if column in (other, OTHER_NAMES.get(other))), column)
            if name in self._told and self._told[name][line]:
                continue
            said = what
            if name in self._told and pd.isna(np.ravel(columns[name])[line]):
                said = f"column {name!r} {MISSING}"
            self._faults.add(said, self._raw.places.number(line), self._raw.places.where(line))


def read(path: "Path", of_classes: bool, ignored: tuple[str, ...]) -> Lines:
    """A file of any kind that `records` reads; of K classes where that is said, or where it has a column classes.

    Raises RecordsError for a file that is no table.
    """
    every = (*tables.inputs(False), *tables.inputs(True))
    raw = records.table(path, records.All(every, lambda name: name in (*LISTS[False], *LISTS[True])))
    names = [*raw, *raw.unusable]
    of_classes = of_classes or "classes" in names
    faults = records.Faults(raw.pending.source)
    for what in tables.unknown(names, of_classes, ignored, lambda names: f"--ignore {shlex.join(names)}"):
        faults.add(what)
    parts = {id(raw.pending): raw.pending, id(faults): faults}
    cells: dict[str, Any] = {}
    told: dict[str, Any] = {}
    for name, column in raw.items():
        if name in tables.SHARES and name not in ignored:
            _check_share(column, faults)
        if name in ignored or name not in tables.inputs(of_classes):
            continue
        try:
            alone = replace(column, pending=records.Faults(raw.pending.source))  # what is wrong with lines is told once
            cells[name], told[name] = _cells(alone, name, of_classes, parts)
        except records.RecordsError as error:
            parts |= {id(part): part for part in error.parts}
    frame = pd.DataFrame(
        {
            name: column.values.to_pandas() if name in ignored else records.as_written(column)
            for name, column in raw.items()
        }
    )
    unread = frozenset(name for name in names if name in tables.inputs(of_classes) and name not in cells)
    whole = frame.assign(**{name: [None] * raw.rows for name in unread}, **cells)
    return Lines(frame, whole, of_classes, raw.notes, raw, unread, told, faults, tuple(parts.values()))


def _cells(column: records.Column, name: str, of_classes: bool, parts: dict[int, Any]) -> tuple[Any, Any]:
    """A column as it is predicted from, and where it has been said that there is a fault."""
    nowhere = np.zeros(len(column), bool)
    if name in WORDS:
        labels = records.as_labels(column, missing=of_classes or name == "setting")
        return np.array([*labels.names, ""], object)[labels.codes], nowhere
    if name == "intercept":
        return records.as_flags(column, missing=of_classes).values.astype(float), nowhere
    if name in LISTS[of_classes]:
        if name == "gram" and records.is_words(column):
            return np.array(column.values.to_pylist(), object), nowhere
        return _objects(records.as_lists(column)), nowhere
    numbers, told, found = records.partly(column)
    parts[id(found)] = found
    return numbers, told


def _check_share(column: records.Column, faults: records.Faults) -> None:
    """Add a fault for each given result that cannot be one."""
    numbers, _, _ = records.partly(column)
    for line in np.flatnonzero((numbers < 0) | (numbers > 1)).tolist():
        what = f"column {column.name!r} is {typed(numbers[line])}, and a share is in [0, 1]; is there a comma too many?"
        faults.add(what, column.places.number(line), column.line(line))


def _objects(lists: list[Any]) -> Any:
    """Lists as text, as tables have them; an empty one as None."""
    return [";".join(map(repr, numbers.tolist())) or None for numbers in lists]
