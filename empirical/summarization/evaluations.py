"""Evaluations of all seeds as arms; ROUGE is in points."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from empirical.summarization.arms import Arms
from empirical.summarization.rouge import KINDS
from sims.running.intervals import bootstrap
from theory.errors import InputError


@dataclass(frozen=True)
class Source:
    """Folders of the stages, and what was run."""

    profile: Mapping[str, Any]
    groups: Mapping[str, tuple[str, ...]]
    """Verifiers by the name they are reported under."""
    inputs: Mapping[str, Path]

    @property
    def seeds(self) -> range:
        """Of the repetitions."""
        return range(self.profile["run"]["seeds"])

    @property
    def rates(self) -> tuple[float, ...]:
        """Of selection, smallest first."""
        return tuple(sorted(self.profile["selection"]["rates"]))

    def facts(self, seed: int, stage: str, name: str = "facts.json") -> Any:
        """A JSON file of a stage."""
        return json.loads((self.inputs[f"seed{seed}/{stage}"] / name).read_bytes())

    def frame(self, seed: int, stage: str, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A parquet file of a stage."""
        return pd.read_parquet(self.inputs[f"seed{seed}/{stage}"] / f"{name}.parquet", columns=columns)

    def has(self, stage: str) -> bool:
        """Whether a stage was run for every seed."""
        return all(f"seed{seed}/{stage}" in self.inputs for seed in self.seeds)


class Evaluated(NamedTuple):
    """All arms: their ROUGE by kind, and what their training says."""

    arms: Mapping[str, Arms]
    about: Mapping[str, list[dict[str, Any]]]
    """By arm, one entry per seed."""
    tests: int
    spread: float
    """Of ROUGE-1 of a student and its generator on the same article: standard deviation over articles, in points,
    root mean square over students and seeds."""


def evaluated(source: Source) -> Evaluated:
    """Read the evaluations of all arms that every seed has.

    Raises ValueError where one is not of the test articles of its seed.
    """
    models = [name.removeprefix("seed0/evaluate-") for name in source.inputs if name.startswith("seed0/evaluate-")]
    names = tuple(name for name in models if source.has(f"evaluate-{name}"))
    about = {name: [source.facts(seed, f"evaluate-{name}", "about.json") for seed in source.seeds] for name in names}
    ids, scores = [], []
    for seed in source.seeds:
        ids.append(source.frame(seed, "evaluate-generator", "evaluation", ["id"])["id"])
        each = [_rouge(source, seed, name, ids[-1], about[name][seed]["failure"]) for name in names]
        scores.append(np.stack(each, 1))
    shared = all(ids[0].equals(other) for other in ids)
    draws = bootstrap([of_seed.reshape(-1, of_seed.shape[-1]) for of_seed in scores], shared)
    arms = {}
    for place, (kind, drawn) in enumerate(zip(KINDS, np.split(draws, len(KINDS)), strict=True)):
        means = np.stack([of_seed[place].mean(1) for of_seed in scores], 1)
        arms[kind] = Arms(names, means, drawn, shared)
    return Evaluated(arms, about, len(ids[0]), _spread(names, [of_seed[KINDS.index("rouge1")] for of_seed in scores]))


def _spread(names: Sequence[str], scores: Sequence[np.ndarray]) -> float:
    """From (arms, tests) of each seed; NaN where there is no student, or none that did not fail."""
    students = [place for place, name in enumerate(names) if name.startswith("retrain-")]
    apart = [(each[students] - each[names.index("generator")]).var(axis=1, ddof=1) for each in scores]
    known = [variance for variance in np.ravel(apart) if not np.isnan(variance)]
    return float(np.sqrt(np.mean(known))) if known else np.nan


def _rouge(source: Source, seed: int, model: str, ids: pd.Series, failure: str) -> np.ndarray:
    """Points of all kinds, (kinds, tests), in the order of ``ids``; NaN for a failed model."""
    if failure:
        return np.full((len(KINDS), len(ids)), np.nan)
    table = source.frame(seed, f"evaluate-{model}", "evaluation", ["id", *KINDS])
    return 100 * in_order(table, ids, f"seed{seed}/evaluate-{model}")[list(KINDS)].to_numpy(float).T


def in_order(table: pd.DataFrame, ids: pd.Series, where: str) -> pd.DataFrame:
    """The rows of a table of stage ``where`` in the order of ``ids``. Raises ValueError where it has others."""
    found = pd.Index(table["id"])
    places = found.get_indexer(ids) if found.is_unique else np.array([-1])
    if len(found) != len(ids) or (places < 0).any():
        raise InputError(
            f"{where}: its {len(found)} ids are not the {len(ids)} expected; delete this stage's folder, and run again"
        )
    return table.iloc[places]
