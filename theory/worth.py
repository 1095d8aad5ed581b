"""What a kept sample is worth, in clean ones, and the most that any convex training makes of them (THEORY §28; ours).

In the independent setting, without intercept and with isotropic noise, the trained accuracy of every convex loss is

    accuracy = Phi(r^2 / sqrt(r^2 + 1/(delta e))),   e = H^2/beta^2 = (E[s M'])^2 / E[M'^2] <= (2 pi - 1)^2

for every ridge > 0 where p < p*, and averaging (ridge -> inf) reaches the bound. So at the best penalty m kept samples
of purity pi are worth m (2 pi - 1)^2 clean ones, whatever the loss, the signal and n/d. Proof: -M' falls with x and
E[s|x] rises with it, so H <= (2 pi - 1) E[-M'] by Chebyshev's association inequality, and (E M')^2 <= E[M'^2].
Where that is not exact: `theory.equivalents`.
"""

from typing import Any, NamedTuple

import numpy as np

from theory._check import check_rates
from theory.arrays import Array, of, quiet
from theory.classes.threshold import check_classes
from theory.errors import KindError
from theory.laws.kept import generated_shares
from theory.threshold import kept_correct_rate, kept_wrong_rate
from theory.types import ClassRates, Rates, Scalar


@quiet
def worth(rates: Rates | ClassRates, classes: Any = 2, intercept: bool = False) -> Scalar:
    """How many clean samples one generated sample is worth, at the best penalty: kappa `kept_worth`.

        W = ((1-p) phi - p psi/(K-1))^2 / ((1-p) phi + p psi)

    0 where p >= p*_K: there no convex loss does better than the coin that no samples at all give, so that no number of
    clean ones is as bad. 0 also where nothing is kept. W falls as p rises. It is convex in (phi, psi), a square over
    a line: choosing at random between two verifiers never beats the better of them. Args, Raises: as `kept_worth`.
    Source: THEORY §28; the theorem of the module's docstring.
    """
    lead, kept = _lead(rates, classes, intercept)
    xp = of(lead, kept)
    return xp.where(lead > 0, lead * lead / xp.where(kept > 0, kept, 1.0), 0.0)


@quiet
def kept_worth(rates: Rates | ClassRates, classes: Any = 2, intercept: bool = False) -> Scalar:
    """How many clean samples one kept sample is worth, at the best penalty: the square of the right label's lead.

        (pi - (1-pi)/(K-1))^2,   two classes: (2 pi - 1)^2;   0 where p >= p*_K
        with intercept: cov(y, y')^2 / var(y') = 4 (q++ q-- - q+- q-+)^2 / (q'+ q'-)

    with q_kl = P(y=k, y'=l | kept) and q'_l = P(y'=l | kept).

    Args:
        rates: two classes of means +-mu, or `Rates` for K > 2 classes of symmetric means, with equal priors and errors
            spread evenly.
        classes: K >= 2, which broadcasts with the rates.
        intercept: whether the classifier has one, which matters for `ClassRates`. Without one, purity alone counts.
            With one, what is worth so much is the direction, in clean samples of **balanced** classes; accuracy follows
            only where the intercept is set on a few trusted labels. 0 where kept labels are of one class.

    Returns:
        A value in [0, 1] of the broadcast shape; NaN where nothing is kept.

    Raises:
        ValueError: rates outside [0, 1], phi = psi = 0, K < 2. TypeError: `ClassRates` for more than two classes.
    """
    lead, kept = _lead(rates, classes, intercept)
    xp = of(lead, kept)
    share = xp.maximum(lead, 0.0) / xp.where(kept > 0, kept, xp.nan)
    return share * share


def helps(rates: Rates | ClassRates, classes: Any = 2, intercept: bool = False) -> Scalar:
    """Whether the verifier helps at finite data and the best penalty: W(p, phi, psi) > W(p, 1, 1) = (1 - pK/(K-1))^2.

    A larger p* is not enough, as what is dropped is lost. False where both are worth nothing. Args, Raises: as
    `kept_worth`. Source: THEORY §28.
    """
    found = worth(rates, classes, intercept)
    everything = of(rates).ones_like(of(rates).asarray(rates.phi, float))
    return found > worth(rates._replace(phi=everything, psi=everything), classes, intercept)


class OperatingPoint(NamedTuple):
    """The best point of a verifier's curve; -1 and NaN where every point of it is beyond its p*."""

    at: Scalar
    """Index of its threshold."""
    phi: Scalar
    psi: Scalar
    worth: Scalar


def best_point(p: Scalar, phi: Scalar, psi: Scalar, classes: Any = 2) -> OperatingPoint:
    """The point of a ROC curve, arrays phi and psi of its thresholds on the last axis, where W is largest.

    Along a curve W rises and falls again: p* is largest at the strict end, where nearly nothing is kept. No mixture of
    two thresholds does better, as W is convex in (phi, psi). Raises ValueError as `kept_worth`.
    """
    xp = of(p, phi, psi)
    p, phi, psi = xp.broadcast_arrays(*(xp.asarray(rate, float) for rate in (xp.asarray(p)[..., None], phi, psi)))
    nothing = phi + psi == 0  # the curve's strict end
    value = xp.where(nothing, 0.0, worth(Rates(p, xp.where(nothing, 1.0, phi), psi), classes))
    at = xp.argmax(value, -1)
    take = lambda values: xp.take_along_axis(values, at[..., None], -1)[..., 0]
    best, some = take(value), take(value) > 0
    reached = lambda values: xp.where(some, take(values), xp.nan)
    return OperatingPoint(xp.where(some, at, -1), reached(phi), reached(psi), best)


def _lead(rates: Rates | ClassRates, classes: Any, intercept: bool) -> tuple[Array, Array]:
    """kappa times the lead of the right label among the kept, (1-p) phi - p psi/(K-1), and kappa."""
    check_rates(rates)
    check_classes(classes)
    if isinstance(rates, ClassRates) and np.any(np.asarray(classes) != 2):
        raise KindError(f"ClassRates are of two classes, not of classes = {classes}; give Rates")
    if isinstance(rates, ClassRates) and intercept:
        return _direction(rates)
    correct, wrong = kept_correct_rate(rates), kept_wrong_rate(rates)
    return correct - wrong / (of(classes).asarray(classes, float) - 1), correct + wrong


def _direction(rates: ClassRates) -> tuple[Array, Array]:
    """kappa cov/sqrt(var'), which is 0 where kept labels are of one class, and kappa."""
    xp, four = of(*rates), generated_shares(rates)
    cross = four[..., 0] * four[..., 1] - four[..., 2] * four[..., 3]
    product = (four[..., 0] + four[..., 3]) * (four[..., 1] + four[..., 2])  # by y'
    some = product > 0
    lead = xp.where(some, 2 * cross / xp.sqrt(xp.where(some, product, 1.0)), 0.0)
    return lead, xp.sum(four, -1)
