"""Compute one chunk: trials in batches of fixed width, as a table with one row per trial."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import ndtr

from sims.spectra import MAX_LEVELS, mahalanobis_sq, norm
from sims.sweeps.grid import Cell, Chunk, Shape
from sims.trial import make_trials
from theory import certified, types
from theory.columns import CLASS_RATES, EXACT_LAW, RATES, SETTINGS, SIMULATION, SPECTRUM
from theory.errors import RunError
from theory.types import Problem, Spectrum

FLOAT, INT, TEXT = pa.float64(), pa.int64(), pa.string()

WHO = (("cell", TEXT), ("seed", INT), ("method", TEXT), ("setting", TEXT), ("loss", TEXT), ("n", INT), ("d", INT))
MEASURED = (
    *((name, INT) for name in ("m", "wrong", "kept_wrong")),
    *((name, FLOAT) for name in ("overlap", "norm", "accuracy", "accuracy_error", "gradient_norm")),
    *(("steps", INT), ("converged", pa.bool_()), ("status", TEXT)),
)
SCORES = (
    ("kept_positive", INT),
    *((name, FLOAT) for name in ("balanced_accuracy", "mean_score", "offset", "score_sd")),
)
"""What is measured as well where the sweep has an intercept or a spectrum."""


def schema(setting: str, intercept: bool = False, coloured: bool = False) -> pa.Schema:
    """Columns of the raw rows of a sweep: whose, what the cell fixes (`theory.columns`), and what was measured.

    p, phi, psi are P(y' wrong), P(kept | correct), P(kept | wrong) over both classes, and null where they follow from
    cosines. status is one of `theory.types.STATUSES`, and "ok" only what has passed `theory.certified.refused`; others
    have converged False, and NaN for what is measured of a classifier. A sweep with ``intercept`` has that column, 0 or
    1; one whose features are ``coloured`` has eigenvalues, shares and signals_sq, numbers with ; between them, and as
    signal the norm of the mean; both have `SCORES`.

    accuracy_error says how far the accuracy may be from that of the row's own random numbers: for a simulated fit what
    its gradient allows, 2 r gradient_norm / (ridge norm sqrt(2 pi)), with a spectrum R sqrt(largest eigenvalue) for r
    and score_sd for norm (null at ridge = 0, and with an intercept, which no penalty holds); for the exact law what was
    cut off. gradient_norm is null for the exact law, where steps counts blocks; for the theory it is the residual of
    the equations. draws names the stream of the data's normal numbers, `sims.losses.STREAM` or that of an earlier
    version; without data it is "float64".
    """
    fixed = ("alpha", "signal", "ridge", "prior", *SETTINGS[setting].recorded)
    population = [("intercept", INT)] if intercept else []
    population += [(name, TEXT) for name in SPECTRUM] if coloured else []
    scores = SCORES if population else ()
    return pa.schema([*WHO, ("draws", TEXT), *((name, FLOAT) for name in fixed), *population, *MEASURED, *scores])


def schema_of(shape: Shape) -> pa.Schema:
    """That of the rows of a shape."""
    return schema(shape.setting, shape.intercept is not None, shape.coloured)


GPU_SHARE = 0.5
"""Of a GPU's free memory, what the trials that run at once may take."""


def run_chunk(chunk: Chunk, cells: Mapping[str, Cell], root_seed: int) -> pa.Table:
    """Rows of all trials of a chunk, in its order, by the method that its cells ask for.

    Every call of a compiled function has the same width, the last one padded, so that one compilation serves all
    chunks of a shape. Raises RuntimeError where JAX is not in float64.
    """
    if not jax.config.jax_enable_x64:
        raise RunError("sims needs float64: set JAX_ENABLE_X64=1 before JAX is imported")
    members = [cells[span.cell] for span in chunk.spans]
    owner = np.repeat(np.arange(len(members)), [span.count for span in chunk.spans])
    seeds = np.concatenate([np.arange(span.first, span.first + span.count) for span in chunk.spans])
    words = np.column_stack([np.array([cell.words for cell in members])[owner], seeds]).astype(np.uint32)
    method = {"simulation": _simulated, "exact-law": _drawn, "theory": _predicted}[chunk.shape.method]
    levels = MAX_LEVELS if chunk.shape.method == SIMULATION else 0
    problem = problems(members, levels)
    columns = _certified(method(chunk.shape, root_seed, words, problem, owner), chunk.shape, problem, owner)
    if columns["accuracy"].dtype != np.float64:
        raise RunError(f"accuracy came back as {columns['accuracy'].dtype}, not float64")
    columns |= {"seed": seeds} | _parameter_columns(members, owner)
    wanted = schema_of(chunk.shape)
    return pa.table({name: columns[name] for name in wanted.names}, schema=wanted)


def _certified(
    columns: dict[str, np.ndarray], shape: Shape, problem: Problem, owner: np.ndarray
) -> dict[str, np.ndarray]:
    """Columns in which only rows that pass the predicate of all rows are ok, and others have no numbers of a fit.

    A row of theory whose expected count of kept samples rounds to 0 has nothing kept.
    """
    told = ("overlap", "norm", "accuracy", *(name for name, kind in SCORES if kind is FLOAT and shape.told))
    reach = np.broadcast_to(_reach(problem.signal), np.shape(problem.ridge))[owner]
    lengths = [(columns["overlap"], columns["norm"])]
    if shape.told:
        lengths.append((columns["mean_score"], reach * columns["score_sd"]))
    most = np.asarray(ndtr(reach))
    shares = [certified.accuracy(columns["accuracy"], 1.0 if shape.intercept else most)]
    shares += [certified.accuracy(columns["balanced_accuracy"], most)] if shape.told else []
    residual = columns["accuracy_error" if shape.method == EXACT_LAW else "gradient_norm"]
    numbers, bound = tuple(columns[name] for name in told), certified.PROMISED[shape.method]
    row = certified.Row(columns["m"], residual, bound, numbers, tuple(lengths), tuple(shares))
    reasons = np.array(types.STATUSES, dtype=object)[certified.refused(row)]
    status = np.where(columns["status"] == "ok", reasons, columns["status"])
    ok = status == "ok"
    measured = {name: np.where(ok, columns[name], np.nan) for name in told}
    error = columns["accuracy_error"]
    if isinstance(error, pa.Array):
        error = pc.if_else(pa.array(ok | ~columns["converged"]), error, None)
    return columns | measured | {"accuracy_error": error, "converged": ok, "status": status}


def _reach(signal: Any) -> Any:
    """R, the largest mean score in units of its deviation: the signal in white noise."""
    return np.sqrt(mahalanobis_sq(signal)) if isinstance(signal, Spectrum) else signal


def _simulated(
    shape: Shape, root_seed: int, words: np.ndarray, problem: Problem, owner: np.ndarray
) -> dict[str, np.ndarray]:
    """Trials: draw, verify, fit, measure. ``problem`` has an entry per cell, ``owner`` the cell of each trial."""
    together = _together(shape)
    run = make_trials(shape.n, shape.d, shape.loss, together, shape.intercept)
    width = -(-shape.batch // together) * together
    measured = _batched(lambda *batch: run(root_seed, *batch), words, problem, owner, width)
    columns = measured._asdict()
    signal, size = problem.signal, columns["norm"]
    if isinstance(signal, Spectrum):
        size, signal = columns["score_sd"], np.sqrt(mahalanobis_sq(signal) * np.max(signal.eigenvalues, axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = 2 * columns["gradient_norm"] / (np.asarray(problem.ridge)[owner] * size)
        error = np.asarray(signal)[owner] * distance / np.sqrt(2 * np.pi)
    columns["accuracy_error"] = _nulls(error, ~np.isfinite(error) | bool(shape.intercept))
    status = _status(measured.converged, measured.m)
    if shape.intercept:
        one = (measured.kept_positive == 0) | (measured.kept_positive == measured.m)
        status = np.where((measured.m > 0) & one, "one label kept", status)
    return columns | {"status": status}


def _drawn(
    shape: Shape, root_seed: int, words: np.ndarray, problem: Problem, owner: np.ndarray
) -> dict[str, np.ndarray]:
    """Draws from the exact law of the same rows, without data."""
    from sims.exact_law import blocks_needed, run_draws

    given = (problem, blocks_needed(problem, shape.n, shape.d))
    drawn = _batched(
        lambda words, batch, count: run_draws(root_seed, words, *batch, shape.n, shape.d),
        words,
        given,
        owner,
        shape.batch,
    )
    columns = drawn._asdict()
    columns |= {"accuracy_error": drawn.truncation, "steps": drawn.blocks}
    columns["gradient_norm"] = _nulls(np.zeros(len(words)), np.ones(len(words), bool))
    return columns | {"status": _status(drawn.converged, drawn.m)}


def _predicted(
    shape: Shape, root_seed: int, words: np.ndarray, problem: Problem, owner: np.ndarray
) -> dict[str, np.ndarray]:
    """The exact theory: one row per cell, without chance."""
    from sims.sweeps.exact import exact_columns

    columns = {name: values[owner] for name, values in exact_columns(problem, shape).items()}
    return columns | {"accuracy_error": _nulls(np.zeros(len(owner)), np.ones(len(owner), bool))}


def _status(converged: np.ndarray, m: np.ndarray) -> np.ndarray:
    return np.where(converged, "ok", np.where(m == 0, "nothing kept", "not converged"))


def _nulls(values: np.ndarray, missing: np.ndarray) -> Any:
    """Values with nulls, as a column of the table; NaN is kept for failed fits."""
    return pa.array(values, FLOAT, mask=missing)


def _batched(run: Callable[..., Any], words: np.ndarray, leaves: Any, owner: np.ndarray, width: int) -> Any:
    """``run(words, leaves, count)`` over batches of ``width`` rows, the last padded; its results end to end.

    ``leaves`` has an entry per cell, of which each row gets that of its ``owner``.
    """
    parts = []
    for start in range(0, len(words), width):
        rows = np.minimum(np.arange(start, start + width), len(words) - 1)
        batch = jax.tree.map(lambda leaf, rows=rows: jnp.asarray(leaf[owner[rows]]), leaves)
        parts.append(jax.device_get(run(jnp.asarray(words[rows]), batch, min(width, len(words) - start))))
    return jax.tree.map(lambda *parts: np.concatenate(parts)[: len(words)], *parts)


def _together(shape: Shape) -> int:
    """Trials that run at once: one on a CPU, on a GPU as many as GPU_SHARE of its free memory holds."""
    device = jax.devices()[0]
    if device.platform == "cpu":
        return 1
    memory = device.memory_stats() or {}
    free = memory.get("bytes_limit", 2**30) - memory.get("bytes_in_use", 0)
    return max(1, min(shape.batch, int(GPU_SHARE * free) // shape.trial_bytes))


def problems(owners: list[Cell], levels: int = 0) -> Problem:
    """One `Problem` whose leaves have a leading axis, an entry per cell.

    Spectra are filled up with empty levels, to the longest of them or to ``levels``, so that what is compiled for them
    is one program, whoever shares a chunk.
    """
    setting = SETTINGS[owners[0].setting]
    stack = lambda values: np.array(list(values), dtype=np.float64)
    own: Any = [stack(values) for values in zip(*(cell.values for cell in owners), strict=True)]
    if setting.by_class:
        prior = stack(cell.prior for cell in owners)
        p, phi, psi = own
        curation: Any = types.ClassRates(p, phi, psi, np.stack([1 - prior, prior], axis=1))
    else:
        curation = getattr(types, setting.parameters)(*own)
    return Problem(_signals(owners, levels), curation, stack(cell.ridge for cell in owners))


def _signals(owners: list[Cell], levels: int) -> Any:
    signals: list[Any] = [cell.signal for cell in owners]
    if not isinstance(signals[0], Spectrum):
        return np.array(signals, dtype=np.float64)
    size = max(levels, *(len(signal.shares) for signal in signals))
    filled = lambda values: np.pad(np.array(values, dtype=np.float64), (0, size - len(values)))
    return Spectrum(*(np.stack([filled(values) for values in field]) for field in zip(*signals, strict=True)))


def _parameter_columns(members: list[Cell], owner: np.ndarray) -> dict[str, pa.Array]:
    """What a cell fixes, one entry per trial."""
    shape = members[0].shape
    wanted = schema_of(shape)
    columns: dict[str, list[Any]] = {"cell": [cell.id for cell in members]}
    for name in ("setting", "ridge", "prior"):
        columns[name] = [getattr(cell, name) for cell in members]
    columns["signal"] = [norm(cell.signal) if isinstance(cell.signal, Spectrum) else cell.signal for cell in members]
    if shape.intercept is not None:
        columns["intercept"] = [int(shape.intercept)] * len(members)
    for place, name in enumerate(SPECTRUM if shape.coloured else ()):
        columns[name] = [";".join(map(repr, cell.signal[place])) for cell in members]  # type: ignore[index]
    for name in ("method", "loss", "n", "d", "draws"):
        columns[name] = [getattr(cell.shape, name) for cell in members]
    columns["alpha"] = [cell.shape.n / cell.shape.d for cell in members]
    for name in SETTINGS[members[0].setting].recorded:
        if name not in CLASS_RATES:
            columns[name] = [_scalar(name, cell) for cell in members]
    for rate in RATES:
        sides: list[Any] = [_sides(rate, cell) for cell in members]
        columns[f"{rate}_negative"] = [side[0] for side in sides]
        columns[f"{rate}_positive"] = [side[1] for side in sides]
    return {name: pa.array(values, wanted.field(name).type).take(pa.array(owner)) for name, values in columns.items()}


def _sides(rate: str, cell: Cell) -> tuple[Any, Any]:
    """A rate for y = -1 and y = +1; of neither where it does not depend on the class in this setting."""
    value = cell.value(rate)
    return value if isinstance(value, tuple) else (None, None)


def _scalar(name: str, cell: Cell) -> float | None:
    """A parameter as one number: rates over both classes, p by P(y), phi among the correct, psi among the wrong."""
    value = cell.value(name)
    if not isinstance(value, tuple) or value[0] == value[1]:
        return value[0] if isinstance(value, tuple) else value
    p: Any = cell.value("p")
    prior = (1 - cell.prior, cell.prior)
    share = {"p": (1.0, 1.0), "phi": (1 - p[0], 1 - p[1]), "psi": p}[name]
    weight = [a * b for a, b in zip(prior, share, strict=True)]
    weight = weight if sum(weight) > 0 else list(prior)  # none are
    return float(sum(w * side for w, side in zip(weight, value, strict=True)) / sum(weight))
