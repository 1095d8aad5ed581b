"""Where predicted accuracy crosses a level: p_half and every p_gain, along p or along p*, solved (THEORY §6, §11)."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from scipy.special import ndtr

from theory import settings
from theory._check import check_alpha, curation_of
from theory.columns import setting_of
from theory.errors import InputError
from theory.prediction import predict
from theory.settings import check_problem
from theory.settings.base import Setting
from theory.solvers import work
from theory.table import predict_table
from theory.types import Problem, Rates, Scalar

Target = Literal["p_half", "p_gain"]
"""p_half: trained accuracy = 1/2. p_gain: trained accuracy = generator accuracy."""

TARGETS: tuple[Target, ...] = get_args(Target)

Level = Callable[[dict[str, np.ndarray], Mapping[str, np.ndarray]], np.ndarray]
"""(predictions, their lines) -> what is zero at a crossing."""

POINTS = 257
"""Bracketing points along a curve; two zeros between neighbours are missed."""

ZERO = 1e-300
"""Where a function is exactly zero it is taken as positive, as on the grid: a stretch of zeros ends where the sign
changes, and the search does not stop where it begins."""

CURVE, ZEROS = 4.5e7, 1.5e7
"""Work (`theory.solvers.work`) for the points of one curve, and for its zeros: seconds. Points that it does not reach
are not converged."""


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
    points: int = POINTS,
    values: np.ndarray | None = None,
) -> Crossings:
    """All zeros of ``count`` functions on [low, high], bracketed on a grid and then solved to 1e-12.

    Args:
        function: (x, curve) -> value, both of one shape; called on whole tables. May return NaN, which ends a
            bracket: nothing is reported next to it.
        count: number of curves. low, high: the interval. points: bracketing grid; two zeros between
            neighbouring points are missed. values: of the functions on that grid, (count, points), where known.

    Returns:
        `Crossings`, sorted by curve and x. A zero exactly at a grid point counts once.

    Source: Chandrupatla's method, scipy.optimize.elementwise.find_root.
    """
    grid = np.linspace(low, high, points)
    if values is None:
        values = function(np.tile(grid, count), np.repeat(np.arange(count), points)).reshape(count, points)
    sign = np.where(values >= 0, 1.0, -1.0) + 0 * values
    at, left = np.nonzero(sign[:, :-1] * sign[:, 1:] < 0)
    rising = values[at, left] < 0
    if len(at) == 0:
        return Crossings(at, np.empty(0), rising)
    from scipy.optimize import elementwise

    def signed(x: np.ndarray, which: np.ndarray) -> np.ndarray:
        value = function(x, which.astype(int))
        return np.where(value == 0, ZERO, value)

    found = elementwise.find_root(
        signed,
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
    first = np.full(len(columns["alpha"]), np.nan)
    first[zeros.curve[::-1]] = zeros.x[::-1]
    return first


class Curves(NamedTuple):
    """The curves that start from the lines of a table, predicted on a grid of POINTS from best to worst generator.

    Every crossing of them, of any level, starts from this one table.
    """

    columns: Mapping[str, np.ndarray]
    found: dict[str, np.ndarray]
    """What `predict_table` says, arrays of shape (curves, POINTS)."""

    @property
    def solved(self) -> np.ndarray:
        """The share of each curve that has a solution; elsewhere crossings are missed."""
        return self.found["converged"].mean(-1)

    def crossings(self) -> dict[Target, Crossings]:
        """Every p_half and p_gain, as `predicted_crossings`; one search for all of them."""
        return dict(zip(TARGETS, self._zeros([partial(_excess, target) for target in TARGETS]), strict=True))

    def rule_crossings(self) -> Crossings:
        """Every p_gain of the p* rule: accuracy Phi(r) where most of what is kept is correct, else Phi(-r)."""

        def excess(found: dict[str, np.ndarray], lines: Mapping[str, np.ndarray]) -> np.ndarray:
            rule: np.ndarray = ndtr(np.where(found["purity"] > 0.5, 1.0, -1.0) * lines["signal"])
            return rule - found["generator_accuracy"]

        return self._unsolved()._zeros([excess])[0]

    def purity_crossings(self) -> Crossings:
        """Where half of the kept labels are correct, solved; x in units of p."""
        return self._unsolved()._zeros([lambda found, lines: found["purity"] - 0.5])[0]

    def _unsolved(self) -> "Curves":
        """The same curves for what is known without the trained classifier, at the loss that is solved at once."""
        squared = np.full(len(self.columns["alpha"]), "squared", object)
        return self._replace(columns={**self.columns, "loss": squared})

    def _zeros(self, levels: Sequence[Level]) -> list[Crossings]:
        """Zeros of each of the levels, x in units of p; those that were solved."""
        count = len(self.columns["alpha"])

        def lines(which: np.ndarray) -> dict[str, np.ndarray]:
            return {name: np.asarray(column)[which % count] for name, column in self.columns.items()}

        def excess(share: np.ndarray, which: np.ndarray) -> np.ndarray:
            here = lines(which.ravel())
            found = predict_table(along(here, share.ravel()))
            values = np.stack([level(found, here) for level in levels])
            return values[which.ravel() // count, np.arange(which.size)].reshape(share.shape)

        across = {name: np.asarray(column)[:, None] for name, column in self.columns.items()}
        values = np.concatenate([level(self.found, across) for level in levels])
        with work.allowance(ZEROS * count):
            found = crossings(excess, len(values), 0.0, 1.0, POINTS, values)
            found = Crossings(*(field[np.isfinite(found.x)] for field in found))
            if len(found.x):
                found = found._replace(x=predict_table(along(lines(found.curve), found.x))["p"])
        parts = [np.flatnonzero(found.curve // count == i) for i in range(len(levels))]
        return [Crossings(found.curve[part] % count, found.x[part], found.rising[part]) for part in parts]


def _excess(target: Target, found: dict[str, np.ndarray], lines: Mapping[str, np.ndarray]) -> np.ndarray:
    """By how much the trained accuracy exceeds the target's level."""
    difference: np.ndarray = found["accuracy"] - (0.5 if target == "p_half" else found["generator_accuracy"])
    return difference


