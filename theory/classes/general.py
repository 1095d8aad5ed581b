"""Softmax regression with any means, priors and table of kept labels, three or four classes, d -> inf (THEORY §12).

Scores matter up to a common shift, so that all is said in K - 1 orthonormal contrasts B: S (K-1) x K, and V, Sigma
(K-1) x (K-1). With u = x - V B^T softmax(B u) at x = S_k + b + V B^T e_l + Sigma^(1/2) h and f = B^T (e_l - softmax(B u)):

    F_k = sum_l P_kl E f,   M = E f f^T,   H = E[A (I + V A)^-1],   A = B^T (diag p - p p^T) B
    V = (delta (lambda I + H))^-1,   S = delta V F G,   Sigma = delta^2 V F G F^T V + delta V M V,   E f = 0 (intercept)

A fixed point, accelerated, down a path in lambda from the averaging classifier; expectations by the trapezoid rule on a
grid. Source: loureiro2021learning for the state evolution; the table of labels is ours.
"""  # noqa: E501

from collections import deque
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.stats import chi2

from theory import status
from theory.arrays import quiet
from theory.classes.accuracy import Accuracy, accuracy
from theory.solvers import work

MOST_CLASSES = 4
"""Beyond, a grid in K - 1 dimensions is too large."""
STEPS = {2: 0.2, 3: 0.35, 4: 0.7}
"""Step of the grid by K; and of the one that leads to the solution, half as long again."""
FINER, COARSER = 0.8, 1.5
TOLERANCE = 1e-9
"""Largest change of a fixed point."""
ENOUGH, WORST = {2: 1e-10, 3: 1e-10, 4: 1e-7}, 1e-4
"""Difference of accuracies at which the grid is refined no more, by K; and at which there is none."""
REFINEMENTS = {2: 4, 3: 3, 4: 1}
FIRST_RIDGE, LEAST_RIDGE, FACTOR = 10.0, 1e-8, 4.5
"""The path: where it starts, where it ends for lambda = 0, and its factor."""
NEAR, SHORTEST = 1e-6, 0.05
"""Change at which a stop of the path is left; logarithm of the factor at which it is given up."""
MEMORY, SWEEPS = 8, 120
MOST_WORK = 1.2e8
"""Of one problem, in the units of `theory.solvers.work`: four classes and a ridge of 1e-3 take nearly as much."""


class General(NamedTuple):
    """Scores of one trained classifier up to a common shift; NaN where there is no solution."""

    mean_scores: np.ndarray
    """S_jk, intercept included; columns sum to 0."""
    overlap: np.ndarray
    """O."""
    bulk: np.ndarray
    """T."""
    accuracy: Accuracy
    residual: float
    status: int


class _Cell(NamedTuple):
    """One problem."""

    gram: np.ndarray
    law: np.ndarray
    delta: float
    ridge: float
    intercept: bool


class _State(NamedTuple):
    """What is iterated."""

    scores: np.ndarray
    """S, (K-1, K), without intercept."""
    covariance: np.ndarray
    """Sigma."""
    response: np.ndarray
    """V."""
    shift: np.ndarray
    """b."""


@quiet
def solve(gram: np.ndarray, law: np.ndarray, prior: np.ndarray, delta: float, ridge: float, intercept: bool) -> General:
    """One problem. Arguments as `theory.classes.ridge.solve`. Not converged where `MOST_WORK` does not do."""
    with work.allowance(MOST_WORK):
        found = _one(gram, law, prior, delta, ridge, intercept)
        if work.gone() and found.status != status.OK:
            return found._replace(status=status.NOT_CONVERGED)
    return found


