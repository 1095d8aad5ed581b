"""What makes large audits quick gives what slow ways give."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import rankdata

from empirical.auditing.binary import audit, audit_counts
from empirical.auditing.design import places
from empirical.auditing.rates import Counts
from empirical.auditing.scores import exceeds


@pytest.mark.parametrize("values", [[0, 2, 2, 1], [5, 3, 5, 0], [7], [-1, 4, -1], [10**12, 3], ["b", "a", "b"]])
def test_places_are_those_of_sorting(values):
    values = np.array(values)
    np.testing.assert_array_equal(places(values), np.unique(values, return_inverse=True)[1])


def test_classes_with_equal_counts_are_audited_as_one_alone():
    rng = np.random.default_rng(3)
    correct, kept, classes = rng.random(3000) < 0.7, rng.random(3000) < 0.6, rng.integers(0, 400, 3000)
    found = audit(correct, kept, classes, n_classes=400).by_class
    assert list(found) == sorted(set(classes.tolist()))
    for name in (0, 17, 399):
        some = classes == name
        right, keeps = correct[some], kept[some]
        kinds = [right & keeps, right & ~keeps, ~right & keeps, ~right & ~keeps]
        alone = audit_counts(Counts(*(int(kind.sum()) for kind in kinds)), n_classes=400)
        for field in ("counts", "p", "phi", "psi", "purity", "p_star", "decision", "decision_classes"):
            assert repr(getattr(found[name], field)) == repr(getattr(alone, field))


@pytest.mark.parametrize(("first", "second"), [(40, 900), (900, 40), (70, 70)])
def test_share_of_pairs_in_order_is_that_of_ranks(first, second):
    rng = np.random.default_rng(first)
    one, other = rng.integers(0, 12, first).astype(float), rng.integers(2, 15, second).astype(float)
    rank = rankdata(np.concatenate([one, other]))[:first].sum() - first * (first + 1) / 2
    assert exceeds(one, other) == pytest.approx(rank / (first * second), abs=1e-14)
    assert np.isnan(exceeds(one, other[:0]))


def test_an_audit_waits_for_no_module_of_scipy_but_its_special_functions():
    code = "import sys, empirical.auditing.files, pstar.commands.audit; print('scipy.special' in sys.modules)"
    code += "\nfrom empirical import audit; audit([1, 1, 0, 1], [1, 0, 0, 1], ['a', 'a', 'b', 'c'])"
    code += "\nprint([name for name in ('scipy.stats', 'scipy.optimize') if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split("\n")[:2] == ["True", "[]"]
