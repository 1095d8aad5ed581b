"""Step 1 of a trial: points from the Gaussian mixture and labels from the generator."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtri
from jaxtyping import Array, Float, Key

from sims.losses import Draws
from theory.types import ClassRates, Cosines, Problem, Rates


class Sample(NamedTuple):
    """n labelled points. Labels are +-1 in float64."""

    x: Float[Array, "n d"]
    """Features, y mu + z with z ~ N(0, I_d)."""
    y: Float[Array, " n"]
    """True label, used by the independent verifier and by the counts, never by a fit."""
    label: Float[Array, " n"]
    """y', the label that the generator gives."""


class Directions(NamedTuple):
    """Unit vectors of the problem in the first coordinates of R^d."""

    mean: Float[Array, " d"]
    generator: Float[Array, " d"]
    verifier: Float[Array, " d"]


def by_class(rates: Rates | ClassRates) -> ClassRates:
    """`Rates` as `ClassRates` with equal classes; last axis (y = -1, y = +1)."""
    if isinstance(rates, ClassRates):
        return rates
    p, phi, psi = (jnp.broadcast_to(jnp.asarray(rate, float), (2,)) for rate in rates)
    return ClassRates(p, phi, psi, jnp.full(2, 0.5))


def of_class(per_class: Float[Array, "2"], y: Float[Array, " n"]) -> Float[Array, " n"]:
    """The entry of ``per_class`` that belongs to each label."""
    return jnp.where(y > 0, per_class[1], per_class[0])


def directions(cosines: Cosines, d: int) -> Directions:
    """Unit vectors mu/r = e_1, v in span(e_1, e_2), g in span(e_1, e_2, e_3) with the given cosines.

    d >= 3, or fewer where the missing coordinates vanish. Where v = +-mu/r the plane of v is arbitrary
    and e_2 is taken.
    """
    cg, cv, cb = (jnp.asarray(c, float) for c in cosines)
    v2 = jnp.sqrt(jnp.maximum(1 - cv**2, 0))
    degenerate = v2 < 1e-7
    g2 = jnp.where(degenerate, jnp.sqrt(jnp.maximum(1 - cg**2, 0)), (cb - cg * cv) / jnp.where(degenerate, 1, v2))
    g3 = jnp.sqrt(jnp.maximum(1 - cg**2 - g2**2, 0))

    def embed(*head: Float[Array, ""]) -> Float[Array, " d"]:
        return jnp.zeros(max(d, 3)).at[:3].set(jnp.stack(head))[:d]

    zero, one = jnp.zeros(()), jnp.ones(())
    return Directions(embed(one, zero, zero), embed(cg, g2, g3), embed(cv, v2, zero))


def normal(key: Key[Array, ""], shape: tuple[int, ...], draws: Draws) -> Float[Array, "..."]:
    """Standard normal numbers, as float64.

    float64: 52 random bits through the inverse of erf. float32: a sign and the quantile function in float32 at a
    31-bit uniform number in (0, 1/2], which keeps its relative precision in the tails, up to 6.3 sigma; half the time.
    """
    if draws == "float64":
        return jax.random.normal(key, shape)
    bits = jax.random.bits(key, shape, "uint32")
    tail = ((bits >> 1).astype(jnp.float32) + 0.5) * jnp.float32(2.0**-32)
    quantile = ndtri(tail)
    return jnp.where(bits & 1 == 1, quantile, -quantile).astype(float)


def mean(problem: Problem, d: int) -> Float[Array, " d"]:
    """mu = r e_1. The choice of axis is no loss: the law of everything measured is rotation invariant."""
    return jnp.zeros(d).at[0].set(problem.signal)


def draw(
    key: Key[Array, ""],
    problem: Problem,
    n: int,
    d: int,
    generator: Float[Array, " d"] | None = None,
    draws: Draws = "float64",
) -> Sample:
    """n points of the mixture x = y mu + z, labelled by the generator.

    Independent setting: y' = -y with probability p_y. Linear setting: y' = sign(g.x), y = +-1 equally
    likely; g is ``generator``, of any length, or by default the unit vector of the problem. ``draws`` is the resolution
    of z; what follows is float64 in any case. Source: THEORY §1-2.
    """
    k_class, k_noise, k_error = jax.random.split(key, 3)
    z = normal(k_noise, (n, d), draws)
    mu = mean(problem, d)
    if isinstance(problem.curation, Cosines):
        y = jax.random.rademacher(k_class, (n,), dtype=z.dtype)
        x = y[:, None] * mu[None, :] + z
        g = directions(problem.curation, d).generator if generator is None else generator
        label = jnp.where(x @ g >= 0, 1.0, -1.0)
        return Sample(x, y, label)
    rates = by_class(problem.curation)
    y = jnp.where(jax.random.uniform(k_class, (n,)) < rates.prior[1], 1.0, -1.0)
    x = y[:, None] * mu[None, :] + z
    wrong = jax.random.uniform(k_error, (n,)) < of_class(rates.p, y)
    return Sample(x, y, jnp.where(wrong, -y, y))
