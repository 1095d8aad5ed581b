"""From a pilot and what is known of learner and errors to the readings that a forecast is made of."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from empirical.forecasting import DRAWS, EXPONENT, INTERPOLATING, noise
from empirical.forecasting.curves import Curves
from empirical.forecasting.families import curves
from empirical.forecasting.pilot import Numbers, Pilot, Size
from empirical.forecasting.readings import Reading, Run, fitted_exponent


class Setup(NamedTuple):
    """Every reading of the pilot; intervals reach over all of them."""

    readings: list[Reading]
    families: list[Curves]
    error: Numbers
    """Standard errors of the clean means, (sizes,)."""
    fitted: bool | None
    """Whether the exponent could be read off the noisy runs; None without any."""


def setup(
    given: Pilot, classes: int, learner: str, errors: str, unverified: tuple[float, float] | None, seed: int
) -> Setup:
    """Draws of the curve, and with each an exponent and an unverified run."""
    rng = np.random.default_rng(seed)
    found = noise.noise(given.clean, given.clean)
    shared = rng.normal(size=DRAWS)
    drawn = noise.draws(_means(given.clean), found, shared, rng)
    families = curves(given.clean, drawn, found, classes)
    exponents, fitted = [], None
    if given.noisy:
        off = noise.noise(given.noisy, given.clean)
        noisy = noise.draws(_means(given.noisy), off, shared, rng)
        exponents = [fitted_exponent(family, given.noisy, noisy) for family in families]
        fitted = bool(np.isfinite(exponents[-1][-1]))
    if not fitted:
        powers = (EXPONENT, INTERPOLATING) if learner == "interpolating" else (EXPONENT,)
        exponents = [np.full(DRAWS + 1, power) for power in powers]
        laws = [Reading("law", family, power, classes) for family in families for power in exponents]
    else:
        laws = [
            Reading("law", family, power, classes)
            for family, power in zip(families, exponents, strict=True)
            if np.isfinite(power[-1])
        ]
    readings = laws
    if errors == "learned" and unverified is None:
        readings = [*laws, laws[-1]._replace(kind="copy"), *(law._replace(kind="early") for law in laws)]
    if unverified is not None:
        one = [Size(*unverified, 1.0, np.nan, min(size.tested for size in given.clean), np.nan)]
        accuracy = noise.draws(_means(one), noise.noise(one, given.clean), shared, rng)[:, 0]
        run = Run(unverified[0], accuracy)
        readings = [law._replace(kind=kind, run=run) for kind in ("still", "onward") for law in laws]
    return Setup(readings, families, found.error, fitted)


def _means(sizes: Sequence[Size]) -> Numbers:
    return np.array([size.accuracy for size in sizes])
