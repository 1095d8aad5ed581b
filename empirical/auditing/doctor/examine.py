"""`examine`: what the columns of a file are likely for, and the command that follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from empirical.auditing.doctor.faults import area, faults
from empirical.auditing.doctor.look import Column, Values, column
from empirical.auditing.doctor.proposal import Proposal, propose
from empirical.auditing.doctor.roles import Guesses, agreement, guess
from empirical.records.logs import Suggestion
from theory.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a file of records is good for; everything in it is a guess, to be said."""

    records: int
    columns: tuple[Column, ...]
    guesses: Guesses
    proposal: Proposal
    faults: Mapping[str, Sequence[str]]
    """By column; those of the whole file under ""."""
    areas: Mapping[str, float]
    """By column of numbers: P(a correct record has more of it than a wrong one), NaN where nothing is known."""
    log: str | None = None
    """The program whose evaluation log it is."""
    why: str = ""
    """What of a log is likely the truth, and what judges."""
    notes: tuple[str, ...] = ()
    """What was found out as the file was read."""


def examine(
    columns: Mapping[str, Values],
    log: str | None = None,
    suggested: Suggestion | None = None,
    notes: Sequence[str] = (),
) -> Findings:
    """Look at all columns of some records.

    Args:
        columns: values by name, as they were read, all of one length; missing as None, NaN or text for it.
        log: name of the program whose log it is. suggested: what that program's columns are likely for.
        notes: what was found out as the file was read, to be said.

    Raises:
        InputError: no column, or no record.
    """
    if not columns or not len(next(iter(columns.values()))):
        raise InputError("the file holds no records; an audit needs at least one")
    looked = tuple(column(name, values) for name, values in columns.items())
    guesses = guess(looked, suggested)
    outcome = _outcome(looked, guesses)
    measured = [one for one in looked if one.numbers is not None and one.kind in ("number", "label")]
    return Findings(
        records=len(looked[0].code),
        columns=looked,
        guesses=guesses,
        proposal=propose(looked, guesses, outcome),
        faults=faults(looked, guesses, outcome),
        areas={one.name: area(one, outcome)[0] for one in measured if one.name not in guesses.named("weight")},
        log=log,
        why="" if suggested is None else suggested.why,
        notes=tuple(notes),
    )


def _outcome(columns: Sequence[Column], guesses: Guesses) -> NDArray[np.float64] | None:
    by_name = {one.name: one for one in columns}
    correct, label, truth = (guesses.first(role) for role in ("correct", "label", "truth"))
    if correct is not None and by_name[correct].flags is not None:
        return by_name[correct].flags
    return agreement(by_name[label], by_name[truth]) if label is not None and truth is not None else None
