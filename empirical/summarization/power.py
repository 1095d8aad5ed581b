"""What a run can tell, before it starts: from how ROUGE differs from article to article, and from model to model.

A difference of two sides, weights w of their arms, over S seeds of n test articles each has the standard error

    se^2 = spread^2 / (n S) + noise^2 sum w^2 / S        (seeds with test articles of their own)
    se^2 = spread^2 / n     + noise^2 sum w^2 / S        (seeds that share them)

    spread   standard deviation over test articles of the difference of two models' ROUGE-1 on the same article
    noise    standard deviation of a model's ROUGE-1 where nothing but random numbers differs

Both are assumptions of the profile ([evaluation] spread, noise), in points; the report has the measured ones beside
them. With one seed an interval is one over test articles and speaks of these models only: noise does not widen it, and
is told apart. Equality is by two one-sided tests. Source: normal theory of paired designs; schuirmann1987comparison.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit
from scipy.stats import nct

from empirical.summarization.arms import Side, joint_freedom, mean_of
from empirical.summarization.findings import PUBLISHED, claims
from empirical.summarization.plan import others, verifiers
from empirical.summarization.profile import Profile
from empirical.summarization.sections import STORIES
from empirical.summarization.verifiers import grouped
from sims.running.intervals import CONFIDENCE
from sims.running.text import say

POWER = 0.8
"""Probability with which a difference is to be found, or equality shown."""


@dataclass(frozen=True)
class Design:
    """How many seeds and articles, and what is assumed of them. Points of ROUGE-1."""

    seeds: int
    tests: int
    shared: bool
    """Whether seeds have the same test articles."""
    spread: float
    noise: float

    def error(self, weights: float) -> float:
        """Standard error of a difference whose arms' weights have this sum of squares."""
        models = 0.0 if self.seeds == 1 else self.noise**2 * weights / self.seeds
        return float(np.hypot(self._articles, np.sqrt(models)))

    @property
    def _articles(self) -> float:
        """Standard error over test articles."""
        return self.spread / float(np.sqrt(self.tests * (1 if self.shared else self.seeds)))

    def freedom(self, error: float) -> float:
        """Of the interval of a difference with this standard error (`arms`); infinite over articles alone."""
        if self.seeds == 1:
            return np.inf
        if not self.shared:
            return self.seeds - 1
        return joint_freedom(self.seeds, max(error**2 - self._articles**2, 0.0), self._articles**2)

    def half(self, error: float) -> float:
        """Half the width of the interval that is to be expected."""
        return float(_quantile(self.freedom(error), 0.5 + CONFIDENCE / 2) * error)

    def found(self, error: float) -> float:
        """The least difference that is called better or worse with `POWER`.

        Its interval must exclude 0 (by the noncentral t, exact under normality), and the ROUGE intervals of both sides
        must be apart (about: a model's own scores spread as differences do, where two models correlate by 1/2).
        """
        freedom, normal = self.freedom(error), float(ndtri(POWER))
        far = _quantile(freedom, 0.5 + CONFIDENCE / 2)
        apart = 2 * _quantile(np.inf, 0.5 + CONFIDENCE / 2) * self._articles + normal * error
        if not np.isfinite(freedom):
            return max((far + normal) * error, apart)
        most = far
        while _exceeds(far, freedom, most) < POWER:
            most *= 1.5
        shift = brentq(lambda shift: _exceeds(far, freedom, shift) - POWER, 0.0, most)
        return max(float(shift) * error, apart)

    def equal(self, error: float) -> float:
        """The least margin within which equality is shown with about `POWER` where there is no difference."""
        freedom = self.freedom(error)
        return float((_quantile(freedom, CONFIDENCE) + _quantile(freedom, 0.5 + POWER / 2)) * error)


def _quantile(freedom: float, level: float) -> float:
    return float(stdtrit(freedom, level)) if np.isfinite(freedom) else float(ndtri(level))


def _exceeds(far: float, freedom: float, shift: float) -> float:
    """P(|T| > far) of a noncentral t, for shift >= 0.

    Its lower tail is at most Phi(-shift); scipy has NaN for some of those that are below 1e-30.
    """
    return float(nct.sf(far, freedom, shift) + np.nan_to_num(nct.cdf(-far, freedom, shift)))


def design(profile: Profile) -> Design:
    """Of a profile."""
    table, run = profile.evaluation, profile.run
    return Design(run.seeds, profile.data.test, profile.data.source != STORIES, table.spread, table.noise)


def power(profile: Profile) -> pd.DataFrame:
    """One line per claim of the findings: finding, side, other, error, half, found and equal, in points."""
    groups = grouped(verifiers(profile))
    names = ["generator", "full-epoch", *(["full"] if profile.retraining.steps else [])]
    names += [f"verifier-{name}" for name in others(profile)]
    plan, lines = design(profile), []
    for claim in claims(names, groups, profile.selection.rates):
        if claim.role == "claim":
            error = plan.error(_squares([side for _, side, _ in claim.pairs], [other for *_, other in claim.pairs]))
            line = {
                "finding": PUBLISHED[claim.finding].number,
                "side": claim.side,
                "other": claim.other,
                "error": error,
            }
            lines.append(line | {"half": plan.half(error), "found": plan.found(error), "equal": plan.equal(error)})
    return pd.DataFrame(lines)


def _squares(sides: Sequence[Side], others: Sequence[Side]) -> float:
    side, other = mean_of(sides), mean_of(others)
    return sum((side.get(name, 0.0) - other.get(name, 0.0)) ** 2 for name in {**side, **other})


def told(profile: Profile) -> Iterator[str]:
    """What can and cannot be decided, in lines."""
    plan, margin, lines = design(profile), profile.evaluation.margin, power(profile)
    seeds = "1 seed" if plan.seeds == 1 else f"{plan.seeds} seeds"
    shared = " that they share" if plan.shared and plan.seeds > 1 else ""
    yield say(
        f"What it can decide, of {seeds} and {plan.tests:,} test articles{shared}, if ROUGE-1 differs by "
        f"{plan.spread:g} points from article to article and by {plan.noise:g} from run to run (assumed; the report "
        "has the measured ones):"
    )
    yield f"  {'':31}{'interval':>10}{'found, 80 %':>13}{'equal, 80 %':>13}"
    for _, line in lines.iterrows():
        what, half = f"{line['finding']:3}{line['side']} - {line['other']}", f"+-{line['half']:.1f}"
        yield f"  {what:31}{half:>10}{line['found']:>13.1f}{line['equal']:>13.1f}"
    yield say(_verdict(lines, margin))
    if plan.seeds == 1:
        yield say(
            "One seed: intervals are over test articles and speak of these models only. Others would differ by "
            f"{plan.noise * np.sqrt(2):.1f} points (standard deviation of a difference of two models): it is a pilot, "
            "and proves nothing of verifiers in general."
        )


def _verdict(lines: pd.DataFrame, margin: float) -> str:
    """In words: the least effects that are seen, and whether equality can be."""
    able = lines["equal"] <= margin
    few = "none" if not able.any() else "every line" if able.all() else f"{int(able.sum())} of {len(lines)} lines"
    reach = " to ".join(dict.fromkeys(f"{found:.1f}" for found in (lines["found"].min(), lines["found"].max())))
    return (
        f"found: the difference that is told from 0 with probability {POWER:.0%}, here {reach} points; smaller ones "
        "may stay undecided. equal: the margin within which equality is shown as often where there is no difference; "
        f"with the margin of {margin:g}, equality can be shown of {few}."
    )
