"""Ridge regression on one-hot labels, K classes, in closed form (THEORY §12): any means, priors and table of labels."""

from typing import NamedTuple

from theory.arrays import Array, of, outer, quiet
from theory.types import Scalar


class Ridge(NamedTuple):
    """The trained classifier as far as its scores go."""

    mean_scores: Array
    """S_jk: mean score of class j at a point of class k, intercept included."""
    overlap: Array
    """O: the part of W W^T in the span of the means."""
    bulk: Array
    """T: the rest of W W^T. Scores have covariance O + T in every class."""
    eta: Scalar
    """1 + lambda (1 + theta)."""


@quiet
def solve(gram: Array, law: Array, delta: Scalar, ridge: Scalar, intercept: bool) -> Ridge:
    """d -> inf at fixed m/d. Batch axes lead; NaN where there is no finite T (delta = 1 at lambda = 0).

        eta = (1 + delta + lambda delta + root) / (2 delta),   root^2 = (1 - delta)^2 + lambda delta (2 + 2 delta + lambda delta)
        D = diag p, B = P, E = diag q;     with intercept  D - p p^T,  P - p q^T,  diag q - q q^T
        M = (eta I + G D)^-1,  N = M G,  S = B^T N,  O = B^T M G M^T B
        T = (E - 2 B^T N B + O + S D S^T) / (eta root)
        S + (q - S p) 1^T  with intercept

    No inverse of G: it may be singular. lambda = 0 is least squares, of least norm where delta < 1. Source: ours.

    Args:
        gram: G_kl = mu_k.mu_l, (..., K, K). law: P_kl = P(y = k, y' = l | kept). delta: m/d. ridge: lambda.
        intercept: whether an unpenalised intercept is fitted.
    """  # noqa: E501
    xp = of(gram, law, delta, ridge)
    true, label, same = law.sum(-1), law.sum(-2), xp.eye(law.shape[-1])
    scaled = xp.asarray(delta) * ridge
    root = xp.sqrt((1 - delta) ** 2 + scaled * (2 + 2 * delta + scaled))
    eta = (1 + delta + scaled + root) / (2 * xp.asarray(delta))
    inner, cross, total = true[..., None] * same, law, label[..., None] * same
    if intercept:
        inner, cross, total = inner - outer(true, true), law - outer(true, label), total - outer(label, label)
    resolvent = xp.linalg.inv(eta[..., None, None] * same + gram @ inner)
    scores = _t(cross) @ resolvent @ gram
    overlap = _t(cross) @ resolvent @ gram @ _t(resolvent) @ cross
    rest = total - 2 * scores @ cross + overlap + scores @ inner @ _t(scores)
    bulk = (rest + _t(rest)) / 2 / (eta * root)[..., None, None]
    if intercept:
        scores = scores + (label - (scores @ true[..., None])[..., 0])[..., None]
    return Ridge(scores, overlap, bulk, eta)


@quiet
def symmetric_lead(gap: Scalar, lead: Scalar, delta: Scalar, ridge: Scalar, classes: int) -> Scalar:
    """t of A_K(t) for symmetric means and errors spread evenly, with or without intercept; a second road to `solve`.

        1/t^2 = 1/a + [K^2 eta^2 + 2 K eta a (1-r^2) + a^2 (1-r^2) + r^2 a K] / (K r^2 a^2 eta root),   r = lead

    with the sign of the lead. ``gap``: a of G = a I + c 1 1^T. ``lead``: `theory.classes.worth.lead_of` the purity.
    """
    xp = of(gap, lead, delta, ridge)
    scaled = xp.asarray(delta) * ridge
    root = xp.sqrt((1 - delta) ** 2 + scaled * (2 + 2 * delta + scaled))
    eta = (1 + delta + scaled + root) / (2 * xp.asarray(delta))
    k, lost = classes, 1 - xp.asarray(lead) ** 2
    noise = k**2 * eta**2 + 2 * k * eta * gap * lost + gap**2 * lost + lead**2 * gap * k
    return lead / xp.sqrt(lead**2 / gap + noise / (k * gap**2 * eta * root))


def _t(matrix: Array) -> Array:
    """Transpose of the last two axes."""
    return of(matrix).swapaxes(matrix, -1, -2)
