"""Everything predicted about one problem, as a dictionary and as text."""

from typing import Any

import numpy as np

from theory import settings, status
from theory.columns import SETTINGS, setting_of
from theory.crossings import Crossings, curves
from theory.table import predict_table

WORDS = ("loss", "setting")


def describe(given: dict[str, Any]) -> dict[str, Any]:
    """Prediction, verdicts, and all crossings of the curve on which this problem lies.

    Args:
        given: single values named as the columns of `theory.table.predict_table`, ``setting`` where they need it.

    Returns:
        The fields of `theory.prediction.Prediction`; ``below_threshold`` (p < p*); ``beats_generator`` (None where
        there is no solution); ``p_half`` and ``p_gain``, lists of {"p", "then"} by the exact theory, where "then"
        says what holds beyond that p; ``curve_solved``, the share of the curve over p that has a solution (elsewhere
        crossings are missed); ``setting``; ``generated``, the share of the samples that is not real; and in the
        independent setting ``p_gain_infinite_data``, the step function's.

    Raises:
        ValueError: as `predict_table`.
    """
    columns = {name: np.array([value], dtype=object if name in WORDS else float) for name, value in given.items()}
    found: dict[str, Any] = {"setting": setting_of(list(given), given.get("setting", "")).name}
    found |= {name: np.asarray(values)[0] for name, values in predict_table(columns).items()}
    found = {name: value.item() if isinstance(value, np.generic) else value for name, value in found.items()}
    setting = settings.named(found["setting"])
    found["generated"] = float(setting.generated(setting.curation({name: c[0] for name, c in columns.items()})))
    found["below_threshold"] = found["purity"] > 0.5
    solved = found["converged"]
    found["beats_generator"] = found["accuracy"] > found["generator_accuracy"] if solved else None
    curve = curves(columns)
    found["curve_solved"] = float(curve.solved[0])
    found |= {target: _listed(target, zeros) for target, zeros in curve.crossings().items()}
    if found["setting"] == "independent":
        found["p_gain_infinite_data"] = _listed("p_gain", curve.rule_crossings())
    return found


def _listed(target: str, found: Crossings) -> list[dict[str, Any]]:
    after = {True: "gain", False: "loss"} if target == "p_gain" else {True: "above 1/2", False: "below 1/2"}
    order = np.argsort(found.x)
    return [{"p": float(found.x[i]), "then": after[bool(found.rising[i])]} for i in order]


def text(found: dict[str, Any]) -> str:
    """What `describe` returns, as lines for a terminal."""
    star = found["p_star"]
    rule = "training succeeds, with infinite data, while p < p*"
    if not settings.named(found["setting"]).half_at_threshold:
        rule = "of what is generated, more than half of the kept labels are correct while p < p*"
    lines = [f"p_star              {star:.6f}   {rule}"]
    own = SETTINGS[found["setting"]].columns
    if "cos_generator" in own:
        source = "p from the cosine" if "phi" in own else "from the cosines"
        rates = ", ".join(_number(found[name]) for name in ("p", "phi", "psi"))
        lines.append(f"p, phi, psi         {rates}   {source}")
    purity = "-" if np.isnan(found["purity"]) else f"{found['purity']:.6f}"
    lines += [
        f"purity              {purity}   share of the kept labels that is correct",
        f"kept_rate           {_number(found['kept_rate'])}   share of the samples that is kept",
        f"generator_accuracy  {found['generator_accuracy']:.6f}   1 - p",
    ]
    if not found["converged"]:
        return "\n".join([*lines, f"accuracy            none: {status.EXPLAINED[found['status']]}"])
    above, below, gain, loss = (f"none: {word} at every p" for word in ("above 1/2", "below 1/2", "gain", "loss"))
    lines += [
        f"accuracy            {found['accuracy']:.6f}   of the trained classifier, exact as d -> infinity",
        f"p_half              {_places(found['p_half'], above if found['accuracy'] > 0.5 else below)}",
        f"p_gain              {_places(found['p_gain'], gain if found['beats_generator'] else loss)}",
    ]
    if "cos_generator" in own:
        lines.append("                    as cos_generator falls, and all else stays")
    if "p_gain_infinite_data" in found:
        lines.append(f"  with infinite data {_places(found['p_gain_infinite_data'], 'none')}")
    if found["curve_solved"] < 0.98:
        lines.append(f"                    (only {found['curve_solved']:.0%} of the curve over p has a solution)")
    better = "beats" if found["beats_generator"] else "does not beat"
    chance = ", and both are worse than chance" if max(found["accuracy"], found["generator_accuracy"]) < 0.5 else ""
    chance = chance or (", and is worse than chance" if found["accuracy"] < 0.5 else "")
    lines += [
        f"verdict             {_verdict(found)}",
        f"                    at this sample size the trained classifier {better} its generator{chance}",
    ]
    return "\n".join(lines)


def _verdict(found: dict[str, Any]) -> str:
    """The p* rule in words; where real data are mixed in, by what is trained on."""
    good = found["below_threshold"]
    if found["generated"] < 1:
        half = "more than half" if good else "half or less"
        return f"of what is trained on, real data included, {half} is correct ({found['purity']:.1%});"
    relation = ("<", "good enough") if good else (">=", "not good enough")
    comparison = f"p = {found['p']:.4g} {relation[0]} p* = {found['p_star']:.4g}"
    if not settings.named(found["setting"]).half_at_threshold:
        return f"{comparison}: of what is kept, {'more than half' if good else 'half or less'} is correct;"
    return f"{comparison}: the verifier is {relation[1]} in the limit of infinite data;"


def _places(crossings: list[dict[str, Any]], none: str) -> str:
    """Crossings as the generator gets worse: 'from p = .1 gain, from p = .6 loss'."""
    return ", ".join(f"from p = {line['p']:.6f} {line['then']}" for line in crossings) or none


def _number(share: float) -> str:
    """Six decimals, or three digits of what these would hide."""
    return f"{share:.6f}" if share == 0 or share >= 1e-5 else f"{share:.3g}"
