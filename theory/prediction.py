"""Everything predicted about one problem, or a whole table of them, in one call."""

from typing import NamedTuple

from theory.display import record
from theory.engine import solve
from theory.geometry import rates as rates_of_cosines
from theory.threshold import generator_accuracy, kept_rate, marginal, p_star, purity
from theory.types import Cosines, Problem, Scalar


class Prediction(NamedTuple):
    """What theory says of a `Problem` at a sample ratio; names as in THEORY §1."""

    p: Scalar
    """Error rate of the generator; with phi and psi, over both classes (`theory.threshold.marginal`)."""
    phi: Scalar
    psi: Scalar
    p_star: Scalar
    """The threshold: with infinite data, training succeeds iff p < p_star."""
    kept_rate: Scalar
    purity: Scalar
    generator_accuracy: Scalar
    """1 - p."""
    accuracy: Scalar
    """Of the trained classifier, d -> inf at this ratio; NaN where ``converged`` is False."""
    converged: Scalar
    residual: Scalar

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)

    @property
    def beats_generator(self) -> Scalar:
        """Whether the trained classifier is predicted to be more accurate than its generator."""
        return self.accuracy > self.generator_accuracy

    @property
    def below_threshold(self) -> Scalar:
        """The p* rule: p < p*, that is purity > 1/2."""
        return self.purity > 0.5


def predict(problem: Problem, alpha: Scalar, loss: str = "squared") -> Prediction:
    """Predict threshold, curation and trained accuracy; fields of ``problem`` may be arrays that broadcast.

    Args:
        problem: any curation: `Rates`, `ClassRates` or `Cosines`.
        alpha: n/d, generated samples per dimension.
        loss: a key of `theory.losses.LOSSES`.

    Raises:
        ValueError: an argument outside its range, or an unknown loss. RuntimeError: JAX is in float32.
    """
    solution = solve(problem, alpha, loss)
    curation = problem.curation
    rates = rates_of_cosines(problem.signal, curation) if isinstance(curation, Cosines) else curation
    p, phi, psi = marginal(rates)
    summary = (p_star(rates), kept_rate(rates), purity(rates), generator_accuracy(rates))
    return Prediction(p, phi, psi, *summary, solution.accuracy, solution.converged, solution.residual)
