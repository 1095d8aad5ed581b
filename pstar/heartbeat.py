"""A sign of life of whatever takes long: after two seconds without a word, standard error says what is at work.

On a terminal it is one line that counts seconds and goes away as soon as anything else is written. In a log it is a
plain line after 2, 10, 60, 300 seconds and every five minutes from there. A bar that moves (`sims/running/progress.py`)
is a sign of life itself. PSTAR_QUIET=1 in the environment silences it.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sims.running.terminal import unguarded

QUIET_SECONDS = 2.0
MARKS = (2.0, 10.0, 60.0, 300.0)
"""When a line is due in a log; then every last one."""
ERASE = "\r\x1b[2K"


class Heartbeat:
    """What is written when. ``tick`` does all of it, so that whoever has a clock can say what happens."""

    def __init__(
        self,
        what: str,
        write: Callable[[str], Any],
        terminal: bool,
        busy: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``write`` writes at once; ``busy`` says whether something else shows life."""
        self.what, self.write, self.terminal, self.busy, self.clock = what, write, terminal, busy, clock
        self.lock = threading.RLock()  # a signal's message may come in the middle of another
        self.start = self.last = clock()
        self.due, self.shown, self.over = MARKS[0], False, False

    def tick(self) -> float:
        """Write what is due; seconds until the next look."""
        with self.lock:
            now = self.clock()
            if self.over:
                return QUIET_SECONDS
            if self.busy():
                self.last = now
            quiet, elapsed = now - self.last, now - self.start
            if quiet < QUIET_SECONDS:
                return QUIET_SECONDS - quiet
            if self.terminal:
                self.write(f"{ERASE}still at work: {self.what}, {elapsed:.0f} s")
                self.shown = True
                return 1.0
            if elapsed >= self.due:
                self.write(f"still at work: {self.what}, {elapsed:.0f} s\n")
                self.due = next((mark for mark in MARKS if mark > elapsed), (elapsed // MARKS[-1] + 1) * MARKS[-1])
            return max(self.due - elapsed, 0.01)

    def heard(self) -> None:
        """Something else is written now: the line goes away, and silence begins anew."""
        with self.lock:
            self.last = self.clock()
            if self.shown:
                self.shown = False
                self.write(ERASE)

    def end(self) -> None:
        """No more of it."""
        with self.lock:
            self.heard()
            self.over = True


@contextmanager
def heartbeat(what: str) -> Iterator[None]:
    """A sign of life on standard error while the block runs."""
    if os.environ.get("PSTAR_QUIET") or sys.stderr is None:
        yield
        return
    streams = [stream for stream in (sys.stdout, sys.stderr) if stream is not None]
    say = unguarded(sys.stderr).write

    def write(text: str) -> None:
        try:
            say(text)
            sys.stderr.flush()
        except (OSError, ValueError):
            beat.over = True  # nobody reads it any more

    terminal = sys.stderr.isatty() and os.environ.get("TERM") not in (None, "", "dumb")
    beat, done = Heartbeat(what, write, terminal, _bar_at_work), threading.Event()

    def watch() -> None:
        while not done.wait(beat.tick()):
            pass

    for stream in streams:
        _listen(stream, beat)
    threading.Thread(target=watch, name="heartbeat", daemon=True).start()
    try:
        yield
    finally:
        done.set()
        beat.end()
        for stream in streams:
            vars(stream).pop("write", None)


def _listen(stream: Any, beat: Heartbeat) -> None:
    """Tell the heartbeat of everything that is written to a stream."""
    plain = stream.write

    def write(text: str) -> Any:
        beat.heard()
        return plain(text)

    stream.write = write


def _bar_at_work() -> bool:
    """Whether a progress bar moves, which is a sign of life by itself."""
    progress = sys.modules.get("sims.running.progress")
    return progress is not None and progress.bars_at_work > 0
