"""Tables of the report: arms by seed and over seeds, the generator's summaries, gates, verifiers in order."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from empirical.summarization.arms import Arms, Side, draw_noise, mean_of, one, student, students
from empirical.summarization.evaluations import Evaluated, Source
from empirical.summarization.rouge import KINDS, WORDS

FULL = ("full", "full-epoch")
READINGS = ("soft", "soft-clean", "threshold", "threshold-clean")
"""Of p*; clean: without the summaries whose reference is noisy."""


def rows(source: Source, found: Evaluated, kept: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """One line per arm, the draws of random averaged."""
    lines = []
    for arm in ("generator", *FULL, *(f"verifier-{group}" for group in source.groups)):
        if arm in found.about:
            lines.append({"arm": arm, "verifier": "", "rate": np.nan} | _line(source, found, one(arm)))
    facts = kept.drop(columns=["seed", "verifier"]).groupby(["group", "rate"]).mean()
    stars = kept.groupby(["group", "rate", "seed"])["p_star_soft"].mean().groupby(["group", "rate"])
    lowest, highest = stars.min(), stars.max()
    for group, members in source.groups.items():
        for rate in source.rates:
            side = students(members, rate)
            line = {"arm": student(group, rate), "verifier": group, "rate": rate} | _line(source, found, side, rate)
            line |= facts.loc[(group, rate)].to_dict()
            part = points[points["verifier"].isin(members) & (points["rate"] == rate)]
            for reading in [name for name in READINGS if name in set(part["reading"])]:
                mine, names = part[part["reading"] == reading], ["p_star", "p_star_low", "p_star_high"]
                suffix = reading.replace("-", "_")
                line |= {f"{name}_{suffix}": value for name, value in mine[names].mean(skipna=False).items()}
                line[f"rule_{suffix}"] = mine["rule"].iloc[0] if mine["rule"].nunique() == 1 else "undecided"
            line |= {"p_star_soft_seed_min": lowest[(group, rate)], "p_star_soft_seed_max": highest[(group, rate)]}
            lines.append(line)
    return pd.DataFrame(lines)


def _line(source: Source, found: Evaluated, side: Side, rate: float | None = None) -> dict[str, Any]:
    """ROUGE of a side, and its difference from the generator and from random of the same size."""
    about = [entry for name in side for entry in found.about[name]]
    line: dict[str, Any] = {"models": len(about), "seeds": len(source.seeds), "tests": found.tests}
    counted = ("steps", "examples", "passes")
    line |= {name: float(np.mean([entry.get(name, np.nan) for entry in about])) for name in counted}
    for kind, arms in found.arms.items():
        mean, low, high = arms.interval(side)
        line |= {kind: mean, f"{kind}_low": low, f"{kind}_high": high}
    others = {"generator": one("generator")}
    if rate is not None and "random" in source.groups:
        others["random"] = students(source.groups["random"], rate)
    for name, other in others.items():
        if other != side:
            contrast = found.arms["rouge1"].contrast(side, other)._asdict()
            line |= {f"{key}_{name}": value for key, value in contrast.items()}
    line["failure"] = next((entry["failure"] for entry in about if entry["failure"]), "")
    return line | {"stemmer": source.profile["evaluation"]["stemmer"], "words": WORDS}


def seeds(source: Source, found: Evaluated, kept: pd.DataFrame) -> pd.DataFrame:
    """One line per seed and model, the draws of random one by one."""
    names = list(found.about)
    means = {kind: arms.means for kind, arms in found.arms.items()}
    base = names.index("generator")
    lines = []
    for seed in source.seeds:
        for place, arm in enumerate(names):
            about = found.about[arm][seed]
            line = {"seed": seed, "arm": arm, "steps": about["steps"], "examples": about["examples"]}
            line |= {kind: mean[place, seed] for kind, mean in means.items()}
            line["minus_generator"] = means["rouge1"][place, seed] - means["rouge1"][base, seed]
            lines.append(line | {"failure": about["failure"]})
    kept = kept.assign(arm=[student(*pair) for pair in zip(kept["verifier"], kept["rate"], strict=True)])
    return pd.DataFrame(lines).merge(kept, on=["seed", "arm"], how="left")


def stars(rows: pd.DataFrame) -> pd.DataFrame:
    """Soft p* by group and rate, on clean references where these are known."""
    suffix = "soft_clean" if "p_star_soft_clean" in rows else "soft"
    names = {f"p_star{end}_{suffix}": name for end, name in (("", "value"), ("_low", "low"), ("_high", "high"))}
    return rows[rows["rate"].notna()].rename(columns=names)[["verifier", "rate", *names.values()]]


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


def noise(source: Source, found: Evaluated) -> pd.DataFrame:
    """How far students of different random draws differ within a seed, and the spread over articles; one line."""
    draws, arms = source.groups.get("random", ()), found.arms["rouge1"]
    groups = [[arms.names.index(student(draw, rate)) for draw in draws] for rate in source.rates]
    drawn = draw_noise(arms.means[group, seed] for group in groups for seed in source.seeds)
    return pd.DataFrame([drawn._asdict() | {"spread": found.spread}])


def pool(source: Source, generated: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """What the generator was trained on and what it wrote, one line per seed."""
    lines = []
    for seed in source.seeds:
        line: dict[str, Any] = {"seed": seed}
        for name in ("generator", "pool", "test"):
            line[f"{name}_articles"] = len(source.frame(seed, "prepare", name, ["id"]))
        facts = source.facts(seed, "generate")
        line |= {name: facts[name] for name in ("capped", "empty", "duplicates")}
        line["distinct"] = facts["rows"] - facts["duplicates"]
        line["commonest"] = float(generated[seed]["common"].mean())
        if "noisy" in generated[seed]:
            line["noisy"] = float(generated[seed]["noisy"].mean())
        scores = source.frame(seed, "generate", "rouge", list(KINDS))
        lines.append(line | {kind: 100 * float(scores[kind].mean()) for kind in KINDS})
    return pd.DataFrame(lines)


def gates(source: Source) -> pd.DataFrame:
    """Checks of a made corpus, one line per seed and gate; no lines for other data."""
    lines = []
    if source.has("gates"):
        lines = [{"seed": seed} | gate for seed in source.seeds for gate in source.facts(seed, "gates", "gates.json")]
    return pd.DataFrame(lines, columns=["seed", "gate", "value", "wanted", "passed"])
