"""Step 4 of a trial: how good the classifier is, exactly, given its weights."""

from typing import NamedTuple

import jax.numpy as jnp
from jax.scipy.special import ndtr
from jaxtyping import Array, Bool, Float, Int

from sims.fit import Fit
from sims.settings.base import Sample
from theory.display import record


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
    """P(sign(w.x) = y) on a fresh x, in [Phi(-r), Phi(r)]."""
    gradient_norm: Float[Array, ""]
    steps: Int[Array, ""]
    converged: Bool[Array, ""]

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)


def exact_accuracy(weights: Float[Array, " d"], mu: Float[Array, " d"]) -> Float[Array, ""]:
    """P(sign(w.x) = y) for x = y mu + z: Phi(w.mu / ||w||). NaN for w = 0. Source: THEORY §3."""
    return ndtr(jnp.dot(weights, mu) / jnp.linalg.norm(weights))


def measure(sample: Sample, kept: Bool[Array, " n"], fitted: Fit, mu: Float[Array, " d"]) -> Measurement:
    """Counts of the sample, and overlap, norm and exact accuracy of the fitted weights."""
    wrong = sample.label != sample.y
    w = fitted.weights
    accuracy = exact_accuracy(w, mu)
    converged = fitted.converged & jnp.isfinite(accuracy)
    direction = mu / jnp.max(jnp.abs(mu))  # first, lest the norm of a tiny mu underflow
    overlap, norm = jnp.dot(w, direction) / jnp.linalg.norm(direction), jnp.linalg.norm(w)
    overlap, norm, accuracy = (jnp.where(converged, value, jnp.nan) for value in (overlap, norm, accuracy))
    return Measurement(
        m=jnp.sum(kept),
        wrong=jnp.sum(wrong),
        kept_wrong=jnp.sum(wrong & kept),
        overlap=overlap,
        norm=norm,
        accuracy=accuracy,
        gradient_norm=fitted.gradient_norm,
        steps=fitted.steps,
        converged=converged,
    )
