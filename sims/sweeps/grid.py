"""From a sweep file to work: cells, trials, and chunks of trials that run as one unit.

A cell is one point of the grid; a trial is a cell with a seed; a chunk is a fixed number of trials of one
static shape (loss, n, d) and the unit that is computed, stored and resumed. Nothing here needs JAX.
"""

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sims.losses import STREAM
from sims.running.toml import PerClass
from sims.sweeps.tables import SweepConfig, axes
from theory.columns import COSINES, RATES, SETTINGS, SIMULATION

MAX_BATCH = 256
"""Simulated trials per call of the compiled batch. They run one after the other, so that this costs no memory."""

DRAWS_TOGETHER = 512
"""Draws from the exact law per call of the compiled batch."""

WORKER_BYTES = 600_000_000
"""A worker without any trial: JAX, its compiler, pyarrow. Measured at its peak."""

CHUNK_SECONDS = 2.0
MAX_CHUNK_TRIALS = 4096


class Shape(NamedTuple):
    """What is static under jit; one compilation each."""

    loss: str
    n: int
    d: int
    method: str = "simulation"
    draws: str = STREAM
    """What simulated trials draw from; "float64" where no data are drawn, as in older folders."""
    setting: str = "independent"
    """Of the cells; that of the exact law alone is static under jit."""

    @property
    def trial_bytes(self) -> int:
        """Memory that a worker needs beyond its libraries: the data of one trial three times, or a batch of draws."""
        if self.method == "theory":
            return 0
        if self.method == "exact-law":
            return DRAWS_TOGETHER * 40_000
        return 8 * (3 * self.n * self.d + 3 * min(self.n, self.d) ** 2)

    @property
    def worker_bytes(self) -> int:
        """Memory of a worker with one batch of trials."""
        return WORKER_BYTES + self.trial_bytes

    @property
    def trial_seconds(self) -> float:
        """Rough time of one trial on one core: drawing n d numbers, then some twenty passes over them.

        Calibrated on one machine; good to a factor of about three, for estimates and chunk sizes only.
        """
        if self.method == "theory":
            return 1e-3
        if self.method == "exact-law":
            return 3e-5 if self.setting == "independent" else 6e-5 + 9e-8 * self.n
        return 6e-5 + 11e-9 * self.n * self.d

    @property
    def batch(self) -> int:
        """Trials per call of the compiled function: a fixed width, so that one compilation serves all chunks."""
        if self.method == "exact-law":
            return DRAWS_TOGETHER
        return min(MAX_BATCH, self.chunk_trials)

    @property
    def chunk_trials(self) -> int:
        """Trials per chunk, worth about CHUNK_SECONDS."""
        wanted = int(min(MAX_CHUNK_TRIALS, CHUNK_SECONDS / self.trial_seconds))
        whole = DRAWS_TOGETHER if self.method == "exact-law" else 1
        return max(1, wanted // whole) * whole


class Cell(NamedTuple):
    """One point of the grid."""

    setting: str
    shape: Shape
    signal: float
    ridge: float
    prior: float
    values: tuple[float | PerClass, ...]
    """Of the setting's own columns, in their order; rates that may depend on the class are pairs (y = -1, y = +1)."""

    def value(self, name: str) -> float | PerClass | None:
        """That of a column, None for one that has no meaning in the setting."""
        return dict(zip(SETTINGS[self.setting].columns, self.values, strict=True)).get(name)

    @property
    def id(self) -> str:
        """16 hexadecimal digits that name the cell by its content, and nothing else.

        A value's place in the content is its meaning: the columns that every sweep has come first, in any setting.
        """
        loss, n, d, method, draws, _ = self.shape
        shape = [loss, n, d, method, *([draws] if draws != "float64" else [])]  # ids that older folders have
        own = dict(zip(SETTINGS[self.setting].columns, self.values, strict=True))
        values = [own.pop(name, None) for name in (*RATES, *COSINES)]
        content = [self.setting, *shape, self.signal, self.ridge, self.prior, *values, *own.values()]
        return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()[:16]

    @property
    def words(self) -> tuple[int, int]:
        """The id as two 32-bit words, for the random key."""
        return int(self.id[:8], 16), int(self.id[8:], 16)


class Span(NamedTuple):
    """Seeds first, ..., first + count - 1 of one cell."""

    cell: str
    first: int
    count: int  # type: ignore[assignment]  # shadows tuple.count, which a span has no use for


class Chunk(NamedTuple):
    """Trials of one shape that are computed and stored together."""

    shape: Shape
    spans: tuple[Span, ...]

    @property
    def trials(self) -> int:
        """Number of trials."""
        return sum(span.count for span in self.spans)

    def id(self, root_seed: int) -> str:
        """16 hexadecimal digits that name the chunk by its trials and the root seed."""
        content = json.dumps([root_seed, *self.shape, self.spans], separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def cells(config: SweepConfig) -> dict[str, Cell]:
    """All cells of the sweep by id, in the order of the file's axes."""
    setting = SETTINGS[config.problem.setting]
    sided = _per_class if setting.by_class else lambda value: value
    draws = STREAM if config.run.method == SIMULATION else "float64"
    found: dict[str, Cell] = {}
    for loss, d, alpha, signal, ridge, others, verifier, generator in itertools.product(*axes(config)):
        shape = Shape(loss, round(alpha * d), d, config.run.method, draws, setting.name)
        values = tuple(map(sided, (generator, *verifier, *others)))
        cell = Cell(setting.name, shape, signal, ridge, config.problem.prior, values)
        found[cell.id] = cell
    return found


def _per_class(rate: float | PerClass) -> PerClass:
    return rate if isinstance(rate, tuple) else (rate, rate)


def missing_spans(cells: Iterable[str], seeds: int, done: Mapping[str, set[int]]) -> Iterator[Span]:
    """Runs of seeds in 0..seeds-1 that are not ``done``, cell by cell."""
    for cell in cells:
        have = done.get(cell, set())
        todo = [seed for seed in range(seeds) if seed not in have] if have else range(seeds)
        for _, run in itertools.groupby(enumerate(todo), key=lambda pair: pair[1] - pair[0]):
            members = [seed for _, seed in run]
            yield Span(cell, members[0], len(members))


def chunks(cells: Mapping[str, Cell], spans: Iterable[Span]) -> list[Chunk]:
    """Cut spans into chunks of ``shape.chunk_trials`` trials, shape by shape, in the given order."""
    by_shape: dict[Shape, list[Span]] = {}
    for span in spans:
        by_shape.setdefault(cells[span.cell].shape, []).append(span)
    made = []
    for shape, members in by_shape.items():
        room, current = shape.chunk_trials, []
        for cell, first, count in members:
            while count:
                taken = min(count, room)
                current.append(Span(cell, first, taken))
                first, count, room = first + taken, count - taken, room - taken
                if room == 0:
                    made.append(Chunk(shape, tuple(current)))
                    room, current = shape.chunk_trials, []
        if current:
            made.append(Chunk(shape, tuple(current)))
    return made


def cell_to_json(cell: Cell) -> list[Any]:
    """A cell as a JSON list, for the worker protocol."""
    return [cell.setting, list(cell.shape), *cell[2:]]


def cell_from_json(data: list[Any]) -> Cell:
    """Inverse of `cell_to_json`."""
    setting, shape, signal, ridge, prior, values = data
    own = tuple(tuple(value) if isinstance(value, list) else value for value in values)
    return Cell(setting, Shape(*shape), signal, ridge, prior, own)
