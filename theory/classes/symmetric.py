"""Softmax regression where classes are alike: three scalar equations, exact as d -> inf (THEORY §12).

Symmetric means, equal priors, errors spread evenly: S = s (I - 1 1^T/K) and T = tau^2 (I - 1 1^T/K), with

    (lambda + H) s = a phi,   tau = sqrt(delta) v beta,   delta v (lambda + H) = 1;     q = s^2/a + tau^2
    phi = E[f_y]/(K-1),   beta^2 = E||f||^2/(K-1),   H = E[sum g - sum g^2 / sum g]/(K-1),   g_j = p_j/(1 + v p_j)

f = e_y' - p, p = softmax(u) at the proximal point u = omega + v f, omega = s e_y + sqrt(q) h. Source: ours; the state
evolution of convex losses is loureiro2021learning. Expectations by `theory.classes.lattice`.
"""

from typing import Literal, NamedTuple

import numpy as np
from scipy.special import wrightomega

from theory import status
from theory.arrays import quiet
from theory.classes.accuracy import symmetric_accuracy
from theory.classes.lattice import Rule, rule, step_of
from theory.classes.worth import lead_of
from theory.roots import roots

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
Effort = Literal["checked", "plain", "coarse"]
"""checked: a second rule says how good the first was, and is made finer where it was not. plain: by the first rule, and
accuracy_error is NaN. coarse: by one that is good to 1e-4 or so, at a tenth of the time."""
HALVINGS = 4
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
    """
    cells = np.broadcast_arrays(*(np.asarray(each, float) for each in (gap, purity, delta, ridge)))
    found: list[tuple[float, ...]] = []
    near = None  # where the last solution was: of the coarse rule the next search begins there
    for a, pi, d, lam in zip(*(each.ravel().tolist() for each in cells), strict=True):
        each, near = _solve(_Cell(classes, a, d, lam, pi), effort, near if effort == "coarse" else None)
        found.append(each)
    return Scalars(*(np.array(field).reshape(cells[0].shape) for field in zip(*found, strict=True)))


def _solve(cell: _Cell, effort: Effort, near: np.ndarray | None) -> tuple[tuple[float, ...], np.ndarray | None]:
    """The fields of `Scalars`, and the unknowns."""
    step, error = step_of(cell.classes), np.nan
    if not cell.delta > 0 or np.isnan(cell.purity):
        return _none(status.NOTHING_KEPT), None
    first = rule(cell.classes, step)
    if first is None:
        return _none(status.TOO_MANY), None
    coarse = rule(cell.classes, step_of(cell.classes, LEADING)) or first
    u, norm = (near, np.inf) if near is None else _newton(cell, coarse, near)
    if u is None or not norm < TOLERANCE:
        u, norm = _search(cell, coarse)
    if effort != "coarse":
        u, norm = _newton(cell, first, u)
    if not norm < TOLERANCE:
        separable = cell.ridge == 0 and _diverges(cell, coarse)
        return _none(status.SEPARABLE if separable else status.NOT_CONVERGED, norm), None
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
    return (found, norm) if norm < TOLERANCE else _search(cell, by)


def _newton(cell: _Cell, by: Rule | None, u: np.ndarray) -> tuple[np.ndarray, float]:
    found = roots(_Equations(cell, by), u[None], target=1e-12, evaluations=25, longest=1.5)
    return found.u[0], float(found.norm[0])


def _search(cell: _Cell, by: Rule) -> tuple[np.ndarray, float]:
    """Down in lambda from the averaging classifier, secant predictor, Newton corrector."""
    u, start = _averaging(cell)
    log_ridge, goal = np.log(start), np.log(max(cell.ridge, LEAST_RIDGE))
    slope, stride = np.array([0.0, -1.0, -1.0]), STRIDE
    while log_ridge > goal and stride > 1e-3:
        onward = max(log_ridge - stride, goal)
        end, norm = _newton(cell._replace(ridge=np.exp(onward)), by, u + (onward - log_ridge) * slope)
        if norm < 1e-7:
            slope, u, log_ridge = (end - u) / (onward - log_ridge), end, onward
            stride = min(2 * stride, STRIDE)
        else:
            stride /= 3
    return _newton(cell, by, u)


def _averaging(cell: _Cell) -> tuple[np.ndarray, float]:
    """lambda -> inf: s = a lead/(K lambda), tau = 1/(lambda sqrt(K delta)), v = 1/(delta lambda); and that lambda."""
    k, a, delta = cell.classes, cell.gap, cell.delta
    ridge = max(FIRST_RIDGE, 10 * cell.ridge)
    lead = float(lead_of(cell.purity, k))
    u = np.arcsinh(np.sqrt(a * delta / k) * lead), -np.log(ridge * np.sqrt(k * delta)), -np.log(delta * ridge)
    return np.array(u), ridge


def _diverges(cell: _Cell, by: Rule) -> bool:
    """Whether the classifier grows without end as lambda -> 0: its margins then grow faster than log(1/lambda)."""
    ends = []
    for ridge in (1e-6, 1e-7):
        u, norm = _search(cell._replace(ridge=ridge), by)
        if not norm < 1e-7:
            return False
        ends.append(u[2])
    return bool(ends[1] - ends[0] > np.log(10) / 2)


class _Equations:
    """Relative residuals of a cell by a rule; keeps where the last proximal points were, to begin there."""

    def __init__(self, cell: _Cell, by: Rule | None) -> None:
        assert by is not None
        self.cell, self.rule = cell, by
        self.level: np.ndarray | None = None

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
        """Softmax at the proximal point: p_j = w(log v + x_j - L)/v with Wright's w, sum p = 1.

        Newton's method in L: the sum is convex and falls, so that from the second step on L rises to the root.
        """
        by = self.rule
        low = by.largest(x) - v
        level = low if self.level is None else np.maximum(self.level, low)
        x = np.log(v) + x
        for _ in range(60):
            w = wrightomega(x - level[by.term])
            move = (by.total(w) - v) / by.total(w / (1 + w))
            level = np.maximum(level + move, low)
            if np.max(abs(move)) < 1e-13 * (1 + v):
                break
        self.level = level
        w = wrightomega(x - level[by.term])
        shares: np.ndarray = w / by.total(w)[by.term]
        return shares