def _one(gram: np.ndarray, law: np.ndarray, prior: np.ndarray, delta: float, ridge: float, intercept: bool) -> General:
    classes, cell = len(law), _Cell(gram, law, float(delta), float(ridge), intercept)
    if not delta > 0 or not np.isfinite(law).all():
        return _nothing(classes, status.NOTHING_KEPT)
    if classes > MOST_CLASSES:
        return _nothing(classes, status.TOO_MANY)
    never = np.sum(law.sum(0) == 0)  # labels that are not kept
    if never and intercept or never > 1:
        return _nothing(classes, status.LABEL_MISSING if intercept else status.TIED)
    step = STEPS[classes]
    failed = status.SEPARABLE if ridge == 0 else status.NOT_CONVERGED
    state, change = _path(cell, step * COARSER)
    if not change < 100 * NEAR:
        return _nothing(classes, failed, change)
    state, change = _settle(cell, _Expectation(cell, step), state)
    found = _measured(cell, state, prior)
    for _ in range(REFINEMENTS[classes]):
        state, change = _settle(cell, _Expectation(cell, step * FINER), state)
        last, found = found, _measured(cell, state, prior)
        error = abs(found.accuracy.mean - last.accuracy.mean) + found.accuracy.error
        if error <= ENOUGH[classes]:
            break
        step *= FINER / 1.5
    if not change < TOLERANCE:
        return _nothing(classes, failed, change)
    if not error <= WORST:
        return _nothing(classes, status.NOT_RESOLVED if np.isfinite(error) else status.TIED, change)
    return found._replace(accuracy=found.accuracy._replace(error=error), residual=change)


def _nothing(classes: int, why: int, residual: float = np.nan) -> General:
    table = np.full((classes, classes), np.nan)
    return General(table, table, table, Accuracy(np.nan, np.nan, table[0]), residual, why)


def contrasts(classes: int) -> np.ndarray:
    """Orthonormal columns orthogonal to (1, ..., 1), (K, K-1)."""
    basis, _ = np.linalg.qr(np.eye(classes)[:, 1:] - 1 / classes)
    return basis


def _measured(cell: _Cell, state: _State, prior: np.ndarray) -> General:
    """Scores of all classes, and how accurate they are."""
    basis = contrasts(len(cell.law))
    scores = basis @ (state.scores + state.shift[:, None])
    covariance = basis @ state.covariance @ basis.T
    slopes = basis @ np.linalg.lstsq(cell.gram, state.scores.T, rcond=1e-12)[0].T  # W M^T = S, W = slopes M
    overlap = slopes @ cell.gram @ slopes.T
    return General(scores, overlap, covariance - overlap, accuracy(scores, covariance, prior), np.nan, status.OK)


def _path(cell: _Cell, step: float) -> tuple[_State, float]:
    """Down in lambda from the averaging classifier, by a coarse grid; in shorter steps where one does not settle."""
    goal = np.log(max(cell.ridge, LEAST_RIDGE))
    log_ridge, stride = max(np.log(FIRST_RIDGE), goal), np.log(FACTOR)
    start = cell._replace(ridge=float(np.exp(log_ridge)))
    expectation = _Expectation(cell, step)
    state, change = _settle(start, expectation, _averaging(start), NEAR)
    while log_ridge > goal and stride > SHORTEST:
        onward = max(log_ridge - stride, goal)
        end, change = _settle(cell._replace(ridge=float(np.exp(onward))), expectation, state, NEAR)
        if change < 100 * NEAR:
            state, log_ridge = end, onward
        else:
            stride /= 3
            expectation.last = None
    return state, change


def _averaging(cell: _Cell) -> _State:
    """lambda -> inf: F = B^T (P - p u^T)^T and M = B^T diag(q) B - ..., u = 1/K, or q with intercept log q."""
    basis, label = contrasts(len(cell.law)), cell.law.sum(0)
    middle = label if cell.intercept else np.full(len(label), 1 / len(label))
    push = basis.T @ (cell.law - np.outer(cell.law.sum(1), middle)).T
    spread = np.diag(label) - np.outer(label, middle) - np.outer(middle, label) + np.outer(middle, middle)
    curvature = basis.T @ (np.diag(middle) - np.outer(middle, middle)) @ basis
    shift = basis.T @ np.log(np.maximum(label, 1e-12)) if cell.intercept else np.zeros(len(label) - 1)
    return _advanced(cell, push, basis.T @ spread @ basis, curvature, shift)


