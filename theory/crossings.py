"""Where predicted accuracy crosses a level: p_half and every p_gain, solved (THEORY §6)."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import elementwise
from scipy.special import ndtr

from theory import settings
from theory._check import check_alpha, curation_of
from theory.columns import setting_of
from theory.errors import InputError
from theory.prediction import predict
from theory.settings import check_problem
from theory.settings.base import Setting
from theory.table import predict_table
from theory.types import Problem, Scalar

Target = Literal["p_half", "p_gain"]
"""p_half: trained accuracy = 1/2. p_gain: trained accuracy = generator accuracy."""

TARGETS: tuple[Target, ...] = get_args(Target)

POINTS = 257
"""Bracketing points along a curve; two zeros between neighbours are missed."""


class Crossings(NamedTuple):
    """Crossings of several curves, flat: entry i belongs to curve ``curve[i]``."""

    curve: np.ndarray
    x: np.ndarray
    """Where the function is zero; NaN where the root finder failed."""
    rising: np.ndarray
    """Whether the function goes from negative to positive there."""


def crossings(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray],
    count: int,
    low: float,
    high: float,
    points: int = 257,
) -> Crossings:
    """All zeros of ``count`` functions on [low, high], bracketed on a grid and then solved to 1e-12.

    Args:
        function: (x, curve) -> value, both of one shape; called on whole tables. May return NaN, which ends a
            bracket: nothing is reported next to it.
        count: number of curves. low, high: the interval. points: bracketing grid; two zeros between
            neighbouring points are missed.

    Returns:
        `Crossings`, sorted by curve and x. A zero exactly at a grid point counts once.

    Source: Chandrupatla's method, scipy.optimize.elementwise.find_root.
    """
    grid = np.linspace(low, high, points)
    curve = np.repeat(np.arange(count), points)
    values = function(np.tile(grid, count), curve).reshape(count, points)
    sign = np.where(values >= 0, 1.0, -1.0) + 0 * values
    at, left = np.nonzero(sign[:, :-1] * sign[:, 1:] < 0)
    rising = values[at, left] < 0
    if len(at) == 0:
        return Crossings(at, np.empty(0), rising)
    found = elementwise.find_root(
        lambda x, which: function(x, which.astype(int)),
        (grid[left], grid[left + 1]),
        args=(at.astype(float),),
        tolerances={"xatol": 1e-12, "fatol": 0.0},
    )
    return Crossings(at, np.where(found.success, found.x, np.nan), rising)


def setting_along(table: Mapping[str, Any]) -> Setting:
    """The setting of the curves that start from the lines of a table: one for all of them."""
    given = {str(name) for name in np.ravel(table.get("setting", ""))}
    if len(given) != 1:
        raise InputError(f"curves of several settings at once ({', '.join(sorted(given))}); give them one by one")
    return settings.named(setting_of(list(table), given.pop()).name)


def along(columns: Mapping[str, Any], share: np.ndarray) -> dict[str, Any]:
    """The columns of a table with the generator moved to ``share`` in [0, 1] of its axis, line by line.

    The axis is that of the setting (`theory.settings.base.Setting.along`), from the best generator to the worst.
    """
    return setting_along(columns).along(columns, share)


def thresholds(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """The error rate at which half of the kept labels are correct, on the curve from each line; NaN: on none.

    In closed form where the setting has one, else solved.
    """
    found = setting_along(columns).threshold(columns)
    if found is not None:
        return found
    zeros = purity_crossings(columns)
    first = np.full(len(columns["signal"]), np.nan)
    first[zeros.curve[::-1]] = zeros.x[::-1]
    return first


def purity_crossings(columns: Mapping[str, np.ndarray]) -> Crossings:
    """Where half of the kept labels are correct along the curves from the lines of a table, solved; x in units of p."""
    return _along_curves(columns, lambda found, lines: found["purity"] - 0.5)


def predicted_crossings(columns: Mapping[str, np.ndarray], target: Target, infinite_data: bool = False) -> Crossings:
    """Every p_half or p_gain of the curves that start from the lines of a table, by the exact theory.

    Args:
        columns: as `theory.table.predict_table`, one line per curve; the generator's own column gives only the
            ratio of class-dependent error rates.
        target: which level. infinite_data: the p* rule instead, accuracy Phi(r) below p* and Phi(-r) above
            (independent setting).

    Returns:
        `Crossings` with x in units of p, those that were solved. None for a curve that stays on one side.
    """

    def excess(found: dict[str, np.ndarray], lines: dict[str, np.ndarray]) -> np.ndarray:
        accuracy = found["accuracy"]
        if infinite_data:
            accuracy = ndtr(np.where(found["purity"] > 0.5, 1.0, -1.0) * lines["signal"])
        return accuracy - (0.5 if target == "p_half" else found["generator_accuracy"])

    return _along_curves(columns, excess)


def _along_curves(
    columns: Mapping[str, np.ndarray],
    level: Callable[[dict[str, np.ndarray], dict[str, np.ndarray]], np.ndarray],
) -> Crossings:
    """Zeros of ``level(predictions, lines)`` along the curves from the lines of a table, x in units of p."""

    def excess(share: np.ndarray, which: np.ndarray) -> np.ndarray:
        lines = {name: np.asarray(column)[which.ravel()] for name, column in columns.items()}
        return level(predict_table(along(lines, share.ravel())), lines).reshape(share.shape)

    found = crossings(excess, len(columns["signal"]), 0.0, 1.0)
    if not len(found.x):
        return found
    solved = np.isfinite(found.x)
    found = Crossings(*(field[solved] for field in found))
    lines = {name: np.asarray(column)[found.curve] for name, column in columns.items()}
    return found._replace(x=predict_table(along(lines, found.x))["p"]) if len(found.x) else found


def differentiable_p_gain(problem: Problem, alpha: Scalar, loss: str, near: Scalar) -> Scalar:
    """A p_gain as a differentiable function of everything but p (independent setting, `Rates`).

    With h(p; params) = accuracy - (1 - p) and h(near) = 0, the implicit function theorem gives

        d p_gain / d params = - (dh/dparams) / (dh/dp)

    Args:
        problem: its ``curation.p`` is ignored. alpha, loss: as `theory.prediction.predict`.
        near: the p_gain, from `predicted_crossings`; returned unchanged, with this derivative attached.

    Raises ValueError as `predict`; TypeError in the linear setting.
    """
    check_problem(problem)
    check_alpha(alpha)
    rates = curation_of(problem, "independent")

    def excess(p: Scalar) -> Scalar:
        return predict(problem._replace(curation=rates._replace(p=p)), alpha, loss).accuracy - (1 - p)

    near = jax.lax.stop_gradient(jnp.asarray(near, float))
    value, slope = jax.value_and_grad(excess)(near)
    return near - (value - jax.lax.stop_gradient(value)) / jax.lax.stop_gradient(slope)
