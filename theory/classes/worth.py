"""What m kept samples are worth where classes are alike: the averaging classifier, and the bound it sets (THEORY §K).

Symmetric means, equal priors, errors spread evenly. Ours: for p < p*_K, any convex loss that treats classes alike and
any lambda, trained accuracy is at most A_K(t) with t of `averaging_lead`, reached as lambda -> inf; beyond p*_K the
same t bounds from below. t depends on delta lead^2 alone, so at the best penalty, which is the strongest, m kept
samples of purity pi are worth exactly m lead^2 clean ones.
"""

from typing import Any

from theory.arrays import of, quiet
from theory.classes.accuracy import symmetric_accuracy
from theory.classes.threshold import check_classes
from theory.types import Rates, Scalar


def lead_of(purity: Scalar, classes: Any) -> Scalar:
    """rho = (K pi - 1)/(K - 1): by how much a right label leads each wrong one; above 0 iff p < p*_K."""
    check_classes(classes)
    return (classes * of(purity).asarray(purity) - 1) / (classes - 1)


@quiet
def averaging_lead(gap: Scalar, lead: Scalar, delta: Scalar, classes: Any) -> Scalar:
    """t = rho a / sqrt(rho^2 a + K/delta) of W = sum of the kept x by label: lambda -> inf of every loss."""
    xp = of(gap, lead, delta)
    return lead * gap / xp.sqrt(xp.asarray(lead) ** 2 * gap + classes / xp.asarray(delta))


def bound(gap: Scalar, purity: Scalar, delta: Scalar, classes: Any) -> Scalar:
    """The most accuracy that any convex loss reaches at any lambda where purity > 1/K; the least where it is below."""
    return symmetric_accuracy(averaging_lead(gap, lead_of(purity, classes), delta, classes), classes)


@quiet
def clean_share(rates: Rates, classes: Any) -> Scalar:
    """Clean samples that one generated sample is worth at the best penalty: D^2/kappa, kept; D/kappa is the lead.

        D = (1 - p) phi - p psi/(K - 1)

    Unverified it is (1 - p K/(K - 1))^2: at the best penalty verification helps iff D^2/kappa is more. NaN where
    nothing is kept.
    """
    check_classes(classes)
    xp = of(rates, classes)
    correct, wrong = (1 - xp.asarray(rates.p)) * rates.phi, xp.asarray(rates.p) * rates.psi
    return (correct - wrong / (classes - 1)) ** 2 / (correct + wrong)
