"""One's own features: what labelled embeddings say of a probe trained on verified labels, ``ps.features``.

ps.features.estimate(X, y)               the four functions of the features, without the bias of plug-in
ps.features.learning_curve(X, y, ...)    accuracy against n, and from which n on it beats the generator
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from empirical.features.curve import learning_curve as learning_curve
    from empirical.features.points import estimate as estimate
    from empirical.features.sentences import Curve as Curve

HOMES = {
    "empirical.features.points": ("estimate",),
    "empirical.features.curve": ("learning_curve",),
    "empirical.features.sentences": ("Curve",),
}
__all__ = [name for names in HOMES.values() for name in names]


def __getattr__(name: str) -> Any:
    for home, names in HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'pstar.features' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
