"""As linear, and only what the verifier is sure of is kept: y' = sign(g.x), kept iff y' v.x > margin ("keep easy")."""

from typing import Any

from theory._check import in_column
from theory.arrays import of
from theory.geometry import conditional_orthant
from theory.laws import Wedge
from theory.settings.linear import ByCosines
from theory.types import Rates, Scalar


class Margin(ByCosines):
    """The linear setting with the verifier's edge moved out by the margin."""

    name = "keep-easy"

    def check(self, curation: Any) -> None:
        """The margin is in its range."""
        super().check(curation)
        in_column("margin", curation.margin)

    def law(self, signal: Scalar, curation: Any) -> tuple[Any, Scalar]:
        """A wedge with one edge moved."""
        wedge = beyond(signal, curation, curation.margin)
        return wedge, wedge.kept_rate()

    def rates(self, signal: Scalar, curation: Any) -> Rates:
        """Those beyond the margin."""
        return rates_beyond(signal, curation, curation.margin)


def beyond(signal: Scalar, curation: Any, margin: Scalar) -> Wedge:
    """The law of what lies beyond a margin."""
    xp = of(signal, curation, margin)
    return Wedge(*(xp.asarray(field, float) for field in (signal, *curation[:3], margin)))


def rates_beyond(signal: Scalar, curation: Any, margin: Scalar) -> Rates:
    """p, and the shares of the correct and of the wrong labels that lie beyond a margin t on the verifier's side.

    p = Phi(-r cos(g,mu)),  phi = P(Y > t | X > 0),  psi = P(-Y > t | X < 0),  (X, Y) as in `theory.geometry.rates`.
    """
    fields = (signal, *curation[:3], margin)
    xp = of(*fields)
    r, g, v, rho, t = xp.broadcast_arrays(*(xp.asarray(field, float) for field in fields))
    phi, psi = conditional_orthant(r * g, r * v - t, rho), conditional_orthant(-r * g, -r * v - t, rho)
    return Rates(p=xp.ndtr(-r * g), phi=phi, psi=psi)


SETTING = Margin()
