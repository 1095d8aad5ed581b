"""Unequal classes, a fitted intercept, coloured features: simulation against theory and against the reference table."""

from pathlib import Path

import jax
import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from sims.trial import make_trials
from tests.statistical import rejects_mean
from theory.prediction import predict
from theory.small_samples import averaged
from theory.types import ClassRates, Problem, Rates, Spectrum

FALSE_FAIL = 1e-8
"""Of each comparison."""
BIAS = 0.5
"""Allowed |finite-size bias| times d, of accuracies; of scores in units of their standard deviation."""
TRIALS = 64

TABLE = pd.read_csv(Path(__file__).parents[2] / "reference" / "checks_simulation.csv", index_col="point")
QUICK = ("i1", "a2", "a7")
"""Squared and logistic loss, with and without intercept, in white noise and with spectra."""
SLOW = ("i2", "i3", "i4", "i5", "i7", "i8", "i9", "a1", "a3", "a4", "a5", "a6", "a10")
"""The rest of the table but the hinge loss, which is not simulated, and i6 (28.5 points in a cell)."""


def levels(text):
    return np.array([float(entry) for entry in str(text).split(";")])


def problem_of(line):
    """As the table was made: the counts of the four kept cells rounded to whole numbers, as if these were all.

    Returns the problem and n. Its prior is that of the kept: accuracy is weighed by the prior of the table instead.
    """
    n = line.alpha * line.d
    prior = np.array([1 - line.prior_plus, line.prior_plus])
    p, phi, psi = (np.array([line[f"{rate}_minus"], line[f"{rate}_plus"]]) for rate in ("p", "phi", "psi"))
    right, wrong = np.rint(n * prior * (1 - p) * phi), np.rint(n * prior * p * psi)
    kept = right + wrong
    rates = ClassRates(wrong / kept, np.ones(2), np.ones(2), kept / kept.sum())
    spectrum = Spectrum(levels(line.eigenvalues), levels(line.shares), levels(line.signals_sq))
    return Problem(spectrum, rates, line.ridge, bool(line.intercept)), int(kept.sum())


def trials_of(seed, problem, n, d, loss, trials=TRIALS, fixed_counts=True):
    """Measurements of independent trials, all converged."""
    run = make_trials(n, d, loss, 1, problem.intercept, fixed_counts)
    bare = problem._replace(intercept=None)
    batch = jax.tree.map(lambda leaf: np.broadcast_to(np.asarray(leaf, float), (trials, *np.shape(leaf))), bare)
    words = np.random.default_rng(seed).integers(0, 2**32, (trials, 3), dtype=np.uint32)
    found = jax.device_get(run(0, words, batch))
    assert found.converged.all()
    return found


def measured(found, prior):
    """By name of the table: mean accuracy with P(y = +1) = ``prior``, and the rest."""
    minus, plus = (ndtr((found.mean_score + side * found.offset) / found.score_sd) for side in (-1, 1))
    accuracy = {"accuracy": (1 - prior) * minus + prior * plus, "balanced": found.balanced_accuracy}
    return accuracy | {name: getattr(found, name) for name in ("mean_score", "offset", "score_sd")}


def weighed(prediction, prior):
    return (1 - prior) * prediction.accuracy_minus + prior * prediction.accuracy_plus


def unlike(problem):
    """The same with what is tested taken away: the intercept where there is one, else the spectrum."""
    if problem.intercept:
        return problem._replace(intercept=None)
    return problem._replace(signal=np.sqrt(problem.signal.signals_sq.sum()))


@pytest.mark.statistical
@pytest.mark.parametrize("point", [*QUICK, *(pytest.param(point, marks=pytest.mark.slow) for point in SLOW)])
def test_simulation_is_that_of_the_reference_table(fresh_seed, point):
    """Accuracy, balanced accuracy, t, b and sigma of 64 trials with counts fixed. False-failure rate 5e-8 a point.

    Twin: the theory without the intercept, or in white noise of the same signal, must fail.
    """
    line = TABLE.loc[point]
    problem, n = problem_of(line)
    expected = predict(problem, n / line.d, line.loss)
    assert weighed(expected, line.prior_plus) == pytest.approx(line.accuracy_theory, abs=1e-6)
    found = measured(trials_of(fresh_seed, problem, n, int(line.d), line.loss), line.prior_plus)
    for name, samples in found.items():
        unit = 1.0 if name in ("accuracy", "balanced") else line.score_sd_theory
        if name == "offset" and not line.intercept:
            assert not samples.any()
            continue
        wanted = line[f"{name}_theory"]
        assert not rejects_mean(samples, wanted, BIAS * unit / line.d, FALSE_FAIL), name
    twin = predict(unlike(problem), n / line.d, line.loss)
    gap = weighed(twin, line.prior_plus), twin.offset, twin.score_sd
    rejected = [
        rejects_mean(found["accuracy"], gap[0], BIAS / line.d, FALSE_FAIL),
        bool(line.intercept) and rejects_mean(found["offset"], gap[1], BIAS * gap[2] / line.d, FALSE_FAIL),
    ]
    assert any(rejected)


STRONG = Problem(1.5, ClassRates(*(np.array(pair) for pair in ((0.2, 0.2), (1, 1), (1, 1), (0.5, 0.5)))), 10.0, True)
"""Under a strong penalty mean scores are small, and the offset is what the counts happen to be."""


@pytest.mark.statistical
def test_random_counts_cost_accuracy_where_the_penalty_is_strong(fresh_seed):
    """n = 40, d = 30: with counts at their expectation the limit within .01, with random ones its average over counts.

    Within .02 there, which a twin without the average must miss. False-failure rate 2e-8; limit .8447, average .7016,
    measured with 2,048 trials .8400(7) and .7031(27).
    """
    limit = float(predict(STRONG, 40 / 30, "squared").accuracy)
    fixed, chance = (trials_of(fresh_seed, STRONG, 40, 30, "squared", 512, fixed).accuracy for fixed in (True, False))
    assert not rejects_mean(fixed, limit, 0.01, FALSE_FAIL)
    assert not rejects_mean(chance, averaged(STRONG, 40, 30, draws=512).accuracy, 0.02, FALSE_FAIL)
    assert rejects_mean(chance, limit, 0.02, FALSE_FAIL)


@pytest.mark.statistical
@pytest.mark.parametrize("loss", ["squared", pytest.param("logistic", marks=pytest.mark.slow)])
def test_equal_classes_need_no_intercept(fresh_seed, loss):
    """b is 0 in the mean, also with random counts; a twin whose classes differ in their rates must fail.

    False-failure rate 1e-8 a loss.
    """
    equal = Problem(1.5, Rates(0.2, 0.9, 0.3), 0.1, True)
    pair = lambda *sides: np.array(sides)
    other = equal._replace(curation=ClassRates(pair(0.1, 0.3), pair(0.9, 0.9), pair(0.3, 0.3), pair(0.5, 0.5)))
    found = [trials_of(fresh_seed, problem, 80, 20, loss, 1024, False) for problem in (equal, other)]
    assert not rejects_mean(found[0].offset, 0.0, false_fail=FALSE_FAIL)
    assert rejects_mean(found[1].offset, 0.0, false_fail=FALSE_FAIL)
