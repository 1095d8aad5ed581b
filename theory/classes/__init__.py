"""K classes: the threshold p*_K of endless data, and the exact accuracy at finite n/d (THEORY §10, §12).

``predict(problem, alpha, loss, classes=K)`` says everything about a `theory.types.ClassesProblem`, ``predict_table``
takes a whole table, ``p_gain`` finds where the trained classifier breaks even with its generator.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theory.classes.crossings import p_gain as p_gain
    from theory.classes.prediction import ClassesPrediction as ClassesPrediction
    from theory.classes.prediction import predict as predict
    from theory.classes.table import predict_table as predict_table
    from theory.classes.threshold import p_star_classes as p_star_classes

HOMES = {
    "crossings": ("p_gain",),
    "prediction": ("ClassesPrediction", "predict"),
    "table": ("predict_table",),
    "threshold": ("p_star_classes",),
}
__all__ = [name for names in HOMES.values() for name in names]


def __getattr__(name: str) -> Any:
    for home, names in HOMES.items():
        if name in names:
            return getattr(import_module(f"theory.classes.{home}"), name)
    raise AttributeError(f"module 'theory.classes' has no attribute {name!r}")
