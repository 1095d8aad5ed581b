"""What a sweep is said to take."""

import pytest

from sims.sweeps.grid import Chunk, Shape, Span
from sims.sweeps.outlook import Outlook
from sims.sweeps.receipt import Receipt

SHAPE = Shape("squared", 400, 100)
TRIALS = SHAPE.chunk_trials


def estimate(*records):
    """Of ten chunks more, after shards of so many trials that took so many seconds."""
    receipts = tuple(
        Receipt("chunk", "sum", 0, SHAPE, (Span("a", 0, count),), {"seconds": took}) for count, took in records
    )
    chunks = tuple(Chunk(SHAPE, (Span("b", TRIALS * i, TRIALS),)) for i in range(10))
    return Outlook({"b": None}, 10 * TRIALS, chunks, receipts, ()).estimated_seconds(1)


def test_a_short_shard_counts_compilation_and_says_nothing_of_the_rest():
    model = estimate()
    assert estimate((24, 2.0)) == model
    assert estimate((24, 24 * SHAPE.trial_seconds / 2)) == pytest.approx((model - 6.5) / 2 + 6.5)


def test_a_full_shard_says_what_a_trial_takes_here():
    each = 3 * SHAPE.trial_seconds
    assert estimate((TRIALS, TRIALS * each), (24, 2.0), (TRIALS, TRIALS * 9)) == pytest.approx(6.5 + 10 * TRIALS * each)
