"""The verifiers: what the report says of each, and how it scores the generator's summaries.

A new one is an entry of VERIFIERS; if it has a model of its own, a table of that model in `profile.Profile` as well.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from empirical.summarization import selection


def chance(generated: Path, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Scores that know nothing."""
    ids = pd.read_parquet(generated / "rows.parquet", columns=["id"])
    return ids.assign(score=selection.chance(ids["id"], settings["seed"]))


def quality(generated: Path, settings: Mapping[str, Any]) -> pd.DataFrame:
    """ROUGE-1."""
    scores = pd.read_parquet(generated / "rouge.parquet", columns=["id", "rouge1"])
    return scores.rename(columns={"rouge1": "score"})


@dataclass(frozen=True)
class Verifier:
    """What keeps a part of the generator's summaries."""

    name: str
    meaning: str
    """As the report puts it."""
    score: Callable[[Path, Mapping[str, Any]], pd.DataFrame] | None = None
    """From the folder of all summaries, and settings: id, score (high is good). None: by the perplexity of a model."""
    own: bool = False
    """That model is one of its own, from the profile's table of the same name; else it is the generator."""
    drawn: bool = False
    """Random: drawn several times as name1, name2, ..., which are reported as one."""

    @property
    def model(self) -> str:
        """Stage of the model whose perplexity it is."""
        return f"verifier-{self.name}" if self.own else "generator"


VERIFIERS = (
    Verifier("random", "chance", chance, drawn=True),
    Verifier("self", "the generator's own perplexity"),
    Verifier(
        "stronger",
        "perplexity of a better model (made here: the same base, trained longer on other articles)",
        own=True,
    ),
    Verifier("foreign", "perplexity of a model of another family (other tokenizer, loss on the article too)", own=True),
    Verifier("oracle", "ROUGE-1 against the reference, which nobody has in practice", quality),
)
"""In the order of the report: chance first, the oracle last."""
OWN = tuple(verifier.name for verifier in VERIFIERS if verifier.own)


def of(name: str) -> Verifier:
    """The verifier of a name, which may be that of a draw."""
    return next(verifier for verifier in VERIFIERS if _is(verifier, name))


def grouped(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Names by the one they are reported under."""
    groups: dict[str, tuple[str, ...]] = {}
    for name in names:
        group = of(name).name
        groups[group] = (*groups.get(group, ()), name)
    return groups


def _is(verifier: Verifier, name: str) -> bool:
    return bool(re.fullmatch(verifier.name + r"\d*" * verifier.drawn, name))
