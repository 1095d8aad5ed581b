"""What n generated samples are worth to a student, in clean ones, and what it makes of errors that can be learned.

    law      n W, W = kappa a^c, a = pi - (1-pi)/(K-1), c = 2: errors independent of x
    copy     n_0, as its generator, that it re-learns: accuracy 1 - p, whatever n and the verifier
    early    as the law, and at least min(RIGHT n, EARLY n_0): learned errors hurt less at first

With the clean equivalent m_u of one student of N unverified labels:

    still    m_u min(1, n/N) min(1, W/W_0): neither more samples nor the verifier add to that run
    onward   m_u max(1, n/N) max(1, W/W_0, W'/W'_0) up to RIGHT n: they add what the law says, or, in W', what it says
             with the exponent of that run, as if learned errors were harder noise that the verifier takes away

The two are one at N without a verifier.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from empirical.forecasting.curves import Curves
from empirical.forecasting.pilot import Numbers

STEEPEST = 60.0
"""c, at most."""
EARLY = 5.0
"""A student of learned errors was seen to be worth up to this many times its generator's n_0 before the law is."""
RIGHT = 1.1
"""Right labels of a generator were seen to be worth up to 1.06 clean ones: it is right where that is easy to learn."""


class Run(NamedTuple):
    """One student, trained on unverified labels."""

    n: float
    accuracy: Numbers
    """What its mean may be, (draws + 1,)."""


class Reading(NamedTuple):
    """One curve per draw, one exponent per draw, and one way to take learned errors."""

    kind: str
    """law, copy, early, still or onward."""
    curve: Curves
    exponent: Numbers
    """(draws + 1,)."""
    classes: int
    run: Run | None = None

    def student(self, n: Any, p: Numbers, phi: Numbers, psi: Numbers, which: NDArray[np.intp]) -> Numbers:
        """Accuracy of a student of what is kept of n samples."""
        return 1 - p if self.kind == "copy" else self.curve.at(self.worth(n, p, phi, psi, which), which)

    def worth(self, n: Any, p: Numbers, phi: Numbers, psi: Numbers, which: NDArray[np.intp]) -> Numbers:
        """Clean samples that n generated ones are worth."""
        by_law = n * per_sample(p, phi, psi, self.classes, self.exponent[which])
        if self.kind == "law":
            return by_law
        if self.kind in ("still", "onward"):
            return self._from_run(n, p, phi, psi, which)
        own = self.curve.reaches(1 - p, which)
        return own if self.kind == "copy" else np.maximum(by_law, np.minimum(RIGHT * n, EARLY * own))

    def of_run(self, which: NDArray[np.intp]) -> Numbers:
        """m_u, from the bottom of the curve's grid to N."""
        run: Any = self.run
        return np.clip(self.curve.reaches(run.accuracy[which], which), np.exp(self.curve.log_n[0]), run.n)

    def share_of_run(self, p: Numbers, which: NDArray[np.intp]) -> Numbers:
        """m_u/(N W_0), how much of what the law promises that run was worth."""
        run: Any = self.run
        promised = run.n * lead(p, self.classes) ** self.exponent[which]
        return self.of_run(which) / np.where(promised > 0, promised, np.nan)

    def _from_run(self, n: Any, p: Numbers, phi: Numbers, psi: Numbers, which: NDArray[np.intp]) -> Numbers:
        run: Any = self.run
        seen, margin = self.of_run(which), lead(p, self.classes)
        by_law = self._gain(p, phi, psi, self.exponent[which])
        if self.kind == "still":
            return seen * np.minimum(1.0, n / run.n) * np.minimum(1.0, by_law)
        harder = self._gain(p, phi, psi, exponent(seen / run.n, margin))
        factor = np.maximum(np.maximum(by_law, harder), 1.0)
        return np.minimum(seen * np.maximum(1.0, n / run.n) * factor, RIGHT * n)

    def _gain(self, p: Numbers, phi: Numbers, psi: Numbers, c: Numbers) -> Numbers:
        """W/W_0 with an exponent c; inf where W_0 is 0 and W is not."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            found = per_sample(p, phi, psi, self.classes, c) / lead(p, self.classes) ** c
        return np.where(np.isnan(found), 1.0, found)


def per_sample(p: Numbers, phi: Numbers, psi: Numbers, classes: int, c: Numbers) -> Numbers:
    """Clean samples that a generated one is worth, kappa a^c; `theory.worth.worth` at c = 2, here without checks."""
    correct, wrong = (1 - p) * phi, p * psi
    kept, ahead = correct + wrong, correct - wrong / (classes - 1)
    return kept * (np.maximum(ahead, 0.0) / np.where(kept > 0, kept, 1.0)) ** c


def exponent(share: Numbers, margin: Numbers) -> Numbers:
    """c of share = margin^c, in [0, STEEPEST]: STEEPEST where nothing is left, 0 where nothing is lost."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(share) / np.log(margin)
    found = np.where(margin >= 1, 0.0, np.where(share <= 0, STEEPEST, np.where(margin <= 0, 0.0, found)))
    return np.clip(np.nan_to_num(found, nan=0.0, posinf=STEEPEST, neginf=0.0), 0.0, STEEPEST)


def fitted_exponent(curve: Curves, sizes: Any, accuracy: Numbers) -> Numbers:
    """c from noisy pilot runs, draw by draw: least squares of log(clean equivalent/n) on log a; (draws + 1,).

    NaN in all where the means themselves are those of no clean size; a single draw of that kind is at an end of
    [0, STEEPEST].

    Args:
        curve: of the clean runs. sizes: the noisy ones. accuracy: what their means may be, (draws + 1, sizes).
    """
    which = np.arange(len(accuracy))
    margins = np.array([lead(size.p, 1 / curve.chance) for size in sizes])
    worth = np.stack([curve.reaches(accuracy[:, place], which) for place in range(len(sizes))], -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.log(worth / np.array([size.n for size in sizes]))
        found = shares @ np.log(margins) / np.sum(np.log(margins) ** 2)
    drawn = np.clip(np.nan_to_num(found, nan=STEEPEST, posinf=STEEPEST, neginf=0.0), 0.0, STEEPEST)
    return drawn if np.isfinite(shares[-1]).all() else np.full_like(drawn, np.nan)


def lead(p: Any, classes: float) -> Any:
    """a without a verifier, 1 - p K/(K-1); 0 where that is less."""
    return np.maximum(1 - p * classes / (classes - 1), 0.0)
