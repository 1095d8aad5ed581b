"""As linear, and kept iff y' v.x > margin: what the verifier is sure of."""

from jaxtyping import Array, Bool, Key

from sims.settings.base import Sample
from sims.settings.linear import Linear, scores
from theory.types import Problem


class _KeepEasy(Linear):
    def keep(self, key: Key[Array, ""], problem: Problem, sample: Sample) -> Bool[Array, " n"]:
        return sample.label * scores(problem, sample) > problem.curation.margin


SETTING = _KeepEasy()
