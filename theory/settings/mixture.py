"""Real data beside synthetic: a share ``real`` of the n samples is correctly labelled and kept, the rest is as linear.

In the independent setting no such setting is needed: it is that of p' = (1 - real) p,
phi' = (real + (1 - real)(1 - p) phi)/(1 - p') and psi' = psi.
"""

from typing import Any

from theory._check import in_column
from theory.arrays import of
from theory.columns import COSINES
from theory.laws import Clean, Mixture
from theory.settings.base import TrainedOn
from theory.settings.linear import ByCosines
from theory.threshold import kept_correct_rate, kept_wrong_rate
from theory.types import ClassRates, Cosines, Rates, Scalar

NONE = 1e-14
"""Share of the real data below which what is generated and kept counts as nothing."""


class _Mixture(ByCosines):
    name = "mixture"

    def check(self, curation: Any) -> None:
        super().check(curation)
        in_column("real", curation.real)

    def law(self, signal: Scalar, curation: Any) -> tuple[Any, Scalar]:
        """(1 - real) kappa of the generated, and real of the real, of which all are kept."""
        xp = of(signal, curation)
        real = xp.asarray(curation.real, float)
        wedge, confirmed = super().law(signal, curation)
        generated = (1 - real) * confirmed
        none = generated < NONE * real  # then any wedge will do, as long as it is one
        wedge = wedge._replace(**{name: xp.where(none, 0.0, getattr(wedge, name)) for name in COSINES})
        kept = real + generated
        return Mixture(wedge, Clean(wedge.signal), xp.where(none, 0.0, generated / kept)), kept

    def rates(self, signal: Scalar, curation: Any) -> Rates:
        """Of the generated samples."""
        return super().rates(signal, Cosines(*curation[:3]))

    def generated(self, curation: Any) -> Scalar:
        """The rest is real."""
        return 1 - of(curation.real).asarray(curation.real, float)

    def trained_on(self, rates: Rates | ClassRates, curation: Any) -> TrainedOn:
        """Generated and real samples together."""
        real = of(curation.real).asarray(curation.real, float)
        kept = real + (1 - real) * (kept_correct_rate(rates) + kept_wrong_rate(rates))
        return TrainedOn(kept, (real + (1 - real) * kept_correct_rate(rates)) / kept)


SETTING = _Mixture()
