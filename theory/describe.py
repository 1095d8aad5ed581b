"""Everything predicted about one problem, as a dictionary and as text."""

from typing import Any

import numpy as np

from theory import settings, status
from theory.columns import CLASS_RATES, SETTINGS, SPECTRUM, by_our_names, setting_of
from theory.crossings import Crossings, curves
from theory.decimals import beside
from theory.small_samples import averaged
from theory.table import predict_table, problem_of
from theory.threshold import p_star_common

WORDS = ("loss", "setting", *SPECTRUM)


def describe(given: dict[str, Any], d: int | None = None) -> dict[str, Any]:
    """Prediction, verdicts, and all crossings of the curve on which this problem lies.

    Args:
        given: single values named as the columns of `theory.table.predict_table`, ``setting`` where they need it.
        d: with an intercept, the dimension for ``small_sample``, as `theory.small_samples.averaged`.

    Returns:
        The fields of `theory.prediction.Prediction`; ``below_threshold`` (p < p*); ``p_star_common``, that of purity
        for p common to both classes; ``beats_generator`` (None where there is no solution); ``p_half`` and ``p_gain``,
        lists of {"p", "then"} by the exact theory, where "then" says what holds beyond that p; ``curve_solved``, the
        share of the curve over p that has a solution (elsewhere crossings are missed); ``intercept``, ``coloured``,
        ``by_class``, whether one is fitted, features are coloured, classes are unlike; ``setting``; ``generated``, the
        share of the samples that is not real; ``small_sample``; and in the independent setting
        ``p_gain_infinite_data``, the step function's.

    Raises:
        ValueError: as `predict_table`.
    """
    given = by_our_names(given)
    columns = {name: np.array([value], dtype=object if name in WORDS else float) for name, value in given.items()}
    found: dict[str, Any] = {"setting": setting_of(list(given), given.get("setting", "")).name}
    found |= {name: np.asarray(values)[0] for name, values in predict_table(columns).items()}
    found = {name: value.item() if isinstance(value, np.generic) else value for name, value in found.items()}
    setting = settings.named(found["setting"])
    curation = setting.curation({name: c[0] for name, c in columns.items()})
    found["generated"] = float(setting.generated(curation))
    found["below_threshold"] = found["purity"] > 0.5
    found["p_star_common"] = float(p_star_common(curation)) if found["setting"] == "independent" else None
    found["small_sample"] = None if d is None else _small_sample(columns, d)
    solved = found["converged"]
    found["beats_generator"] = found["accuracy"] > found["generator_accuracy"] if solved else None
    curve = curves(columns)
    found["curve_solved"] = float(curve.solved[0])
    found |= {target: _listed(target, zeros) for target, zeros in curve.crossings().items()}
    found["intercept"], found["coloured"] = bool(given.get("intercept", 0)), SPECTRUM[0] in given
    found["by_class"] = any(name in given for name in (*CLASS_RATES, "prior"))
    if found["setting"] == "independent" and not (found["intercept"] or found["coloured"]):
        found["p_gain_infinite_data"] = _listed("p_gain", curve.rule_crossings())
    return found


def _small_sample(columns: dict[str, np.ndarray], d: int) -> dict[str, Any]:
    """The average over counts at n = alpha d, rounded."""
    problem, alpha, loss = problem_of(columns)
    n = round(alpha * d)
    return {"n": n, "d": d} | averaged(problem, n, d, loss)._asdict()


def _listed(target: str, found: Crossings) -> list[dict[str, Any]]:
    after = {True: "gain", False: "loss"} if target == "p_gain" else {True: "above 1/2", False: "below 1/2"}
    order = np.argsort(found.x)
    return [{"p": float(found.x[i]), "then": after[bool(found.rising[i])]} for i in order]


def text(found: dict[str, Any]) -> str:
    """What `describe` returns, as lines for a terminal."""
    rule = "training succeeds, with infinite data, while p < p*"
    if _has_three(found):
        rule = "without an intercept training succeeds, with infinite data, while p < p*"
    if not settings.named(found["setting"]).half_at_threshold:
        rule = "of what is generated, more than half of the kept labels are correct while p < p*"
    lines = [f"p_star              {_known(found['p_star'])}   {rule}"]
    own = SETTINGS[found["setting"]].columns
    if "cos_generator" in own:
        source = "p from the cosine" if "phi" in own else "from the cosines"
        rates = ", ".join(_number(found[name]) for name in ("p", "phi", "psi"))
        lines.append(f"p, phi, psi         {rates}   {source}")
    lines += [
        f"purity              {_known(found['purity'])}   share of the kept labels that is correct",
        f"kept_rate           {_number(found['kept_rate'])}   share of the samples that is kept",
        f"generator_accuracy  {found['generator_accuracy']:.6f}   1 - p",
    ]
    lines[1:1] = _thresholds(found)
    if not found["converged"]:
        return "\n".join([*lines, f"accuracy            none: {status.EXPLAINED[found['status']]}"])
    above, below, gain, loss = (f"none: {word} at every p" for word in ("above 1/2", "below 1/2", "gain", "loss"))
    lines += [
        f"accuracy            {found['accuracy']:.6f}   of the trained classifier, exact as d -> infinity",
        *_by_class(found),
        *_of_small_sample(found["small_sample"]),
        f"p_half              {_places(found['p_half'], above if found['accuracy'] > 0.5 else below)}",
        f"p_gain              {_places(found['p_gain'], gain if found['beats_generator'] else loss)}",
    ]
    if "cos_generator" in own:
        lines.append("                    as cos_generator falls, and all else stays")
    if _has_three(found):
        lines.append("                    as the error rates of both classes grow in proportion; p is their mean")
    if "p_gain_infinite_data" in found:
        lines.append(f"  with infinite data {_places(found['p_gain_infinite_data'], 'none')}")
    lines += unsolved(found["curve_solved"])
    better = "beats" if found["beats_generator"] else "does not beat"
    chance = ", and both are worse than chance" if max(found["accuracy"], found["generator_accuracy"]) < 0.5 else ""
    chance = chance or (", and is worse than chance" if found["accuracy"] < 0.5 else "")
    lines += [
        f"verdict             {_verdict(found)}",
        f"                    at this sample size the trained classifier {better} its generator{chance}",
    ]
    return "\n".join(lines)


