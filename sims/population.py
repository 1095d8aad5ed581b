"""The population that trials draw from: the mean, the directions of a linear problem, rates by class."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from sims.spectra import apportion
from theory.errors import KindError
from theory.types import ClassRates, Cosines, Problem, Rates, Spectrum


class Directions(NamedTuple):
    """Unit vectors of the problem in the first coordinates of R^d."""

    mean: Float[Array, " d"]
    generator: Float[Array, " d"]
    verifier: Float[Array, " d"]


def mean(problem: Problem, d: int) -> Float[Array, " d"]:
    """mu = r e_1. The choice of axis is no loss: the law of everything measured is rotation invariant.

    With a `Spectrum`, mu_j on the first axis of each level.
    """
    if not isinstance(problem.signal, Spectrum):
        return jnp.zeros(d).at[0].set(problem.signal)
    spectrum = problem.signal
    counts = apportion(jnp.asarray(spectrum.shares, float), d, jnp)
    lengths = jnp.where(counts > 0, jnp.sqrt(jnp.asarray(spectrum.signals_sq, float)), 0.0)
    return jnp.zeros(d).at[jnp.cumsum(counts) - counts].add(lengths, mode="drop")


def eigenvalues(problem: Problem, d: int) -> Float[Array, " d"] | None:
    """The diagonal of Sigma, level after level (`sims.spectra.apportion`); None for white noise."""
    if not isinstance(problem.signal, Spectrum):
        return None
    counts = apportion(jnp.asarray(problem.signal.shares, float), d, jnp)
    level = jnp.searchsorted(jnp.cumsum(counts), jnp.arange(d), side="right")
    return jnp.asarray(problem.signal.eigenvalues, float)[level]


def check_population(problem: Problem) -> None:
    """Raise KindError for coloured features or an intercept in a setting that has neither, or one that is traced."""
    if problem.intercept is not None and not isinstance(problem.intercept, bool):
        raise KindError(
            "intercept is static, and cannot be traced: take it out of what is, problem._replace(intercept=None), and "
            "put it back inside"
        )
    if not isinstance(problem.curation, (Rates, ClassRates)):
        given = f"{type(problem.curation).__name__} ({problem.curation.setting} setting)"
        if isinstance(problem.signal, Spectrum):
            raise KindError(f"a Spectrum goes with Rates or ClassRates, not with {given}; give signal as one number")
        if problem.intercept:
            raise KindError(f"an intercept goes with Rates or ClassRates, not with {given}; leave intercept out")


def directions(cosines: Cosines | tuple[Any, ...], d: int) -> Directions:
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


def by_class(rates: Rates | ClassRates) -> ClassRates:
    """`Rates` as `ClassRates` with equal classes; last axis (y = -1, y = +1)."""
    if isinstance(rates, ClassRates):
        return rates
    p, phi, psi = (jnp.broadcast_to(jnp.asarray(rate, float), (2,)) for rate in rates)
    return ClassRates(p, phi, psi, jnp.full(2, 0.5))


def of_class(per_class: Float[Array, "2"], y: Float[Array, " n"]) -> Float[Array, " n"]:
    """The entry of ``per_class`` that belongs to each label."""
    return jnp.where(y > 0, per_class[1], per_class[0])


def sign(scores: Float[Array, " n"]) -> Float[Array, " n"]:
    """+1 for scores >= 0, else -1."""
    return jnp.where(scores >= 0, 1.0, -1.0)
