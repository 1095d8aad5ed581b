"""p*, worth and a forecast beside what students did: which of them says who gains?

All by the soft reading, in which a summary is wrong to the degree 1 - ROUGE-1. Wrong summaries are all different, so
that K -> infinity: W = kappa purity^2 clean examples for each generated one (THEORY §28). The forecast reads the
students' own clean learning curve there: models trained on references alone for as many steps, of three sizes or more.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from empirical.forecasting.forecast import forecast
from empirical.summarization.arms import one, students
from empirical.summarization.evaluations import Evaluated, Source
from theory.errors import InputError
from theory.types import Rates
from theory.worth import worth

CLEAN = "clean-"
"""Begins the names of models that were trained on a share of the generator's references."""
MANY = 100_000
"""Classes, among which a wrong answer hits another's wrong answer never."""
FORECAST = ("forecast_low", "forecast_high", "forecast_beats")


def clean_curve(source: Source, found: Evaluated) -> pd.DataFrame:
    """The clean learning curve: n, accuracy (ROUGE-1 in [0, 1]), tested; a line per seed and size that did not fail."""
    arms = found.arms["rouge1"]
    lines = []
    for name in arms.names:
        if name.startswith(CLEAN) or name in ("generator", "full"):
            for seed, mean in zip(source.seeds, arms.by_seed(one(name)), strict=True):
                n = found.about[name][seed]["examples"]
                lines.append({"arm": name, "n": n, "accuracy": mean / 100, "tested": found.tests})
    return pd.DataFrame(lines).dropna(subset=["accuracy"]) if lines else pd.DataFrame(columns=["n"])


def beside(source: Source, found: Evaluated, points: pd.DataFrame, pool: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One line per verifier and rate: the three predictions, and what its students did.

    p, phi, psi, p_star: soft. worth: clean examples that one generated summary is worth with this verifier; clean: that
    times the pool; unverified: the same of the whole pool; taught: references that the generator was trained on, which
    a student's must outnumber to beat it. forecast: ROUGE-1 of the student, in points, NaN and "not
    run" without three clean sizes, "not given" where the forecast refuses.
    """
    size = float(np.mean([len(part) for part in pool]))
    taught = float(np.mean([found.about["generator"][seed]["examples"] for seed in source.seeds]))
    pilot = clean_curve(source, found)
    lines = []
    for group, members in source.groups.items():
        for rate in source.rates:
            part = points[points["verifier"].isin(members) & (points["rate"] == rate) & (points["reading"] == "soft")]
            p, phi, psi, p_star = (float(part[name].mean()) for name in ("p", "phi", "psi", "p_star"))
            line: dict[str, Any] = {"verifier": group, "rate": rate, "p": p, "phi": phi, "psi": psi, "p_star": p_star}
            line["worth"] = _worth(p, phi, psi)
            line |= {"clean": size * line["worth"], "unverified": size * _worth(p, 1.0, 1.0), "taught": taught}
            line |= dict(zip(FORECAST, _forecast(pilot, p, phi, psi, round(size)), strict=True))
            seen = found.arms["rouge1"].contrast(students(members, rate), one("generator"))
            lines.append(line | {name: getattr(seen, name) for name in ("difference", "low", "high", "verdict")})
    return pd.DataFrame(lines)


def _worth(p: float, phi: float, psi: float) -> float:
    return float(worth(Rates(p, phi, psi), MANY)) if np.isfinite([p, phi, psi]).all() else float("nan")


def _forecast(pilot: pd.DataFrame, p: float, phi: float, psi: float, size: int) -> tuple[float, float, str]:
    """Ends of the student's ROUGE-1 in points, and whether it beats its generator."""
    if pilot["n"].nunique() < 3 or not np.isfinite([p, phi, psi]).all():
        return np.nan, np.nan, "not run"
    try:
        made = forecast(pilot, Rates(p, phi, psi), [size], classes=MANY, ignore=("arm",))
    except InputError:
        return np.nan, np.nan, "not given"
    line = made.table.iloc[0]
    return 100 * float(line["student_low"]), 100 * float(line["student_high"]), str(line["beats"])
