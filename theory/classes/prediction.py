"""Everything predicted about K classes in one call: what is kept, and what is trained on it (THEORY §12)."""

import math
from typing import Any, NamedTuple

import numpy as np

from theory import certified, status
from theory._check import check_alpha, in_range
from theory.arrays import Array, quiet
from theory.classes import general, ridge, symmetric
from theory.classes.accuracy import Accuracy, accuracy, alike, symmetric_accuracy
from theory.classes.population import Population, population
from theory.classes.symmetric import Effort
from theory.classes.threshold import p_star_classes
from theory.display import record
from theory.errors import InputError
from theory.types import ClassesProblem, Rates, Scalar

LOSSES = ("squared", "logistic", "averaging")
"""||e_y' - u||^2/2; logsumexp(u) - u_y'; and the limit of all losses at lambda = inf, where lambda has no meaning."""


class ClassesPrediction(NamedTuple):
    """What theory says of a `ClassesProblem` at a sample ratio; names as in THEORY §12."""

    p: Scalar
    """Error rate of the generator, over all classes."""
    p_star: Scalar
    """p*_K, the one error rate at which accuracy is 1/K; NaN for a `Confusion`, which has no such number."""
    kept_rate: Scalar
    purity: Scalar
    delta: Scalar
    """m/d, samples kept per dimension."""
    generator_accuracy: Scalar
    """1 - p."""
    accuracy: Scalar
    """Of the trained classifier, d -> inf at this ratio; NaN where ``converged`` is False."""
    accuracy_error: Scalar
    """Of the number: of its quadrature, or the standard error of its estimate."""
    class_accuracy: Array
    """P(argmax = y | y), class by class."""
    mean_scores: Array
    """S_jk: mean score of class j at a point of class k; softmax: up to a common shift."""
    overlap: Array
    """O: part of W W^T in the span of the means."""
    bulk_covariance: Array
    """T: the rest. Scores have covariance O + T in every class."""
    gap: Scalar
    """a of G = a I + c 1 1^T where classes are alike, else NaN; so the next two."""
    score_gap: Scalar
    """s: by how much the mean score of the true class leads the others."""
    bulk: Scalar
    """tau: T = tau^2 I up to multiples of 1 1^T."""
    theta: Scalar
    """v, the step of the proximal map; logistic loss of classes that are alike."""
    eta: Scalar
    """1 + lambda (1 + theta); squared loss."""
    converged: Scalar
    residual: Scalar
    status: Scalar
    """Why there is no solution: an index into `theory.types.STATUSES`, 0 where ``converged``."""

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)

    @property
    def beats_generator(self) -> Scalar:
        """Whether the trained classifier is predicted to be more accurate than its generator."""
        return self.accuracy > self.generator_accuracy + TIED


TIED = 1e-9
"""Accuracies that are no farther apart are the same: at p*_K, of chance."""


class _Trained(NamedTuple):
    """Of cells on one axis."""

    mean_scores: Array
    overlap: Array
    bulk: Array
    accuracy: Accuracy
    theta: Array
    eta: Array
    residual: Array
    status: Array


def predict(
    problem: ClassesProblem,
    alpha: Scalar,
    loss: str = "squared",
    *,
    classes: int | None = None,
    intercept: bool = False,
    effort: Effort = "checked",
) -> ClassesPrediction:
    """Predict what is kept and the trained accuracy; fields of ``problem`` and alpha may have axes that broadcast.

    Args:
        problem: `Rates`, whose errors are spread evenly, or a `Confusion`; means by norm, or by their Gram matrix.
        alpha: n/d, generated samples per dimension.
        loss: one of LOSSES. Softmax (logistic) of classes that differ is solved up to K = 4.
        classes: K, where no field of ``problem`` says it.
        intercept: whether an unpenalised intercept is fitted.
        effort: of softmax where classes are alike, see `theory.classes.symmetric.Effort`.

    Raises:
        ValueError: an argument outside its range, tables of different K, or an unknown loss.
    """
    check(loss, intercept)
    check_alpha(alpha)
    in_range("ridge", problem.ridge, 0, np.inf, remedy="ridge is a penalty relative to the mean over kept samples")
    found = population(problem, classes)
    return _predict(problem, found, alpha * found.kept_rate, loss, intercept, effort)


def check(loss: str, intercept: bool) -> None:
    """Raise ValueError for a loss that is unknown, or has no limit of its own with an intercept."""
    if loss not in LOSSES:
        raise InputError(f"loss = {loss!r} is unknown; choose from {', '.join(LOSSES)}")
    if loss == "averaging" and intercept:
        raise InputError("averaging with an intercept predicts the most frequent label; leave out intercept, or loss")


@quiet
def _predict(
    problem: ClassesProblem, found: Population, delta: Scalar, loss: str, intercept: bool, effort: Effort
) -> ClassesPrediction:
    delta, lam = np.broadcast_arrays(np.asarray(delta, float), np.asarray(problem.ridge, float))
    batch = delta.shape
    cells = found.cells(batch)
    delta, lam = delta.ravel(), lam.ravel()
    trained = TRAINED[loss](cells, delta, lam, intercept, effort)
    codes, tables = _judged(cells, trained), trained[:3]
    good = codes == status.OK
    star = np.full(batch, np.nan)
    if isinstance(problem.curation, Rates):
        star = np.broadcast_to(p_star_classes(problem.curation, cells.classes), batch)
    scores, _, bulk = tables
    numbers = [
        *(cells.error_rate, star.ravel(), cells.kept_rate, cells.purity, delta, 1 - cells.error_rate),
        *(_where(good, each) for each in (trained.accuracy.mean, trained.accuracy.error, trained.accuracy.by_class)),
        *(_where(good, each) for each in tables),
        np.where(cells.alike, cells.gap, np.nan),
        np.where(cells.alike & good, scores[:, 0, 0] - scores[:, 1, 0], np.nan),
        np.where(cells.alike & good, np.sqrt(bulk[:, 0, 0] - bulk[:, 0, 1]), np.nan),
        *(_where(good, each) for each in (trained.theta, trained.eta)),
        *(good, trained.residual, codes),
    ]
    return ClassesPrediction(*(each.reshape((*batch, *each.shape[1:]))[()] for each in numbers))


