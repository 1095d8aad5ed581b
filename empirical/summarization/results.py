"""The last stage: evaluations, selections and scores of all seeds become tables, and the tables a report.

ROUGE is in points (0 to 100) in all tables; shares, p* and purity are in [0, 1].
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from empirical.auditing.quality import THRESHOLDS, soft_reading, threshold_reading
from empirical.summarization.findings import (
    DRAWS,
    LEVEL,
    Arms,
    Side,
    bootstrap,
    claims,
    contrasts,
    draw_noise,
    grouped,
    one,
    orders,
    student,
    students,
    verdicts,
)
from empirical.summarization.rouge import KINDS
from empirical.summarization.text import text
from sims.running.files import write_atomic
from theory.errors import InputError

FULL = ("full", "full-epoch")
RATES = ("p", "phi", "psi", "kept_rate", "purity", "p_star")
KEPT = ("kept", "distinct", "duplicates", "capped", "overlap_with_oracle", "mean_length", "noisy")
"""Facts of a selection that are averaged over seeds as they are; null is NaN."""
COMMON = 8
"""Most frequent summaries of the generator whose share among what is kept is reported (column commonest)."""
READINGS = ("soft", "soft-clean", "threshold", "threshold-clean")
"""Of p*; clean: without the summaries whose reference is noisy."""


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


def report(settings: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path, runtime: Mapping[str, Any]) -> None:
    """Write tables/*.csv, report.json and report.txt.

    Raises ValueError where files of a stage do not speak of the same examples.
    """
    source = Source(settings["profile"], grouped(settings["verifiers"]), inputs)
    found = _evaluated(source)
    pool = [_generated(source, seed) for seed in source.seeds]
    points, curve = _p_star(source, pool)
    kept = _kept(source, pool)
    lines = contrasts(found.arms["rouge1"], claims(found.about, source.groups, source.rates))
    rows = _rows(source, found, kept, points)
    tables = {
        "rows": rows,
        "seeds": _seeds(source, found, kept),
        "p_star": points,
        "threshold": curve,
        "contrasts": lines,
        "findings": verdicts(lines),
        "orders": orders(found.arms["rouge1"], source.groups, _stars(rows)),
        "noise": _noise(source, found.arms["rouge1"]),
        "pool": _pool(source, pool),
        "gates": _gates(source),
    }
    (folder / "tables").mkdir(exist_ok=True)
    for name, table in tables.items():
        write_atomic(folder / "tables" / f"{name}.csv", table.to_csv(index=False).encode())
    body = {name: json.loads(table.to_json(orient="records", double_precision=15)) for name, table in tables.items()}
    body |= {"profile": source.profile, "corpus": [source.facts(seed, "prepare")["corpus"] for seed in source.seeds]}
    write_atomic(folder / "report.json", json.dumps(body, indent=1).encode())
    write_atomic(folder / "report.txt", (text(tables, source.profile) + "\n").encode())


def _evaluated(source: Source) -> Evaluated:
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
    return Evaluated(arms, about, len(ids[0]))


def _rouge(source: Source, seed: int, model: str, ids: pd.Series, failure: str) -> np.ndarray:
    """Points of all kinds, (kinds, tests), in the order of ``ids``; NaN for a failed model."""
    if failure:
        return np.full((len(KINDS), len(ids)), np.nan)
    table = source.frame(seed, f"evaluate-{model}", "evaluation", ["id", *KINDS])
    return 100 * _in_order(table, ids, f"seed{seed}/evaluate-{model}")[list(KINDS)].to_numpy(float).T


def _in_order(table: pd.DataFrame, ids: pd.Series, where: str) -> pd.DataFrame:
    found = pd.Index(table["id"])
    places = found.get_indexer(ids) if found.is_unique else np.array([-1])
    if len(found) != len(ids) or (places < 0).any():
        raise InputError(
            f"{where}: its {len(found)} ids are not the {len(ids)} expected; delete this stage's folder, and run again"
        )
    return table.iloc[places]


def _noise(source: Source, arms: Arms) -> pd.DataFrame:
    """How far students of different random draws differ within a seed; one line."""
    draws = source.groups.get("random", ())
    groups = [[arms.names.index(student(draw, rate)) for draw in draws] for rate in source.rates]
    noise = draw_noise(arms.means[group, seed] for group in groups for seed in source.seeds)
    return pd.DataFrame([noise._asdict()])


def _generated(source: Source, seed: int) -> pd.DataFrame:
    """The pool of a seed: id, rouge1, common (one of the COMMON most frequent summaries), and noisy where it is known.

    Order is that of the generator's file, in which selections are read as well.
    """
    table = source.frame(seed, "generate", "rouge", ["id", "rouge1"])
    told = _in_order(source.frame(seed, "generate", "rows", ["id", "generated"]), table["id"], f"seed{seed}/generate")
    often = told["generated"].value_counts().sort_index().sort_values(ascending=False, kind="stable").index[:COMMON]
    table = table.assign(common=told["generated"].isin(often).to_numpy())
    pool = source.frame(seed, "prepare", "pool")
    if "noisy" in pool:
        noisy = _in_order(pool, table["id"], f"seed{seed}/prepare")["noisy"]
        table = table.assign(noisy=noisy.to_numpy(bool))
    return table


def _p_star(source: Source, pool: Sequence[pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All readings of p*, pooled over seeds, and those by threshold at every threshold."""
    at = float(source.profile["evaluation"]["correct_at"])
    thresholds = np.unique([*THRESHOLDS, at])
    everything = pd.concat(pool, ignore_index=True)
    quality = everything["rouge1"].to_numpy(float)
    parts = {"": np.ones(quality.size, bool)}
    if "noisy" in everything:
        parts["-clean"] = ~everything["noisy"].to_numpy(bool)
    points, curve = [], []
    for verifier in [name for members in source.groups.values() for name in members]:
        for rate in source.rates:
            chosen = [_selection(source, seed, verifier, rate, pool[seed]["id"]) for seed in source.seeds]
            kept = np.concatenate([table["kept"].to_numpy(bool) for table in chosen])
            unscored = int(sum(table["score"].isna().sum() for table in chosen))
            for name, part in parts.items():
                soft = soft_reading(quality[part], kept[part], LEVEL, draws=DRAWS)
                cut = threshold_reading(quality[part], kept[part], LEVEL, thresholds)
                about: dict[str, Any] = {"verifier": verifier, "rate": rate, "reading": f"threshold{name}"}
                lines = [
                    {"threshold": value, "rule": cut.verdict[place]} | _estimates(cut.rates, place)
                    for place, value in enumerate(cut.threshold.tolist())
                ]
                curve += [about | line for line in lines]
                about |= {"records": int(part.sum()), "unscored": unscored}
                first = about | {"reading": f"soft{name}", "threshold": np.nan, "rule": soft.verdict}
                points += [first | _estimates(soft), about | lines[thresholds.tolist().index(at)]]
    return pd.DataFrame(points), pd.DataFrame(curve)


def _selection(source: Source, seed: int, verifier: str, rate: float, ids: pd.Series) -> pd.DataFrame:
    stage = f"select-{verifier}-{rate:g}"
    table = source.frame(seed, stage, "selection", ["id", "kept", "score"])
    return _in_order(table, ids, f"seed{seed}/{stage}")


def _soft(quality: np.ndarray, kept: np.ndarray) -> float:
    """The value of soft p* without its interval."""
    with np.errstate(invalid="ignore", divide="ignore"):
        phi, psi = (np.divide(part[kept].sum(), part.sum()) for part in (quality, 1 - quality))
        return float(np.divide(phi, phi + psi))


def _estimates(rates: Any, place: int | None = None) -> dict[str, float]:
    """Value and ends of each rate, of one threshold or of the soft reading."""
    values = {name: [end if place is None else end[place] for end in getattr(rates, name)] for name in RATES}
    ends = {"": 0, "_low": 1, "_high": 2}
    return {f"{name}{end}": float(values[name][index]) for name in RATES for end, index in ends.items()}


def _kept(source: Source, pool: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """What each verifier keeps: one line per seed, verifier (draws one by one) and rate."""
    verifiers = [(group, verifier) for group, members in source.groups.items() for verifier in members]
    lines = []
    for seed in source.seeds:
        quality = pool[seed]["rouge1"].to_numpy(float)
        clean = ~pool[seed]["noisy"].to_numpy(bool) if "noisy" in pool[seed] else None
        for group, verifier in verifiers:
            for rate in source.rates:
                facts = source.facts(seed, f"select-{verifier}-{rate:g}")
                flags = _selection(source, seed, verifier, rate, pool[seed]["id"])["kept"].to_numpy(bool)
                line: dict[str, Any] = {"seed": seed, "group": group, "verifier": verifier, "rate": rate}
                line |= {name: _number(facts.get(name)) for name in KEPT}
                line["distinct_share"] = line["distinct"] / line["kept"] if line["kept"] else np.nan
                line["commonest"] = float(pool[seed]["common"][flags].mean())
                line["p_star_soft"] = _soft(quality, flags)
                if clean is not None:
                    line["p_star_soft_clean"] = _soft(quality[clean], flags[clean])
                lines.append(line | {"kept_rouge1": 100 * _number(facts.get("rouge1"))})
    return pd.DataFrame(lines)


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _rows(source: Source, found: Evaluated, kept: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
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


def _stars(rows: pd.DataFrame) -> pd.DataFrame:
    """Soft p* by group and rate, on clean references where these are known."""
    suffix = "soft_clean" if "p_star_soft_clean" in rows else "soft"
    names = {f"p_star{end}_{suffix}": name for end, name in (("", "value"), ("_low", "low"), ("_high", "high"))}
    return rows[rows["rate"].notna()].rename(columns=names)[["verifier", "rate", *names.values()]]


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
    return line | {"stemmer": source.profile["evaluation"]["stemmer"]}


def _seeds(source: Source, found: Evaluated, kept: pd.DataFrame) -> pd.DataFrame:
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


def _pool(source: Source, pool: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """What the generator was trained on and what it wrote, one line per seed."""
    lines = []
    for seed in source.seeds:
        line: dict[str, Any] = {"seed": seed}
        for name in ("generator", "pool", "test"):
            line[f"{name}_articles"] = len(source.frame(seed, "prepare", name, ["id"]))
        facts = source.facts(seed, "generate")
        line |= {name: facts[name] for name in ("capped", "empty", "duplicates")}
        line["distinct"] = facts["rows"] - facts["duplicates"]
        line["commonest"] = float(pool[seed]["common"].mean())
        if "noisy" in pool[seed]:
            line["noisy"] = float(pool[seed]["noisy"].mean())
        scores = source.frame(seed, "generate", "rouge", list(KINDS))
        lines.append(line | {kind: 100 * float(scores[kind].mean()) for kind in KINDS})
    return pd.DataFrame(lines)


def _gates(source: Source) -> pd.DataFrame:
    """Checks of a made corpus, one line per seed and gate; no lines for other data."""
    lines = []
    if source.has("gates"):
        lines = [{"seed": seed} | gate for seed in source.seeds for gate in source.facts(seed, "gates", "gates.json")]
    return pd.DataFrame(lines, columns=["seed", "gate", "value", "wanted", "passed"])
