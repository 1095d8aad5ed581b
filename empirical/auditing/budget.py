"""What a number of generated samples is worth after the verifier, and whether to verify or to generate more (ours)."""

from typing import NamedTuple

import numpy as np

from empirical.auditing.binary import Audit
from empirical.auditing.rates import Estimate
from empirical.auditing.resample import Function, Numbers
from empirical.auditing.value import Answer, scaled, unverified_worth, worth_of
from theory.decimals import typed
from theory.display import record
from theory.errors import InputError


class Budget(NamedTuple):
    """Of ``generated`` samples: how many are kept, and what they are worth in clean ones."""

    generated: float
    kept: Estimate
    purity: Estimate
    worth: Estimate
    """generated x W"""
    worth_unverified: Estimate
    """If all were kept."""

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)


class Cost(NamedTuple):
    """What a clean sample's worth costs with the verifier and without, in the unit in which both costs are given."""

    generate: float
    verify: float
    """Per generated sample, as all are verified."""
    verified: Estimate
    """(generate + verify)/W; infinite where what is kept is worth nothing."""
    unverified: Estimate
    """generate/W of keeping everything."""
    saved: Estimate
    """Worth per cost in the unit of ``generate``, less that without the verifier: W/(1 + verify/generate) - W_0."""
    verify_is_cheaper: Answer
    break_even: Estimate
    """Cost of verifying one sample at which both come to the same: generate (W/W_0 - 1), 0 where it is less."""

    def __repr__(self) -> str:
        """A line per field."""
        return record(self)


def budget(found: Audit, generated: float) -> Budget:
    """Raises ValueError unless ``generated`` is a number of 1 or more."""
    if not 1 <= generated < float("inf"):
        raise InputError(f"generated = {generated} must be 1 or more; it is the number of samples generated")
    return Budget(
        generated,
        scaled(found.kept_rate, generated),
        found.purity,
        scaled(found.worth.verified, generated),
        scaled(found.worth.unverified, generated),
    )


def cost(found: Audit, generate: float, verify: float) -> Cost:
    """Verify, or generate more? By the cost of one clean sample's worth, at the best penalty.

    Args:
        found: the audit. generate: cost of one sample, above 0. verify: cost of verifying one, 0 or more.

    Raises:
        ValueError: a cost outside its range.
    """
    check_costs(generate, verify)
    classes = found.n_classes or 2
    verified, unverified = worth_of(classes), unverified_worth(classes)

    def saved(*rates: Numbers) -> Numbers:
        return verified(*rates) / (1 + verify / generate) - unverified(*rates)

    def break_even(*rates: Numbers) -> Numbers:
        worth, before = verified(*rates), unverified(*rates)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where((worth == 0) & (before == 0), 0.0, worth / before)
        return generate * np.maximum(ratio - 1, 0.0)

    gain = _estimate(found, saved)
    sure: Answer = "yes" if gain.low > 0 else "no" if gain.high < 0 else "undecided"
    return Cost(
        generate,
        verify,
        _price(found.worth.verified, generate + verify),
        _price(found.worth.unverified, generate),
        gain,
        sure,
        _estimate(found, break_even),
    )


def check_costs(generate: float | None, verify: float | None) -> None:
    """Raise ValueError unless both are given, or neither, and both are in their ranges."""
    if (generate is None) != (verify is None):
        raise InputError("--cost-generate and --cost-verify go together, per sample, in any one unit")
    if generate is not None and not 0 < generate < float("inf"):
        raise InputError(f"cost of generating = {typed(generate)} must be above 0, in any unit")
    if verify is not None and not 0 <= verify < float("inf"):
        raise InputError(f"cost of verifying = {typed(verify)} must be 0 or more, in the unit of that of generating")


def _estimate(found: Audit, function: Function) -> Estimate:
    value = float(function(*found.resampled.observed_rates()))
    return Estimate(value, *found.resampled.interval(function, found.level))


def _price(worth: Estimate, cost: float) -> Estimate:
    """cost/worth, infinite where worth is 0 and NaN where it is NaN; the ends change places."""
    price = lambda share: cost / share if share != 0 else float("inf")
    return Estimate(price(worth.value), price(worth.high), price(worth.low))
