"""A learning curve as text, the answer first; as JSON values; and into a folder."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from empirical.features.curve import NO_SIGNAL, OUT_OF_REACH, Curve
from sims.running.files import write_atomic
from sims.running.text import layout, say
from theory.errors import RunError
from theory.threshold import p_star

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
    return "\n\n".join(["\n".join(_answer(curve)), _table(curve), "\n".join(say(note, "- ") for note in notes)])


def as_json(curve: Curve) -> dict[str, Any]:
    """All of it as JSON values; what is undefined is null."""
    result = {name: value for name, value in vars(curve).items() if name != "table"}
    result |= {"rates": _plain(curve.rates._asdict()), "verdict": _plain(curve.verdict._asdict())}
    return _plain(result) | {"curve": _plain(curve.table.to_dict("records"))}


def write(curve: Curve, report: str, folder: Path) -> list[Path]:
    """Write report.txt, features.json and curve.csv; returns the paths. Raises RuntimeError for no such folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot make the output folder {folder}: {error.strerror}; choose another") from None
    contents = {
        "report.txt": f"{report}\n",
        "features.json": json.dumps(as_json(curve), indent=1) + "\n",
        "curve.csv": curve.table.to_csv(index=False),
    }
    for name, content in contents.items():
        write_atomic(folder / name, content.encode())
    return [folder / name for name in contents]


def tables(curve: Curve) -> dict[str, Any]:
    """What `figures.learning_curve` draws: the curve, with what is the same at all n in columns of its own."""
    constants: dict[str, Any] = {"generator_accuracy": curve.generator_accuracy, "level": curve.level}
    constants |= {
        "points": curve.points,
        "dimension": curve.dimension,
        "loss": curve.loss,
        "ridge": curve.ridge,
        "rates": _rates(curve),
    }
    return {"curve": curve.table.assign(**constants)}


def _answer(curve: Curve) -> list[str]:
    found, generator = curve.verdict, f"{curve.generator_accuracy:.1%}"
    if found.answer == "unknown":
        return ["Nothing can be predicted from these points.", *_settings(curve)]
    best = f"{found.best:.1%} at n = {found.best_n:,.0f}"
    if found.answer == "clean":
        return [
            f"How accurate is a probe trained on n labels?  Best predicted: {best}.",
            "  All labels are taken as correct: give --p, --phi, --psi or --audit for verified synthetic ones.",
            *_settings(curve),
        ]
    question = f"Does a probe trained on what the verifier keeps beat the generator ({generator} correct)?"
    sure = f"{100 * curve.level:.6g}% confidence"
    answers = {
        "yes": f"Yes: predicted from about n = {_about(found.from_n)} on, with {sure} from n = {found.sure_n:,.0f} on",
        "maybe": f"Predicted from about n = {_about(found.from_n)} on, but at no n with {sure}"
        if not math.isnan(found.from_n)
        else f"Not predicted, and not excluded with {sure}",
        "no": f"No, at none of these n, with {sure}",
    }
    return [question, f"  {answers[found.answer]}; best predicted: {best}.", *_settings(curve)]


def _about(n: float) -> str:
    return f"{float(f'{n:.2g}'):,.0f}"


def _settings(curve: Curve) -> list[str]:
    negative, positive = curve.classes
    lines = [
        f"  From N = {curve.points:,} points, d = {curve.dimension:,}; y = +1 is {positive} ({curve.prior:.1%}), "
        f"y = -1 is {negative}.",
        f"  {curve.loss.capitalize()} loss with intercept, lambda = {curve.ridge:g} x mean variance within classes = "
        f"{curve.penalty:.4g} (scikit-learn: {_sklearn(curve)}, m samples kept).",
    ]
    if curve.verdict.answer != "clean":
        lines.append(f"  {_rates(curve)}.")
    return lines


def _sklearn(curve: Curve) -> str:
    number = f"{curve.penalty:.4g} m"
    return f"Ridge(alpha = {number})" if curve.loss == "squared" else f"LogisticRegression(C = 1/({number}))"


def _rates(curve: Curve) -> str:
    shown = ", ".join(f"{name} = {_pair(value)}" for name, value in curve.rates._asdict().items())
    if any(np.ndim(value) for value in curve.rates):
        return shown
    return f"{shown}: p* = {float(p_star(curve.rates)):.3f}"


def _pair(value: Any) -> str:
    return "/".join(f"{entry:.3g}" for entry in np.ravel(value))


def _table(curve: Curve) -> str:
    measured = "measured" in curve.table
    headings = ["n", "kept", "predicted", f"{100 * curve.level:.6g}% interval", "own scores"]
    headings += ["measured", "95% interval"] if measured else []
    lines = []
    for row in curve.table.to_dict("records"):
        ok = row["status"] == "ok"
        line = [f"{row['n']:,}{'*' if row['beyond'] else ''}", f"{row['kept']:,.0f}", _number(row["accuracy"])]
        line += [_interval(row["low"], row["high"]) if ok else row["status"], _number(row["scattered"])]
        if measured:
            known = not math.isnan(row["measured"])
            line += [_number(row["measured"]), _interval(row["measured_low"], row["measured_high"]) if known else ""]
        beats = ok and curve.verdict.answer != "clean"
        lines.append([*line, _mark(row, curve.generator_accuracy) if beats else ""])
    sides = ">>><>" + ("><" if measured else "") + "<"
    return layout(zip([*headings, ""], sides, strict=True), lines)


def _mark(row: dict[str, Any], generator: float) -> str:
    if row["low"] > generator:
        return "beats the generator"
    return "loses" if row["high"] < generator else ""


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _interval(low: float, high: float) -> str:
    return "unknown" if math.isnan(low) or math.isnan(high) else f"[{low:.3f}, {high:.3f}]"


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
    if "measured" in curve.table:
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
