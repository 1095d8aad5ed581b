"""Softmax regression where classes are alike: three scalar equations, exact as d -> inf (THEORY §12).

Symmetric means, equal priors, errors spread evenly: S = s (I - 1 1^T/K) and T = tau^2 (I - 1 1^T/K), with

    (lambda + H) s = a phi,   tau = sqrt(delta) v beta,   delta v (lambda + H) = 1;     q = s^2/a + tau^2
    phi = E[f_y]/(K-1),   beta^2 = E||f||^2/(K-1),   H = E[sum g - sum g^2 / sum g]/(K-1),   g_j = p_j/(1 + v p_j)

f = e_y' - p, p = softmax(u) at the proximal point u = omega + v f, omega = s e_y + sqrt(q) h. Source: ours; the state
evolution of convex losses is loureiro2021learning. Expectations by `theory.classes.lattice`.
"""

from typing import Literal, NamedTuple

import numpy as np

from theory import status
from theory.arrays import quiet
from theory.classes.accuracy import symmetric_accuracy
from theory.classes.lattice import Rule, rule, step_of
from theory.classes.worth import lead_of
from theory.roots import roots
from theory.solvers import work

TOLERANCE = 1e-9
"""Largest relative residual of a solution."""
FINER, WIDER = 0.8, 1.15
"""Step of the second rule relative to the first; what they differ by is the error. The other, where it has too many
terms."""
ENOUGH, WORST = {2: 1e-10, 3: 1e-10, 4: 1e-10, 5: 1e-9, 6: 2e-9}, 1e-4
"""Difference of accuracies at which steps are halved no more, by K (1e-6 beyond); and at which there is none."""
LEADING = {2: 0.4, 3: 0.8, 4: 1.1, 5: 1.3, 6: 1.4, 8: 1.6, 10: 1.8}
"""Step of the rule that leads to the solution, by K."""
FIRST_RIDGE = 100.0
"""Where the path of solutions starts, at the averaging classifier."""
LEAST_RIDGE = 1e-9
"""Where the path to lambda = 0 has its last stop."""
FAR = 1e-6, 1e-7
"""Stops on the way there, by which divergence is told."""
Effort = Literal["checked", "plain", "coarse"]
"""checked: a second rule says how good the first was, and is made finer where it was not. plain: by the first rule, and
accuracy_error is NaN. coarse: by one that is good to 1e-4 or so, at a tenth of the time."""
HALVINGS = 4
AGAIN, AFRESH = 6, 24
"""Steps to the proximal points from the last ones, and from nowhere: twelve do, where float64 does."""
WORK = 0.25
"""Of such a step, an entry of the rule, in the units of `theory.solvers.work`."""
MOST_WORK = 4e7
"""Of one problem: twenty classes take half of it."""
STRIDE = 4.0
"""Longest step of the path, in log(lambda)."""


