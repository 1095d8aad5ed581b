"""From a sweep file to work: cells, trials, and chunks of trials that run as one unit.

A cell is one point of the grid; a trial is a cell with a seed; a chunk is a fixed number of trials of one
static shape (loss, n, d) and the unit that is computed, stored and resumed. Nothing here needs JAX.
"""

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from sims.losses import STREAM
from sims.running.toml import PerClass
from sims.sweeps.tables import SweepConfig, axes
from theory.columns import COSINES, RATES, SETTINGS, SIMULATION
from theory.types import Spectrum

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
    intercept: bool | None = None
    """Whether one is fitted; None where the sweep does not say."""
    coloured: bool = False
    """Whether features have a spectrum."""

    @property
    def content(self) -> list[Any]:
        """The fields, as they are stored and named: without those at the end that older folders do not have."""
        return list(self) if self.told else list(self)[:-2]

    @property
    def told(self) -> bool:
        """Whether rows have the law of scores: where the sweep has an intercept or a spectrum."""
        return self.intercept is not None or self.coloured

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
    signal: float | Spectrum
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
        own = dict(zip(SETTINGS[self.setting].columns, self.values, strict=True))
        values = [own.pop(name, None) for name in (*RATES, *COSINES)]
        content = [self.setting, *_named(self.shape), self.signal, self.ridge, self.prior, *values, *own.values()]
        return sha256(_dumps(content).encode()).hexdigest()[:16]

    @property
    def words(self) -> tuple[int, int]:
        """The id as two 32-bit words, for the random key."""
        return int(self.id[:8], 16), int(self.id[8:], 16)


def _named(shape: Shape) -> list[Any]:
    """What of a shape is part of the id of its cells, as older folders have it where they can."""
    named: list[Any] = [shape.loss, shape.n, shape.d, shape.method]
    named += [shape.draws] if shape.draws != "float64" else []
    return named if shape.intercept is None else [*named, f"intercept {shape.intercept}"]


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
        return sha256(_dumps([root_seed, *self.shape.content, self.spans]).encode()).hexdigest()[:16]


def _dumps(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"))


class Grid(Mapping[str, Cell]):
    """The cells of a sweep by id, in the order of the file's axes.

    Of each its id and its place are held, and the cell is made when it is asked for: a grid may have millions.
    """

    def __init__(self, config: SweepConfig) -> None:
        """Name all cells of a checked file; where two alphas give the same n, their cells are one."""
        self._setting, self._prior = config.setting, config.problem.prior
        losses, sizes, alphas, intercepts, *self._inner = axes(config)
        draws = STREAM if config.run.method == SIMULATION else "float64"
        fixed = (config.run.method, draws, self._setting.name)
        self._shapes = [
            Shape(loss, round(alpha * d), d, *fixed, intercept, config.problem.spectrum is not None)
            for loss, d, alpha, intercept in itertools.product(losses, sizes, alphas, intercepts)
        ]
        self._each = math.prod(map(len, self._inner))
        """Cells of a shape."""
        self._places = {name: place for place, name in enumerate(self._ids())}

    def __len__(self) -> int:
        """How many."""
        return len(self._places)

    def __iter__(self) -> Iterator[str]:
        """Their ids."""
        return iter(self._places)

    def __contains__(self, name: object) -> bool:
        """Whether a cell is one of them."""
        return name in self._places

    def __getitem__(self, name: str) -> Cell:
        """The cell of an id."""
        shape, place = divmod(self._places[name], self._each)
        found: list[Any] = []
        for axis in reversed(self._inner):
            place, step = divmod(place, len(axis))
            found.append(axis[step])
        generator, verifier, others, ridge, signal = found
        values = tuple(map(self._sided, (generator, *verifier, *others)))
        return Cell(self._setting.name, self._shapes[shape], signal, ridge, self._prior, values)

    def shape_of(self, name: str) -> Shape:
        """That of a cell, without the cell."""
        return self._shapes[self._places[name] // self._each]

    def _sided(self, value: Any) -> Any:
        """A value as cells have it: rates that may depend on the class are pairs."""
        return _per_class(value) if self._setting.by_class else value

    def _ids(self) -> Iterator[str]:
        """As `Cell.id`, from the JSON of each value of each axis, which is made once."""
        text = lambda value: _dumps(self._sided(value))
        signals, ridges, others, verifiers, generators = self._inner
        tables: list[Any] = [list(map(_dumps, signals)), list(map(_dumps, ridges))]
        tables += [[tuple(map(text, values)) for values in axis] for axis in (others, verifiers)]
        generator, *rest = columns = self._setting.columns
        places = [*RATES, *COSINES, *(name for name in columns if name not in (*RATES, *COSINES))]
        last = places.index(generator)
        errors = list(map(text, generators))
        for shape in self._shapes:
            head = _dumps([self._setting.name, *_named(shape)])[:-1]
            for signal, ridge, other, verifier in itertools.product(*tables):
                own = dict(zip(rest, (*verifier, *other), strict=True))
                parts = [own.get(name, "null") for name in places]
                before = ",".join([head, signal, ridge, _dumps(self._prior), *parts[:last], ""])
                after = ",".join(["", *parts[last + 1 :]]) + "]"
                for error in errors:
                    yield sha256(f"{before}{error}{after}".encode()).hexdigest()[:16]


def cells(config: SweepConfig) -> Grid:
    """All cells of the sweep by id, in the order of the file's axes."""
    return Grid(config)


def _per_class(rate: float | PerClass) -> PerClass:
    return rate if isinstance(rate, tuple) else (rate, rate)


def missing_spans(cells: Iterable[str], seeds: int, done: Mapping[str, set[int]]) -> Iterator[Span]:
    """Runs of seeds in 0..seeds-1 that are not ``done``, cell by cell."""
    for cell in cells:
        have = done.get(cell)
        if not have:
            yield Span(cell, 0, seeds)
            continue
        todo = [seed for seed in range(seeds) if seed not in have]
        for _, run in itertools.groupby(enumerate(todo), key=lambda pair: pair[1] - pair[0]):
            members = [seed for _, seed in run]
            yield Span(cell, members[0], len(members))


def chunks(cells: Mapping[str, Cell], spans: Iterable[Span]) -> list[Chunk]:
    """Cut spans into chunks of ``shape.chunk_trials`` trials, shape by shape, in the given order."""
    shape_of = cells.shape_of if isinstance(cells, Grid) else lambda name: cells[name].shape
    by_shape: dict[Shape, list[Span]] = {}
    for span in spans:
        by_shape.setdefault(shape_of(span.cell), []).append(span)
    made = []
    for shape, members in by_shape.items():
        room, current = shape.chunk_trials, []
        for span in members:
            cell, first, count = span
            while count:
                taken = min(count, room)
                current.append(span if taken == span.count else Span(cell, first, taken))
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
    signal = Spectrum(*map(tuple, signal)) if isinstance(signal, list) else signal
    return Cell(setting, Shape(*shape), signal, ridge, prior, own)
