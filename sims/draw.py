"""Step 1 of a trial: points from the Gaussian mixture and labels from the generator."""

import jax
from jaxtyping import Array, Float, Key

from sims import settings
from sims.normal import points
from sims.population import mean, sign
from sims.settings.base import Sample
from theory.types import Problem


def draw(
    key: Key[Array, ""],
    problem: Problem,
    n: int,
    d: int,
    generator: Float[Array, " d"] | None = None,
) -> Sample:
    """n points of the mixture x = y mu + z, labelled by the generator as the problem's setting says.

    ``generator``, of any length, labels in its place: y' = sign(generator.x). Source: THEORY §1-2.
    """
    k_class, k_noise, k_error = jax.random.split(key, 3)
    setting = settings.of(problem.curation)
    y = setting.classes(k_class, problem, n)
    x = points(k_noise, y, mean(problem, d))
    label = setting.label(k_error, problem, x, y) if generator is None else sign(x @ generator)
    return Sample(x, y, label)
