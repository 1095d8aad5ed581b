"""Everything predicted about one problem as a dictionary, for the command line."""

from typing import Any

import numpy as np

from theory.crossings import TARGETS, along, predicted_crossings
from theory.table import COSINES, predict_table

CURVE_POINTS = 129


def describe(given: dict[str, Any]) -> dict[str, Any]:
    """Prediction, verdicts, and all crossings of the curve on which this problem lies.

    Args:
        given: single values named as the columns of `theory.table.predict_table`.

    Returns:
        The fields of `theory.prediction.Prediction`; ``below_threshold`` (p < p*); ``beats_generator`` (None where
        there is no solution); ``p_half`` and ``p_gain``, lists of {"p", "then"} by the exact theory, where "then"
        says what holds beyond that p; ``curve_solved``, the share of the curve over p that has a solution (elsewhere
        crossings are missed); and in the independent setting ``p_gain_infinite_data``, the step function's.

    Raises:
        ValueError: as `predict_table`. RuntimeError: JAX is in float32.
    """
    columns = {name: np.array([value], dtype=object if name == "loss" else float) for name, value in given.items()}
    found = {name: values[0].item() for name, values in predict_table(columns).items()}
    found["below_threshold"] = found["purity"] > 0.5
    solved = found["converged"]
    found["beats_generator"] = found["accuracy"] > found["generator_accuracy"] if solved else None
    share = np.linspace(0, 1, CURVE_POINTS)
    curve = predict_table(along({name: np.repeat(column, CURVE_POINTS) for name, column in columns.items()}, share))
    found["curve_solved"] = float(np.mean(curve["converged"]))
    for target in TARGETS:
        found[target] = _listed(columns, target)
    if COSINES[0] not in given:
        found["p_gain_infinite_data"] = _listed(columns, "p_gain", infinite_data=True)
    return found


def _listed(columns: dict[str, np.ndarray], target: Any, infinite_data: bool = False) -> list[dict[str, Any]]:
    found = predicted_crossings(columns, target, infinite_data)
    after = {True: "gain", False: "loss"} if target == "p_gain" else {True: "above 1/2", False: "below 1/2"}
    order = np.argsort(found.x)
    return [{"p": float(found.x[i]), "then": after[bool(found.rising[i])]} for i in order]
