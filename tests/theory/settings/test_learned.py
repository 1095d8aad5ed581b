"""Learned errors (THEORY §11): the reference table, limits, counting, and where it parts from independent errors."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from theory import settings
from theory.crossings import curves, purity_crossings, thresholds
from theory.laws import HalfPlane, Wedge
from theory.limits import bayes_accuracy, population_accuracy
from theory.prediction import predict
from theory.rounds import step
from theory.table import predict_table
from theory.types import Cosines, Learned, Problem, Rates

REFERENCE = Path(__file__).parents[2] / "reference" / "theory_learned_errors.csv"
LINE = {"signal": 2.0, "alpha": 4.0, "ridge": 0.1, "setting": "learned", "loss": "squared"}
LINE |= {"cos_generator": 0.3, "phi": 1.0, "psi": 0.5}


def accuracy(loss="squared", alpha=4.0, ridge=0.1, signal=1.5, **rates):
    found = predict(
        Problem(signal, Learned(**({"cos_generator": 0.4, "phi": 0.9, "psi": 0.4} | rates)), ridge), alpha, loss
    )
    assert found.converged
    return float(found.accuracy)


def test_reference_table():
    table = pd.read_csv(REFERENCE)
    given = ["loss", "signal", "cos_generator", "phi", "psi", "alpha", "ridge"]
    found = predict_table({name: table[name].to_numpy() for name in given} | {"setting": "learned"})
    for name in ("p", "p_star", "kept_rate", "accuracy"):
        np.testing.assert_allclose(found[name], table[name], atol=1e-8, rtol=0)


def test_the_note_s_example():
    assert predict_table(LINE)["accuracy"][0] == pytest.approx(0.80472, abs=5e-6)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_keeping_at_random_is_thinning(loss):
    """phi = psi = q: as everything kept of q times as many."""
    assert accuracy(loss, phi=0.25, psi=0.25, alpha=8.0) == pytest.approx(
        accuracy(loss, phi=1.0, psi=1.0, alpha=2.0), abs=1e-10
    )


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_everything_kept_is_a_verifier_that_is_the_generator(loss):
    """v = g in the linear setting confirms every label."""
    linear = predict(Problem(1.5, Cosines(0.4, 0.4, 1.0), 0.1), 4.0, loss)
    assert accuracy(loss, phi=1.0, psi=1.0) == pytest.approx(float(linear.accuracy), abs=1e-8)


def test_the_best_generator_has_the_bayes_error_rate():
    """cos(g, mu) = 1: p = Phi(-r), and the law is that of x with g = mu/r, one-dimensional beside the bulk."""
    found = predict(Problem(1.5, Learned(1.0, 0.9, 0.4), 0.1), 4.0)
    assert found.p == pytest.approx(ndtr(-1.5), abs=1e-15)
    assert found.accuracy < bayes_accuracy(1.5)
    nearly = predict(Problem(1.5, Learned(1 - 1e-12, 0.9, 0.4), 0.1), 4.0)
    assert nearly.accuracy == pytest.approx(found.accuracy, abs=1e-7)


def test_a_generator_that_knows_nothing():
    """g orthogonal to mu: p = 1/2, and what is kept is right with probability phi/(phi + psi), as independent of x."""
    found = predict(Problem(1.5, Learned(0.0, 0.9, 0.3), 0.1), 4.0)
    assert (found.p, found.purity) == pytest.approx((0.5, 0.75), abs=1e-15)


@pytest.mark.parametrize("psi", [0.0, 0.5, 1.0])
def test_infinite_data(psi):
    """The population's direction (C + lambda I)^-1 b: an oracle included, it is short of Bayes."""
    problem = Problem(1.5, Learned(0.4, 1.0, psi), 0.1)
    limit = float(population_accuracy(problem))
    gaps = [abs(float(predict(problem, alpha).accuracy) - limit) for alpha in (1e2, 1e3, 1e4, 1e5)]
    assert all(after < 0.2 * before for before, after in zip(gaps, gaps[1:], strict=False))
    assert limit < bayes_accuracy(1.5) - 1e-3


