"""Real data beside synthetic: a share ``real`` of the n samples is correctly labelled and kept, the rest is as linear.

In the independent setting no such setting is needed: it is that of p' = (1 - real) p,
phi' = (real + (1 - real)(1 - p) phi)/(1 - p') and psi' = psi.
"""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from theory._check import in_range
from theory.laws import Clean, Mixture
from theory.settings.base import TrainedOn
from theory.settings.linear import Linear
from theory.threshold import kept_correct_rate, kept_rate
from theory.types import ClassRates, Cosines, Rates, Scalar


class _Mixture(Linear):
    name = "mixture"
    half_at_threshold = False

    def check(self, curation: Any) -> None:
        super().check(curation)
        in_range("real", curation.real, 0, 1, remedy="it is a share of the samples")

    def law(self, signal: Scalar, curation: Any) -> tuple[Any, Scalar]:
        """(1 - real) kappa of the generated, and real of the real, of which all are kept."""
        wedge, confirmed = super().law(signal, curation)
        generated = (1 - jnp.asarray(curation.real, float)) * confirmed
        kept = curation.real + generated
        return Mixture(wedge, Clean(wedge.signal), generated / kept), kept

    def rates(self, signal: Scalar, curation: Any) -> Rates:
        """Of the generated samples."""
        return super().rates(signal, Cosines(*curation[:3]))

    def generated(self, curation: Any) -> Scalar:
        """The rest is real."""
        return 1 - jnp.asarray(curation.real, float)

    def trained_on(self, rates: Rates | ClassRates, curation: Any) -> TrainedOn:
        """Generated and real samples together."""
        real = jnp.asarray(curation.real, float)
        kept = real + (1 - real) * kept_rate(rates)
        return TrainedOn(kept, (real + (1 - real) * kept_correct_rate(rates)) / kept)

    def threshold(self, table: Mapping[str, Any]) -> np.ndarray | None:
        """None: real data break the symmetry of generator and verifier."""
        return None


SETTING = _Mixture()
