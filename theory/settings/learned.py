"""Learned errors: y' = sign(g.x), kept with probability phi where it is correct and psi where it is wrong (THEORY §11).

The verifier looks at the answer, as in the independent setting; the errors are a function of x, as in the linear one.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import ndtr

from theory._check import check_rates, in_column
from theory.arrays import of
from theory.laws import HalfPlane
from theory.settings.base import Setting
from theory.threshold import p_star
from theory.types import Rates, Scalar


class _Learned(Setting):
    name = "learned"

    def check(self, curation: Any) -> None:
        in_column("cos_generator", curation.cos_generator)
        check_rates(Rates(0.5, curation.phi, curation.psi))

    def law(self, signal: Scalar, curation: Any) -> tuple[Any, Scalar]:
        """A Gaussian mixture, weighted by the verdicts, of which the generator cuts off half."""
        xp = of(signal, curation)
        half = HalfPlane(*(xp.asarray(field, float) for field in (signal, *curation)))
        return half, half.kept_rate()

    def rates(self, signal: Scalar, curation: Any) -> Rates:
        """p = Phi(-r cos(g, mu)); phi and psi are given."""
        xp = of(signal, curation)
        return Rates(xp.ndtr(-xp.asarray(signal, float) * curation.cos_generator), *curation[1:])

    def along(self, table: Mapping[str, Any], share: np.ndarray) -> dict[str, Any]:
        """cos_generator from 1 to -1."""
        return {**table, "cos_generator": 1 - 2 * share}

    def threshold(self, table: Mapping[str, Any]) -> np.ndarray:
        """p*, where p reaches it: at p*, half of the kept labels are correct; NaN where p stays on one side."""
        star = np.asarray(p_star(Rates(0.5, *(np.asarray(table[name], float) for name in ("phi", "psi")))))
        end = ndtr(np.asarray(table["signal"], float))
        return np.where((1 - end < star) & (star < end), star, np.nan)


SETTING = _Learned()
