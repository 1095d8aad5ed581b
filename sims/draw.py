"""Step 1 of a trial: points from the Gaussian mixture and labels from the generator."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from sims import settings
from sims.normal import points
from sims.population import by_class, check_population, eigenvalues, mean, sign
from sims.settings.base import Sample
from sims.spectra import apportion
from theory.errors import KindError
from theory.types import ClassRates, Problem, Rates


def draw(
    key: Key[Array, ""],
    problem: Problem,
    n: int,
    d: int,
    generator: Float[Array, " d"] | None = None,
) -> Sample:
    """n points of the mixture x = y mu + z, labelled by the generator as the problem's setting says.

    ``generator``, of any length, labels in its place: y' = sign(generator.x). Source: THEORY §1-2.

    Raises:
        KindError: a `Spectrum` or an intercept outside the independent setting.
    """
    check_population(problem)
    k_class, k_noise, k_error = jax.random.split(key, 3)
    setting = settings.of(problem.curation)
    y = setting.classes(k_class, problem, n)
    x = _points(k_noise, problem, y, d)
    label = setting.label(k_error, problem, x, y) if generator is None else sign(x @ generator)
    return Sample(x, y, label)


def draw_fixed(key: Key[Array, ""], problem: Problem, n: int, d: int) -> tuple[Sample, Bool[Array, " n"]]:
    """n points, and which are kept, with all counts at their expectation, rounded by largest remainder.

    The counts are those of true class, right or wrong label, kept or dropped; their chance is what moves a fitted
    intercept most, and is no part of the limit d -> inf. Points of one kind stand together: no fit minds the order.

    Raises:
        KindError: another setting than the independent one.
    """
    check_population(problem)
    if not isinstance(problem.curation, (Rates, ClassRates)):
        raise KindError(f"counts are fixed with Rates or ClassRates, not with {type(problem.curation).__name__}")
    p, phi, psi, prior = (jnp.asarray(values, float) for values in by_class(problem.curation))
    right, wrong = prior * (1 - p), prior * p
    shares = jnp.stack([right * phi, wrong * psi, right * (1 - phi), wrong * (1 - psi)])
    counts = apportion(shares.ravel(), n, jnp)
    kind = jnp.searchsorted(jnp.cumsum(counts), jnp.arange(n), side="right")
    y = jnp.where(kind % 2 == 1, 1.0, -1.0)
    label = jnp.where(kind // 2 % 2 == 1, -y, y)
    return Sample(_points(key, problem, y, d), y, label), kind < 4


def _points(key: Key[Array, ""], problem: Problem, y: Float[Array, " n"], d: int) -> Float[Array, "n d"]:
    """y mu + Sigma^{1/2} z."""
    diagonal = eigenvalues(problem, d)
    return points(key, y, mean(problem, d), None if diagonal is None else jnp.sqrt(diagonal))
