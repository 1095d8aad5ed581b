"""Everything predicted about one problem, or a whole table of them, in one call."""

from typing import NamedTuple

from theory import settings
from theory.arrays import quiet, unlisted
from theory.display import record
from theory.engine import solve
from theory.threshold import breakdown, correct_rate, marginal
from theory.types import Problem, Scalar, Solution


class Prediction(NamedTuple):
    """What theory says of a `Problem` at a sample ratio; names as in THEORY §1."""

    p: Scalar
    """Error rate of the generator; with phi and psi, over both classes (`theory.threshold.marginal`)."""
    phi: Scalar
    psi: Scalar
    p_star: Scalar
    """The threshold: with infinite data, training succeeds iff p < p_star (if, where real data are mixed in)."""
    kept_rate: Scalar
    purity: Scalar
    generator_accuracy: Scalar
    """1 - p."""
    accuracy: Scalar
    """Of the trained classifier, d -> inf at this ratio; NaN where ``converged`` is False."""
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
        return self.accuracy > self.generator_accuracy

    @property
    def below_threshold(self) -> Scalar:
        """The p* rule: p < p*, that is purity > 1/2 (where real data are mixed in, of all that is trained on)."""
        return self.purity > 0.5


@quiet
def predict(problem: Problem, alpha: Scalar, loss: str = "squared") -> Prediction:
    """Predict threshold, curation and trained accuracy; fields of ``problem`` may be arrays that broadcast.

    Args:
        problem: with the parameter object of any setting: `Rates`, `ClassRates`, `Cosines`, ...
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
    setting, curation = settings.of(problem.curation), problem.curation
    rates = setting.rates(problem.signal, curation)
    p, phi, psi = marginal(rates)
    kept, purity = setting.trained_on(rates, curation)
    summary = (breakdown(rates), kept, purity, correct_rate(rates))
    found = (solution.accuracy, solution.converged, solution.residual, solution.status)
    return Prediction(p, phi, psi, *summary, *found)