def _has_three(found: dict[str, Any]) -> bool:
    """Whether the thresholds of a classifier with an intercept are others than p*: by rates alone."""
    if found["p_star_common"] is None:
        return False
    others = [found["p_star_direction"], found["p_star_each_class"]]
    return not np.allclose(others, found["p_star"], rtol=1e-12, equal_nan=True)


def _thresholds(found: dict[str, Any]) -> list[str]:
    """Where rates depend on the class: what else may be asked of the kept labels, and whether it holds."""
    if not _has_three(found):
        return []
    asked = (
        ("purity > 1/2", found["purity"] - 0.5, found["p_star_common"], "without an intercept, and infinite data"),
        (
            *("odds multiplied > 1", found["log_odds_sum"], found["p_star_direction"]),
            "with one, for the direction: balanced accuracy > 1/2 at any n/d",
        ),
        (
            *("odds of each > 1", found["least_log_odds"], found["p_star_each_class"]),
            "with one, and infinite data: no class is lost",
        ),
    )
    holds = lambda excess: "-" if np.isnan(excess) else "yes" if excess > 0 else "no"
    head = (
        "asked of the kept labels of both classes: does it hold? if p were the same in both, it would while p is below"
    )
    return [head, *(f"  {what:20}{holds(by):5}{_known(below):8}  {why}" for what, by, below, why in asked)]


def _by_class(found: dict[str, Any]) -> list[str]:
    """With an intercept, unlike classes or coloured features: accuracy class by class, and what would be best."""
    if not (found["intercept"] or found["by_class"] or found["coloured"]):
        return []
    sides = f"{found['accuracy_minus']:.6f} on y = -1, {found['accuracy_plus']:.6f} on y = +1"
    lines = [f"  by class          {sides}; balanced {found['balanced_accuracy']:.6f}"]
    if found["intercept"] or found["by_class"]:
        lines.append(f"  best offset       {found['best_offset_accuracy']:.6f}   if b were set on trusted labels")
    return [*lines, f"  Bayes             {found['bayes_accuracy']:.6f}   the best that there is"]


def _of_small_sample(found: dict[str, Any] | None) -> list[str]:
    """The average over counts, and what the composition alone does."""
    if found is None:
        return []
    what = "over how many of each kind are kept" if found["used"] else "no sample has both labels"
    number = "none    " if np.isnan(found["accuracy"]) else f"{found['accuracy']:.6f}"
    spread = "" if np.isnan(found["spread"]) else f", which alone spreads it by {found['spread']:.4f}"
    return [f"  n = {found['n']}, d = {found['d']}".ljust(20) + f"{number}   averaged {what}{spread}"]


def _verdict(found: dict[str, Any]) -> str:
    """The p* rule in words; where real data are mixed in, by what is trained on."""
    good = found["below_threshold"]
    if found["intercept"]:
        if np.isnan(found["log_odds_sum"]):
            return "no sample of one class is kept, so that nothing is learned of the direction;"
        if found["log_odds_sum"] <= 0:
            return "the direction that is learned is wrong, whatever the sample size;"
        lost = "infinite data teach both classes" if found["least_log_odds"] > 0 else "infinite data lose one class"
        return f"the direction that is learned is right, and {lost};"
    if found["generated"] < 1:
        half = "more than half" if good else "half or less"
        return f"of what is trained on, real data included, {half} is correct ({found['purity']:.1%});"
    relation = ("<", "good enough") if good else (">=", "not good enough")
    p, star = found["p"], found["p_star"]
    comparison = f"p = {beside(p, star)} {relation[0]} p* = {beside(star, p)}"
    if not settings.named(found["setting"]).half_at_threshold:
        return f"{comparison}: of what is kept, {'more than half' if good else 'half or less'} is correct;"
    return f"{comparison}: the verifier is {relation[1]} in the limit of infinite data;"


def _places(crossings: list[dict[str, Any]], none: str) -> str:
    """Crossings as the generator gets worse: 'from p = .1 gain, from p = .6 loss'."""
    return ", ".join(f"from p = {line['p']:.6f} {line['then']}" for line in crossings) or none


def unsolved(solved: float | None) -> list[str]:
    """A line that warns where much of a curve over p has no solution; none where no curve was computed."""
    if solved is None or not solved < 0.98:
        return []
    return [f"                    (only {solved:.0%} of the curve over p has a solution)"]


def _known(share: float) -> str:
    """Six decimals; a dash for what is not known, NaN."""
    return "-" if np.isnan(share) else f"{share:.6f}"


def _number(share: float) -> str:
    """Six decimals, or three digits of what these would hide."""
    return f"{share:.6f}" if share == 0 or share >= 1e-5 else f"{share:.3g}"
