"""Everything predicted about one problem with K classes, as a dictionary and as text."""

from typing import Any

import numpy as np

from theory import status
from theory.classes.crossings import searched
from theory.classes.prediction import predict
from theory.classes.worth import bound
from theory.decimals import beside
from theory.describe import unsolved
from theory.types import ClassesProblem, Rates
from theory.worth import helps

MOST_SEARCHED = 250
"""Classes up to which p_gain is searched for: each point has tables of K x K, and 300 take ten seconds."""


def describe(
    problem: ClassesProblem, alpha: float, loss: str = "squared", *, classes: int, intercept: bool = False
) -> dict[str, Any]:
    """Prediction and verdicts of one problem with `Rates` and classes that are alike.

    Returns:
        ``classes``; the scalar fields of `theory.classes.prediction.ClassesPrediction`, status in words;
        ``below_threshold`` (p < p*_K); ``beats_generator`` (None where there is no solution); ``p_gain``, a list of
        {"p", "then"}, and ``curve_solved``, the share of the curve over p that has a solution (elsewhere crossings are
        missed), both None above MOST_SEARCHED classes; ``bound``, the most (beyond p*_K the least) that any convex
        loss and penalty reaches at this ratio; ``verifying_pays`` at the best penalty, whether what is kept is worth
        more than what is generated (None beyond p*_K).

    Raises:
        ValueError: as `predict`.
    """
    rates = problem.curation
    assert isinstance(rates, Rates)
    found = predict(problem, alpha, loss, classes=classes, intercept=intercept)
    numbers = {name: np.asarray(value) for name, value in found._asdict().items()}
    result: dict[str, Any] = {"classes": classes, "loss": loss}
    result |= {name: value.item() for name, value in numbers.items() if value.ndim == 0}
    result["status"] = str(status.name(found.status))
    solved = bool(found.converged)
    result["below_threshold"] = bool(rates.p < found.p_star)
    result["beats_generator"] = bool(found.beats_generator) if solved else None
    result["bound"] = float(bound(found.gap, found.purity, found.delta, classes))
    result["verifying_pays"] = None
    if result["below_threshold"]:
        result["verifying_pays"] = bool(helps(rates, classes))
    result["p_gain"] = result["curve_solved"] = None
    if result["classes"] > MOST_SEARCHED:
        return result
    roots, result["curve_solved"] = searched(problem, alpha, loss, classes=classes, intercept=intercept)
    places = sorted(zip(roots.x.tolist(), roots.rising.tolist(), strict=True))
    result["p_gain"] = [{"p": p, "then": "gain" if rising else "loss"} for p, rising in places]
    return result


def text(found: dict[str, Any]) -> str:
    """What `describe` returns, as lines for a terminal."""
    k, star, below = found["classes"], found["p_star"], found["below_threshold"]
    lines = [f"p_star_classes      {star:.6f}   training succeeds, with infinite data, while p < p*_K; K = {k}"]
    kept = [
        f"purity              {found['purity']:.6f}   share of the kept labels that is correct; 1/K at p*_K",
        f"kept_rate           {found['kept_rate']:.6g}   share of the samples that is kept",
    ]
    generator = f"generator_accuracy  {found['generator_accuracy']:.6f}   1 - p"
    if not found["converged"]:
        return "\n".join([*lines, f"accuracy            none: {status.EXPLAINED[found['status']]}", generator, *kept])
    if found["p_gain"] is None:
        gain = f"not searched for above {MOST_SEARCHED} classes, where it takes minutes"
    else:
        gain = ", ".join(f"from p = {each['p']:.6f} {each['then']}" for each in found["p_gain"])
        gain = gain or f"none: {'gain' if found['beats_generator'] else 'loss'} at every p"
    better = "beats" if found["beats_generator"] else "does not beat"
    chance = ", and is worse than chance" if found["accuracy"] < 1 / k - 1e-12 else ""
    unverified = {
        True: ["                    at the best penalty verification pays"],
        False: ["                    at the best penalty it does not pay: all that is generated is worth more"],
        None: [],
    }
    return "\n".join(
        [
            *lines,
            f"accuracy            {found['accuracy']:.6f}   of the trained classifier, exact as d -> infinity",
            generator,
            f"p_gain              {gain}",
            *unsolved(found["curve_solved"]),
            f"bound               {found['bound']:.6f}   the {'most' if below else 'least'} that any convex loss and "
            "penalty reaches on these samples",
            *kept,
            f"verdict             p = {beside(found['p'], star)} {'<' if below else '>='} p*_K = "
            f"{beside(star, found['p'])}: the verifier is "
            f"{'good' if below else 'not good'} enough in the limit of infinite data;",
            f"                    at this sample size the trained classifier {better} its generator{chance}",
            *unverified[found["verifying_pays"]],
        ]
    )
