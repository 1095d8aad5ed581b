"""`learning_curve`: accuracy of a probe on what a verifier keeps of n samples, predicted from N labelled points."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from empirical.auditing.checks import check_level
from empirical.features import LOSSES, check, scattered
from empirical.features.cells import Numbers, error_rate, joint
from empirical.features.points import Points, odd_columns, of_points, points
from empirical.features.sentences import NO_SIGNAL, NOT_SOLVED, OK, ONE_LABEL, OUT_OF_REACH, Curve
from empirical.features.verdict import decide
from sims.running.intervals import CONFIDENCE, t_quantile
from theory._check import check_rates, in_range
from theory.coloured import Scores, accuracies
from theory.errors import InputError, KindError
from theory.estimated import Estimated
from theory.small_samples import DRAWS, both_labels, counts, solve_counts, widening
from theory.types import ClassRates, Rates

CLEAN = Rates(0.0, 1.0, 1.0)
"""Every label correct and kept."""
RIDGE = 0.1
"""Default penalty, in units of the mean within-class variance of a feature."""
FEWER_DRAWS = 16
"""Of the counts, behind each of the refits that an interval comes from; behind a prediction there are DRAWS."""
GROUPS = 20
"""Parts of the points that the jackknife leaves out in turn."""


def learning_curve(
    X: ArrayLike,
    y: ArrayLike,
    rates: Rates | ClassRates = CLEAN,
    *,
    n: Sequence[int] | None = None,
    ridge: float = RIDGE,
    loss: str = "squared",
    level: float = CONFIDENCE,
    repetitions: int = 0,
    seed: int = 0,
) -> Curve:
    """How accurate will a linear probe on these features be, trained on what a verifier keeps of n labelled samples?

    Squared or logistic loss with a penalty and an intercept without one. Accuracy is that on fresh points with true
    labels. It is computed from the four functions of `theory.estimated` (scores Gaussian within classes), averaged over
    how many samples of each kind are kept. ``low``, ``high``: what another N points might have said, by a grouped
    jackknife; that scores are not Gaussian is not in it. ``scattered``: the same with the points' own scores, for
    n <= N/2.

    Args:
        X: embeddings, (N, d).
        y: true labels of two kinds, (N,).
        rates: p, phi, psi; each a number, or a pair for the two classes (the smaller label first). Of `ClassRates` the
            prior is not read: the points have one.
        n: sample sizes; default 20, 50, 100, ... up to N, and N.
        ridge: penalty lambda, relative to the mean over what is kept, in units of the mean within-class variance of a
            feature, tr S/d; > 0.
        loss: squared or logistic.
        level: of the intervals.
        repetitions: of a direct experiment on the same points, beside the prediction; 0 for none, else at least 2.
        seed: of the jackknife's parts and of the experiment.

    Raises:
        ValueError: see `points.points`; an argument outside its range.
        TypeError: rates of another kind.
    """
    import pandas as pd

    given = points(X, y)
    rates = _rates(rates)
    _check(ridge, loss, repetitions)
    check_level(level)
    sizes = _sizes(n, len(given.x))
    features = of_points(given)
    penalty = ridge * features.mean_variance
    cells = joint(rates, given.prior)
    drawn = draw(features, cells, sizes, penalty, loss, DRAWS)
    predicted = average(features, drawn, given.prior, penalty)
    low, high = _interval(given, rates, sizes, penalty, loss, level, seed, predicted.accuracy)
    table = pd.DataFrame(
        {
            "n": sizes,
            "kept": sizes * cells.sum(),
            "accuracy": predicted.accuracy,
            "low": low,
            "high": high,
            "scattered": own_scores(given, drawn, sizes, predicted.status, seed),
            "status": predicted.status,
            "beyond": sizes > len(given.x),
        }
    )
    if repetitions:
        found = [check.measure(given, rates, int(size), penalty, loss, repetitions, seed) for size in sizes]
        columns = zip(
            ("measured", "measured_low", "measured_high", "repetitions"), zip(*found, strict=True), strict=True
        )
        table = table.assign(**dict(columns))
    generator = 1 - error_rate(rates, given.prior)
    return Curve(
        points=len(given.x),
        dimension=given.x.shape[1],
        classes=given.classes,
        prior=given.prior,
        rates=rates,
        loss=loss,
        ridge=ridge,
        penalty=penalty,
        level=level,
        generator_accuracy=generator,
        verdict=decide(table, generator),
        table=table,
        notes=odd_columns(X),
    )


class Predicted(NamedTuple):
    """Fields (sizes,)."""

    accuracy: Numbers
    """NaN unless ok."""
    status: NDArray[np.str_]


class Drawn(NamedTuple):
    """Every draw of the counts, solved; fields (sizes, draws)."""

    m: Numbers
    usable: NDArray[np.bool_]
    """Both labels are kept."""
    scores: Scores
    """NaN where not usable, or not solved."""
    k: Numbers
    """Effective penalty lambda/nu."""


def average(features: Estimated, found: Drawn, prior: float, penalty: float) -> Predicted:
    """Mean over counts of rho_+ Phi((t + b)/s) + rho_- Phi((t - b)/s), s = sigma sqrt(1 + 1/m) (THEORY §26)."""
    minus, plus = accuracies(found.scores, widening(found.m))
    accuracy = prior * plus + (1 - prior) * minus
    seen = found.usable & np.isfinite(accuracy)
    total = np.where(seen, accuracy, 0.0).sum(-1) / np.maximum(seen.sum(-1), 1)
    status = _status(features, found, seen, penalty)
    return Predicted(np.where(status == OK, total, np.nan), status)


def draw(features: Estimated, cells: Numbers, sizes: NDArray[np.int_], penalty: float, loss: str, draws: int) -> Drawn:
    """Counts of the four cells for every n, and the equations at their shares and m."""
    kinds = np.stack([counts(int(size), cells, draws) for size in sizes])
    usable = both_labels(kinds)
    solved = solve_counts(kinds[usable], features, penalty, loss)
    whole = Scores(*(_spread(field, usable) for field in solved))
    return Drawn(kinds.sum(-1), usable, whole, penalty / whole.response)


def _spread(values: Any, usable: NDArray[np.bool_]) -> Numbers:
    whole = np.full(usable.shape, np.nan)
    whole[usable] = values
    return whole


def _status(features: Estimated, found: Drawn, seen: NDArray[np.bool_], penalty: float) -> NDArray[np.str_]:
    """Why there is no number, by the first that applies to half of the draws."""
    ladder = np.geomspace(1, 1e4, 40) * max(penalty, features.reach * 1.0001)
    blind = bool(np.any(features.at(ladder).a <= 0))
    with np.errstate(invalid="ignore"):
        no_signal = (features.at(found.k).a <= 0) | (blind & ~seen)
    beyond = ~seen & (penalty < features.reach) & (found.m > features.freedom)
    half = found.usable.sum(-1) / 2
    status = np.full(len(found.m), OK, dtype="<U16")
    for word, where in ((NOT_SOLVED, ~seen), (OUT_OF_REACH, beyond), (NO_SIGNAL, no_signal)):
        status[(where & found.usable).sum(-1) > half] = word
    status[2 * half < found.m.shape[1] / 2] = ONE_LABEL
    return status


def _interval(
    given: Points,
    rates: Rates,
    sizes: NDArray[np.int_],
    penalty: float,
    loss: str,
    level: float,
    seed: int,
    center: Numbers,
) -> tuple[Numbers, Numbers]:
    """Student's t interval by the jackknife of 20 groups of points, of Phi^-1(accuracy).

    The bootstrap by percentiles does not do: points that are drawn twice look like signal, and it says what plug-in
    would say.
    """
    groups = np.random.default_rng(seed).permutation(len(given.x)) % GROUPS
    found = []
    for group in range(GROUPS):
        left = groups != group
        part = Points(given.x[left], given.positive[left], given.classes)
        features = of_points(part)
        drawn = draw(features, joint(rates, part.prior), sizes, penalty, loss, FEWER_DRAWS)
        found.append(average(features, drawn, part.prior, penalty).accuracy)
    scores = ndtri(np.clip(found, 1e-9, 1 - 1e-9))
    spread = np.sqrt((GROUPS - 1) * np.var(scores, axis=0))
    reach = t_quantile(GROUPS - 1, level) * spread
    middle = ndtri(center)
    return ndtr(middle - reach), ndtr(middle + reach)


def own_scores(given: Points, drawn: Drawn, sizes: NDArray[np.int_], status: NDArray[np.str_], seed: int) -> Numbers:
    """`scattered.accuracy` for the n that have a prediction and are at most N/2; NaN for the others."""
    found = np.full(len(sizes), np.nan)
    near = (2 * sizes <= len(given.x)) & (status == OK)
    if near.any():
        scores = Scores(*(field[near] for field in drawn.scores))
        found[near] = scattered.accuracy(given, scores, drawn.k[near], drawn.m[near], seed)
    return found


def _rates(given: Any) -> Rates:
    """Numbers or pairs, in range."""
    if not isinstance(given, (Rates, ClassRates)):
        raise KindError(
            f"rates = {given!r} is of kind {type(given).__name__}; give ps.Rates(p, phi, psi), as ps.Rates(0.3, 1, 1) "
            "where labels err at 0.3 and all are kept, or ps.ClassRates"
        )
    for name, value in given._asdict().items():
        if np.shape(value) not in ((), (2,)):
            raise InputError(f"{name} has shape {np.shape(value)}; give a number, or a pair for the two classes")
    check_rates(given)
    p, phi, psi = (np.asarray(rate, float) for rate in given[:3])
    if not np.any((1 - p) * phi + p * psi > 0):
        raise InputError("p, phi and psi together keep nothing; take a phi > 0, or a psi > 0 where p > 0")
    return given if isinstance(given, Rates) else Rates(*(tuple(np.ravel(rate).tolist()) for rate in given[:3]))


def _sizes(n: Sequence[int] | None, total: int) -> NDArray[np.int_]:
    if n is None:
        steps = [step * 10**power for power in range(1, 9) for step in (1, 2, 5)]
        return np.array([size for size in steps if 20 <= size < total] + [total])
    sizes = np.unique(np.asarray(n, float))
    if not sizes.size or np.any((sizes < 2) | (sizes % 1 != 0)):
        raise InputError(f"n = {list(n)} must be whole numbers of 2 or more; n counts generated samples")
    return sizes.astype(int)


def _check(ridge: float, loss: str, repetitions: int) -> None:
    in_range(
        *("ridge", ridge, 0, np.inf),
        open_low=True,
        remedy="it is the penalty in units of the mean within-class variance of a feature; 0.1 is a start",
    )
    if loss not in LOSSES:
        raise InputError(f"loss = {loss!r} is not predicted for features; choose one of {', '.join(LOSSES)}")
    if repetitions % 1 != 0 or repetitions < 0 or repetitions == 1:
        raise InputError(f"repetitions = {repetitions} must be 0, or a whole number of 2 or more")
