"""Reading an audit that was saved: compared with its certificate where one lies beside it; its rates can be rates."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sims.running import certificates
from sims.running.certificates import Maker
from sims.running.files import read_bytes
from theory.errors import InputError
from theory.types import Rates

NAME = "audit.json"
REMEDY = "pstar audit RECORDS --correct COL --kept COL --out DIR"
ROUNDING = 1e-9
BROKEN = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)
"""What JSON that is not of an audit raises when it is read as one."""


def path_of(path: Path) -> Path:
    """The JSON of an audit: of a folder that `pstar audit --out` wrote, or the file itself."""
    return path / NAME if path.is_dir() else path


def read(path: Path) -> str:
    """The text of an audit's JSON, the file or its folder; names in it that are not UTF-8 have marks in their place.

    Raises:
        InputError: there is none.
        StoreError: it is not as it was written; the message says how to make it again.
        FileError: the system refuses it.
    """
    path = path_of(path)
    if not path.is_file():
        raise InputError(f"{path} is not there; make an audit: {REMEDY}")
    found = certificates.find(path.parent, "audit")
    there = certificates.path_of(path.parent, "audit").exists()
    if path.name == NAME and there:
        command = certificates.again_without(path.parent, "audit") if found is None else found.again(path.parent)
        data = certificates.read(path.parent, Maker("audit", command), NAME)
    else:
        data = read_bytes(path)
    return data.decode(errors="replace")


def check_rates(path: Path, audit: Mapping[str, Any]) -> None:
    """Refuse p, phi and psi that none can have; what is undefined, or has no interval, passes.

    Raises:
        InputError: not 0 <= low <= value <= high <= 1.
        KeyError, TypeError, AttributeError: these are no values of an audit.
    """
    for name in Rates._fields:
        ends = [audit[name].get(end) for end in ("low", "value", "high")]
        known = [0, *(end for end in ends if end is not None and not _undefined(end)), 1]
        if any(lower > upper + ROUNDING for lower, upper in zip(known, known[1:], strict=False)):
            low, value, high = (f"{end}"[:20] for end in ends)
            raise InputError(
                f"{path}: {name} = {value} with the interval {low} to {high} must have 0 <= low <= value <= high <= 1; "
                f"it was changed, so make it again: {REMEDY}"
            )


def _undefined(end: Any) -> bool:
    return isinstance(end, float) and math.isnan(end)
