"""What a verifier keeps."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from empirical.summarization.selection import chance, kept, ranking

SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, float("nan")]), min_size=1, max_size=60)


@given(SCORES, st.floats(0.01, 1), st.floats(0.01, 1))
def test_selections_are_nested_sized_and_the_best(values, rate, other):
    ids = [f"row-{index}" for index in range(len(values))]
    scores, low, high = np.array(values), *sorted((rate, other))
    few, many = kept(ids, scores, low), kept(ids, scores, high)
    assert not (few & ~many).any()
    there = np.isfinite(scores)
    assert many.sum() == min(int(high * len(ids) + 0.5), there.sum())
    assert not many[~there].any()
    if many.any() and (there & ~many).any():
        assert scores[many].min() >= scores[there & ~many].max()


@given(SCORES, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_even_among_equals(values, random):
    ids = [f"row-{index}" for index in range(len(values))]
    places = list(range(len(ids)))
    random.shuffle(places)
    straight = {ids[index] for index in np.flatnonzero(kept(ids, np.array(values), 0.5))}
    mixed = [ids[place] for place in places]
    chosen = kept(mixed, np.array(values)[places], 0.5)
    assert {mixed[index] for index in np.flatnonzero(chosen)} == straight


def test_ties_are_not_broken_by_place():
    """A twin that took the first of equals would keep the first half."""
    ids = [f"row-{index}" for index in range(1000)]
    flags = kept(ids, np.zeros(1000), 0.5)
    assert 200 < flags[:500].sum() < 300  # 250 +- 11.2: outside this band with probability 1e-5
    assert sorted(ranking(ids, np.zeros(1000))) == list(range(1000))


def test_chance_is_uniform_and_a_function_of_seed_and_id():
    ids = [f"row-{index}" for index in range(20_000)]
    scores = chance(ids, [1, 2])
    assert abs(scores.mean() - 0.5) < 4.9 * np.sqrt(1 / 12 / 20_000)  # fails by chance once in a million
    assert np.array_equal(chance(ids[::-1], [1, 2])[::-1], scores)
    assert abs(np.corrcoef(scores, chance(ids, [1, 3]))[0, 1]) < 4.9 / np.sqrt(20_000)
