"""y' = sign(g.x), kept iff sign(v.x) = y' (THEORY §2). No randomness beside that of the points."""

from jaxtyping import Array, Bool, Float, Key

from sims.population import directions, sign
from sims.settings.base import Sample, Setting
from theory.types import Problem


class Linear(Setting):
    """Also the labels of the settings that vary its verifier."""

    def label(
        self, key: Key[Array, ""], problem: Problem, x: Float[Array, "n d"], y: Float[Array, " n"]
    ) -> Float[Array, " n"]:
        """sign(g.x)."""
        return sign(x @ directions(problem.curation[:3], x.shape[1]).generator)

    def keep(self, key: Key[Array, ""], problem: Problem, sample: Sample) -> Bool[Array, " n"]:
        """sign(v.x) = y'."""
        return sign(scores(problem, sample)) == sample.label


def scores(problem: Problem, sample: Sample) -> Float[Array, " n"]:
    """v.x, what the verifier goes by."""
    return sample.x @ directions(problem.curation[:3], sample.x.shape[1]).verifier


SETTING = Linear()
