"""What arms show: ROUGE with intervals, differences against run noise, and the four published findings.

An arm is a trained model under one name, with one model per seed. ROUGE is in points (0 to 100).

A few seeds decide little on their own (Student's t with three has two degrees of freedom). Differences of arms are
therefore judged as in randomised blocks: arms x seeds, residuals y_as - y_a. - y_.s + y_.., whose standard deviation s
("run noise") is pooled over arms with (arms - 1)(seeds - 1) degrees of freedom. This assumes that all arms are equally
noisy. A contrast with weights c has the interval

    c . y  +-  t s sqrt(sum c^2 / seeds)

which for two arms is t s sqrt(2 / seeds). An arm that is far noisier than the others, as one that collapses in some
seeds is, would make them all look noisy: it is found by Cochran's test (`alike`), left out of s, and judged by its own
values by seed. Two checks stand beside it: Student's t of the contrast's own values by seed,
and whether students move together against their generator by more than s allows (`group_check`), which they might,
because students of a seed share summaries and random numbers.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import fdtrc, fdtri, stdtrit

LEVEL = 0.95
DRAWS = 2000
DRAWN_AT_ONCE = 2_000_000
OUTLYING = 0.01
"""Probability with which `alike` leaves out an arm that is as noisy as the others."""
NEGLIGIBLE = 1.0
"""Points of ROUGE-1; a difference below it counts as none. A stemmer moves ROUGE-1 by about as much."""

Verdict = Literal["better", "worse", "undecided", "failed"]
Reading = Literal["seen", "seen in part", "not seen", "opposite", "undecided", "failed", "not run"]
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
    """From the run noise of all arms (uneven arms: as t_low); with one seed from the paired bootstrap over tests."""
    high: float
    t_low: float
    """From the values by seed of this contrast alone; NaN with one seed."""
    t_high: float
    above: int
    """Seeds with a positive difference."""
    below: int
    verdict: Verdict
    """Better or worse only where the interval excludes 0 and the ROUGE intervals of both sides do not overlap."""


class Noise(NamedTuple):
    """Standard deviation of an arm's ROUGE from seed to seed, differences between whole seeds removed."""

    points: float
    """NaN where nothing tells."""
    freedom: int
    source: Literal["arms by seeds", "random draws", "none"]


@dataclass(frozen=True)
class Arms:
    """One kind of ROUGE of all arms."""

    names: tuple[str, ...]
    means: np.ndarray
    """(arms, seeds), NaN for failed models."""
    draws: np.ndarray
    """(arms, draws): mean over seeds in every bootstrap draw of the test examples."""
    noise: Noise
    uneven: frozenset[str] = frozenset()
    """Arms whose noise is their own, see `alike`."""

    def by_seed(self, side: Side) -> np.ndarray:
        """Mean of a side in every seed, (seeds,)."""
        return self._mix(self.means, side)

    def interval(self, side: Side) -> Interval:
        """Mean over seeds, and what other test examples could have given."""
        mean = float(self.by_seed(side).mean())
        return Interval(mean, *_middle(self._mix(self.draws, side))) if np.isfinite(mean) else Interval(*(np.nan,) * 3)

    def contrast(self, side: Side, other: Side) -> Contrast:
        """``side`` minus ``other``."""
        weights = {name: side.get(name, 0.0) - other.get(name, 0.0) for name in {**side, **other}}
        each = self.by_seed(weights)
        mean, seeds = float(each.mean()), len(each)
        if np.isnan(mean):
            return Contrast(*(np.nan,) * 5, 0, 0, "failed")
        if seeds == 1:
            ends, check = _middle(self._mix(self.draws, weights)), (np.nan, np.nan)
        else:
            check = _around(mean, float(each.std(ddof=1) / np.sqrt(seeds)), seeds - 1)
            length = float(np.sqrt(sum(weight**2 for weight in weights.values()) / seeds))
            uneven = any(weights[name] for name in self.uneven & weights.keys())
            ends = check if uneven else _around(mean, self.noise.points * length, self.noise.freedom)
        verdict = self._verdict(ends, self.interval(side), self.interval(other))
        return Contrast(mean, *ends, *check, int((each > 0).sum()), int((each < 0).sum()), verdict)

    def _mix(self, values: np.ndarray, side: Side) -> np.ndarray:
        places = [self.names.index(name) for name in side]
        return np.fromiter(side.values(), float) @ values[places]

    @staticmethod
    def _verdict(ends: tuple[float, float], ours: Interval, theirs: Interval) -> Verdict:
        if ends[0] > 0 and ours.low > theirs.high:
            return "better"
        return "worse" if ends[1] < 0 and ours.high < theirs.low else "undecided"


