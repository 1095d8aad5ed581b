"""What a verb prints: JSON or text; and what it says of a disk that refuses."""

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sims.running.files import remedy
from theory.columns import KEEPS_WRONG
from theory.errors import Error, RunError

SWAPPED = f"note: {KEEPS_WRONG}"


def show(result: dict[str, Any], as_json: bool, text: Callable[[dict[str, Any]], str]) -> None:
    """Print a result as JSON, or as ``text`` puts it."""
    with on_disk():
        print(dumps(result) if as_json else text(result))


def dumps(result: Any) -> str:
    """A result as JSON; what is not finite is null."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(entry) for key, entry in value.items()}
        if isinstance(value, (tuple, list)):
            return [clean(entry) for entry in value]
        return None if isinstance(value, float) and (value != value or abs(value) == float("inf")) else value

    return json.dumps(clean(result), indent=1).replace("\x7f", "\\u007f")  # all else is escaped by itself


def pairs(result: dict[str, Any]) -> str:
    """Names and what they mean, in two columns."""
    width = max(map(len, result))
    return "\n".join(f"{key:{width}}  {value}" for key, value in result.items())


def counted(count: int, what: str) -> str:
    """A number of things, in the singular where it is one."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def typed(verb: str) -> str:
    """The command as it was typed; where `verb` was called by a program instead, the verb alone."""
    words = sys.argv[1:]
    return shlex.join(["pstar", *(words if verb in words[:1] else [verb])])


def written(result: dict[str, Any]) -> str:
    """The paths that were written, one a line."""
    return "\n".join(result["written"])


MOST = 400
"""Letters of what the system says; names of files may be long."""


@contextmanager
def on_disk() -> Iterator[None]:
    """Around the reading and writing of paths that the user gave: what the system says of one is said in one line.

    A reader of our output that is gone (BrokenPipeError) is no failure.
    """
    try:
        yield
    except (Error, BrokenPipeError):
        raise
    except OSError as error:
        said = str(error)
        short = said if len(said) <= MOST else f"{said[: MOST // 2]}...{said[-MOST // 4 :]}"
        raise RunError(short + remedy(error)) from None


def one_thread() -> None:
    """Ask OpenBLAS for one thread, before NumPy is there: its threads wait longer than they compute."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
