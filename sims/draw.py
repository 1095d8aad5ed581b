"""Step 1 of a trial: points from the Gaussian mixture and labels from the generator."""

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtri
from jaxtyping import Array, Float, Key

from sims import settings
from sims.losses import Draws
from sims.population import mean, sign
from sims.settings.base import Sample
from theory.types import Problem


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


def draw(
    key: Key[Array, ""],
    problem: Problem,
    n: int,
    d: int,
    generator: Float[Array, " d"] | None = None,
    draws: Draws = "float64",
) -> Sample:
    """n points of the mixture x = y mu + z, labelled by the generator as the problem's setting says.

    ``generator``, of any length, labels in its place: y' = sign(generator.x). ``draws`` is the resolution of z; what
    follows is float64 in any case. Source: THEORY §1-2.
    """
    k_class, k_noise, k_error = jax.random.split(key, 3)
    setting = settings.of(problem.curation)
    y = setting.classes(k_class, problem, n)
    x = y[:, None] * mean(problem, d)[None, :] + normal(k_noise, (n, d), draws)
    label = setting.label(k_error, problem, x, y) if generator is None else sign(x @ generator)
    return Sample(x, y, label)
