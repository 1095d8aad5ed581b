"""The exact equations for coloured features and an intercept, independent setting (THEORY §21).

A trained score is y t + b + sigma N(0, 1) on a fresh sample. With M the Moreau envelope at theta, E over what is kept,
A, B, d1, d2 the functions of the features (`theory.spectrum`) at k = lambda/nu:

    H = -E[y y' M'],  beta^2 = E[M'^2],  nu = E[M''],  and with an intercept  E[y' M'] = 0
    t = H A/nu,   sigma^2 = H^2 B/nu^2 + beta^2 d2/(delta nu^2),   theta = d1/(delta nu)

Unknowns u = (asinh(t/sigma), [asinh(b/sigma),] log sigma, log theta), relative residuals: as `theory.equations`, in
whose place this stands for the laws `Kept` and `KeptWithIntercept`.
"""

from typing import Any, NamedTuple

from theory import status
from theory.arrays import Array, of
from theory.equations import State, pack, unpack
from theory.laws.kept import LABEL, TRUE, Kept, label_moments
from theory.laws.law import WIDTH
from theory.losses import Loss, envelope_slope
from theory.spectrum import at, largest

FAR = 1e12
"""Penalty, in units of the largest eigenvalue, at which only leading orders of the four functions are left."""
_BISECTIONS = 80
_NEWTON_STEPS = 40


class Expectations(NamedTuple):
    """Of the envelope's derivatives over what is kept; fields (...)."""

    pull: Array
    """H = -E[y y' M']."""
    push: Array
    """beta = sqrt(E[M'^2])."""
    response: Array
    """nu = E[M'']."""
    tilt: Array
    """E[y' M']."""


def expectations(law: Kept, loss: Loss, t: Array, b: Array, sigma: Array, theta: Array, nodes: int) -> Expectations:
    """By a rule of so many nodes for each kind of sample, where its score is."""
    xp = of(law, t, b, sigma, theta)
    shares, agreement, label = law.kinds()
    mean = agreement * t[..., None] + label * b[..., None]
    spread = sigma[..., None] + 0 * mean
    smooth = (theta + law.smoothing)[..., None] + 0 * mean
    rule = loss.rule(mean - WIDTH * spread, mean + WIDTH * spread, smooth, nodes)
    density = xp.pdf((rule.x - mean[..., None]) / spread[..., None]) / spread[..., None]
    weight = rule.weight * density
    slope = shares * xp.sum(weight * rule.slope, -1)
    total = lambda values: xp.sum(values, -1)
    push = xp.sqrt(total(shares * xp.sum(weight * rule.slope**2, -1)))
    response = total(shares * xp.sum(weight * rule.curvature, -1))
    return Expectations(-total(agreement * slope), push, response, total(label * slope))


def equations(u: Array, law: Kept, loss: Loss, delta: Array, ridge: Array, nodes: int) -> Array:
    """Relative residuals, shape (..., k + 2).

    (t nu/A - H)/beta,  [E[y' M']/beta,]  log(sigma_new/sigma),  log(theta delta nu/d1)
    """
    xp = of(u, law, delta, ridge)
    means, sigma, theta = unpack(u)
    t, b = means[..., 0], law.anchor + means[..., -1] if law.dimension == 2 else 0 * sigma
    found = expectations(law, loss, t, b, sigma, theta, nodes)
    nu = xp.maximum(found.response, ridge / (FAR * largest(law.features)))  # hinge may have nu = 0: then k is large
    features = at(law.features, ridge / nu)
    balance = (t * nu / features.a - found.pull) / found.push
    variance = found.pull**2 * features.b + found.push**2 * features.d2 / delta
    noise = xp.log(variance) / 2 - xp.log(nu) - u[..., -2]
    response = xp.log(delta * nu / features.d1) + u[..., -1]
    tilt = [found.tilt / found.push] if law.dimension == 2 else []
    return xp.stack([balance, *tilt, noise, response], -1)


def effective_penalty(features: Any, delta: Array, ridge: Array) -> Array:
    """kappa of squared loss, the one root of lambda/kappa + d1(kappa)/delta = 1; 0 for lambda = 0 and delta > d1(0).

    kappa (1 - d1/delta) - lambda is convex: Newton from the right end of [lambda, lambda + sum f s/delta] is monotone.
    """
    xp = of(features, delta, ridge)

    def newton(kappa: Array) -> Array:
        now = at(features, kappa)
        slope = 1 - now.d2 / delta
        return xp.where(
            slope > 0, kappa - (kappa * (1 - now.d1 / delta) - ridge) / xp.where(slope > 0, slope, 1), kappa
        )

    far = FAR * largest(features) + 0 * delta
    start = ridge + 1.000001 * at(features, far).d1 * far / delta
    root = xp.settle(_NEWTON_STEPS, lambda kappa: xp.maximum(newton(kappa), ridge), start)
    return newton(xp.stop_gradient(root))  # once more, which carries the derivatives


