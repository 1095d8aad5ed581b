"""The four published findings: what they state of arms, and what contrasts of these say to it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from empirical.summarization.arms import Arms, Contrast, Side, mean_of, one, students

MARGIN = 1.0
"""Points of ROUGE-1; a smaller difference counts as none, unless a profile says another. A stemmer is worth as much."""
Reading = Literal[
    "seen",
    "seen in part",
    "not seen",
    "equivalent",
    "opposite",
    "undecided",
    "undecided (overlap)",
    "premise not met",
    "failed",
    "not run",
]
Wanted = Literal["above", "below", "no better"]
Role = Literal["claim", "control", "precondition"]
Pairs = tuple[tuple[float, Side, Side], ...]


class Published(NamedTuple):
    """A finding of the publication, on what verifiers are worth."""

    number: str
    wanted: Wanted
    """Of the verifier's students: than the generator, or for "no better" than those of other verifiers."""
    title: str
    short: str


PUBLISHED = {
    "random": Published(
        "1",
        "below",
        "Training on a random selection of its own summaries makes the model worse (collapse)",
        "random selection is worse than the generator",
    ),
    "oracle": Published(
        "2",
        "above",
        "Selection by the oracle beats the generator, and at the smallest rate the full original data at matched steps",
        "the oracle beats the generator and full data",
    ),
    "self": Published(
        "3",
        "above",
        "Selection by the generator's own perplexity beats the generator",
        "own perplexity beats the generator",
    ),
    "stronger": Published(
        "4",
        "no better",
        "A stronger model is not the better verifier",
        "a stronger model is not the better verifier",
    ),
    "foreign": Published(
        "4b",
        "no better",
        "The same of the foreign model, which has a tokenizer and a training of its own",
        "the same of the foreign model",
    ),
}
"""By verifier; one without an entry has its students' results in all tables, and no statement is made of it."""


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


def claims(names: Collection[str], groups: Mapping[str, Sequence[str]], rates: Sequence[float]) -> list[Claim]:
    """The four findings, as far as the arms ``names`` were run with these groups of verifiers."""

    def pairs(group: str, other: str, at: Sequence[float] = rates) -> Pairs:
        return tuple((rate, students(groups[group], rate), opposite(other, rate)) for rate in at)

    def opposite(other: str, rate: float) -> Side:
        return students(groups[other], rate) if other in groups else one(other)

    found = []
    wanted = {group: published.wanted for group, published in PUBLISHED.items() if group in groups}
    for group in [group for group in wanted if wanted[group] != "no better"]:
        found.append(Claim(group, "claim", group, "generator", wanted[group], pairs(group, "generator")))
    fulls = [name for name in ("full", "full-epoch") if name in names and "oracle" in groups]
    for name in fulls:
        found.append(Claim("oracle", "claim", "oracle", name, "above", pairs("oracle", name, [min(rates)])))
    for group in [group for group in wanted if wanted[group] == "above" and "random" in groups]:
        found.append(Claim(group, "control", group, "random", "above", pairs(group, "random")))
    for model in [group for group in wanted if wanted[group] == "no better"]:
        itself = f"verifier-{model}"
        if itself in names:
            alone = ((np.nan, one(itself), one("generator")),)
            found.append(Claim(model, "precondition", itself, "generator", "above", alone))
        for other in [other for other in ("random", "self") if other in groups]:
            found.append(Claim(model, "claim", model, other, "no better", pairs(model, other)))
    return found


def reading(contrast: Contrast, wanted: Wanted, margin: float = MARGIN) -> Reading:
    """What a contrast says about a statement, where differences below ``margin`` points count as none.

    Above and below: seen, opposite, equivalent where two one-sided tests say that the difference is within the margin,
    not seen where the gain alone is below it, else undecided. No better: seen where the gain is below the margin,
    opposite where it is decided, else undecided. Undecided (overlap) is what only the overlap of the ROUGE intervals
    leaves undecided. With enough seeds, and test articles, every difference but one of just the margin is decided.
    Source: schuirmann1987comparison.
    """
    if contrast.verdict == "failed":
        return "failed"
    gain = -contrast.low if wanted == "below" else contrast.high
    small = gain < margin
    open_: Reading = "undecided (overlap)" if contrast.overlap else "undecided"
    if wanted == "no better":
        return "seen" if small else "opposite" if contrast.verdict == "better" else open_
    if contrast.verdict == "undecided":
        equal = -margin < contrast.inner_low and contrast.inner_high < margin
        return "equivalent" if equal else "not seen" if small else open_
    return "seen" if (contrast.verdict == "better") == (wanted == "above") else "opposite"


def contrasts(arms: Arms, stated: Iterable[Claim], margin: float = MARGIN) -> pd.DataFrame:
    """One line per statement and rate, and one for its mean over the rates that did not fail (column ``headline``)."""
    lines = []
    for claim in stated:
        about = {"finding": claim.finding, "role": claim.role, "side": claim.side, "other": claim.other}
        about["wanted"] = claim.wanted
        for rate, side, other in claim.pairs:
            line = _line(arms.contrast(side, other), claim.wanted, margin, 1)
            lines.append(about | {"rate": rate, "headline": False} | line)
        alive = [pair for pair in claim.pairs if arms.contrast(*pair[1:]).verdict != "failed"] or claim.pairs
        whole = arms.contrast(mean_of([side for _, side, _ in alive]), mean_of([other for *_, other in alive]))
        rate = claim.pairs[0][0] if len(claim.pairs) == 1 else np.nan
        lines.append(about | {"rate": rate, "headline": True} | _line(whole, claim.wanted, margin, len(alive)))
    return pd.DataFrame(lines)


def _line(contrast: Contrast, wanted: Wanted, margin: float, rates: int) -> dict[str, object]:
    return contrast._asdict() | {"reading": reading(contrast, wanted, margin), "rates": rates}


def verdicts(lines: pd.DataFrame) -> pd.DataFrame:
    """One line per published finding, from the table of `contrasts`, with the difference that stands for it.

    That is its first claim's, or its premise's where this is not met.
    """
    found = []
    for finding, published in PUBLISHED.items():
        part = lines[(lines["finding"] == finding) & lines["headline"]] if len(lines) else lines
        verdict = _combined(lines[lines["finding"] == finding] if len(lines) else lines)
        line = {"finding": finding, "number": published.number, "title": published.title, "short": published.short}
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
        if before & {"opposite", "not seen", "equivalent"}:
            return "premise not met"
        if before != {"seen"}:
            return "undecided"
    deciding = part[part["role"] == "claim"]
    said = set(deciding.loc[deciding["headline"] | (deciding["reading"] == "opposite"), "reading"])
    if len(said) == 1:
        return said.pop()
    if "seen" in said:
        return "seen in part"
    decided = {"not seen", "equivalent", "opposite"}
    if said <= decided:
        return "not seen"
    return "undecided (overlap)" if said <= {*decided, "undecided (overlap)"} else "undecided"
