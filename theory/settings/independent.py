"""Label errors and verdicts independent of x given the class: p, phi and psi are free, and may depend on the class."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from theory import ridge
from theory._check import check_rates
from theory.columns import CLASS_RATES, RATES, SIDES
from theory.laws import Independent
from theory.settings.base import Setting
from theory.threshold import kept_rate, p_star, p_star_along, purity
from theory.types import ClassRates, Rates, Scalar


class _Independent(Setting):
    name = "independent"
    half_at_threshold = True
    closed_form = staticmethod(ridge.solve)

    def check(self, curation: Rates | ClassRates) -> None:
        check_rates(curation)

    def law(self, signal: Scalar, curation: Rates | ClassRates) -> tuple[Independent, Scalar]:
        return Independent(signal, purity(curation)), kept_rate(curation)

    def rates(self, signal: Scalar, curation: Rates | ClassRates) -> Rates | ClassRates:
        return curation

    def names(self, present: Any) -> tuple[str, ...]:
        """Rates by class come before rates; the prior comes with them."""
        own = CLASS_RATES if any(name in present for name in CLASS_RATES) else RATES
        return (*own, "prior") if "prior" in present else own

    def curation(self, numbers: Mapping[str, Any]) -> Rates | ClassRates:
        """Prior is P(y = +1), 1/2 where it is absent."""
        if CLASS_RATES[0] not in numbers and "prior" not in numbers:
            return Rates(*(numbers[name] for name in RATES))
        numbers = {f"{name}_{side}": numbers[name] for name in RATES if name in numbers for side in SIDES} | dict(
            numbers
        )
        sides = [np.stack([numbers[f"{rate}_negative"], numbers[f"{rate}_positive"]], -1) for rate in RATES]
        prior = numbers.get("prior", 0.5 + 0 * numbers["alpha"])
        return ClassRates(sides[0], sides[1], sides[2], np.stack([1 - prior, prior], -1))

    def along(self, table: Mapping[str, Any], share: np.ndarray) -> dict[str, Any]:
        """p in [0, 1]; error rates by class keep their ratio, until the larger is 1."""
        sides = [name for name in ("p_negative", "p_positive") if name in table]
        if not sides:
            return {**table, "p": share}
        largest = np.maximum(*(np.asarray(table[name], float) for name in sides))
        ratio = {name: np.divide(table[name], largest, out=np.ones_like(largest), where=largest > 0) for name in sides}
        return {**table, **{name: share * ratio[name] for name in sides}}

    def threshold(self, table: Mapping[str, Any]) -> np.ndarray:
        """p*, or that along the curve where error rates depend on the class."""
        curation: Any = self.curation(table)
        return np.asarray(p_star_along(curation) if CLASS_RATES[0] in table else p_star(curation))


SETTING = _Independent()
