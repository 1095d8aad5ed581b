"""Linear generator and verifier: y' = sign(g.x), kept iff sign(v.x) = y'. Label errors depend on x (THEORY §2)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import ndtr

from theory import geometry
from theory._check import check_cosines
from theory.arrays import of
from theory.laws import Wedge
from theory.settings.base import Setting
from theory.types import Cosines, Rates, Scalar


class ByCosines(Setting):
    """What the settings with a linear generator and a linear verifier have in common: by default, the linear one."""

    def check(self, curation: Any) -> None:
        """The cosines belong to three unit vectors."""
        check_cosines(Cosines(*curation[:3]))

    def law(self, signal: Scalar, curation: Any) -> tuple[Any, Scalar]:
        """A Gaussian mixture truncated to a wedge."""
        xp = of(signal, curation)
        wedge = Wedge(*(xp.asarray(field, float) for field in (signal, *curation[:3], 0.0)))
        return wedge, wedge.kept_rate()

    def rates(self, signal: Scalar, curation: Any) -> Rates:
        """From the geometry."""
        return geometry.rates(signal, curation)

    def along(self, table: Mapping[str, Any], share: np.ndarray) -> dict[str, Any]:
        """cos_generator between the values that the verifier's two cosines allow, highest first."""
        v, b = (np.asarray(table[name], float) for name in self.vocabulary.verifier)
        spread = np.sqrt(np.maximum((1 - v**2) * (1 - b**2), 0)) * (1 - 1e-9)
        return {**table, "cos_generator": v * b + spread * (1 - 2 * share)}


class _Linear(ByCosines):
    name = "linear"
    half_at_threshold = True

    def threshold(self, table: Mapping[str, Any]) -> np.ndarray:
        """p = p* where cos_generator = -cos_verifier, by symmetry: at p = Phi(r cos_verifier), whatever cos_between."""
        return np.asarray(ndtr(np.asarray(table["signal"], float) * np.asarray(table["cos_verifier"], float)))


SETTING = _Linear()
