"""A learning curve as text, the answer first; as JSON values; and into a folder."""

import json
import math
from typing import Any

from empirical.features.check import LEAST_TEST
from empirical.features.sentences import NO_SIGNAL, OUT_OF_REACH, Curve, answer, rates, table
from figures import rendered
from sims.running.spreadsheet import csv
from sims.running.text import plain, say

REASONS = {
    NO_SIGNAL: "no signal seen: the estimated distance between the classes is not positive; more points are needed",
    OUT_OF_REACH: "out of reach: so few points do not show the features at so small a penalty; give more, or a larger "
    "--ridge",
    "one label only": "one label only: most samples of that size keep labels of one kind",
    "not solved": "not solved: the equations were not solved to tolerance",
}
LIMITS = (
    "The interval is for the choice of these points. Scores are taken as Gaussian within classes: on nine real splits "
    "that cost .008 in accuracy on average and .04 at worst (pstar study features)."
)


def text(curve: Curve) -> str:
    """The verdict, what was assumed, the table, and what to beware of."""
    notes = [*curve.notes, *_reasons(curve), *_unknown(curve), *_beyond(curve), *_measured(curve), LIMITS]
    return "\n\n".join(["\n".join(answer(curve)), table(curve), "\n".join(say(note, "- ") for note in notes)])


def as_json(curve: Curve) -> dict[str, Any]:
    """All of it as JSON values; what is undefined is null."""
    result = {name: value for name, value in vars(curve).items() if name != "table"}
    result |= {"rates": _plain(curve.rates._asdict()), "verdict": _plain(curve.verdict._asdict())}
    return _plain(result) | {"curve": _plain(curve.table.to_dict("records"))}


def files(curve: Curve, report: str) -> dict[str, bytes]:
    """report.txt, features.json, curve.csv and the figure, by name."""
    contents = {
        "report.txt": f"{plain(report)}\n",
        "features.json": json.dumps(as_json(curve), indent=1) + "\n",
        "curve.csv": csv(curve.table),
    }
    drawn = {f"figures/{name}": data for name, data in rendered("learning_curve", tables(curve)).items()}
    return {name: content.encode() for name, content in contents.items()} | drawn


def tables(curve: Curve) -> dict[str, Any]:
    """What `figures.learning_curve` draws: the curve, with what is the same at all n in columns of its own."""
    constants: dict[str, Any] = {"generator_accuracy": curve.generator_accuracy, "level": curve.level}
    constants |= {
        "points": curve.points,
        "dimension": curve.dimension,
        "loss": curve.loss,
        "ridge": curve.ridge,
        "rates": rates(curve),
    }
    return {"curve": curve.table.assign(**constants)}


def _reasons(curve: Curve) -> list[str]:
    return [REASONS[word] for word in dict.fromkeys(curve.table["status"]) if word in REASONS]


def _unknown(curve: Curve) -> list[str]:
    ok = curve.table["status"] == "ok"
    if not curve.table["low"][ok].isna().any():
        return []
    return ["unknown: without some of the points, by which intervals are made, it would be out of reach."]


def _beyond(curve: Curve) -> list[str]:
    if not curve.table["beyond"].any():
        return []
    return [f"* more samples than the {curve.points:,} points that the prediction comes from: an extrapolation."]


def _measured(curve: Curve) -> list[str]:
    notes = []
    if curve.table["scattered"].notna().any():
        notes.append("own scores: the prediction with the points' own scores instead of Gaussian ones, for n <= N/2.")
    if "measured" in curve.table and curve.table["measured"].isna().all():
        notes.append(
            f"measured: there is nothing to measure. {LEAST_TEST} points must be left to test on, and both labels "
            f"kept: ask for an n of {curve.points - LEAST_TEST:,} or less."
        )
    elif "measured" in curve.table:
        notes.append(
            "measured: probes trained on random n of the points, labels corrupted and verified at the rates, tested on "
            "the others with true labels; the interval is for the draws, and knows no other points."
        )
    return notes


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
