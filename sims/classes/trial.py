"""A trial with K classes: verified labels, a linear classifier argmax_k w_k.x + b_k, its accuracy.

The four steps of `sims.trial` for `ClassesProblem`. Classes are 0..K-1, and K = ``classes`` is static.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from sims.classes.fit import Fit, check_loss, fit
from sims.classes.orthants import SHIFTS, class_accuracies
from sims.losses import Loss
from sims.trial import trial_key
from theory import certified
from theory.errors import InputError
from theory.types import ClassesProblem, Rates


class Sample(NamedTuple):
    """n labelled points; classes are 0..K-1."""

    x: Float[Array, "n d"]
    """Features, mu_y + z with z ~ N(0, I_d)."""
    y: Int[Array, " n"]
    """True class, used by the verifier and by the counts, never by a fit."""
    label: Int[Array, " n"]
    """y', the label that the generator gives."""


class Counts(NamedTuple):
    """How many of the n samples."""

    m: Int[Array, ""]
    """Kept."""
    wrong: Int[Array, ""]
    """With y' != y."""
    kept_wrong: Int[Array, ""]
    """With y' != y, of the m kept."""


class Measurement(NamedTuple):
    """One trial: what was kept and the classifier trained on it. Accuracies of a failed trial are NaN."""

    m: Int[Array, ""]
    """Samples kept."""
    wrong: Int[Array, ""]
    """Samples with y' != y, of all n."""
    kept_wrong: Int[Array, ""]
    """Samples with y' != y, of the m kept."""
    accuracy: Float[Array, ""]
    """P(argmax_k w_k.x + b_k = y) on a fresh x."""
    accuracy_error: Float[Array, ""]
    """Standard error of ``accuracy`` as a measurement of the weights (`class_accuracies`); 0 at K = 2."""
    class_accuracy: Float[Array, " K"]
    """P(argmax_k w_k.x + b_k = y | y), class by class."""
    gradient_norm: Float[Array, ""]
    steps: Int[Array, ""]
    converged: Bool[Array, ""]
    """The fit converged and no two classes tie."""


def check(n: int, d: int, classes: int, loss: str) -> None:
    """Raise ValueError unless n >= 1, K >= 2, d >= K (for K orthogonal means) and the loss is known."""
    if n < 1:
        raise InputError(f"n = {n} is outside [1, inf); n counts the samples generated")
    if classes < 2:
        raise InputError(f"classes = {classes} is outside [2, inf); K counts the classes, two are the least")
    if d < classes:
        raise InputError(f"d = {d} is outside [{classes}, inf); {classes} orthogonal means need d >= classes")
    check_loss(loss)


def means(problem: ClassesProblem, classes: int, d: int) -> Float[Array, "K d"]:
    """mu_k = r e_k, or r times the rows of the root of the Gram matrix, whose K then counts.

    The choice of axes is no loss: the law of everything measured is rotation invariant.
    """
    if problem.gram is None:
        return jnp.asarray(problem.signal, float) * jnp.eye(classes, d)
    values, vectors = jnp.linalg.eigh(jnp.asarray(problem.gram, float))
    root = (vectors * jnp.sqrt(jnp.maximum(values, 0))[None]) @ vectors.T
    return jnp.asarray(problem.signal, float) * jnp.pad(root, ((0, 0), (0, d - len(root))))


def draw(key: Key[Array, ""], problem: ClassesProblem, n: int, d: int, classes: int | Array) -> Sample:
    """n points x = mu_y + z, y by the prior, labelled by the generator. ``classes`` need not be static.

    `Rates`: y' = y with probability 1 - p, else uniform over the K - 1 others. `Confusion`: y' ~ C_y.
    Source: THEORY §10.
    """
    k_noise, k_labels = jax.random.split(key)
    u_class, u = jax.random.uniform(k_labels, (2, n))
    y = jnp.minimum(u_class * classes, classes - 1).astype(int)
    if problem.prior is not None:
        y = jnp.sum(u_class[:, None] >= jnp.cumsum(jnp.asarray(problem.prior, float))[None, :-1], axis=1)
    x = means(problem, d, d)[y] + jax.random.normal(k_noise, (n, d))
    if isinstance(problem.curation, Rates):
        wrong = u < problem.curation.p
        share = u / jnp.where(wrong, problem.curation.p, 1.0)  # uniform on [0, 1) given that the label is wrong
        other = 1 + jnp.minimum(share * (classes - 1), classes - 2).astype(int)
        return Sample(x, y, jnp.where(wrong, (y + other) % classes, y))
    below = jnp.cumsum(jnp.asarray(problem.curation.label, float), axis=1)[:, :-1]
    return Sample(x, y, jnp.sum(u[:, None] >= below[y], axis=1))


