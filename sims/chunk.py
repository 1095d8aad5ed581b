"""Compute one chunk: trials in batches of fixed width, as a table with one row per trial."""

from collections.abc import Mapping
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa

from sims.losses import Loss
from sims.plan import Cell, Chunk
from sims.trial import make_trials
from theory.types import ClassRates, Cosines, Problem

FLOAT, INT, TEXT = pa.float64(), pa.int64(), pa.string()

SCHEMA = pa.schema(
    [("cell", TEXT), ("seed", INT), ("method", TEXT), ("setting", TEXT), ("loss", TEXT), ("n", INT), ("d", INT)]
    + [(name, FLOAT) for name in ("alpha", "signal", "ridge", "prior", "p", "phi", "psi")]
    + [(f"{rate}_{side}", FLOAT) for rate in ("p", "phi", "psi") for side in ("negative", "positive")]
    + [(name, FLOAT) for name in ("cos_generator", "cos_verifier", "cos_between")]
    + [(name, INT) for name in ("m", "wrong", "kept_wrong")]
    + [(name, FLOAT) for name in ("overlap", "norm", "accuracy", "gradient_norm")]
    + [("steps", INT), ("converged", pa.bool_()), ("status", TEXT)]
)
"""Columns of the raw rows. p, phi, psi are P(y' wrong), P(kept | correct), P(kept | wrong) over both classes, and
null in the linear setting, where they follow from the cosines. status is "ok", "nothing kept" or "not converged"."""


def run_chunk(chunk: Chunk, cells: Mapping[str, Cell], root_seed: int) -> pa.Table:
    """Rows of all trials of a chunk, in its order; of the exact theory where the cells ask for it.

    Every batch has the same width, the last one padded, so that a trial's bits do not depend on how many
    trials are asked for. Raises RuntimeError where JAX is not in float64.
    """
    if not jax.config.jax_enable_x64:
        raise RuntimeError("sims needs float64: set JAX_ENABLE_X64=1 before JAX is imported")
    owners = [cells[span.cell] for span in chunk.spans for _ in range(span.count)]
    seeds = [seed for span in chunk.spans for seed in range(span.first, span.first + span.count)]
    if chunk.shape.method == "theory":
        from sims.exact import exact_columns

        return _table(_parameter_columns(owners, seeds) | exact_columns(problems(owners), chunk.shape))
    words = np.array([(*cell.words, seed) for cell, seed in zip(owners, seeds, strict=True)], dtype=np.uint32)
    problem = problems(owners)

    run = make_trials(chunk.shape.n, chunk.shape.d, cast(Loss, chunk.shape.loss))
    lanes, total = chunk.shape.lanes, len(owners)
    parts = []
    for start in range(0, total, lanes):
        rows = np.minimum(np.arange(start, start + lanes), total - 1)
        batch = jax.tree.map(lambda leaf, rows=rows: jnp.asarray(leaf[rows]), problem)
        parts.append(jax.device_get(run(jnp.asarray(root_seed), jnp.asarray(words[rows]), batch)))
    measured = jax.tree.map(lambda *leaves: np.concatenate(leaves)[:total], *parts)
    if measured.accuracy.dtype != np.float64:
        raise RuntimeError(f"accuracy came back as {measured.accuracy.dtype}, not float64")

    columns = _parameter_columns(owners, seeds) | measured._asdict()
    kept_none = measured.m == 0
    columns["status"] = np.where(measured.converged, "ok", np.where(kept_none, "nothing kept", "not converged"))
    return _table(columns)


def _table(columns: Mapping[str, Any]) -> pa.Table:
    return pa.table({name: columns[name] for name in SCHEMA.names}, schema=SCHEMA)


def problems(owners: list[Cell]) -> Problem:
    """One `Problem` whose leaves have a leading trial axis."""

    def stack(name: str) -> np.ndarray:
        return np.array([getattr(cell, name) for cell in owners], dtype=np.float64)

    curation: ClassRates | Cosines
    if owners[0].setting == "linear":
        curation = Cosines(stack("cos_generator"), stack("cos_verifier"), stack("cos_between"))
    else:
        prior = stack("prior")
        curation = ClassRates(stack("p"), stack("phi"), stack("psi"), np.stack([1 - prior, prior], axis=1))
    return Problem(stack("signal"), curation, stack("ridge"))


def _parameter_columns(owners: list[Cell], seeds: list[int]) -> dict[str, list[object]]:
    columns: dict[str, list[object]] = {"cell": [cell.id for cell in owners], "seed": list(seeds)}
    for name in ("setting", "signal", "ridge", "prior", "cos_generator", "cos_verifier", "cos_between"):
        columns[name] = [getattr(cell, name) for cell in owners]
    for name in ("method", "loss", "n", "d"):
        columns[name] = [getattr(cell.shape, name) for cell in owners]
    columns["alpha"] = [cell.shape.n / cell.shape.d for cell in owners]
    for rate in ("p", "phi", "psi"):
        sides: list[Any] = [getattr(cell, rate) or (None, None) for cell in owners]
        columns[f"{rate}_negative"] = [side[0] for side in sides]
        columns[f"{rate}_positive"] = [side[1] for side in sides]
        columns[rate] = [_marginal(rate, cell) for cell in owners]
    return columns


def _marginal(rate: str, cell: Cell) -> float | None:
    """A rate over both classes: p by P(y), phi among the correct, psi among the wrong (by P(y) if none are)."""
    pair: Any = getattr(cell, rate)
    if pair is None or pair[0] == pair[1]:
        return pair and pair[0]
    assert cell.p is not None
    prior = (1 - cell.prior, cell.prior)
    share = {"p": (1.0, 1.0), "phi": (1 - cell.p[0], 1 - cell.p[1]), "psi": cell.p}[rate]
    weight = [a * b for a, b in zip(prior, share, strict=True)]
    weight = weight if sum(weight) > 0 else list(prior)
    return float(sum(w * value for w, value in zip(weight, pair, strict=True)) / sum(weight))
