"""Everything predicted about one problem, or a whole table of them, in one call."""

from typing import Any, NamedTuple

import numpy as np

from theory import certified, settings, status
from theory.arrays import is_traced, of, quiet, unlisted
from theory.display import record
from theory.engine import solve
from theory.limits import best_offset_accuracy, mahalanobis
from theory.threshold import breakdown, correct_rate, log_odds, marginal, p_star_direction, p_star_each_class, per_class
from theory.types import Problem, Scalar, Solution


class Prediction(NamedTuple):
    """What theory says of a `Problem` at a sample ratio; names as in THEORY §1 and §21."""

    p: Scalar
    """Error rate of the generator; with phi and psi, over both classes (`theory.threshold.marginal`)."""
    phi: Scalar
    psi: Scalar
    p_star: Scalar
    """The threshold of a classifier without intercept: with infinite data, training succeeds iff p < p_star (if, where
    real data are mixed in), that is purity > 1/2."""
    p_star_direction: Scalar
    """That of the direction of a classifier with an intercept, for p common to both classes: log_odds_sum > 0."""
    p_star_each_class: Scalar
    """That of both classes being learned with an intercept: least_log_odds > 0."""
    kept_rate: Scalar
    purity: Scalar
    log_odds_sum: Scalar
    """log(o_+ o_-), the log odds of a correct label among the kept of either class, added."""
    least_log_odds: Scalar
    """log(min_k o_k)."""
    generator_accuracy: Scalar
    """1 - p."""
    accuracy: Scalar
    """Of the trained classifier, d -> inf at this ratio; NaN where ``converged`` is False."""
    balanced_accuracy: Scalar
    """The plain mean over both classes."""
    accuracy_minus: Scalar
    """On y = -1."""
    accuracy_plus: Scalar
    """On y = +1."""
    best_offset_accuracy: Scalar
    """Of the trained direction with the offset that is best for it."""
    bayes_accuracy: Scalar
    """Of the best classifier that there is."""
    mean_score: Scalar
    """t = w.mu: a fresh sample's score is y t + b + sigma N(0, 1)."""
    offset: Scalar
    """b, the intercept."""
    score_sd: Scalar
    """sigma."""
    theta: Scalar
    converged: Scalar
    residual: Scalar
    status: Scalar
    """Why there is no solution: an index into `theory.types.STATUSES`, 0 where ``converged``."""

    def __repr__(self) -> str:
        """A line per field; those of an intercept and of unlike classes only where they say something of their own."""
        same = lambda name, other: not is_traced(self) and np.array_equal(getattr(self, name), other, equal_nan=True)
        others = {
            **dict.fromkeys(("p_star_direction", "p_star_each_class"), self.p_star),
            **dict.fromkeys(("balanced_accuracy", "accuracy_minus", "accuracy_plus"), self.accuracy),
            **{"best_offset_accuracy": self.accuracy, "log_odds_sum": 2 * self.least_log_odds},
            "offset": 0 * self.score_sd,
        }
        hidden = {name for name, other in others.items() if same(name, other)}
        return record(self, hidden | ({"least_log_odds"} if "log_odds_sum" in hidden else set()))

    @property
    def accuracy_by_class(self) -> Scalar:
        """Both, last axis (y = -1, y = +1)."""
        return of(self.accuracy).stack([self.accuracy_minus, self.accuracy_plus], -1)

    @property
    def beats_generator(self) -> Scalar:
        """Whether the trained classifier is predicted to be more accurate than its generator."""
        return self.accuracy > self.generator_accuracy

    @property
    def below_threshold(self) -> Scalar:
        """The p* rule: p < p*, that is purity > 1/2 (where real data are mixed in, of all that is trained on)."""
        return self.purity > 0.5


@quiet
def predict(problem: Problem, alpha: Scalar, loss: str = "squared") -> Prediction:
    """Predict threshold, curation and trained accuracy; fields of ``problem`` may be arrays that broadcast.

    Args:
        problem: with the parameter object of any setting: `Rates`, `ClassRates`, `Cosines`, ...; a `Spectrum` as signal
            and an intercept go with the first two.
        alpha: n/d, generated samples per dimension.
        loss: a key of `theory.losses.LOSSES`.

    Raises:
        ValueError: an argument outside its range, or an unknown loss. RuntimeError: arguments of JAX in float32.
    """
    solution = solve(problem, alpha, loss)  # refuses what is no problem
    return of_solution(unlisted(problem), solution)


@quiet
def of_solution(problem: Problem, solution: Solution) -> Prediction:
    """What is predicted where the trained classifier is known already."""
    xp: Any = of(problem, solution)
    setting, curation = settings.of(problem.curation), problem.curation
    rates = setting.rates(problem.signal, curation)
    kept, purity = setting.trained_on(rates, curation)
    odds: Any = log_odds(rates)
    plus = per_class(rates).prior[..., 1]
    t, b, sigma = solution.mean_score, solution.offset, solution.score_sd
    minus, plus_accuracy = xp.ndtr((t - b) / sigma), xp.ndtr((t + b) / sigma)
    best = (best_offset_accuracy(t / sigma, plus), best_offset_accuracy(mahalanobis(problem.signal), plus))
    thresholds = (breakdown(rates), p_star_direction(rates), p_star_each_class(rates))
    kept_data = (kept, purity, odds.sum(-1), xp.min(odds, -1), correct_rate(rates))
    trained = (solution.accuracy, (minus + plus_accuracy) / 2, minus, plus_accuracy, *best)
    scores = (t, b, sigma, solution.theta)
    odd = [xp.where(xp.isnan(rate), 0.0, rate) for rate in marginal(rates)]  # NaN where no label is right, or wrong
    shares = [(share, 0.0, 1.0) for share in (*odd, kept, purity, correct_rate(rates), minus, plus_accuracy, *best)]
    shares += [certified.accuracy(solution.accuracy, best[1])]
    shares += [certified.accuracy(trained[1], xp.ndtr(mahalanobis(problem.signal)))]
    row = certified.Row(kept, solution.residual, certified.PROMISED["theory"], (*trained, *scores), (), tuple(shares))
    codes = certified.judged(solution.status, row)
    purity = xp.where(kept >= status.LEAST, purity, xp.nan)
    kept_data = (kept, purity, *kept_data[2:])
    found = (*certified.known(codes, scores), codes == status.OK, solution.residual, codes)
    return Prediction(*marginal(rates), *thresholds, *kept_data, *certified.known(codes, trained), *found)
