"""What a trial can be made with, by name. Kept apart so that reading a sweep file needs no JAX."""

from typing import Literal, TypeAlias, get_args

from theory import columns

Loss: TypeAlias = str
"""A key of `theory.columns.LOSSES`, which has the formulas."""

LOSSES: tuple[Loss, ...] = tuple(name for name, loss in columns.LOSSES.items() if loss.simulated)
"""Losses that trials can be made with."""

PREDICTED: tuple[Loss, ...] = tuple(columns.LOSSES)
"""Losses for which there is an exact theory, for sweeps with ``method = "theory"``."""

Draws = Literal["float64", "float32"]
"""Resolution of the normal random numbers that the data are made of; every computation is in float64."""

DRAWS: tuple[Draws, ...] = get_args(Draws)

FLOAT32_ERROR = 1e-5
"""What float32 draws can change in the accuracy of one trial, as result rows state it. The largest change seen is 7e-8
in 40 trials each of three hard problems, which `tests/sims/test_draw.py` repeats, and 3e-6 at ridge = 0 with as many
samples as dimensions (three)."""

METHODS = (columns.SIMULATION, columns.EXACT_LAW, columns.THEORY)
"""simulation: draw the data and fit. exact-law: draw from the law of the same rows, without the data (squared loss).
theory: the limit d -> inf, one row per cell."""
