"""What arms show: ROUGE with intervals, differences over seeds, and the four published findings.

An arm is a trained model under one name, with one model per seed. ROUGE is in points (0 to 100).

A contrast of arms has one value per seed (means over rates or draws are taken within the seed, so that what rates share
is inside), and its interval is Student's t over these, with seeds - 1 degrees of freedom. Where seeds have the same
test articles, t does not see what these have in common, and the interval is the hull of t and of the paired bootstrap
over test articles. With one seed it is that bootstrap alone, which speaks of these models only.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtrit

LEVEL = 0.95
DRAWS = 2000
DRAWN_AT_ONCE = 2_000_000
NEGLIGIBLE = 1.0
"""Points of ROUGE-1; a difference below it counts as none. A stemmer moves ROUGE-1 by about as much."""

Verdict = Literal["better", "worse", "undecided", "failed"]
Reading = Literal[
    "seen",
    "seen in part",
    "not seen",
    "opposite",
    "undecided",
    "undecided (overlap)",
    "premise not met",
    "failed",
    "not run",
]
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

    def interval(self, side: Side) -> Interval:
        """Mean over seeds, and what other test examples could have given."""
        mean = float(self.by_seed(side).mean())
        return Interval(mean, *_middle(self._mix(self.draws, side))) if np.isfinite(mean) else Interval(*(np.nan,) * 3)

    def contrast(self, side: Side, other: Side) -> Contrast:
        """``side`` minus ``other``."""
        weights = {name: side.get(name, 0.0) - other.get(name, 0.0) for name in {**side, **other}}
        each = self.by_seed(weights)
        mean = float(each.mean())
        if np.isnan(mean):
            return Contrast(*(np.nan,) * 3, 0, 0, False, "failed")
        ends = _over_seeds(each)
        if len(each) == 1 or self.shared:
            articles = _middle(self._mix(self.draws, weights))
            ends = float(np.fmin(ends[0], articles[0])), float(np.fmax(ends[1], articles[1]))
        verdict: Verdict = "better" if ends[0] > 0 else "worse" if ends[1] < 0 else "undecided"
        ours, theirs = self.interval(side), self.interval(other)
        overlap = verdict != "undecided" and ours.low <= theirs.high and theirs.low <= ours.high
        above, below = int((each > 0).sum()), int((each < 0).sum())
        return Contrast(mean, *ends, above, below, overlap, "undecided" if overlap else verdict)

    def _mix(self, values: np.ndarray, side: Side) -> np.ndarray:
        places = [self.names.index(name) for name in side]
        return np.fromiter(side.values(), float) @ values[places]


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


def draw_noise(groups: Iterable[np.ndarray]) -> Noise:
    """From groups of models of one seed, rate and kind, failed ones left out."""
    whole = [values[~np.isnan(values)] for values in groups]
    freedom = sum(max(len(values) - 1, 0) for values in whole)
    if not freedom:
        return Noise(np.nan, 0)
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in whole if len(values))
    return Noise(float(np.sqrt(squares / freedom)), freedom)


def _over_seeds(each: np.ndarray) -> tuple[float, float]:
    """Student's t; NaN for a single seed."""
    mean, seeds = float(each.mean()), len(each)
    if seeds == 1:
        return np.nan, np.nan
    reach = float(stdtrit(seeds - 1, 0.5 + LEVEL / 2) * each.std(ddof=1) / np.sqrt(seeds))
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
    """Only claims decide, and only where a precondition is seen."""
    side: str
    other: str
    wanted: Wanted
    pairs: Pairs
    """(rate, side, other); the rate is NaN where there is none."""


