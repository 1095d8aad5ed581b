"""What is predicted: the threshold p* and the exact high-dimensional accuracy of trained classifiers.

``predict(problem, alpha, loss)`` says everything about a `Problem`; ``solve`` gives the trained classifier alone;
``predict_table`` takes a whole table. Symbols: theory/README.md. Names are imported when they are first used, so that
``theory.types``, all that simulation takes, comes alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theory.engine import solve as solve
    from theory.prediction import Prediction as Prediction
    from theory.prediction import predict as predict
    from theory.table import predict_table as predict_table
    from theory.threshold import kept_rate as kept_rate
    from theory.threshold import p_star as p_star
    from theory.threshold import purity as purity
    from theory.types import ClassRates as ClassRates
    from theory.types import Cosines as Cosines
    from theory.types import Problem as Problem
    from theory.types import Rates as Rates
    from theory.types import Solution as Solution

HOMES = {
    "engine": ("solve",),
    "prediction": ("Prediction", "predict"),
    "table": ("predict_table",),
    "threshold": ("kept_rate", "p_star", "purity"),
    "types": ("ClassRates", "Cosines", "Problem", "Rates", "Solution"),
}
__all__ = [name for names in HOMES.values() for name in names]


def __getattr__(name: str) -> Any:
    for home, names in HOMES.items():
        if name in names:
            return getattr(import_module(f"theory.{home}"), name)
    raise AttributeError(f"module 'theory' has no attribute {name!r}")