def test_without_verification_many_samples_teach_the_generator_again():
    """Everything kept: accuracy tends to the generator's, where a student of independent errors reaches Bayes."""
    generator = ndtr(1.5 * 0.4)
    student = accuracy(alpha=1e6, ridge=1e-6, phi=1.0, psi=1.0)
    independent = predict(Problem(1.5, Rates(1 - generator, 1.0, 1.0), 1e-6), 1e6).accuracy
    assert abs(student - generator) < 0.02
    assert independent == pytest.approx(bayes_accuracy(1.5), abs=1e-4)


def test_a_round_without_verification_is_one_of_linear():
    found = step(Problem(1.5, Cosines(0.4, 0.6, 0.2), 0.1), 4.0, verified=False)
    assert ndtr(1.5 * float(found.cos_generator)) == pytest.approx(accuracy(phi=1.0, psi=1.0), abs=1e-12)


def test_half_plane_is_the_limit_of_a_wedge():
    """phi = psi: moments and projection of the wedge whose verifier is the generator."""
    one = np.ones(1)
    half, wedge = HalfPlane(1.5 * one, 0.4 * one, one, one), Wedge(1.5 * one, 0.4 * one, 0.4 * one, one, 0 * one)
    for mine, other in zip(half.moments(), wedge.moments(), strict=True):
        np.testing.assert_allclose(mine, other[..., :2] if other.ndim == 2 else other[..., :2, :2], atol=1e-8)


@pytest.mark.statistical
@pytest.mark.parametrize(("phi", "psi"), [(0.9, 0.4), (1.0, 0.0), (0.3, 0.8)])
def test_rates_moments_and_kept_rate_by_counting(fresh_seed, phi, psi):
    """A million points, 9 statistics within six standard errors: a false failure in 50 million. Twin: psi + .02."""
    rng, n, along = np.random.default_rng(fresh_seed), 1_000_000, 0.4
    y = rng.choice([-1.0, 1.0], n)
    x = rng.standard_normal((n, 2))
    x[:, 0] += 1.5 * y
    label = np.where(x @ [along, np.sqrt(1 - along**2)] >= 0, 1.0, -1.0)
    kept = rng.random(n) < np.where(label == y, phi, psi)

    def far(psi):
        curation = Learned(along, phi, psi)
        setting = settings.of(curation)
        law, rate = setting.law(1.5, curation)
        kappa, purity = setting.trained_on(setting.rates(1.5, curation), curation)
        assert rate == pytest.approx(kappa, abs=1e-14)
        u = label[kept, None] * x[kept]
        mean, second = law.moments()
        counted = [(kept, kappa), (label != y, ndtr(-1.5 * along)), ((label == y)[kept], purity)]
        counted += [(u[:, i], mean[i]) for i in (0, 1)]
        counted += [(u[:, i] * u[:, j], second[i, j]) for i, j in ((0, 0), (0, 1), (1, 1))]
        return [abs(v.mean() - e) > 6 * v.std() / np.sqrt(len(v)) + 1e-12 for v, e in counted]

    assert not any(far(psi))
    assert any(far(psi + 0.02))


def test_threshold_and_crossings():
    """Half of the kept labels are correct at p*; accuracy is 1/2 elsewhere, as no symmetry says so."""
    columns = {name: np.array([value], object if isinstance(value, str) else float) for name, value in LINE.items()}
    (star,) = thresholds(columns)
    assert star == pytest.approx(2 / 3, abs=1e-15)
    assert purity_crossings(columns).x == pytest.approx([star], abs=1e-9)
    (half,) = curves(columns).crossings()["p_half"].x
    assert abs(half - star) > 0.05
    assert np.isnan(thresholds(columns | {"signal": np.array([0.2])}))  # p stays below p* at this signal


def test_refusals():
    for curation, words in ((Learned(1.2, 0.9, 0.3), "cos_generator = 1.2"), (Learned(0.2, 0.0, 0.0), "keeps nothing")):
        with pytest.raises(ValueError, match=words):
            predict(Problem(1.0, curation, 0.1), 2.0)
