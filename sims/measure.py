"""Step 4 of a trial: how good the classifier is, exactly, given its weights.

A score is w.x + b = y t + b + sigma h, h ~ N(0, 1), with t = w.mu and sigma^2 = w^T Sigma w, so that points of class y
are classified rightly with probability Phi((t + y b)/sigma). Source: THEORY §3.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Bool, Float, Int

from sims.fit import Fit
from sims.settings.base import Sample
from theory import certified
from theory.display import record

SCORES = ("kept_positive", "balanced_accuracy", "mean_score", "offset", "score_sd")
"""Fields that follow from the others in white noise without an intercept."""


class Measurement(NamedTuple):
    """One trial: what was kept and the classifier trained on it. Numbers of a failed fit are NaN."""

    m: Int[Array, ""]
    """Samples kept."""
    wrong: Int[Array, ""]
    """Samples with y' != y, of all n."""
    kept_wrong: Int[Array, ""]
    """Samples with y' != y, of the m kept."""
    overlap: Float[Array, ""]
    """w.mu/||mu||."""
    norm: Float[Array, ""]
    """||w||."""
    accuracy: Float[Array, ""]
    """P(sign(w.x + b) = y) on a fresh x; without intercept in [Phi(-r), Phi(r)]."""
    gradient_norm: Float[Array, ""]
    steps: Int[Array, ""]
    converged: Bool[Array, ""]
    kept_positive: Int[Array, ""]
    """Samples with y' = +1, of the m kept."""
    balanced_accuracy: Float[Array, ""]
    """Mean of the accuracies on either class."""
    mean_score: Float[Array, ""]
    """t = w.mu."""
    offset: Float[Array, ""]
    """b, 0 where no intercept is fitted."""
    score_sd: Float[Array, ""]
    """sigma = sqrt(w^T Sigma w), the norm of w where Sigma = I."""

    def __repr__(self) -> str:
        """A line per field; the law of scores where it says something of its own: with an intercept or a spectrum."""
        try:
            plain = np.array_equal(self.score_sd, self.norm, equal_nan=True) and not np.any(np.nan_to_num(self.offset))
        except TypeError:  # a tracer
            plain = False
        return record(self, SCORES if plain else ())


def exact_accuracy(weights: Float[Array, " d"], mu: Float[Array, " d"]) -> Float[Array, ""]:
    """P(sign(w.x) = y) for x = y mu + z: Phi(w.mu / ||w||). NaN for w = 0. Source: THEORY §3."""
    return ndtr(jnp.dot(weights, mu) / jnp.linalg.norm(weights))


def class_accuracies(
    mean_score: Float[Array, ""], offset: Float[Array, ""], score_sd: Float[Array, ""]
) -> Float[Array, "2"]:
    """P(sign(w.x + b) = y) for y = -1 and y = +1: Phi((t -+ b)/sigma)."""
    return ndtr((mean_score + jnp.array([-1.0, 1.0]) * offset) / score_sd)


def measure(
    sample: Sample,
    kept: Bool[Array, " n"],
    fitted: Fit,
    mu: Float[Array, " d"],
    eigenvalues: Float[Array, " d"] | None = None,
    prior: Float[Array, "2"] | None = None,
) -> Measurement:
    """Counts of the sample, and the exact accuracy of what was fitted with its overlap, norm and law of the score.

    Args:
        sample: what was drawn. kept: what was trained on. fitted: w and, if there is one, b. mu: the class mean.
        eigenvalues: the diagonal of Sigma; None for white noise. prior: P(y = -1), P(y = +1), where b is fitted.
    """
    wrong = sample.label != sample.y
    w = fitted.weights
    direction = mu / jnp.max(jnp.abs(mu))  # first, lest the norm of a tiny mu underflow
    overlap, norm = jnp.dot(w, direction) / jnp.linalg.norm(direction), jnp.linalg.norm(w)
    score_sd = norm if eigenvalues is None else jnp.sqrt(jnp.dot(eigenvalues, w**2))
    mean_score, offset = jnp.dot(w, mu), jnp.zeros(()) if fitted.offset is None else fitted.offset
    if prior is None:
        accuracy = balanced = exact_accuracy(w, mu) if eigenvalues is None else ndtr(mean_score / score_sd)
    else:
        sides = class_accuracies(mean_score, offset, score_sd)
        accuracy, balanced = jnp.dot(prior, sides), jnp.mean(sides)
    numbers = (overlap, norm, accuracy, balanced, mean_score, offset, score_sd)
    shares, bound = ((accuracy, 0.0, 1.0), (balanced, 0.0, 1.0)), certified.PROMISED["simulation"]
    row = certified.Row(jnp.sum(kept), fitted.gradient_norm, bound, numbers, ((overlap, norm),), shares)
    converged = fitted.converged & (certified.refused(row) == 0)
    known = lambda value: jnp.where(converged, value, jnp.nan)
    return Measurement(
        m=jnp.sum(kept),
        wrong=jnp.sum(wrong),
        kept_wrong=jnp.sum(wrong & kept),
        overlap=known(overlap),
        norm=known(norm),
        accuracy=known(accuracy),
        gradient_norm=fitted.gradient_norm,
        steps=fitted.steps,
        converged=converged,
        kept_positive=jnp.sum(kept & (sample.label > 0)),
        balanced_accuracy=known(balanced),
        mean_score=known(mean_score),
        offset=known(offset),
        score_sd=known(score_sd),
    )