def _advanced(cell: _Cell, push: np.ndarray, square: np.ndarray, curvature: np.ndarray, shift: np.ndarray) -> _State:
    """The three updates, from F, M and H."""
    response = np.linalg.inv(cell.delta * (cell.ridge * np.eye(len(push)) + curvature))
    response = (response + response.T) / 2
    moved = cell.delta * response @ push
    covariance = moved @ cell.gram @ moved.T + cell.delta * response @ square @ response
    return _State(moved @ cell.gram, (covariance + covariance.T) / 2, response, shift)


def _settle(
    cell: _Cell, expectation: "_Expectation", state: _State, enough: float = TOLERANCE / 10
) -> tuple[_State, float]:
    """The fixed point from a state, by Anderson's acceleration, and how much it still changes."""
    x = _packed(state)
    steps: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=MEMORY + 1)
    best, least = x, np.inf
    for _ in range(SWEEPS):
        try:
            change = _packed(expectation.advance(cell, _unpacked(x, cell))) - x
        except np.linalg.LinAlgError:  # a matrix that has no inverse, far from the fixed point
            break
        size = float(np.max(abs(change)))
        if size < least:
            best, least = x + change, size
        if size < enough or not np.isfinite(size):
            break
        steps.append((x, change))
        x = _mixed(list(steps))
    return _unpacked(best, cell), least