def _judged(cells: Population, trained: _Trained) -> Array:
    """Statuses, ok where the predicate of all rows is passed; of classes that are alike, accuracy is at most Bayes."""
    best = np.ones(len(trained.status))
    lead = np.sqrt(np.maximum(cells.gap[cells.alike], 0.0))
    best[cells.alike] = np.minimum(symmetric_accuracy(lead, cells.classes), 1.0)
    flat = lambda values: tuple(np.reshape(values, (len(best), math.prod(values.shape[1:]))).T)
    sides = flat(trained.accuracy.by_class)
    numbers = (*(number for table in trained[:3] for number in flat(table)), *sides)
    data = (cells.error_rate, cells.kept_rate, cells.purity, *sides)
    shares = (*((share, 0.0, 1.0) for share in data), (trained.accuracy.mean, 0.0, best))
    row = certified.Row(cells.kept_rate, trained.residual, certified.PROMISED["theory"], numbers, (), shares)
    return certified.judged(trained.status, row)


def _where(good: Array, values: Array) -> Array:
    """Values of the cells that have a solution, else NaN."""
    return np.where(good.reshape(-1, *[1] * (values.ndim - 1)), values, np.nan)


def _accuracy(cells: Population, scores: Array, covariance: Array) -> Accuracy:
    """By the exact integral over a line where classes are alike."""
    found = Accuracy(*(np.full(shape, np.nan) for shape in (len(scores), len(scores), scores.shape[:2])))
    for which, part in (
        (cells.alike, lambda at: alike(scores[at], covariance[at])),
        (~cells.alike, lambda at: accuracy(scores[at], covariance[at], cells.prior[at])),
    ):
        if which.any():
            for field, values in zip(found, part(which), strict=True):
                field[which] = values
    return found


def _squared(cells: Population, delta: Array, lam: Array, intercept: bool, effort: Effort) -> _Trained:
    found = ridge.solve(cells.gram, cells.law, delta, lam, intercept)
    return _closed(cells, delta, (lam > 0) | (delta != 1), *found)


def _averaging(cells: Population, delta: Array, lam: Array, intercept: bool, effort: Effort) -> _Trained:
    """S = P^T G, O = P^T G P, T = diag(q)/delta, all times 1/lambda or its square."""
    votes = np.swapaxes(cells.law, -1, -2)
    bulk = cells.law.sum(-2)[..., None] * np.eye(cells.classes) / delta[:, None, None]
    return _closed(cells, delta, True, votes @ cells.gram, votes @ cells.gram @ cells.law, bulk, delta + np.nan)


def _closed(
    cells: Population, delta: Array, unique: Any, scores: Array, overlap: Array, bulk: Array, eta: Array
) -> _Trained:
    """What needs no search."""
    accurate = _accuracy(cells, scores, overlap + bulk)
    finite = np.isfinite(bulk).all((-2, -1))
    good = finite & np.isfinite(accurate.mean)
    why = status.code(good, delta, unique)
    why = np.where((why == status.NOT_CONVERGED) & finite, status.TIED, why)
    return _Trained(scores, overlap, bulk, accurate, delta + np.nan, eta, np.where(good, 0.0, np.nan), why)


def _logistic(cells: Population, delta: Array, lam: Array, intercept: bool, effort: Effort) -> _Trained:
    """Three scalars where classes are alike, else one problem after the other."""
    k, cell = cells.classes, len(delta)
    tables = [np.full((cell, k, k), np.nan) for _ in range(3)]
    accurate = Accuracy(np.full(cell, np.nan), np.full(cell, np.nan), np.full((cell, k), np.nan))
    theta, residual, why = np.full(cell, np.nan), np.full(cell, np.nan), np.full(cell, status.NOT_CONVERGED)
    same = cells.alike
    if same.any():
        found = symmetric.solve(cells.gap[same], cells.purity[same], delta[same], lam[same], k, effort)
        for table, size in zip(tables, found.sizes(cells.gap[same]), strict=True):
            table[same] = size[:, None, None] * (np.eye(k) - 1 / k)
        by_class = np.repeat(found.accuracy[:, None], k, 1)
        for field, values in zip(accurate, (found.accuracy, found.accuracy_error, by_class), strict=True):
            field[same] = values
        theta[same], residual[same], why[same] = found.theta, found.residual, found.status
    for i in np.flatnonzero(~same):
        one = general.solve(cells.gram[i], cells.law[i], cells.prior[i], delta[i], lam[i], intercept)
        for field, value in zip((*tables, *accurate), (*one[:3], *one.accuracy), strict=True):
            field[i] = value
        residual[i], why[i] = one.residual, one.status
    scores, overlap, bulk = tables
    return _Trained(scores, overlap, bulk, accurate, theta, delta + np.nan, residual, why)


TRAINED = {"squared": _squared, "logistic": _logistic, "averaging": _averaging}
