"""What a trial can be made with, by name. Kept apart so that reading a sweep file needs no JAX."""

from typing import Literal, get_args

Loss = Literal["squared", "logistic"]
"""squared: l(v) = (1 - v)^2 / 2. logistic: l(v) = log(1 + exp(-v)). v = y' x.w is the margin."""

LOSSES: tuple[Loss, ...] = get_args(Loss)

PREDICTED = (*LOSSES, "hinge")
"""Losses for which there is an exact theory, for sweeps with ``method = "theory"``."""

Draws = Literal["float64", "float32"]
"""Resolution of the normal random numbers that the data are made of; every computation is in float64."""

DRAWS: tuple[Draws, ...] = get_args(Draws)

FLOAT32_ERROR = 1e-5
"""What float32 draws can change in the accuracy of one trial, as result rows state it. The largest change seen is 7e-8
in 40 trials each of three hard problems, which `tests/sims/test_draw.py` repeats, and 3e-6 at ridge = 0 with as many
samples as dimensions (three)."""

Method = Literal["simulation", "exact-law", "theory"]
"""simulation: draw the data and fit. exact-law: draw from the law of the same rows, without the data (squared loss).
theory: the limit d -> inf, one row per cell."""

METHODS: tuple[Method, ...] = get_args(Method)