def _mixed(steps: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Where a linear model of the changes says that there is none."""
    (x, change), past = steps[-1], steps[:-1]
    if past:
        moved = np.stack([x - old for old, _ in past], 1)
        differs = np.stack([change - old for _, old in past], 1)
        share = np.linalg.lstsq(differs, change, rcond=1e-10)[0]
        jump = change - (moved + differs) @ share
        if np.max(abs(jump)) < max(3.0, 10 * np.max(abs(change))):
            found: np.ndarray = x + jump
            return found
    return x + change


def _packed(state: _State) -> np.ndarray:
    """S over the size of Sigma, logarithmic Cholesky factors of Sigma and V, and b over the same size."""
    try:
        factors = [np.linalg.cholesky(each) for each in (state.covariance, state.response)]
    except np.linalg.LinAlgError:
        return np.full(state.scores.size + len(state.shift) * (len(state.shift) + 2), np.nan)
    size = np.exp(np.mean(np.log(np.diagonal(factors[0]))))
    logs = [np.concatenate([np.log(np.diagonal(f)), (f / np.diagonal(f)[:, None])[_below(len(f))]]) for f in factors]
    return np.concatenate([(state.scores / size).ravel(), *logs, state.shift / size])


def _unpacked(x: np.ndarray, cell: _Cell) -> _State:
    """Inverse of `_packed`."""
    n, classes = len(cell.law) - 1, len(cell.law)
    scores, *logs, shift = np.split(x, np.cumsum([n * classes, n * (n + 1) // 2, n * (n + 1) // 2]))
    factors = []
    for each in logs:
        factor = np.eye(n)
        factor[_below(n)] = each[n:]
        factors.append(factor * np.exp(each[:n])[:, None])
    size = np.exp(np.mean(logs[0][:n]))
    covariance, response = (factor @ factor.T for factor in factors)
    return _State(size * scores.reshape(n, classes), covariance, response, size * shift)


def _below(n: int) -> tuple[np.ndarray, ...]:
    return np.tril_indices(n, -1)


@cache
def _grid(dimensions: int, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Points (dimensions, points) of the trapezoid rule for N(0, I), and weights."""
    radius = np.sqrt(chi2.isf(1e-12, dimensions))
    reach = int(radius / step)
    axes = np.meshgrid(*[step * np.arange(-reach, reach + 1)] * dimensions, indexing="ij")
    points = np.stack([axis.ravel() for axis in axes])
    length = np.sum(points**2, 0)
    points, length = points[:, length <= radius**2], length[length <= radius**2]
    weight = np.exp(-length / 2)
    return points, weight / weight.sum()


class _Expectation:
    """F, M, H and E f at a state; keeps the last proximal points, to begin there."""

    def __init__(self, cell: _Cell, step: float) -> None:
        self.basis = contrasts(len(cell.law))
        self.points, self.weight = _grid(len(cell.law) - 1, step)
        self.true, self.label = np.nonzero(cell.law)
        self.last: np.ndarray | None = None

    def advance(self, cell: _Cell, state: _State) -> _State:
        """One sweep of the fixed point."""
        n, basis = len(state.shift), self.basis
        values, vectors = np.linalg.eigh(state.covariance)
        root = vectors @ (np.sqrt(np.maximum(values, 0))[:, None] * vectors.T)
        centre = (state.scores + state.shift[:, None])[:, self.true] + (state.response @ basis.T)[:, self.label]
        x = (centre[:, :, None] + (root @ self.points)[:, None, :]).reshape(n, -1)
        inverse = np.linalg.inv(state.response)
        u, p = self._proximal(x, state.response, inverse)
        self.last = u
        f = basis.T[:, self.label][:, :, None] - (basis.T @ p).reshape(n, len(self.label), -1)
        law = cell.law[self.true, self.label]
        each = f @ self.weight * law
        push = each @ (self.true[:, None] == np.arange(len(cell.law)))
        weighted = (law[:, None] * self.weight).ravel()
        flat = f.reshape(n, -1)
        square = (flat * weighted) @ flat.T
        curved = _curvature(basis, p)
        inner = _solved(inverse[:, :, None] + curved, curved)
        curvature = inverse @ (inner @ weighted)
        curvature = (curvature + curvature.T) / 2
        shift = state.shift
        if cell.intercept:
            shift = shift + np.linalg.solve(curvature, each.sum(1))
        return _advanced(cell, push, square, curvature, shift)

    def _proximal(self, x: np.ndarray, response: np.ndarray, inverse: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """u + V B^T softmax(B u) = x: the minimiser of logsumexp(B u) + |u - x|^2_(V^-1)/2, by damped Newton."""
        basis = self.basis
        u = x.copy() if self.last is None else self.last
        value, p = self._objective(u, x, inverse)
        alive = np.arange(x.shape[1])
        for _ in range(60):
            here = u[:, alive]
            slope = basis.T @ p[:, alive] + inverse @ (here - x[:, alive])
            move = -_solved(inverse[:, :, None] + _curvature(basis, p[:, alive]), slope[:, None, :])[:, 0]
            fall = -np.sum(slope * move, 0)
            fraction = np.ones(len(alive))
            for _ in range(40):
                trial = here + fraction * move
                lower, shares = self._objective(trial, x[:, alive], inverse)
                long = lower > value[alive] - 1e-4 * fraction * fall + 1e-12 * (1 + abs(value[alive]))
                if not long.any():
                    break
                fraction[long] *= 0.4
            u[:, alive], value[alive], p[:, alive] = trial, lower, shares
            alive = alive[np.max(abs(move), 0) > 1e-11 * (1 + np.max(abs(here), 0))]
            if not alive.size:
                break
        return u, p

    def _objective(self, u: np.ndarray, x: np.ndarray, inverse: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not work.spend(u.size * len(self.basis) / 3):
            return np.full(u.shape[1], np.nan), np.full((len(self.basis), u.shape[1]), np.nan)
        score = self.basis @ u
        top = score.max(0)
        p = np.exp(score - top)
        total = p.sum(0)
        away = u - x
        return top + np.log(total) + np.sum(away * (inverse @ away), 0) / 2, p / total


def _curvature(basis: np.ndarray, p: np.ndarray) -> np.ndarray:
    """A = B^T (diag p - p p^T) B, (K-1, K-1, points)."""
    mean = basis.T @ p
    pairs = (basis[:, :, None] * basis[:, None, :]).reshape(len(basis), -1)
    found: np.ndarray = (pairs.T @ p).reshape(*mean.shape[:1] * 2, -1) - mean[:, None] * mean[None, :]
    return found


def _solved(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """matrix^-1 right for positive definite matrices (n, n, points) and right sides (n, m, points): elimination."""
    n, matrix, right = len(matrix), matrix.copy(), right.copy()
    for i in range(n):
        for j in range(i + 1, n):
            factor = matrix[j, i] / matrix[i, i]
            matrix[j, i:] -= factor * matrix[i, i:]
            right[j] -= factor * right[i]
    for i in reversed(range(n)):
        for j in range(i + 1, n):
            right[i] -= matrix[i, j] * right[j]
        right[i] /= matrix[i, i]
    return right
