"""What the engine asks of a law."""

from math import inf
from typing import NamedTuple, Protocol

from theory.arrays import Array, dot, of

WIDTH = 8.5
"""Gaussian tails are cut at this many standard deviations (mass 1e-17)."""


class Projection(NamedTuple):
    """Density f of x at n nodes, and f E[c | x] = sum_j parts[j] basis[j]."""

    density: Array
    """Shape (..., n)."""
    parts: tuple[Array, ...]
    """j arrays of shape (..., n)."""
    basis: tuple[Array, ...]
    """j vectors of shape (..., k)."""


class Traits(NamedTuple):
    """What kind of a law it is."""

    nodes: int
    """Quadrature nodes that resolve the density of x."""
    resolved: float
    """Largest ||a||/tau up to which they do; where w lies nearer to the space of c, edges bend x within a node."""
    separable: bool
    """Whether one direction has all of c on one side, so that any number of kept samples can be separated."""
    vanished: float = 0.0
    """Spread of the scores below which the search ends at a classifier that is constant."""


SMOOTH = Traits(nodes=96, resolved=inf, separable=False)
"""Of one or two Gaussians: x is such a mixture, without edges, and some of it lies on either side of any plane."""

EDGED = Traits(nodes=256, resolved=15.0, separable=True)
"""Of Gaussians cut off by a linear generator, g.c > 0, which so separates its own labels."""


class Law(Protocol):
    """What the engine asks of a law."""

    @property
    def dimension(self) -> int:
        """k, the dimension of c."""
        ...

    @property
    def traits(self) -> Traits:
        """How sharply it bends, and whether it can be separated."""
        ...

    @property
    def signal(self) -> Array:
        """r = ||mu||."""
        ...

    def moments(self) -> tuple[Array, Array]:
        """b = E[c], shape (..., k), and C = E[c c^T], shape (..., k, k)."""
        ...

    def project(self, x: Array, a: Array, tau: Array) -> Projection:
        """Density of x and the mean of c given x, at nodes x of shape (..., n), a (..., k), tau (...)."""
        ...


def support(law: Law, a: Array, tau: Array) -> tuple[Array, Array]:
    """An interval outside which x = a.c + tau h has no mass: |x| <= |r a_mu| + WIDTH sqrt(||a||^2 + tau^2)."""
    reach = abs(law.signal * a[..., 0]) + WIDTH * of(a, tau).sqrt(dot(a, a) + tau**2)
    return -reach, reach