def bootstrap(scores: Sequence[np.ndarray], shared: bool, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """Means over seeds in resampled test examples, (rows, draws).

    ``scores`` has one array (rows, tests) per seed. Examples are resampled within each seed, the same for all rows;
    ``shared`` says that seeds have the same test examples, which are then resampled together.
    """
    parts = [np.mean(scores, axis=0)] if shared else scores
    rng = np.random.default_rng(seed)
    return np.mean([_resampled(part, draws, rng) for part in parts], axis=0)


def _resampled(part: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    tests = part.shape[1]
    step = max(1, DRAWN_AT_ONCE // tests)
    sizes = [min(step, draws - start) for start in range(0, draws, step)]
    shares = np.full(tests, 1 / tests)
    with np.errstate(invalid="ignore"):  # failed models are NaN
        return np.concatenate([part @ rng.multinomial(tests, shares, size).T for size in sizes], axis=1) / tests


def block_noise(means: np.ndarray) -> Noise:
    """Run noise from (arms, seeds), arms with a failed model left out."""
    whole = means[~np.isnan(means).any(1)]
    arms, seeds = whole.shape
    freedom = (arms - 1) * (seeds - 1)
    if freedom < 1:
        return Noise(np.nan, 0, "none")
    residual = whole - whole.mean(1, keepdims=True) - whole.mean(0) + whole.mean()
    return Noise(float(np.sqrt((residual**2).sum() / freedom)), freedom, "arms by seeds")


def alike(means: np.ndarray) -> np.ndarray:
    """Flags (arms,) of (arms, seeds): False for arms whose residuals are far larger than the others'.

    Cochran's C (cochran1941distribution), the largest of the arms' residual variances over their sum, at the level
    OUTLYING, again and again until it finds none; at least half of the arms are kept. Failed arms are not tested.
    """
    flags = ~np.isnan(means).any(1)
    freedom = means.shape[1] - 1
    while 2 * flags.sum() > max(flags.size, 4) and freedom:
        whole = means[flags]
        residual = whole - whole.mean(1, keepdims=True) - np.median(whole - whole.mean(1, keepdims=True), axis=0)
        squares = (residual**2).sum(1)
        others = len(whole) - 1
        limit = fdtri(freedom, others * freedom, 1 - OUTLYING / len(whole))
        if not squares.max() * (others + limit) > limit * squares.sum():
            break
        flags[np.flatnonzero(flags)[squares.argmax()]] = False
    return flags | np.isnan(means).any(1)


def draw_noise(groups: Iterable[np.ndarray]) -> Noise:
    """Run noise of one seed, from groups of models that differ in nothing but the random numbers of their selection."""
    whole = [values[~np.isnan(values)] for values in groups]
    freedom = sum(max(len(values) - 1, 0) for values in whole)
    if not freedom:
        return Noise(np.nan, 0, "none")
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in whole if len(values))
    return Noise(float(np.sqrt(squares / freedom)), freedom, "random draws")


class Check(NamedTuple):
    """How far students as a group move against their generator from seed to seed, in points."""

    group_points: float
    """Standard deviation over seeds of the students' mean minus the generator."""
    expected_points: float
    """What the run noise of students alone would make it, if it were that of the generator too, and independent."""
    p_value: float
    """Of so much or more, by F; a small one says that differences from the generator are less certain than stated."""


def group_check(students: np.ndarray, generator: np.ndarray) -> Check:
    """Check the assumption that matters for differences from the generator; NaN where it cannot be.

    Shapes (arms, seeds) and (seeds,); arms with a failed model are left out.
    """
    whole, noise = students[~np.isnan(students).any(1)], block_noise(students)
    if noise.source == "none" or np.isnan(generator).any():
        return Check(np.nan, np.nan, np.nan)
    found = float((whole.mean(0) - generator).std(ddof=1))
    expected = float(noise.points * np.sqrt(1 + 1 / len(whole)))
    ratio = (found / expected) ** 2 if expected else np.inf
    return Check(found, expected, float(fdtrc(len(generator) - 1, noise.freedom, ratio)))


def _around(mean: float, error: float, freedom: int) -> tuple[float, float]:
    reach = float(stdtrit(freedom, 0.5 + LEVEL / 2) * error) if freedom else np.nan
    return mean - reach, mean + reach


def _middle(draws: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(draws, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return float(low), float(high)


def grouped(verifiers: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Verifiers as the report names them: random1, random2, ... are the draws of ``random``."""
    groups: dict[str, tuple[str, ...]] = {}
    for name in verifiers:
        group = "random" if re.fullmatch(r"random\d+", name) else name
        groups[group] = (*groups.get(group, ()), name)
    return groups


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


Wanted = Literal["above", "below", "no better"]
Role = Literal["claim", "control", "precondition"]
Pairs = tuple[tuple[float, Side, Side], ...]


class Claim(NamedTuple):
    """A published statement about two sides, at one rate or several."""

    finding: str
    role: Role
    """Only claims decide; a finding whose precondition is not seen is undecided."""
    side: str
    other: str
    wanted: Wanted
    pairs: Pairs
    """(rate, side, other); the rate is NaN where there is none."""


TITLES = {
    "random": "Training on a random selection of its own summaries makes the model worse (collapse)",
    "oracle": "Selection by the oracle beats the generator, and at the smallest rate the full original data",
    "self": "Selection by the generator's own perplexity beats the generator",
    "stronger": "A stronger model is not the better verifier",
    "foreign": "The same of the foreign model, which has a tokenizer and a training of its own",
}
NUMBERS = {"random": "1", "oracle": "2", "self": "3", "stronger": "4", "foreign": "4b"}


def claims(names: Collection[str], groups: Mapping[str, Sequence[str]], rates: Sequence[float]) -> list[Claim]:
    """The four findings, as far as the arms ``names`` were run with these groups of verifiers."""

    def pairs(group: str, other: str, at: Sequence[float] = rates) -> Pairs:
        return tuple((rate, students(groups[group], rate), opposite(other, rate)) for rate in at)

    def opposite(other: str, rate: float) -> Side:
        return students(groups[other], rate) if other in groups else one(other)

    found = []
    wanted: dict[str, Wanted] = {"random": "below", "oracle": "above", "self": "above"}
    for group in [group for group in wanted if group in groups]:
        found.append(Claim(group, "claim", group, "generator", wanted[group], pairs(group, "generator")))
    fulls = [name for name in ("full", "full-epoch") if name in names and "oracle" in groups]
    for place, name in enumerate(fulls):
        role: Role = "control" if place else "claim"
        found.append(Claim("oracle", role, "oracle", name, "above", pairs("oracle", name, [min(rates)])))
    for group in [group for group in ("oracle", "self") if {group, "random"} <= set(groups)]:
        found.append(Claim(group, "control", group, "random", "above", pairs(group, "random")))
    for model in [model for model in ("stronger", "foreign") if model in groups]:
        itself = f"verifier-{model}"
        if itself in names:
            alone = ((np.nan, one(itself), one("generator")),)
            found.append(Claim(model, "precondition", itself, "generator", "above", alone))
        for other in [other for other in ("random", "self") if other in groups]:
            found.append(Claim(model, "claim", model, other, "no better", pairs(model, other)))
    return found


def reading(contrast: Contrast, wanted: Wanted) -> Reading:
    """What a contrast says about a statement.

    Above and below: seen, opposite, not seen where the gain is at most NEGLIGIBLE points, else undecided. No better:
    seen where the gain is at most NEGLIGIBLE points, not seen where it is decided, else undecided.
    """
    if contrast.verdict == "failed":
        return "failed"
    gain = -contrast.low if wanted == "below" else contrast.high
    small = gain < NEGLIGIBLE
    if wanted == "no better":
        return "seen" if small else "not seen" if contrast.verdict == "better" else "undecided"
    if contrast.verdict == "undecided":
        return "not seen" if small else "undecided"
    return "seen" if (contrast.verdict == "better") == (wanted == "above") else "opposite"


def contrasts(arms: Arms, stated: Iterable[Claim]) -> pd.DataFrame:
    """One line per statement and rate, and one for its mean over the rates that did not fail (column ``headline``)."""
    lines = []
    for claim in stated:
        about = {"finding": claim.finding, "role": claim.role, "side": claim.side, "other": claim.other}
        about["wanted"] = claim.wanted
        for rate, side, other in claim.pairs:
            lines.append(about | {"rate": rate, "headline": False} | _line(arms.contrast(side, other), claim.wanted, 1))
        alive = [pair for pair in claim.pairs if arms.contrast(*pair[1:]).verdict != "failed"] or claim.pairs
        whole = arms.contrast(mean_of([side for _, side, _ in alive]), mean_of([other for *_, other in alive]))
        rate = claim.pairs[0][0] if len(claim.pairs) == 1 else np.nan
        lines.append(about | {"rate": rate, "headline": True} | _line(whole, claim.wanted, len(alive)))
    return pd.DataFrame(lines)


def _line(contrast: Contrast, wanted: Wanted, rates: int) -> dict[str, object]:
    return contrast._asdict() | {"reading": reading(contrast, wanted), "rates": rates}


def verdicts(lines: pd.DataFrame) -> pd.DataFrame:
    """One line per published finding, from the table of `contrasts`."""
    found = []
    for finding, title in TITLES.items():
        part = lines[lines["finding"] == finding] if len(lines) else lines
        found.append({"finding": finding, "number": NUMBERS[finding], "title": title, "verdict": _combined(part)})
    return pd.DataFrame(found)


def _combined(part: pd.DataFrame) -> Reading:
    """Claims by their mean over rates; a single rate that says the opposite counts as well."""
    if part.empty:
        return "not run"
    before = part[(part["role"] == "precondition") & part["headline"]]
    if part["wanted"].eq("no better").any() and not before["reading"].eq("seen").any():
        return "undecided"
    deciding = part[part["role"] == "claim"]
    said = set(deciding.loc[deciding["headline"] | (deciding["reading"] == "opposite"), "reading"])
    if len(said) == 1:
        return said.pop()
    if "seen" in said:
        return "seen in part"
    return "not seen" if said <= {"not seen", "opposite"} else "undecided"
