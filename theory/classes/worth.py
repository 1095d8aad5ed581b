"""What m kept samples are worth where classes are alike: the averaging classifier, and the bound it sets (THEORY §12).

Symmetric means, equal priors, errors spread evenly. Ours: for p < p*_K, any convex loss that treats classes alike and
any lambda, trained accuracy is at most A_K(t) with t of `averaging_lead`, reached as lambda -> inf; beyond p*_K the
same t bounds from below. t depends on delta lead^2 alone, so at the best penalty, which is the strongest, m kept
samples of purity pi are worth exactly m lead^2 clean ones (`theory.worth`).
"""

from typing import Any

from theory.arrays import of, quiet
from theory.classes.accuracy import symmetric_accuracy
from theory.classes.threshold import check_classes
from theory.types import Scalar


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