def curves(columns: Mapping[str, np.ndarray]) -> Curves:
    """The curves from the lines of a table (as `theory.table.predict_table` takes it, one line per curve)."""
    count = len(columns["alpha"])
    which, share = np.repeat(np.arange(count), POINTS), np.tile(np.linspace(0.0, 1.0, POINTS), count)
    with work.allowance(CURVE * count):
        found = predict_table(along({name: np.asarray(column)[which] for name, column in columns.items()}, share))
    return Curves(columns, {name: values.reshape(count, POINTS) for name, values in found.items()})


def purity_crossings(columns: Mapping[str, np.ndarray]) -> Crossings:
    """Where half of the kept labels are correct along the curves from the lines of a table, solved; x in units of p."""
    return curves({**columns, "loss": np.full(len(columns["alpha"]), "squared", object)}).purity_crossings()


def predicted_crossings(columns: Mapping[str, np.ndarray], target: Target) -> Crossings:
    """Every p_half or p_gain of the curves that start from the lines of a table, by the exact theory.

    Args:
        columns: as `theory.table.predict_table`, one line per curve; the generator's own column gives only the
            ratio of class-dependent error rates.
        target: which level.

    Returns:
        `Crossings` with x in units of p, those that were solved. None for a curve that stays on one side. For both
        targets, `curves` once and its ``crossings``.
    """
    return curves(columns).crossings()[target]


def p_star_crossings(columns: Mapping[str, np.ndarray]) -> Crossings:
    """Every p* in [1/2, 1] at which the trained accuracy equals the generator's: the verifier moves, nothing else.

        psi = phi (1/p* - 1): from phi, no verification, to 0, an oracle

    Args:
        columns: as `predicted_crossings`, of settings whose verifier is given by phi and psi; psi is not used.

    Returns:
        `Crossings` with x in units of p*, those that were solved. None for a curve that stays on one side.

    Raises InputError where there is no column phi. Source: THEORY §11; with phi = 1 the noise of feng2024beyond.
    """
    if "phi" not in columns:
        raise InputError("column phi is missing; p* is moved by psi at a given phi, so that both must be rates")
    given = {name: np.asarray(column) for name, column in columns.items()}

    def excess(star: np.ndarray, which: np.ndarray) -> np.ndarray:
        lines = {name: column[which.ravel()] for name, column in given.items()}
        found = predict_table(lines | {"psi": lines["phi"] * (1 / star.ravel() - 1)})
        return _excess("p_gain", found, lines).reshape(star.shape)

    with work.allowance((CURVE + ZEROS) * len(given["signal"])):
        found = crossings(excess, len(given["signal"]), 0.5, 1.0)
    return Crossings(*(field[np.isfinite(found.x)] for field in found))


def differentiable_p_gain(problem: Problem, alpha: Scalar, loss: str, near: Scalar) -> Scalar:
    """A p_gain as a differentiable function of everything but p (independent setting, `Rates`).

    With h(p; params) = accuracy - (1 - p) and h(near) = 0, the implicit function theorem gives

        d p_gain / d params = - (dh/dparams) / (dh/dp)

    Args:
        problem: its ``curation.p`` is ignored. alpha, loss: as `theory.prediction.predict`.
        near: the p_gain, from `predicted_crossings`; returned unchanged, with this derivative attached.

    Raises ValueError as `predict`; TypeError in the linear setting.
    """
    import jax

    check_problem(problem)
    check_alpha(alpha)
    rates = curation_of(problem, "independent")
    traced = lambda value: jax.numpy.asarray(value, float)

    def excess(p: Scalar) -> Scalar:
        curation = Rates(p, *map(traced, rates[1:]))
        at_p = Problem(traced(problem.signal), curation, traced(problem.ridge))
        return predict(at_p, traced(alpha), loss).accuracy - (1 - p)

    near = jax.lax.stop_gradient(traced(near))
    value, slope = jax.value_and_grad(excess)(near)
    return near - (value - jax.lax.stop_gradient(value)) / jax.lax.stop_gradient(slope)
