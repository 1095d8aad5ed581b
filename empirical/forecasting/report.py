"""A forecast as text, the answer first; as JSON values; and into a folder."""

import json
import math
from typing import Any

import numpy as np

from empirical.forecasting.sentences import Forecast, answer, table
from empirical.forecasting.trust import OK, REASONS
from figures import rendered
from sims.running.spreadsheet import csv
from sims.running.text import plain, say
from theory.decimals import echoed, typed

LAW = (
    "The law is exact in a Gaussian model at the best penalty. In experiments on digits and text, real learners whose "
    "penalty was chosen on held-out data got .4 to 1.2 of the worth (middle 80%); that is not in the intervals."
)
ERRORS = {
    "learned": "errors = learned: labels are a model's, whose errors a student can learn. One student trained on N "
    "unverified labels, N near the n that is asked for, tells how much: --unverified N,ACCURACY.",
    "spread": "errors = spread: taken as independent of the inputs, as noise of annotators. Where a trained model made "
    "the labels this is the optimistic end: see --errors learned.",
}
LEARNERS = {
    "tuned": "learner = tuned: its penalty, depth or stopping time is chosen on held-out data of the kind it is "
    "trained on. One that fits every label gets far less: --learner interpolating.",
    "interpolating": "learner = interpolating: it fits wrong labels too. Such learners were measured to lose as a^7 to "
    "a^14 where tuned ones lose as a^2. A pilot run on labels of which a share p is made wrong, in a column p, tells.",
}


def text(found: Forecast) -> str:
    """The answer, the table, and what to beware of."""
    about = f"Intervals are at {100 * found.level:.6g}%, of the mean over training sets."
    return "\n\n".join(
        ["\n".join(answer(found)), f"{table(found)}\n{about}", "\n".join(say(note, "- ") for note in notes(found))]
    )


def notes(found: Forecast) -> list[str]:
    """What was assumed, and what must not be trusted."""
    states = dict.fromkeys(found.table["status"])
    said = [REASONS[state] for state in states if state != OK]
    said += [ERRORS[found.errors]] if found.unverified is None else [_run(found)]
    said += [_exponent(found)] if found.exponent is not None or found.exponent_failed else [LEARNERS[found.learner]]
    return [*said, *_of_pilot(found), *_of_rates(found), LAW]


def _run(found: Forecast) -> str:
    assert found.unverified is not None and found.run_share is not None
    (n, accuracy), part = found.unverified, found.run_share
    smallest = found.pilot.clean[0]
    rest = (
        "The rest is lost to errors that it learned."
        if part.high < 1
        else "That does not exclude that it learned no errors at all."
    )
    below = (
        f" It is below the pilot's smallest size ({smallest.accuracy:.1%}), so that its worth is a guess: train the "
        "pilot on fewer samples too."
    )
    return (
        f"The student of {n:,.0f} unverified labels is {accuracy:.1%} correct: it was worth "
        f"{100 * part.least:.0f}% [{100 * part.low:.0f}, {100 * part.high:.0f}] of what errors that are spread would "
        f"leave. {rest} Run it near the n that is asked for: there it tells most."
        + (below if accuracy < smallest.accuracy else "")
    )


def _exponent(found: Forecast) -> str:
    if found.exponent is None:
        return (
            "The noisy runs of the pilot are better or worse than every clean size, so that they have no clean "
            f"equivalent; they are left out. {LEARNERS[found.learner]}"
        )
    c = found.exponent
    sizes = " and ".join(f"n = {size.n:,.0f}, p = {typed(size.p)}" for size in found.pilot.noisy)
    return (
        f"m kept samples are worth m a^c clean ones with c = {c.least:.1f} [{c.low:.1f}, {c.high:.1f}], fitted to the "
        f"noisy runs of the pilot ({sizes}); the law has c = 2."
    )


def _of_pilot(found: Forecast) -> list[str]:
    sizes = found.pilot.clean
    left = [name for name in ("power", "theory") if name not in found.families]
    said = []
    if left:
        names = {"power": "power law", "theory": "exact theory"}
        said.append(f"The {' and the '.join(names[name] for name in left)} miss{'es' * (len(left) == 1)} the pilot.")
    drops = [(a, b) for a, b in zip(sizes, sizes[1:], strict=False) if b.accuracy < a.accuracy]
    if drops:
        first, second = drops[0]
        said.append(
            f"The pilot's accuracy falls from n = {first.n:,.0f} to {second.n:,.0f}; if that is not chance, the "
            "learner is not tuned, and the forecast is not for it."
        )
    if all(math.isnan(size.sd) for size in sizes):
        said.append(
            "One run of every size: intervals hold the test set's noise, and not that of training, which is unseen."
        )
    elif any(math.isnan(size.tested) for size in sizes):
        said.append("Without a column 'tested' the noise of the test set that runs share is not in the intervals.")
    if any(not math.isnan(size.sd) and size.runs < 3 for size in sizes):
        said.append("Two runs of a size say little of its noise, so intervals are wide; a third halves them.")
    return said


def _of_rates(found: Forecast) -> list[str]:
    p, phi, psi = found.rates
    where = f"p = {echoed(p)}, phi = {echoed(phi)}, psi = {echoed(psi)}, K = {found.classes}"
    if found.audited:
        return [f"Rates from {found.source}: {where}; wrong labels are taken as spread evenly over the classes."]
    return [f"Rates are taken as known: {where}. The intervals hold no error of theirs; give an audit instead."]


def as_json(found: Forecast) -> dict[str, Any]:
    """All of it as JSON values, what was given included; what is undefined or infinite is null."""
    result: dict[str, Any] = {}
    for name, value in vars(found).items():
        if name == "pilot":
            value = {kind: [size._asdict() for size in sizes] for kind, sizes in value._asdict().items()}
        elif name in ("table", "curve", "clean"):
            value = value.to_dict("records")
        elif hasattr(value, "_asdict"):
            value = value._asdict()
        result[name] = _plain(value)
    return result | {"notes": notes(found)}


def files(found: Forecast, report: str) -> dict[str, bytes]:
    """report.txt, forecast.json, forecast.csv, curve.csv and the figure, by name."""
    contents = {
        "report.txt": f"{plain(report)}\n",
        "forecast.json": json.dumps(as_json(found), indent=1) + "\n",
        "forecast.csv": csv(found.table),
        "curve.csv": csv(found.curve),
    }
    drawn = {f"figures/{name}": data for name, data in rendered("forecast", tables(found)).items()}
    return {name: content.encode() for name, content in contents.items()} | drawn


def tables(found: Forecast) -> dict[str, Any]:
    """What `figures.forecast` draws: the forecast, the clean curve and the pilot's sizes; constants in columns."""
    generator = found.generator
    constants = {
        "generator": generator.least,
        "generator_low": generator.low if found.audited else generator.least,
        "generator_high": generator.high if found.audited else generator.least,
        "level": found.level,
        "from_n": found.from_n.least,
        "from_most": found.from_n.most,
        "rates": ", ".join(f"{name} = {echoed(value)}" for name, value in found.rates._asdict().items()),
        "errors": found.errors,
    }
    return {"forecast": found.table.assign(**constants), "curve": found.curve, "pilot": found.clean}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
