"""Where a verifier is on the plane (psi, phi), with its uncertainty: a region, not two intervals (ours).

In every direction u of the plane the draws of `empirical.auditing.resample` bound u.(psi, phi) from above, one more
unit at the worst place. The region is what all these bounds allow. Each is as far out as Scheffe's is for a normal law,

    P(u.(psi, phi) <= bound) = Phi(sqrt(c)),   c the ``level`` quantile of chi^2 with 2 degrees of freedom

so that for many records it is the ellipse that covers with ``level``. At a corner, where nothing wrong is kept or
nothing dropped, the plain draws are a point; the further unit leaves what the records cannot rule out. Bounds that
hold for more than 2/3 of the draws each have a point in common, by Helly's theorem: they are never less.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from empirical.auditing.resample import Numbers, Resampled

DIRECTIONS = 48
DRAWS = 4_000
"""As many of the draws are used."""
LEAST = 0.67
SLACK = 1e-12
SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


class Region(NamedTuple):
    """Corners of a convex outline, counter-clockwise, arrays of one shape; the unit square where nothing is known."""

    psi: Numbers
    phi: Numbers


def region(found: Resampled, level: float) -> Region:
    """Where (psi, phi) is, both together, at ``level`` in (0, 1). A rate that is unknown may be anything."""
    psi, phi = (found.corners[place][:, :DRAWS] for place in (2, 1))
    share = max(float(ndtr(np.sqrt(-2 * np.log1p(-level)))), LEAST)
    place = int(np.ceil(share * psi.shape[1])) - 1
    outline = np.array(SQUARE)
    for angle in np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS):
        way = np.array([np.cos(angle), np.sin(angle)])
        along = sum(u * np.nan_to_num(rate, nan=float(u > 0)) for u, rate in zip(way, (psi, phi), strict=True))
        outline = _clipped(outline, way, float(np.partition(np.max(along, axis=0), place)[place]))
    return Region(*outline.T)


def _clipped(outline: Numbers, way: Numbers, bound: float) -> Numbers:
    """The part of a convex polygon (m, 2) where way.x <= bound."""
    over = outline @ way - bound
    following, then = np.roll(outline, -1, axis=0), np.roll(over, -1)
    corners = []
    for at, beyond, end, later in zip(outline, over, following, then, strict=True):
        if beyond <= SLACK:
            corners.append(at)
        if min(beyond, later) < -SLACK and max(beyond, later) > SLACK:
            corners.append(at + (end - at) * (beyond / (beyond - later)))
    return np.array(corners)
