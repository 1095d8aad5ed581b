"""The command line: which verbs there are, and what becomes of a run that cannot be finished.

An `Error` was written for the user and prints one line. Every other exception is a bug and shows its traceback.
"""

import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from pstar.commands.audit import audit
from pstar.commands.compare import compare
from pstar.commands.completion import completion_of
from pstar.commands.eigenvalues import eigenvalues
from pstar.commands.explore import explore
from pstar.commands.features import features
from pstar.commands.figures import figures
from pstar.commands.forecast import forecast
from pstar.commands.init import init
from pstar.commands.output import on_disk
from pstar.commands.predict import predict
from pstar.commands.study import study
from pstar.commands.summarization import summarization
from pstar.commands.sweep import sweep
from pstar.commands.verify import verify
from pstar.heartbeat import heartbeat
from pstar.line.dispatch import dispatch
from pstar.line.shown import unbroken
from sims.running.files import remedy
from sims.running.terminal import guarded
from theory.errors import Error, InputError, KindError, Note

COMMANDS: dict[str, Any] = {
    "sweep": sweep,
    "compare": compare,
    "figures": figures,
    "verify": verify,
    "study": study,
    "predict": predict,
    "explore": explore,
    "audit": audit,
    "features": features,
    "forecast": forecast,
    "eigenvalues": eigenvalues,
    "summarization": summarization,
    "init": init,
}
COMMANDS["completion"] = completion_of(COMMANDS)
RESUMED = ("sweep", "eigenvalues", "summarization")
"""Verbs that keep what was finished when they are interrupted."""

ABOUT = """When does training on verified synthetic data help? Predicted, simulated, compared.

p is the generator's error rate; a verifier keeps correct labels with probability phi and wrong ones with psi;
training succeeds, with infinite data, while p < p* = phi/(phi + psi)."""


@guarded()
def main() -> None:
    """Run the command line: exit 0 on success, 2 for what was asked wrongly, 1 for what could not be done."""
    verb = ""
    try:
        signal.signal(signal.SIGTERM, _terminate)
        try:
            verb, call = dispatch(sys.argv[1:], COMMANDS, ABOUT)
            signal.signal(signal.SIGTERM, lambda number, frame: _terminate(number, frame, verb))
            with heartbeat(f"pstar {verb}"), _notes():
                call()
        finally:
            with on_disk():
                sys.stdout.flush()  # here, where a reader that is gone is still answered quietly
    except KeyboardInterrupt:
        print(f"interrupted; {_left_behind(verb)}", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None
    except Error as error:
        about = remedy(error) if isinstance(error, OSError) else ""
        print(f"error: {unbroken(str(error), [*sys.argv, os.getcwd()])}{about}", file=sys.stderr)
        raise SystemExit(2 if isinstance(error, (InputError, KindError)) else 1) from None


@contextmanager
def _notes() -> Iterator[None]:
    """Around a call: a `Note` is printed as one line, other warnings as ever."""
    other = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any) -> None:
        if issubclass(category, Note):
            print(f"warning: {message}", file=sys.stderr)
        else:
            other(message, category, *place)

    warnings.showwarning = show  # type: ignore[assignment]
    try:
        yield
    finally:
        warnings.showwarning = other


def _left_behind(verb: str) -> str:
    """What an interrupted command leaves, and what the same command does then."""
    if verb in RESUMED:
        return "what was finished is kept, the same command continues"
    return "it was not finished; the same command begins again"


def _terminate(number: int, frame: FrameType | None, verb: str = "") -> None:
    print(f"stopped; {_left_behind(verb)}", file=sys.stderr)
    raise SystemExit(128 + number)
