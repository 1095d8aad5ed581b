"""Finding 1 as a function of what decides it: how noisy the references are that the generator was trained on.

A student on the generator's own summaries, chosen by chance, gains where greedy decoding drops noise that the
references have, and loses what the generator cannot say; with noise the first outweighs the second.
"""

import json
from typing import Any

import numpy as np
import pandas as pd

from empirical.summarization.arms import Arms, Side, one, students
from empirical.summarization.evaluations import Evaluated, Source, in_order
from empirical.summarization.findings import reading
from sims.running.intervals import bootstrap

CHANCE = "random1"
"""The verifier."""
SHARE = 0.25
"""Of the pool, that the generator summarizes and its student is trained on."""
ARMS = ("generator", f"retrain-{CHANCE}-1")
COLUMNS = (
    *("noisy", "seeds", "p", "generator", "student", "difference", "low", "high", "above", "below", "verdict"),
    "reading",
)


def place_of(seed: int, noisy: float) -> str:
    """Where the stages of a seed with such references lie."""
    return f"seed{seed}/noisy-{noisy:g}"


def collapse(source: Source, found: Evaluated) -> pd.DataFrame:
    """One line per share of noisy references, least first: ROUGE-1 in points, and student minus generator.

    That of the profile itself is among them where the students of chance were trained on the same share of the pool.
    Intervals and verdicts are those of every contrast (`arms`); p: share of the pool's summaries that is wrong, softly.
    """
    asked, margin = source.profile["stories"]["curve"], source.profile["evaluation"]["margin"]
    lines = []
    for noisy in asked:
        scores = [_scores(source, place_of(seed, noisy)) for seed in source.seeds]
        arms = Arms(ARMS, np.stack([each.mean(1) for each in scores], 1), bootstrap(scores, shared=False))
        places = [f"{place_of(seed, noisy)}/generate" for seed in source.seeds]
        lines.append(_line(source, noisy, arms, one(ARMS[1]), places, margin))
    own = source.profile["stories"]["noisy"] if asked else None
    if own is not None and own not in asked and SHARE in source.rates:
        places = [f"seed{seed}/generate" for seed in source.seeds]
        chance = students(source.groups["random"], SHARE)
        lines.append(_line(source, own, found.arms["rouge1"], chance, places, margin))
    return pd.DataFrame(sorted(lines, key=lambda line: line["noisy"]), columns=COLUMNS)


def _line(source: Source, noisy: float, arms: Arms, student: Side, places: list[str], margin: float) -> dict[str, Any]:
    contrast = arms.contrast(student, one("generator"))
    pool = [pd.read_parquet(source.inputs[place] / "rouge.parquet", columns=["rouge1"])["rouge1"] for place in places]
    line: dict[str, Any] = {
        "noisy": noisy,
        "seeds": len(places),
        "p": 1 - float(np.mean([part.mean() for part in pool])),
    }
    line |= {"generator": float(arms.by_seed(one("generator")).mean()), "student": float(arms.by_seed(student).mean())}
    line |= {name: getattr(contrast, name) for name in ("difference", "low", "high", "above", "below", "verdict")}
    return line | {"reading": reading(contrast, "below", margin)}


def _scores(source: Source, place: str) -> np.ndarray:
    """ROUGE-1 in points of both, (2, tests), on the same articles; NaN for a model that failed."""
    found: list[np.ndarray] = []
    ids: pd.Series | None = None
    for arm in ARMS:
        folder = source.inputs[f"{place}/evaluate-{arm}"]
        table = pd.read_parquet(folder / "evaluation.parquet", columns=["id", "rouge1"])
        ids = table["id"] if ids is None else ids
        failed = json.loads((folder / "about.json").read_bytes())["failure"]
        values = 100 * in_order(table, ids, f"{place}/evaluate-{arm}")["rouge1"].to_numpy(float)
        found.append(np.full(len(ids), np.nan) if failed else values)
    return np.stack(found)