def verify(key: Key[Array, ""], problem: ClassesProblem, sample: Sample) -> Bool[Array, " n"]:
    """Mask of the kept samples.

    `Rates`: kept with probability phi where y' = y and psi elsewhere. `Confusion`: with probability Q_{y y'}.
    """
    if isinstance(problem.curation, Rates):
        keep = jnp.where(sample.label == sample.y, problem.curation.phi, problem.curation.psi)
    else:
        keep = jnp.asarray(problem.curation.keep, float)[sample.y, sample.label]
    return jax.random.uniform(key, sample.y.shape) < keep


def count(sample: Sample, kept: Bool[Array, " n"]) -> Counts:
    """What was kept, and how much of it is wrong."""
    wrong = sample.label != sample.y
    return Counts(jnp.sum(kept), jnp.sum(wrong), jnp.sum(wrong & kept))


def measure(
    counts: Counts, fitted: Fit, mu: Float[Array, "K d"], prior: Float[Array, " K"] | None = None
) -> Measurement:
    """The counts, and accuracies of the fitted classifier with the error of their measurement; prior: equal if none."""
    estimates = class_accuracies(fitted.weights, mu, fitted.shift)
    by_shift = jnp.mean(estimates, axis=0) if prior is None else jnp.asarray(prior, float) @ estimates
    shares = ((jnp.max(estimates), 0.0, 1.0), (jnp.min(estimates), 0.0, 1.0))
    bound = certified.PROMISED["simulation"]
    row = certified.Row(counts.m, fitted.gradient_norm, bound, (jnp.sum(by_shift),), (), shares)
    converged = fitted.converged & (certified.refused(row) == 0)
    numbers = (jnp.mean(by_shift), jnp.std(by_shift, ddof=1) / np.sqrt(SHIFTS), jnp.mean(estimates, axis=1))
    accuracy, error, by_class = (jnp.where(converged, value, jnp.nan) for value in numbers)
    return Measurement(
        **counts._asdict(),
        accuracy=accuracy,
        accuracy_error=error,
        class_accuracy=by_class,
        gradient_norm=fitted.gradient_norm,
        steps=fitted.steps,
        converged=converged,
    )


def trial(
    key: Key[Array, ""],
    problem: ClassesProblem,
    *,
    n: int,
    d: int,
    classes: int,
    loss: Loss,
    intercept: bool = False,
) -> Measurement:
    """Train one classifier of K classes on verified synthetic data and measure it.

    Args:
        key: the only source of randomness.
        problem: without batch axes.
        n: samples generated. d: dimension. classes: K. loss: "squared" or "logistic". intercept: whether one is fitted.
            These five are static.

    Raises:
        ValueError: n, d, classes or loss out of range (`check`).
    """
    check(n, d, classes, loss)
    k_draw, k_verify = jax.random.split(key)
    sample = draw(k_draw, problem, n, d, classes)
    kept = verify(k_verify, problem, sample)
    fitted = fit(loss, sample.x, sample.label, kept, jnp.asarray(problem.ridge, float), classes, intercept)
    return measure(count(sample, kept), fitted, means(problem, classes, d), problem.prior)


@cache
def make_trials(
    n: int, d: int, classes: int, loss: Loss, intercept: bool = False
) -> Callable[[int | Array, Array, ClassesProblem], Measurement]:
    """Compiled batch of trials for one static shape: (root_seed, words (b, 3), problem (b,)) -> (b,) rows.

    Everything but these arguments and the batch width is traced. Keys as `sims.trial.trial_key`. Three programs:
    drawing, which takes longest to compile, serves all K and losses, and measuring serves all n and losses. Raises
    ValueError as `check`, before anything is traced.
    """
    check(n, d, classes, loss)
    drawn, fitted, measured = _drawing(n, d), _fitting(classes, loss, intercept), _measuring(classes, d)

    def run(root_seed: int | Array, words: Array, problem: ClassesProblem) -> Measurement:
        x, label, kept, counts = drawn(root_seed, words, problem, classes)
        return measured(counts, fitted(x, label, kept, problem.ridge), problem)

    return run


@cache
def _drawing(n: int, d: int) -> Callable[..., tuple[Array, Array, Array, Counts]]:
    """Steps 1 and 2 for any K: x, label, kept, and what they count."""

    def one(root_seed: Array, words: Array, problem: ClassesProblem, classes: Array) -> Any:
        k_draw, k_verify = jax.random.split(trial_key(root_seed, words))
        sample = draw(k_draw, problem, n, d, classes)
        kept = verify(k_verify, problem, sample)
        return sample.x, sample.label, kept, count(sample, kept)

    return jax.jit(jax.vmap(one, in_axes=(None, 0, 0, None)))


@cache
def _fitting(classes: int, loss: Loss, intercept: bool) -> Callable[..., Fit]:
    """Step 3."""
    one = lambda x, label, kept, ridge: fit(loss, x, label, kept, jnp.asarray(ridge, float), classes, intercept)
    return jax.jit(jax.vmap(one))


@cache
def _measuring(classes: int, d: int) -> Callable[..., Measurement]:
    """Step 4 for any n and loss."""
    one = lambda counts, fitted, problem: measure(counts, fitted, means(problem, classes, d), problem.prior)
    return jax.jit(jax.vmap(one))
