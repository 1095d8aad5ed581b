"""Arms of the experiment: ROUGE with intervals, and differences over seeds.

An arm is a trained model under one name, with one model per seed. ROUGE is in points (0 to 100).

A contrast of arms has one value per seed (means over rates or draws are taken within the seed, so that what rates share
is inside), and its interval is Student's t over these, with seeds - 1 degrees of freedom. Where seeds have the same
test articles, t does not see what these have in common, which the paired bootstrap over test articles does: variances
of both add, and degrees of freedom are Welch's and Satterthwaite's,

    se^2 = s^2/S + b^2        freedom = (S - 1) (se^2 / (s^2/S))^2

with s over S seeds and b over the bootstrap draws. With one seed the interval is that bootstrap's alone, which speaks
of these models only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from sims.running.intervals import CONFIDENCE, middle, t_interval, t_quantile

INNER = 2 * CONFIDENCE - 1
"""Level of the interval that lies within a margin exactly when both one-sided tests at 5 % reject (TOST)."""
Verdict = Literal["better", "worse", "undecided", "failed"]
Side = Mapping[str, float]
"""Arms with weights that sum to 1: one arm, or a mean of several."""


class Interval(NamedTuple):
    """A mean with the bootstrap interval over test examples; NaN where a model failed."""

    mean: float
    low: float
    high: float


class Contrast(NamedTuple):
    """How far one side is above another, in points."""

    difference: float
    low: float
    """Of the 95 % interval, see above; NaN where a model failed."""
    high: float
    above: int
    """Seeds with a positive difference."""
    below: int
    overlap: bool
    """The interval excludes 0, but the ROUGE intervals of both sides overlap: undecided for this alone."""
    verdict: Verdict
    """Better or worse only where the interval excludes 0 and the ROUGE intervals of both sides do not overlap."""
    inner_low: float = np.nan
    """Of the interval at `INNER`, by which two one-sided tests show equality; NaN where a model failed."""
    inner_high: float = np.nan


class Noise(NamedTuple):
    """How far models differ that differ in nothing but the random numbers of their selection, in points."""

    points: float
    """Standard deviation; NaN where nothing tells."""
    freedom: int


@dataclass(frozen=True)
class Arms:
    """One kind of ROUGE of all arms."""

    names: tuple[str, ...]
    means: np.ndarray
    """(arms, seeds), NaN for failed models."""
    draws: np.ndarray
    """(arms, draws): mean over seeds in every bootstrap draw of the test examples."""
    shared: bool = False
    """Whether seeds have the same test articles."""

    def by_seed(self, side: Side) -> np.ndarray:
        """Mean of a side in every seed, (seeds,)."""
        return self._mix(self.means, side)

    def drawn(self, side: Side) -> np.ndarray:
        """Mean of a side, or of a difference of sides, in every bootstrap draw, (draws,)."""
        return self._mix(self.draws, side)

    def interval(self, side: Side) -> Interval:
        """Mean over seeds, and what other test examples could have given."""
        mean = float(self.by_seed(side).mean())
        return Interval(mean, *middle(self._mix(self.draws, side))) if np.isfinite(mean) else Interval(*(np.nan,) * 3)

    def contrast(self, side: Side, other: Side) -> Contrast:
        """``side`` minus ``other``."""
        weights = {name: side.get(name, 0.0) - other.get(name, 0.0) for name in {**side, **other}}
        each = self.by_seed(weights)
        mean = float(each.mean())
        if np.isnan(mean):
            return Contrast(*(np.nan,) * 3, 0, 0, False, "failed")
        ends, inner = (self._ends(each, weights, level) for level in (CONFIDENCE, INNER))
        verdict: Verdict = "better" if ends[0] > 0 else "worse" if ends[1] < 0 else "undecided"
        ours, theirs = self.interval(side), self.interval(other)
        overlap = verdict != "undecided" and ours.low <= theirs.high and theirs.low <= ours.high
        above, below = int((each > 0).sum()), int((each < 0).sum())
        return Contrast(mean, *ends, above, below, overlap, "undecided" if overlap else verdict, *inner)

    def _ends(self, each: np.ndarray, weights: Side, level: float) -> tuple[float, float]:
        """Of the interval of a difference that was seen in ``each`` seed."""
        if len(each) == 1:
            return middle(self._mix(self.draws, weights), level)
        if not self.shared:
            return t_interval(each, level)
        models, articles = each.var(ddof=1) / len(each), self._mix(self.draws, weights).var()
        reach = t_quantile(joint_freedom(len(each), models, articles), level) * np.sqrt(models + articles)
        return float(each.mean() - reach), float(each.mean() + reach)

    def _mix(self, values: np.ndarray, side: Side) -> np.ndarray:
        places = [self.names.index(name) for name in side]
        return np.fromiter(side.values(), float) @ values[places]


def joint_freedom(seeds: int, models: float, articles: float) -> float:
    """Degrees of freedom of the sum of a variance from so many seeds and one that is known (that of test articles)."""
    return float((seeds - 1) * (1 + articles / models) ** 2) if models else np.inf


def draw_noise(groups: Iterable[np.ndarray]) -> Noise:
    """From groups of models of one seed, rate and kind, failed ones left out."""
    whole = [values[~np.isnan(values)] for values in groups]
    freedom = sum(max(len(values) - 1, 0) for values in whole)
    if not freedom:
        return Noise(np.nan, 0)
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in whole if len(values))
    return Noise(float(np.sqrt(squares / freedom)), freedom)


def student(verifier: str, rate: float) -> str:
    """Arm of the model retrained on what a verifier keeps."""
    return f"retrain-{verifier}-{rate:g}"


def students(members: Sequence[str], rate: float) -> Side:
    """Mean of the students of a group's members."""
    return {student(member, rate): 1 / len(members) for member in members}


def one(arm: str) -> Side:
    """An arm on its own."""
    return {arm: 1.0}


def mean_of(sides: Sequence[Side]) -> Side:
    """Mean of several sides."""
    total: dict[str, float] = {}
    for side in sides:
        for name, weight in side.items():
            total[name] = total.get(name, 0.0) + weight / len(sides)
    return total