TITLES = {
    "random": "Training on a random selection of its own summaries makes the model worse (collapse)",
    "oracle": (
        "Selection by the oracle beats the generator, and at the smallest rate the full original data at matched steps"
    ),
    "self": "Selection by the generator's own perplexity beats the generator",
    "stronger": "A stronger model is not the better verifier",
    "foreign": "The same of the foreign model, which has a tokenizer and a training of its own",
}
SHORT = {
    "random": "random selection is worse than the generator",
    "oracle": "the oracle beats the generator and full data",
    "self": "own perplexity beats the generator",
    "stronger": "a stronger model is not the better verifier",
    "foreign": "the same of the foreign model",
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
    for name in fulls:
        found.append(Claim("oracle", "claim", "oracle", name, "above", pairs("oracle", name, [min(rates)])))
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
    seen where the gain is at most NEGLIGIBLE points, not seen where it is decided, else undecided. Undecided (overlap)
    is what only the overlap of the ROUGE intervals leaves undecided.
    """
    if contrast.verdict == "failed":
        return "failed"
    gain = -contrast.low if wanted == "below" else contrast.high
    small = gain < NEGLIGIBLE
    open_: Reading = "undecided (overlap)" if contrast.overlap else "undecided"
    if wanted == "no better":
        return "seen" if small else "not seen" if contrast.verdict == "better" else open_
    if contrast.verdict == "undecided":
        return "not seen" if small else open_
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
    """One line per published finding, from the table of `contrasts`, with the difference that stands for it.

    That is its first claim's, or its premise's where this is not met.
    """
    found = []
    for finding, title in TITLES.items():
        part = lines[(lines["finding"] == finding) & lines["headline"]] if len(lines) else lines
        verdict = _combined(lines[lines["finding"] == finding] if len(lines) else lines)
        line = {"finding": finding, "number": NUMBERS[finding], "title": title, "short": SHORT[finding]}
        role = "precondition" if verdict == "premise not met" else "claim"
        shown = part[part["role"] == role].iloc[0].to_dict() if len(part) else {}
        line |= {name: shown.get(name, np.nan) for name in ("side", "other", "difference", "low", "high")}
        found.append(line | {"verdict": verdict})
    return pd.DataFrame(found)


def _combined(part: pd.DataFrame) -> Reading:
    """Claims by their mean over rates; a single rate that says the opposite counts as well."""
    if part.empty:
        return "not run"
    if part["wanted"].eq("no better").any():
        before = set(part.loc[(part["role"] == "precondition") & part["headline"], "reading"])
        if before & {"opposite", "not seen"}:
            return "premise not met"
        if before != {"seen"}:
            return "undecided"
    deciding = part[part["role"] == "claim"]
    said = set(deciding.loc[deciding["headline"] | (deciding["reading"] == "opposite"), "reading"])
    if len(said) == 1:
        return said.pop()
    if "seen" in said:
        return "seen in part"
    if said <= {"not seen", "opposite"}:
        return "not seen"
    return "undecided (overlap)" if said <= {"not seen", "opposite", "undecided (overlap)"} else "undecided"


def orders(arms: Arms, groups: Mapping[str, Sequence[str]], stars: pd.DataFrame) -> pd.DataFrame:
    """Verifiers from best to worst by p* and by their students, means over the rates at which no student failed.

    ``stars``: lines (verifier, rate, value, low, high), verifiers by group. ``above_next`` says that a verifier is told
    from the one below it: for p* by intervals that do not overlap, for students as everywhere (better).
    """
    rates = sorted(set(stars["rate"]))
    alive = [r for r in rates if all(np.isfinite(arms.by_seed(students(m, r))).all() for m in groups.values())]
    if not alive:
        return pd.DataFrame(columns=["by", "verifier", "value", "low", "high", "above_next"])
    means = stars[stars["rate"].isin(alive)].groupby("verifier")[["value", "low", "high"]].mean()
    means = means.sort_values("value", ascending=False, kind="stable")
    lines: list[dict[str, object]] = []
    for name, below in zip(means.index, [*means.index[1:], None], strict=True):
        told = below is not None and means["low"][name] > means["high"][below]
        lines.append({"by": "p*", "verifier": name, **means.loc[name].to_dict(), "above_next": told})
    sides = {name: mean_of([students(members, rate) for rate in alive]) for name, members in groups.items()}
    found = {name: arms.interval(side) for name, side in sides.items()}
    ranked = sorted(found, key=lambda name: -found[name].mean)
    for name, below in zip(ranked, [*ranked[1:], None], strict=True):
        told = below is not None and arms.contrast(sides[name], sides[below]).verdict == "better"
        value, low, high = found[name]
        lines.append({"by": "students", "verifier": name, "value": value, "low": low, "high": high, "above_next": told})
    return pd.DataFrame(lines)
