"""As linear, and only what the verifier is not sure of is kept: y' = sign(g.x), kept iff 0 < y' v.x <= margin.

What is kept is what the verifier confirms less what it confirms beyond the margin: a difference of two laws.
"""

from typing import Any

from theory.laws import Mixture
from theory.settings.keep_easy import KeepEasy, beyond, rates_beyond
from theory.types import Rates, Scalar


class _KeepHard(KeepEasy):
    name = "keep-hard"

    def law(self, signal: Scalar, curation: Any) -> tuple[Any, Scalar]:
        """Z_0/(Z_0 - Z_t) of the wedge without margin, and minus the rest of that with margin t."""
        confirmed, sure = beyond(signal, curation, 0 * curation.margin), beyond(signal, curation, curation.margin)
        whole = confirmed.kept_rate()
        kept = whole - sure.kept_rate()
        return Mixture(confirmed, sure, whole / kept), kept

    def rates(self, signal: Scalar, curation: Any) -> Rates:
        confirmed, sure = (rates_beyond(signal, curation, margin) for margin in (0.0, curation.margin))
        return Rates(confirmed.p, confirmed.phi - sure.phi, confirmed.psi - sure.psi)


SETTING = _KeepHard()