def parabola(law: Kept, delta: Array, ridge: Array) -> tuple[Array, Array, Array, Array]:
    """Squared loss (1 - v)^2/2 in closed form: (t, b, sigma, theta), with the functions of the features at kappa.

    t = A cov/(1 + A var),   b = ybar' - ybar t,   G = cov/(1 + A var)
    sigma^2 = [G^2 B + (d2/delta)(var' - 2 t cov + t^2 var)]/(1 - d2/delta),   theta = (d1/delta) kappa/lambda
    """
    xp, y = of(law, delta, ridge), label_moments(law)
    kappa = effective_penalty(law.features, delta, ridge)
    features = at(law.features, kappa)
    scale = 1 + features.a * y.var_true
    t, gain = features.a * y.covariance / scale, y.covariance / scale
    b = y.mean_label - y.mean_true * t
    noise = features.d2 / delta
    left = y.var_label - 2 * t * y.covariance + t**2 * y.var_true
    sigma = xp.sqrt((gain**2 * features.b + noise * left) / (1 - noise))
    share = features.d1 / delta
    free = ridge == 0
    theta = xp.where(free, share / xp.where(free, 1 - share, 1.0), share * kappa / xp.where(free, 1.0, ridge))
    return t, b, sigma, theta


def parabolas(law: Kept, delta: Array, ridge: Array) -> State:
    """`parabola`, as a state; not converged where there is none."""
    xp = of(law, delta, ridge)
    t, b, sigma, theta = xp.each(parabola, law, delta, ridge)
    unique = (ridge > 0) | (delta > xp.each(at, law.features, 0 * delta).d1)
    found = unique & (delta > 0) & xp.isfinite(t) & xp.isfinite(b) & (sigma > 0) & xp.isfinite(sigma) & (theta > 0)
    share = xp.each(at, law.features, ridge * (1 + theta)).d1 / delta
    residual = abs(share * (1 + theta) / theta - 1)
    t, b, sigma, theta = (xp.where(found, value, xp.nan) for value in (t, b, sigma, theta))
    means = xp.stack([t, b] if law.dimension == 2 else [t], -1)
    return State(means, sigma, theta, found, residual, xp.where(unique, status.NOT_FINITE, status.NOT_UNIQUE))


def guess(law: Kept, loss: Loss, delta: Array, ridge: Array) -> Array:
    """Solution for the parabola q (t0 - v)^2/2, of which a smoothed loss has q/(1 + q h), and less far a minimum."""
    curvature, target = loss.surrogate
    curvature, target = curvature / (1 + curvature * law.smoothing), 1 + (target - 1) / (1 + law.smoothing)
    t, b, sigma, theta = parabola(law, delta, ridge / curvature)
    return _packed(law, target * t, target * b, target * sigma, theta / curvature)


def averaging(law: Kept, loss: Loss, delta: Array, ridge: Array) -> Array:
    """lambda -> inf: every sample pulls with l'(y' b), b the best constant score; t and sigma fall like 1/lambda."""
    xp, q = of(law, delta, ridge), law.shares
    b = _constant(law, loss) if law.dimension == 2 else 0 * delta
    slope = _slope(law, loss, LABEL * b[..., None])
    pull = -xp.sum(q * TRUE * LABEL * slope, -1) / ridge
    push = xp.sqrt(xp.sum(q * slope**2, -1)) / ridge
    far = FAR * largest(law.features) + 0 * delta
    leading = at(law.features, far)
    sigma = far * xp.sqrt(pull**2 * leading.b + push**2 * leading.d2 / delta)
    return _packed(law, pull * leading.a * far, b, sigma, leading.d1 * far / (delta * ridge))


def first_ridge(law: Kept, ridge: Array) -> Array:
    """log(lambda) at which `averaging` is close enough to start a path of solutions from."""
    return of(law, ridge).log(1e3 * largest(law.features) + 10 * ridge)


def _slope(law: Kept, loss: Loss, v: Array) -> Array:
    """l'(v), or that of its envelope at h; v of shape (..., n)."""
    xp, h = of(law, v), law.smoothing[..., None] + 0 * v
    smooth = h > 0
    return xp.where(smooth, envelope_slope(loss, v, xp.where(smooth, h, 1.0)), loss.slope(v))


def _constant(law: Kept, loss: Loss) -> Array:
    """argmin_b P(y' = +) l(b) + P(y' = -) l(-b), by bisection."""
    xp = of(law.shares)
    plus, minus = law.shares[..., 0] + law.shares[..., 3], law.shares[..., 1] + law.shares[..., 2]
    slope = lambda v: _slope(law, loss, v[..., None])[..., 0]

    def halve(_: int, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = (low + high) / 2
        rising = plus * slope(middle) - minus * slope(-middle) > 0
        return xp.where(rising, low, middle), xp.where(rising, middle, high)

    low, high = xp.repeat(_BISECTIONS, halve, (-1e3 + 0 * plus, 1e3 + 0 * plus))
    return (low + high) / 2


def _packed(law: Kept, t: Array, b: Array, sigma: Array, theta: Array) -> Array:
    xp = of(law, t, sigma)
    return pack(xp.stack([t, b - law.anchor] if law.dimension == 2 else [t], -1), sigma, theta)
