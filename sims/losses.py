"""The losses that a trial can train with, by name. Kept apart so that reading a sweep file needs no JAX."""

from typing import Literal, get_args

Loss = Literal["squared", "logistic"]
"""squared: l(v) = (1 - v)^2 / 2. logistic: l(v) = log(1 + exp(-v)). v = y' x.w is the margin."""

LOSSES: tuple[Loss, ...] = get_args(Loss)

PREDICTED = (*LOSSES, "hinge")
"""Losses for which there is an exact theory, for sweeps with ``method = "theory"``."""