class Scalars(NamedTuple):
    """Fields of one shape; NaN where there is no solution."""

    score_gap: np.ndarray
    """s: by how much the mean score of the true class leads that of another."""
    bulk: np.ndarray
    """tau."""
    theta: np.ndarray
    """v, the step of the proximal map."""
    accuracy: np.ndarray
    """A_K(s/sqrt(q))."""
    accuracy_error: np.ndarray
    """Difference of two rules."""
    residual: np.ndarray
    status: np.ndarray

    def sizes(self, gap: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What multiplies I - 1 1^T/K in S, O and T."""
        return self.score_gap, self.score_gap**2 / gap, self.bulk**2


class _Cell(NamedTuple):
    """One problem."""

    classes: int
    gap: float
    delta: float
    ridge: float
    purity: float

    def accuracy(self, u: np.ndarray) -> float:
        """From u = (asinh(s/(sqrt(a) tau)), log tau, log v)."""
        return float(symmetric_accuracy(np.sqrt(self.gap) * np.tanh(u[0]), self.classes))


@quiet
def solve(
    gap: np.ndarray, purity: np.ndarray, delta: np.ndarray, ridge: np.ndarray, classes: int, effort: Effort = "checked"
) -> Scalars:
    """Solve cells, whose arrays are of one shape.

    Args:
        gap: a of G = a I + c 1 1^T. purity: pi. delta: m/d. ridge: lambda >= 0. classes: K.
        effort: see `Effort`.

    One problem that is not solved within `MOST_WORK` is not converged.
    """
    cells = np.broadcast_arrays(*(np.asarray(each, float) for each in (gap, purity, delta, ridge)))
    found: list[tuple[float, ...]] = []
    near = None  # where the last solution was: of the coarse rule the next search begins there
    for a, pi, d, lam in zip(*(each.ravel().tolist() for each in cells), strict=True):
        with work.allowance(MOST_WORK):
            each, near = _solve(_Cell(classes, a, d, lam, pi), effort, near if effort == "coarse" else None)
        found.append(each)
    return Scalars(*(np.array(field).reshape(cells[0].shape) for field in zip(*found, strict=True)))


def _solve(cell: _Cell, effort: Effort, near: np.ndarray | None) -> tuple[tuple[float, ...], np.ndarray | None]:
    """The fields of `Scalars`, and the unknowns."""
    step, error = step_of(cell.classes), np.nan
    if not cell.delta > 0 or np.isnan(cell.purity):
        return _none(status.NOTHING_KEPT), None
    if cell.ridge == 0 and cell.delta < 1:  # fewer points than dimensions: any scores can be had
        return _none(status.SEPARABLE), None
    first = rule(cell.classes, step)
    if first is None:
        return _none(status.TOO_MANY), None
    coarse = rule(cell.classes, step_of(cell.classes, LEADING)) or first
    u, norm, why = (near, np.inf, status.OK) if near is None else (*_newton(cell, coarse, near), status.OK)
    if u is None or not norm < TOLERANCE:
        u, norm, why = _search(cell, coarse)
    if effort != "coarse" and why != status.SEPARABLE:
        u, norm = _newton(cell, first, u)
    if not norm < TOLERANCE:
        return _none(status.SEPARABLE if why == status.SEPARABLE else status.NOT_CONVERGED, norm), None
    if effort == "checked":
        u, norm, error = _refined(cell, u, step)
        if not (norm < TOLERANCE and error <= WORST):
            return _none(status.NOT_RESOLVED, norm), None
    a, tau = cell.gap, float(np.exp(u[1]))
    return (np.sqrt(a) * tau * np.sinh(u[0]), tau, np.exp(u[2]), cell.accuracy(u), error, norm, status.OK), u


def _none(why: int, norm: float = np.nan) -> tuple[float, ...]:
    return (*(np.nan,) * 5, norm, why)


def _refined(cell: _Cell, u: np.ndarray, step: float) -> tuple[np.ndarray, float, float]:
    """The solution by finer and finer rules, until two of them agree; and the difference of the last two."""
    enough, error = ENOUGH.get(cell.classes, 1e-6), np.inf
    for halving in range(HALVINGS):
        fine = rule(cell.classes, step * FINER)
        if fine is None:
            break
        last, (u, norm) = cell.accuracy(u), _reached(cell, fine, u)
        error = abs(cell.accuracy(u) - last)
        if error <= enough:
            return u, norm, error
        half = rule(cell.classes, step / 2)
        if half is None or halving == HALVINGS - 1:
            return u, norm, error
        step, (u, norm) = step / 2, _reached(cell, half, u)
    if np.isinf(error):  # too many classes for a finer rule: by how much a coarser one differs
        other, norm = _newton(cell, rule(cell.classes, step * WIDER), u)
        error = abs(cell.accuracy(u) - cell.accuracy(other))
    return u, norm, error


def _reached(cell: _Cell, by: Rule, u: np.ndarray) -> tuple[np.ndarray, float]:
    """The solution by another rule: from the last one, or where that leads nowhere from the averaging classifier."""
    found, norm = _newton(cell, by, u)
    return (found, norm) if norm < TOLERANCE else _search(cell, by)[:2]


def _newton(cell: _Cell, by: Rule | None, u: np.ndarray) -> tuple[np.ndarray, float]:
    found = roots(_Equations(cell, by), u[None], target=1e-12, evaluations=25, longest=1.5)
    return found.u[0], float(found.norm[0])


def _search(cell: _Cell, by: Rule) -> tuple[np.ndarray, float, int]:
    """Down in lambda from the averaging classifier: where it ends, the residual norm, and `status.SEPARABLE` or OK.

    To lambda = 0 with two stops: where margins grow faster than log(1/lambda) between them, they do so without end.
    """
    u, start = _averaging(cell)
    here = _Place(u, float(np.log(start)), np.array([0.0, -1.0, -1.0]))
    if cell.ridge == 0:
        ends = []
        for stop in FAR:
            here = _down(cell, by, here, np.log(stop))
            ends.append(here)
        if ends[-1].log_ridge <= np.log(FAR[-1]) and ends[1].u[2] - ends[0].u[2] > np.log(FAR[0] / FAR[1]) / 2:
            return here.u, np.inf, status.SEPARABLE
    here = _down(cell, by, here, np.log(max(cell.ridge, LEAST_RIDGE)))
    return (*_newton(cell, by, here.u), status.OK)


class _Place(NamedTuple):
    """On the path of solutions."""

    u: np.ndarray
    log_ridge: float
    slope: np.ndarray
    """du/dlog(lambda)."""


def _down(cell: _Cell, by: Rule, here: _Place, goal: float) -> _Place:
    """Along the path to log(lambda) = goal, as far as it leads: secant predictor, Newton corrector."""
    stride = STRIDE
    while here.log_ridge > goal and stride > 1e-3:
        onward = max(here.log_ridge - stride, goal)
        moved = onward - here.log_ridge
        end, norm = _newton(cell._replace(ridge=np.exp(onward)), by, here.u + moved * here.slope)
        if norm < 1e-7:
            here = _Place(end, onward, (end - here.u) / moved)
            stride = min(2 * stride, STRIDE)
        else:
            stride /= 3
    return here


def _averaging(cell: _Cell) -> tuple[np.ndarray, float]:
    """lambda -> inf: s = a lead/(K lambda), tau = 1/(lambda sqrt(K delta)), v = 1/(delta lambda); and that lambda."""
    k, a, delta = cell.classes, cell.gap, cell.delta
    ridge = max(FIRST_RIDGE, 10 * cell.ridge)
    lead = float(lead_of(cell.purity, k))
    u = np.arcsinh(np.sqrt(a * delta / k) * lead), -np.log(ridge * np.sqrt(k * delta)), -np.log(delta * ridge)
    return np.array(u), ridge


class _Equations:
    """Relative residuals of a cell by a rule; keeps where the last proximal points were, to begin there."""

    def __init__(self, cell: _Cell, by: Rule | None) -> None:
        assert by is not None
        self.cell, self.rule = cell, by
        self.last: tuple[np.ndarray, np.ndarray] | None = None

    def __call__(self, u: np.ndarray, which: np.ndarray) -> np.ndarray:
        return np.stack([self._of(one) for one in u]) if len(u) else u

    @quiet
    def _of(self, u: np.ndarray) -> np.ndarray:
        (k, a, delta, ridge, purity), by = self.cell, self.rule
        tau, v = np.exp(u[1]), np.exp(u[2])
        s = np.sqrt(a) * tau * np.sinh(u[0])
        if not np.isfinite([s, tau, v]).all():
            return np.full(3, np.nan)
        p = self._shares(np.sqrt(s * s / a + tau * tau) * by.h + s * by.true + v * by.label, v)
        chance = by.weight * np.where(by.right, purity, 1 - purity)
        missed = by.total(np.where(by.label, 0.0, p))  # 1 - p of the label, without cancellation
        square = by.total(np.where(by.label, 0.0, p * p)) + missed**2
        push = np.where(by.right, missed, -p[by.first])  # of the true class, which comes first
        g = p / (1 + v * p)
        total = by.total(g)
        phi = chance @ push / (k - 1)
        beta = np.sqrt(chance @ square / (k - 1))
        curvature = ridge + chance @ (total - by.total(g * g) / total) / (k - 1)
        balance = u[0] - np.arcsinh(np.sqrt(a) * phi / (curvature * tau))
        return np.array([balance, np.log(tau / (np.sqrt(delta) * v * beta)), np.log(delta * v * curvature)])

    def _shares(self, x: np.ndarray, v: float) -> np.ndarray:
        """Softmax at the proximal point: p_j = w_j/v, w + log w + L = log v + x, sum w = v; begun where it was last."""
        x = np.log(v) + x
        found = None if self.last is None else self._settled(x, v, *self.last, AGAIN)
        if found is None:
            level = self.rule.largest(x) - np.log(v) - v
            high = x - level[self.rule.term]
            found = self._settled(x, v, np.where(high > 1, np.log(np.maximum(high, 1)), high), level, AFRESH)
        if found is None:
            return np.full(len(x), np.nan)
        self.last = found
        w = np.exp(found[0])
        shares: np.ndarray = w / self.rule.total(w)[self.rule.term]
        return shares

    def _settled(
        self, x: np.ndarray, v: float, t: np.ndarray, level: np.ndarray, steps: int
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Newton's method in t = log w and L at once: an exponential a step. None where so many do not arrive."""
        by = self.rule
        for _ in range(steps):
            if not work.spend(WORK * len(x)):
                return None
            w = np.exp(t)
            missed, bend = w + t + level[by.term] - x, 1 + w
            move = (by.total(w) - v - by.total(w * missed / bend)) / by.total(w / bend)
            step = (missed + move[by.term]) / bend
            t, level = t - step, level + move
            size = np.max(abs(step))
            if size < 1e-8:  # it falls by its square
                return t, level
            if not np.isfinite(size):
                return None
        return None
