"""What a trial can be made with, by name. Kept apart so that reading a sweep file needs no JAX."""

from typing import TypeAlias

from theory import columns

Loss: TypeAlias = str
"""A key of `theory.columns.LOSSES`, which has the formulas."""

LOSSES: tuple[Loss, ...] = tuple(name for name, loss in columns.LOSSES.items() if loss.simulated)
"""Losses that trials can be made with."""

PREDICTED: tuple[Loss, ...] = tuple(columns.LOSSES)
"""Losses for which there is an exact theory, for sweeps with ``method = "theory"``."""

STREAM = "box-muller"
"""Name of the map from keys to the normal numbers of the data (`sims.normal`), in cell ids and in the column `draws` of
rows. Another map is another name, lest a folder be continued with other numbers. Those of earlier versions were
"float64" and "float32", the quantile function in either precision."""

METHODS = (columns.SIMULATION, columns.EXACT_LAW, columns.THEORY)
"""simulation: draw the data and fit. exact-law: draw from the law of the same rows, without the data (squared loss).
theory: the limit d -> inf, one row per cell."""
