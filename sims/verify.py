"""Step 2 of a trial: the verifier says which samples are kept."""

from jaxtyping import Array, Bool, Key

from sims import settings
from sims.settings.base import Sample
from theory.types import Problem


def verify(key: Key[Array, ""], problem: Problem, sample: Sample) -> Bool[Array, " n"]:
    """Mask of the kept samples, by the rule of the problem's setting. Source: THEORY §1-2."""
    return settings.of(problem.curation).keep(key, problem, sample)
