"""The parameter objects of the toolkit, shared by prediction and simulation.

All are NamedTuples, hence JAX pytrees: ``jax.vmap`` over a field is a sweep. ``sims`` imports this module, the
vocabulary, the errors and how results print, and nothing else of ``theory``: the two roads share no formula.
Symbols follow THEORY §1 (table in ``theory/README.md``). The parameter objects of settings that are not written out
here (``Learned``, ``KeepEasy``, ``KeepHard``, ``Mixture``) are made from the vocabulary, `theory.columns.SETTINGS`.
"""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from theory.columns import COLUMNS, SETTINGS
from theory.display import record

if TYPE_CHECKING:
    from jaxtyping import Array, Bool, Float, Int

    Scalar: TypeAlias = float | Float[Array, "..."]
else:
    Scalar = Any  # a number in float64, or an array of them where a function broadcasts; not worth an import of JAX


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

    @property
    def setting(self) -> str:
        """Where label errors come from, by name."""
        return "independent"


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

    @property
    def setting(self) -> str:
        """Where label errors come from, by name."""
        return "independent"


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

    @property
    def setting(self) -> str:
        """Where label errors come from, by name."""
        return "linear"


class Spectrum(NamedTuple):
    """Coloured features: eigenvalues of the covariance Sigma of z, in J levels, and where the class mean lies.

    Last axis is the level. A full matrix is d levels of share 1/d. [1], [1], [r^2] is white noise with signal r.
    """

    eigenvalues: Float[Array, "... J"]
    """s_j >= 0, eigenvalues of Sigma."""
    shares: Float[Array, "... J"]
    """f_j, the share of the d dimensions that has eigenvalue s_j; they sum to 1."""
    signals_sq: Float[Array, "... J"]
    """mu_j^2, squared norm of the class mean mu on that eigenspace."""


class Problem(NamedTuple):
    """What is learned from what: population, curation and penalty.

    Sample size is not part of it: theory takes the ratio ``alpha`` = n/d beside a `Problem`,
    simulation takes the sizes (n, d).
    """

    signal: Any
    """r = ||mu||, in (0, inf), with x = y mu + z and z ~ N(0, I_d); or a `Spectrum`, where z ~ N(0, Sigma)."""
    curation: Any
    """How synthetic labels arise and which are kept: `Rates`, `ClassRates`, `Cosines`, or that of another setting."""
    ridge: Scalar
    """lambda in (1/m) sum_kept l(y' (x.w + b)) + (lambda/2)||w||^2: relative to the m **kept** samples."""
    intercept: bool | None = None
    """Whether an intercept b is fitted, unpenalised; without it b = 0. Static: no array, and the same for all cells."""


STATUSES = (
    *("ok", "nothing kept", "not unique", "separable", "too near to coplanar", "not converged"),
    *("constant classifier", "one label kept"),
    *("tied", "not resolved", "too many classes", "label missing"),
    *("not finite", "out of bounds"),
)
"""Why a solution was not found, by code; 0 where it was (THEORY §4).

nothing kept: n/d times the kept rate is 0. not unique: least squares at ridge = 0 with no more kept samples than
dimensions. separable: the kept data can be separated, so that at ridge = 0 the loss has no minimum. too near to
coplanar: the trained classifier lies so near to the space of mean, generator and verifier (||a|| > 15 tau) that the
quadrature does not resolve the edges of the kept region. constant classifier: with an intercept, hinge loss ends at
w = 0, which says the same of every point. one label kept: with an intercept, all kept labels are the same, and the loss
has no minimum. Of K classes alone: tied: two classes have the same scores. not resolved: two quadrature rules differ.
too many classes: for a deterministic rule. label missing: with an intercept, no kept label is of some class, and
softmax has no minimum. not finite: a number is beyond what float64 holds, or the classifier has no length. out of
bounds: a number is finite and impossible (an overlap above the norm, an accuracy above the best), so that digits were
lost. not converged: none of these. What is ok has passed `theory.certified.refused`, in every method.
"""


class Solution(NamedTuple):
    """The trained classifier in the limit d -> inf at fixed n/d, and whether it was found.

    Where ``converged`` is False every other number except ``residual`` and ``status`` is NaN.
    """

    overlap: Scalar
    """a = w.mu/||mu||, the component of w along the class mean."""
    bulk_norm: Scalar
    """tau = ||w - P_S w||, the norm of w outside the low-dimensional subspace S."""
    norm: Scalar
    """||w||."""
    accuracy: Scalar
    """P(sign(w.x + b) = y) on a fresh x: Phi(t/sigma) where b = 0, else sum_k rho_k Phi((t + k b)/sigma)."""
    converged: Bool[Array, ...] | bool
    """True where the equations were solved to the stated tolerance."""
    residual: Scalar
    """Largest residual of the fixed-point equations at the solution, relative to their terms."""
    status: Int[Array, ...] | int
    """Why there is none: an index into `STATUSES`, 0 where ``converged``."""
    mean_score: Scalar
    """t = w.mu: a fresh sample's score is y t + b + sigma N(0, 1)."""
    offset: Scalar
    """b, the intercept; 0 without one."""
    score_sd: Scalar
    """sigma = sqrt(w^T Sigma w); ||w|| in white noise."""
    theta: Scalar
    """Of the equations: the curvature of the envelope that a fresh sample meets."""

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
    """`Problem` for K >= 2 classes: x = mu_y + z, z ~ N(0, I_d).

    With `Rates` wrong labels are spread evenly over the K - 1 others. The sample sizes and K are not part of it.
    """

    signal: Scalar
    """r in (0, inf), the norm of every class mean where ``gram`` is left out; else what multiplies them all."""
    curation: Rates | Confusion
    """How synthetic labels arise and which are kept."""
    ridge: Scalar
    """lambda in (1/m) sum_kept l(y', W x) + (lambda/2)||W||^2: relative to the m **kept** samples."""
    gram: Float[Array, "... K K"] | None = None
    """G with mu_k.mu_l = r^2 G_kl, positive semidefinite, singular or not; orthonormal, G = I, where it is left out."""
    prior: Float[Array, "... K"] | None = None
    """rho_k = P(y = k), in training and test; equal where it is left out."""


def __getattr__(name: str) -> Any:
    """The parameter object of a setting that is not written out above: a NamedTuple of the setting's columns."""
    for setting in SETTINGS.values():
        if setting.parameters == name:
            make: Any = namedtuple
            made = make(name, setting.columns, module=__name__)
            made.__doc__ = f"Setting {setting.name}: {setting.meaning}."
            made.setting = setting.name
            for field in setting.columns:
                getattr(made, field).__doc__ = COLUMNS[field].meaning
            globals()[name] = made
            return made
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
