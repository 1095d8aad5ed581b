"""Progress of long work: a bar with time left on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from sims.running.terminal import Guarded, unguarded
from sims.running.text import duration, printable

LINE_SECONDS = 10.0
EARLY = 0.05
"""Share done from which the time left is told by the pace so far; before, what is at work weighs too much."""
bars_at_work = 0
"""Bars on a terminal that move at this moment: signs of life, beside which no other is wanted."""


class Advance(Protocol):
    """Called with the number of units just finished."""

    def __call__(self, units: int) -> None:
        """Move the progress on."""


@contextmanager
def progress(label: str, total: int, unit: str, expected: float | None = None) -> Iterator[Advance]:
    """Show progress on standard error while the block runs; yields the function that moves it on.

    ``expected``: seconds that all of it should take, by which lines, not a bar, tell the time left at first.
    """
    global bars_at_work
    if sys.stderr.isatty():
        bars_at_work += 1
        try:
            with _bar(label, total, unit) as advance:
                yield advance
        finally:
            bars_at_work -= 1
    else:
        yield _Lines(label, total, unit, expected)


@contextmanager
def _bar(label: str, total: int, unit: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Left

    columns = [TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TextColumn(unit)]
    columns += [TimeElapsedColumn(), TextColumn("elapsed,"), Left(), TextColumn("left")]
    with Progress(*columns, console=Console(file=unguarded(sys.stderr))) as bar:
        task = bar.add_task(printable(label), total=total)
        between = sys.stdout, sys.stderr  # which pass on what is written past the bar
        sys.stdout, sys.stderr = map(Guarded, between)
        try:
            yield lambda units: bar.advance(task, units)
        finally:
            sys.stdout, sys.stderr = between


class _Lines:
    def __init__(self, label: str, total: int, unit: str, expected: float | None) -> None:
        self.label, self.total, self.unit, self.expected = label, total, unit, expected
        self.done, self.start = 0, time.monotonic()
        self.last = self.start

    def __call__(self, units: int) -> None:
        self.done += units
        now = time.monotonic()
        if now - self.last < LINE_SECONDS and self.done < self.total:
            return
        self.last, elapsed = now, now - self.start
        whole = elapsed * self.total / max(self.done, 1)
        if self.expected is not None and self.done < EARLY * self.total:
            whole = max(self.expected, elapsed)
        left = whole * (1 - self.done / self.total) if self.total else 0.0
        text = f"{self.label}: {self.done}/{self.total} {self.unit}, {duration(elapsed)}"
        print(text + (f", about {duration(left)} left" if left else ""), file=sys.stderr, flush=True)
