"""What the report does not show."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from empirical.summarization.report.words import Tables
from sims.running.text import say
from theory.decimals import typed


def limits(tables: Tables, profile: Mapping[str, Any]) -> Iterator[str]:
    """In paragraphs (a), (b), ..."""
    yield "Limits"
    for letter, words in zip("abcdefgh", _doubts(tables, profile), strict=False):
        yield say(words, f"({letter}) ")


def _doubts(tables: Tables, profile: Mapping[str, Any]) -> Iterable[str]:
    rows, noise = tables["rows"], tables["noise"].iloc[0]
    seeds = int(rows["seeds"].iloc[0])
    bases = "The base model, its tokenizer and the foreign base are made once and shared by all seeds"
    if seeds == 1:
        yield _one_seed(noise)
    else:
        made = " (made models: from seed 0's articles)" if profile["base"]["name"] == "made" else ""
        common = "" if profile["data"]["source"] == "stories" else ", with the error of the articles that seeds share"
        yield (
            f"Differences: Student's t over {seeds} seeds{common}. 'Overlap': only the ROUGE intervals forbid a "
            f"verdict. {bases}{made}: t does not cover them."
        )
    yield "Students differ from the generator also in number of examples and passes, and in whose words they learn."
    margin = profile["evaluation"]["margin"]
    stemmer = "with" if profile["evaluation"]["stemmer"] else "without"
    yield (
        f"ROUGE by rouge-score, F1, words of any script, {stemmer} Porter's stemmer (worth about a point on English "
        f"news). Equivalent: within {typed(margin)} points, by two one-sided tests at 5 %. 'Not seen', and 'seen' of "
        "being no better: the 95 % interval leaves less than that."
    )
    yield _power(noise, profile["evaluation"])
    yield (
        "p*: summaries count as independent, verifiers as given (but see by seed). Empty summaries have no score, also "
        "for random and the oracle. How the publication defines correct is not readable. Random: means over its draws."
    )
    if len(tables["gates"]):
        yield "Stories are made up, models tiny: compare orderings with the published ones, not levels of ROUGE."


def _power(noise: pd.Series, assumed: Mapping[str, Any]) -> str:
    """What was assumed of power before it began, and what came out."""
    found = [
        f"{noise[name]:.1f} points" if noise[name] == noise[name] else "(not told)" for name in ("spread", "points")
    ]
    return (
        f"Differences of two models' ROUGE-1 spread by {found[0]} from article to article, models by {found[1]} from "
        f"run to run (random draws of the same size); before it began {assumed['spread']:g} and {assumed['noise']:g} "
        "were assumed, which says what could be found."
    )


def _one_seed(noise: pd.Series) -> str:
    words = "One seed: intervals are over test articles (paired bootstrap) and speak of these models only."
    if np.isnan(noise["points"]):
        return f"{words} How far other models would differ, a single draw of random does not tell."
    return (
        f"{words} Others would differ; how far, the draws of random tell: standard deviation of a student's ROUGE-1 "
        f"{noise['points']:.2f} points, {noise['freedom']} degrees of freedom."
    )
