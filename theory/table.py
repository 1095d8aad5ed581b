"""Predictions for a whole table of problems: columns in, columns out, few compilations."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from theory._check import check_cosines, check_rates, in_range, require_x64
from theory.errors import InputError
from theory.losses import LOSSES
from theory.prediction import Prediction, predict
from theory.types import ClassRates, Cosines, Problem, Rates

RATES = ("p", "phi", "psi")
CLASS_RATES = tuple(f"{rate}_{side}" for rate in RATES for side in ("negative", "positive"))
COSINES = ("cos_generator", "cos_verifier", "cos_between")
SHARED = ("signal", "alpha", "ridge")
POSITIVE = {"signal": "r = ||mu||", "alpha": "alpha = n/d"}
BLOCKS = (256, 4096)
"""Lines go through in blocks of one of these sizes, the last one padded, so that each (loss, setting) is compiled
for two sizes at most, whatever the length of the table."""


def predict_table(columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """`theory.prediction.predict` for every line of a table.

    Args:
        columns: arrays of one length (or single values) named as in THEORY §1: ``signal``, ``alpha``, ``ridge``,
            ``loss``, and either ``p``, ``phi``, ``psi`` (or all of p_negative, p_positive, phi_negative, ...,
            with ``prior`` = P(y = +1), default 1/2), or the three cosines of the linear setting.

    Returns:
        The fields of `Prediction` as NumPy arrays, in the order of the lines. A line without solution has
        accuracy NaN and converged False.

    Raises:
        ValueError: a missing column, columns of both settings, or a value outside its range, naming the column and
            the line (counted from 1). RuntimeError: JAX is in float32.
    """
    require_x64()
    names = _columns_of(columns)
    length = max(np.size(columns[name]) for name in (*names, "loss"))
    numbers = {name: np.broadcast_to(_numbers(name, columns[name]), (length,)) for name in names}
    losses = np.broadcast_to(np.asarray(columns["loss"], dtype=object), (length,))
    _check_lines(numbers, losses)
    found: dict[str, np.ndarray] = {}
    for loss in dict.fromkeys(losses):
        lines = np.flatnonzero(losses == loss)
        part = _predict_lines({name: column[lines] for name, column in numbers.items()}, str(loss))
        for name, values in part._asdict().items():
            found.setdefault(name, np.empty(length, values.dtype))[lines] = values
    return found


def _columns_of(columns: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the columns that matter. Raises ValueError where they do not make a problem."""
    linear = any(name in columns for name in COSINES)
    class_dependent = any(name in columns for name in CLASS_RATES)
    wanted = COSINES if linear else CLASS_RATES if class_dependent else RATES
    missing = [name for name in (*SHARED, *wanted, "loss") if name not in columns]
    if missing:
        raise InputError(f"column {missing[0]} is missing; the table needs {', '.join((*SHARED, 'loss', *wanted))}")
    return (*SHARED, *wanted, "prior") if class_dependent and not linear and "prior" in columns else (*SHARED, *wanted)


def _numbers(name: str, values: Any) -> np.ndarray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        bad = next((i, value) for i, value in enumerate(np.ravel(values)) if not _is_number(value))
        raise InputError(f"line {bad[0] + 1}, column {name}: {bad[1]!r} is not a number") from None


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _check_lines(numbers: dict[str, np.ndarray], losses: np.ndarray) -> None:
    """Raise ValueError for the first line that is no problem; checks whole columns unless something is wrong."""
    try:
        _check(numbers, losses)
    except ValueError:
        for line in range(len(losses) if len(losses) > 1 else 0):
            try:
                _check({name: column[line] for name, column in numbers.items()}, losses[line : line + 1])
            except ValueError as error:
                raise InputError(f"line {line + 1}: {error}") from None
        raise


def _check(numbers: Mapping[str, Any], losses: np.ndarray) -> None:
    for name, meaning in POSITIVE.items():
        in_range(name, numbers[name], 0, np.inf, open_low=True, remedy=meaning)
    in_range("ridge", numbers["ridge"], 0, np.inf, remedy="ridge is an L2 penalty")
    curation = _curation(numbers, np.stack)
    check_cosines(curation) if isinstance(curation, Cosines) else check_rates(curation)
    unknown = [loss for loss in losses if loss not in LOSSES]
    if unknown:
        raise InputError(f"loss = {unknown[0]!r} is unknown; choose from {', '.join(LOSSES)}")


def _curation(numbers: Mapping[str, Any], stack: Any) -> Rates | ClassRates | Cosines:
    if COSINES[0] in numbers:
        return Cosines(*(numbers[name] for name in COSINES))
    if CLASS_RATES[0] not in numbers:
        return Rates(*(numbers[name] for name in RATES))
    return by_class(numbers, stack)


def by_class(numbers: Mapping[str, Any], stack: Any = np.stack) -> ClassRates:
    """`ClassRates` from the columns p_negative, p_positive, ... and prior = P(y = +1), 1/2 where it is absent."""
    sides = [stack([numbers[f"{rate}_negative"], numbers[f"{rate}_positive"]], -1) for rate in RATES]
    prior = numbers.get("prior", 0.5 + 0 * numbers["signal"])
    return ClassRates(sides[0], sides[1], sides[2], stack([1 - prior, prior], -1))


def _predict_lines(numbers: dict[str, np.ndarray], loss: str) -> Prediction:
    length = len(numbers["signal"])
    block = next((size for size in BLOCKS if length <= 8 * size), BLOCKS[-1])
    parts = []
    for start in range(0, length, block):
        lines = np.minimum(np.arange(start, start + block), length - 1)
        parts.append(jax.device_get(_predict_block({name: c[lines] for name, c in numbers.items()}, loss)))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:length], *parts)


@partial(jax.jit, static_argnames="loss")
def _predict_block(numbers: dict[str, jax.Array], loss: str) -> Prediction:
    curation = _curation(numbers, jnp.stack)
    found = predict(Problem(numbers["signal"], curation, numbers["ridge"]), numbers["alpha"], loss)
    shape = numbers["signal"].shape
    return Prediction(*(jnp.broadcast_to(jnp.asarray(field), shape) for field in found))
