"""Laws of the low-dimensional part c of a kept sample u = y'x (THEORY §3); a new curation rule is a new law.

A law is a NamedTuple of scalars of NumPy or JAX, or of their arrays of one shape: a cell per entry, on the leading axes
of all that it gives. The first axis of c is mu/||mu||. The engine sees a law through the projection x = a.c + tau h, h
standard normal: the density of x and the density-weighted mean of c given x, both in closed form.
"""

from theory.laws.half_plane import HalfPlane as HalfPlane
from theory.laws.independent import Independent as Independent
from theory.laws.law import Law as Law
from theory.laws.law import Projection as Projection
from theory.laws.law import support as support
from theory.laws.mixture import Clean as Clean
from theory.laws.mixture import Mixture as Mixture
from theory.laws.wedge import Wedge as Wedge
