"""The verdict on one number of generated samples, and where none may be given."""

from empirical.forecasting import FARTHEST

OK, EXTRAPOLATED, TOO_FAR, BELOW, WORTHLESS = (*("ok", "extrapolated", "too far", "below the pilot", "worthless"),)
"""Of n W: within the pilot's sizes; beyond the largest; more than FARTHEST times that; below the smallest; 0."""
YES, NO, UNDECIDED, NOT_GIVEN = "yes", "no", "undecided", "not given"

REASONS = {
    EXTRAPOLATED: "extrapolated: what is kept is worth more clean samples than the largest pilot size. The interval "
    "reaches from no better than there to as steep as between the last two sizes.",
    TOO_FAR: f"too far: worth more than {FARTHEST:g} times the largest pilot size. No verdict: train it on more.",
    BELOW: "below the pilot: worth fewer clean samples than the smallest pilot size. The interval reaches from the "
    "straight line to a guess up to the accuracy there; train the pilot on fewer too.",
    WORTHLESS: "worthless: wrong labels are as frequent among the kept as they may be at most (p >= p*). More samples "
    "will not help.",
}


def status(worth: float, smallest: float, largest: float) -> str:
    """Of n W against the pilot's clean sizes."""
    if not worth > 0:
        return WORTHLESS
    if worth > FARTHEST * largest:
        return TOO_FAR
    if worth > largest:
        return EXTRAPOLATED
    return BELOW if worth < smallest else OK


def verdict(low: float, high: float, state: str) -> str:
    """Whether the student beats its generator, from the interval of its gain."""
    if state == TOO_FAR:
        return NOT_GIVEN
    if low > 0:
        return YES
    return NO if high <= 0 else UNDECIDED
