"""The parameter objects of the toolkit, shared by prediction and simulation.

All are NamedTuples, hence JAX pytrees: ``jax.vmap`` over a field is a sweep. ``sims`` imports
this module and nothing else of ``theory``, so that the two roads to a number share no formula.
Symbols follow THEORY §1 (table in ``theory/README.md``).
"""

from typing import NamedTuple, TypeAlias

from jaxtyping import Array, Bool, Float

from theory.display import record

Scalar: TypeAlias = float | Float[Array, "..."]
"""A number in float64, or an array of them where a function broadcasts."""


class Rates(NamedTuple):
    """Error rate of the generator and the two rates of the verifier, independent setting.

    Given the true label y, the pair (y', q) of synthetic label and verdict is independent of the
    noise in x. All three are probabilities in [0, 1]; the verifier keeps something: phi + psi > 0.
    """

    p: Scalar
    """P(y' != y): the generator's **error rate**; its accuracy is 1 - p."""
    phi: Scalar
    """P(kept | y' correct): the verifier's true-positive rate."""
    psi: Scalar
    """P(kept | y' wrong): the verifier's false-positive rate."""


class ClassRates(NamedTuple):
    """`Rates` that depend on the true class; last axis is the class, (y = -1, y = +1)."""

    p: Float[Array, "... 2"]
    """p_k = P(y' != y | y = k)."""
    phi: Float[Array, "... 2"]
    """phi_k = P(kept | y' = k, y = k)."""
    psi: Float[Array, "... 2"]
    """psi_k = P(kept | y' != k, y = k)."""
    prior: Float[Array, "... 2"]
    """rho_k = P(y = k); sums to 1."""


class Cosines(NamedTuple):
    """Linear setting: y' = sign(g.x), kept iff sign(v.x) = y', unit vectors g and v.

    The three cosines fix the geometry of (mu, g, v) up to rotation; their Gram matrix must be
    positive semidefinite.
    """

    cos_generator: Scalar
    """cos(g, mu), in [-1, 1]."""
    cos_verifier: Scalar
    """cos(v, mu), in [-1, 1]."""
    cos_between: Scalar
    """cos(g, v), in [-1, 1]."""


class Problem(NamedTuple):
    """What is learned from what: population, curation and penalty.

    Sample size is not part of it: theory takes the ratio ``alpha`` = n/d beside a `Problem`,
    simulation takes the sizes (n, d).
    """

    signal: Scalar
    """r = ||mu||, in (0, inf), with x = y mu + z and z ~ N(0, I_d)."""
    curation: Rates | ClassRates | Cosines
    """How synthetic labels arise and which are kept."""
    ridge: Scalar
    """lambda in (1/m) sum_kept l(y' x.w) + (lambda/2)||w||^2: relative to the m **kept** samples."""


class Solution(NamedTuple):
    """The trained classifier in the limit d -> inf at fixed n/d, and whether it was found.

    Where ``converged`` is False every other number except ``residual`` is NaN.
    """

    overlap: Scalar
    """a = w.mu/||mu||, the component of w along the class mean."""
    bulk_norm: Scalar
    """tau = ||w - P_S w||, the norm of w outside the low-dimensional subspace S."""
    norm: Scalar
    """||w||."""
    accuracy: Scalar
    """P(sign(w.x) = y) = Phi(r a / ||w||) on a fresh x."""
    converged: Bool[Array, "..."] | bool
    """True where the equations were solved to the stated tolerance."""
    residual: Scalar
    """Largest residual of the fixed-point equations at the solution, relative to their terms."""

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)


class Confusion(NamedTuple):
    """What generator and verifier do to each of K >= 2 equally likely classes; last axes (true y, label y').

    Given y, the pair (y', q) of synthetic label and verdict is independent of the noise in x.
    """

    label: Float[Array, "... K K"]
    """C_kl = P(y' = l | y = k): rows sum to 1."""
    keep: Float[Array, "... K K"]
    """Q_kl = P(kept | y' = l, y = k)."""


class ClassesProblem(NamedTuple):
    """`Problem` for K >= 2 classes whose means are orthogonal and of one norm; classes equally likely.

    With `Rates` wrong labels are spread evenly over the K - 1 others. The sample sizes and K are not part of it.
    """

    signal: Scalar
    """r = ||mu_k||, in (0, inf), with x = mu_y + z and z ~ N(0, I_d), mu_k.mu_l = 0 for k != l."""
    curation: Rates | Confusion
    """How synthetic labels arise and which are kept."""
    ridge: Scalar
    """lambda in (1/m) sum_kept l(y', W x) + (lambda/2)||W||^2: relative to the m **kept** samples."""
