"""What contrasts say to published statements."""

import numpy as np
import pytest

from empirical.summarization.arms import Arms, Contrast, mean_of, one
from empirical.summarization.findings import MARGIN, Claim, claims, contrasts, reading, verdicts
from empirical.summarization.verifiers import grouped
from tests.empirical.summarization.helpers import arms_of


def contrast_of(low, high, verdict):
    middle, reach = (low + high) / 2, (high - low) / 2
    return Contrast(middle, low, high, 0, 0, False, verdict, middle - 0.8 * reach, middle + 0.8 * reach)


@pytest.mark.parametrize(
    ("low", "high", "verdict", "above", "below", "no_better"),
    [
        (1.0, 3.0, "better", "seen", "opposite", "opposite"),
        (-3.0, -1.0, "worse", "opposite", "seen", "seen"),
        (-3.0, 3.0, "undecided", "undecided", "undecided", "undecided"),
        (-3.0, MARGIN / 2, "undecided", "not seen", "undecided", "seen"),
        (-MARGIN / 2, 3.0, "undecided", "undecided", "not seen", "undecided"),
        (0.1, MARGIN / 2, "better", "seen", "opposite", "seen"),
        (-1.1 * MARGIN, 1.1 * MARGIN, "undecided", "equivalent", "equivalent", "undecided"),
        (-1.3 * MARGIN, 1.3 * MARGIN, "undecided", "undecided", "undecided", "undecided"),
        (-MARGIN / 2, MARGIN / 2, "undecided", "equivalent", "equivalent", "seen"),
        (np.nan, np.nan, "failed", "failed", "failed", "failed"),
    ],
)
def test_readings(low, high, verdict, above, below, no_better):
    found = contrast_of(low, high, verdict)
    assert [reading(found, wanted) for wanted in ("above", "below", "no better")] == [above, below, no_better]


def test_a_single_rate_that_says_the_opposite_is_heard():
    means = np.array([[0.0, 1.0, 2.0], [9.0, 10.0, 11.0], [-3.0, -2.0, -1.1]])
    pairs = tuple((rate, one(name), one("a")) for rate, name in ((0.1, "b"), (0.2, "c")))
    lines = contrasts(arms_of(means), [Claim("self", "claim", "self", "generator", "above", pairs)])
    assert list(lines["reading"]) == ["seen", "opposite", "seen"]
    assert verdicts(lines).set_index("finding").loc["self", "verdict"] == "seen in part"


@pytest.mark.parametrize(
    ("itself", "verdict"),
    [
        ([2.0, 2.1, 2.2], "seen"),
        ([-2.0, -2.1, -2.2], "premise not met"),
        ([0.0, 0.1, -0.1], "premise not met"),
        ([0.0, 0.3, -0.3], "premise not met"),
        ([9.0, -9.0, 3.0], "undecided"),
    ],
)
def test_finding_4_needs_a_stronger_model(itself, verdict):
    groups = {"random": ("random",), "stronger": ("stronger",)}
    names = ("generator", "verifier-stronger", "retrain-random-0.5", "retrain-stronger-0.5")
    means = np.array([[0.0, 0.0, 0.0], itself, [1.0, 1.1, 1.2], [-3.0, -3.1, -3.2]]) + [10, 11, 12]
    arms = Arms(names, means, means.mean(1, keepdims=True) + np.zeros(11))
    line = verdicts(contrasts(arms, claims(names, groups, [0.5]))).set_index("number").loc["4"]
    assert line["verdict"] == verdict
    assert line["side"] == ("verifier-stronger" if verdict == "premise not met" else "stronger")


def test_claims_follow_what_was_run():
    groups = grouped(("random1", "random2", "random3", "self", "stronger", "oracle"))
    assert groups["random"] == ("random1", "random2", "random3")
    found = claims(("generator", "full-epoch", "verifier-stronger"), groups, (0.125, 0.25, 0.5))
    full = next(claim for claim in found if claim.other == "full-epoch")
    assert (full.role, full.pairs[0][0], len(full.pairs)) == ("claim", 0.125, 1)
    both = {claim.other: claim.role for claim in claims(("full", "full-epoch"), groups, (0.125, 0.25, 0.5))}
    assert (both["full"], both["full-epoch"]) == ("claim", "claim")
    assert mean_of([one("a"), {"a": 0.5, "b": 0.5}]) == {"a": 0.75, "b": 0.25}
