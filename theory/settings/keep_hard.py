"""As linear, and only what the verifier is not sure of is kept: y' = sign(g.x), kept iff 0 < y' v.x <= margin.

What is kept is what the verifier confirms less what it confirms beyond the margin: a difference of two laws, in which
digits are lost as the margin goes to 0; hence the least margin of the vocabulary.
"""

from typing import Any

from theory.arrays import of
from theory.laws import Mixture
from theory.settings.keep_easy import Margin, beyond, rates_beyond
from theory.types import Rates, Scalar

NONE = 1e-14
"""Share of what is confirmed below which what lies beyond the margin counts as nothing."""


class _KeepHard(Margin):
    name = "keep-hard"

    def law(self, signal: Scalar, curation: Any) -> tuple[Any, Scalar]:
        """Z_0/(Z_0 - Z_t) of the wedge without margin, and minus the rest of that with margin t."""
        confirmed, sure = beyond(signal, curation, 0.0), beyond(signal, curation, curation.margin)
        whole, beyond_it = confirmed.kept_rate(), sure.kept_rate()
        xp, none = of(whole), beyond_it < NONE * whole  # then any wedge will do, as long as it is one
        sure = sure._replace(margin=xp.where(none, 0.0, sure.margin))
        kept = whole - xp.where(none, 0.0, beyond_it)
        return Mixture(confirmed, sure, xp.where(none, 1.0, whole / kept)), kept

    def rates(self, signal: Scalar, curation: Any) -> Rates:
        confirmed, sure = (rates_beyond(signal, curation, margin) for margin in (0.0, curation.margin))
        xp = of(*confirmed)
        less = lambda whole, part: xp.maximum(whole - part, 0.0)
        return Rates(confirmed.p, less(confirmed.phi, sure.phi), less(confirmed.psi, sure.psi))


SETTING = _KeepHard()
