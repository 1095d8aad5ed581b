"""What verifiers keep of the generator's summaries, and p* of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from empirical.auditing.quality import THRESHOLDS, soft_reading, threshold_reading
from empirical.summarization.evaluations import Source, in_order
from sims.running.intervals import CONFIDENCE, DRAWS

RATES = ("p", "phi", "psi", "kept_rate", "purity", "p_star")
KEPT = ("kept", "distinct", "duplicates", "capped", "overlap_with_oracle", "mean_length", "noisy")
"""Facts of a selection that are averaged over seeds as they are; null is NaN."""
COMMON = 8
"""Most frequent summaries of the generator whose share among what is kept is reported (column commonest)."""


def generated(source: Source, seed: int) -> pd.DataFrame:
    """The pool of a seed: id, rouge1, common (one of the COMMON most frequent summaries), and noisy where it is known.

    Order is that of the generator's file, in which selections are read as well.
    """
    table = source.frame(seed, "generate", "rouge", ["id", "rouge1"])
    told = in_order(source.frame(seed, "generate", "rows", ["id", "generated"]), table["id"], f"seed{seed}/generate")
    often = told["generated"].value_counts().sort_index().sort_values(ascending=False, kind="stable").index[:COMMON]
    table = table.assign(common=told["generated"].isin(often).to_numpy())
    pool = source.frame(seed, "prepare", "pool")
    if "noisy" in pool:
        noisy = in_order(pool, table["id"], f"seed{seed}/prepare")["noisy"]
        table = table.assign(noisy=noisy.to_numpy(bool))
    return table


def p_star(source: Source, pool: Sequence[pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
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
                soft = soft_reading(quality[part], kept[part], CONFIDENCE, draws=DRAWS)
                cut = threshold_reading(quality[part], kept[part], CONFIDENCE, thresholds)
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
    return in_order(table, ids, f"seed{seed}/{stage}")


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


def selections(source: Source, pool: Sequence[pd.DataFrame]) -> pd.DataFrame:
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
