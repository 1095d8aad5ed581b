"""As linear, and kept iff 0 < y' v.x <= margin: what the verifier confirms, but is not sure of."""

from jaxtyping import Array, Bool, Key

from sims.settings.base import Sample
from sims.settings.linear import Linear, scores
from theory.types import Problem


class _KeepHard(Linear):
    def keep(self, key: Key[Array, ""], problem: Problem, sample: Sample) -> Bool[Array, " n"]:
        confidence = sample.label * scores(problem, sample)
        return (confidence > 0) & (confidence <= problem.curation.margin)


SETTING = _KeepHard()
