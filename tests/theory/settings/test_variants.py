"""Keep-easy, keep-hard and mixture: their limits, what they add up to, and counting."""

import numpy as np
import pytest

from theory import laws, settings
from theory.columns import SETTINGS, setting_of
from theory.crossings import predicted_crossings, purity_crossings, thresholds
from theory.laws import Independent
from theory.prediction import predict
from theory.table import predict_table
from theory.types import STATUSES, Cosines, KeepEasy, KeepHard, Mixture, Problem, Rates

COSINES = (0.4, 0.6, 0.2)
SHARED = {"signal": 1.5, "alpha": 4.0, "ridge": 0.1}


def line(setting, loss="squared", **own):
    names = ("cos_generator", "cos_verifier", "cos_between")
    return SHARED | {"loss": loss, "setting": setting} | dict(zip(names, COSINES, strict=True)) | own


def accuracy(setting, loss="squared", **own):
    found = predict_table(line(setting, loss, **own))
    assert found["status"][0] == "ok"
    return found["accuracy"][0]


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_without_margin_and_without_real_data_each_is_linear(loss):
    """Keep-easy tends to linear as the margin goes to 0, keep-hard as it grows, mixture as real data vanish."""
    linear = accuracy("linear", loss)
    assert accuracy("keep-easy", loss, margin=1e-6) == pytest.approx(linear, abs=1e-6)
    assert accuracy("mixture", loss, real=0.0) == pytest.approx(linear, abs=1e-10)
    gaps = [abs(accuracy("keep-easy", loss, margin=margin) - linear) for margin in (0.2, 0.1, 0.05)]
    assert gaps == sorted(gaps, reverse=True)
    far = [abs(accuracy("keep-hard", loss, margin=margin) - linear) for margin in (3.0, 4.0, 5.0, 8.0)]
    assert far == sorted(far, reverse=True)
    assert far[-1] < 1e-10
    assert accuracy("keep-hard", loss, margin=300.0) == pytest.approx(linear, abs=1e-12)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_real_data_alone_is_clean_data(loss):
    clean = predict_table(SHARED | {"loss": loss, "p": 0.0, "phi": 1.0, "psi": 1.0})["accuracy"][0]
    assert accuracy("mixture", loss, real=1.0) == pytest.approx(clean, abs=1e-9)


def test_easy_and_hard_are_what_the_verifier_confirms():
    """Kept rates add up, and so do the correct among them."""
    linear = predict_table(line("linear"))
    parts = [predict_table(line(name, margin=0.8)) for name in ("keep-easy", "keep-hard")]
    assert sum(part["kept_rate"][0] for part in parts) == pytest.approx(linear["kept_rate"][0], abs=1e-13)
    correct = sum((part["kept_rate"] * part["purity"])[0] for part in parts)
    assert correct == pytest.approx((linear["kept_rate"] * linear["purity"])[0], abs=1e-13)


def test_a_mixture_of_independent_errors_is_independent():
    """Clean data beside independent ones are rates again (docstring of theory.settings.mixture)."""
    real, p, phi, psi = 0.3, 0.4, 0.8, 0.5
    kappa, pi = (1 - p) * phi + p * psi, (1 - p) * phi / ((1 - p) * phi + p * psi)
    error = (1 - real) * p
    same = Rates(error, (real + (1 - real) * (1 - p) * phi) / (1 - error), psi)
    kept = real + (1 - real) * kappa
    both = laws.Mixture(Independent(1.5, np.asarray(pi)), Independent(1.5, np.asarray(1.0)), (1 - real) * kappa / kept)
    law, rate = settings.of(same).law(np.asarray(1.5), same)
    assert float(rate) == pytest.approx(kept, abs=1e-14)
    for mine, theirs in zip(both.moments(), law.moments(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-13)


@pytest.mark.parametrize("real", [0.5, 1.0])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_real_data_beside_a_generator_of_which_nothing_is_kept_are_clean_data(real, loss):
    """v = -g confirms nothing."""
    found = predict(Problem(1.5, Mixture(0.4, -0.4, -1.0, real), 0.1), 4.0, loss)
    clean = predict(Problem(1.5, Rates(0.0, 1.0, 1.0), 0.1), 4.0 * real, loss)
    assert float(found.accuracy) == pytest.approx(float(clean.accuracy), abs=1e-9)
    assert (float(found.kept_rate), float(found.purity)) == pytest.approx((real, 1.0))


@pytest.mark.parametrize("curation", [KeepEasy(*COSINES, 60.0), Cosines(0.4, -0.4, -1.0)], ids=["margin", "opposite"])
def test_a_verifier_that_keeps_nothing_is_an_answer(curation):
    """Not a refusal: a cell of a sweep may be so, and its neighbours are to be had."""
    found = predict(Problem(1.5, curation, 0.1), 4.0)
    assert STATUSES[int(found.status)] == "nothing kept"
    assert np.isnan(found.accuracy)
    assert np.isnan(found.purity)


@pytest.mark.statistical
@pytest.mark.parametrize(
    "curation", [KeepEasy(*COSINES, 0.7), KeepHard(*COSINES, 0.7), Mixture(*COSINES, 0.3)], ids=lambda c: c.setting
)
def test_rates_moments_and_kept_rate_by_counting(fresh_seed, curation):
    """A million points, 17 statistics within six standard errors: a false failure in 10 million runs.

    Twin: the rates of another margin, or share of real data, are not within them.
    """
    rng = np.random.default_rng(fresh_seed)
    g, v = (np.asarray(axis) for axis in settings.named("linear").law(1.5, Cosines(*COSINES))[0].axes())
    n = 1_000_000
    y = rng.choice([-1.0, 1.0], n)
    x = rng.standard_normal((n, 3))
    x[:, 0] += 1.5 * y
    label = np.where(x @ g >= 0, 1.0, -1.0)
    confidence = label * (x @ v)
    real = np.zeros(n, bool)
    if curation.setting == "keep-easy":
        kept = confidence > curation.margin
    elif curation.setting == "keep-hard":
        kept = (confidence > 0) & (confidence <= curation.margin)
    else:
        real = np.arange(n) < round(curation.real * n)
        label = np.where(real, y, label)
        kept = real | (confidence >= 0)
    wrong = label != y
    counts = {"kappa": kept, "p": wrong[~real], "phi": kept[~real & ~wrong], "psi": kept[~real & wrong]}
    counts["purity"] = ~wrong[kept]
    assert not far(counts, curation)
    other = curation._replace(**{curation._fields[-1]: curation[-1] + 0.02})
    assert "kappa" in far(counts, other)
    mean, second = settings.of(curation).law(1.5, curation)[0].moments()
    u = label[kept, None] * x[kept]
    np.testing.assert_array_less(np.abs(u.mean(0) - mean), 6 * u.std(0) / np.sqrt(len(u)))
    products = u[:, :, None] * u[:, None, :]
    np.testing.assert_array_less(np.abs(products.mean(0) - second), 6 * products.std(0) / np.sqrt(len(u)) + 1e-12)


def far(counts, curation):
    """The rates of a setting that counted shares are more than six standard errors from."""
    setting = settings.of(curation)
    rates = setting.rates(1.5, curation)
    kept = setting.trained_on(rates, curation)
    expected = rates._asdict() | {"kappa": kept.rate, "purity": kept.purity}
    return {
        name
        for name, hits in counts.items()
        if abs(hits.mean() - float(expected[name])) > 6 * hits.std() / np.sqrt(len(hits))
    }


@pytest.mark.parametrize("setting", ["keep-easy", "keep-hard", "mixture"])
def test_threshold_along_a_curve_is_where_half_is_correct(setting):
    """Solved, as symmetry gives none."""
    own = ({"real": 0.1} if setting == "mixture" else {"margin": 0.6}) | {"cos_verifier": 0.1}
    columns = {
        name: np.array([value], object if isinstance(value, str) else float)
        for name, value in line(setting, **own).items()
    }
    (threshold,) = thresholds(columns)
    share = np.linspace(0, 1, 2001)
    curve = predict_table(
        settings.named(setting).along({n: np.repeat(c, len(share)) for n, c in columns.items()}, share)
    )
    nearest = np.argmin(np.abs(curve["p"] - threshold))
    assert abs(curve["purity"][nearest] - 0.5) < 2e-3
    assert len(predicted_crossings(columns, "p_half").x) == 1


def test_where_symmetry_gives_the_threshold_the_solver_finds_the_same():
    columns = {
        name: np.array([value], object if isinstance(value, str) else float) for name, value in line("linear").items()
    }
    (closed,) = thresholds(columns)
    (solved,) = purity_crossings(columns).x
    assert solved == pytest.approx(closed, abs=1e-9)


def test_columns_say_the_setting_where_one_alone_has_them():
    assert setting_of(["cos_generator", "real"]).name == "mixture"
    assert setting_of(["cos_generator"]).name == "linear"
    assert setting_of(["p"]).name == "independent"
    with pytest.raises(ValueError, match="keep-easy or keep-hard.*setting"):
        setting_of(["cos_generator", "margin"])
    with pytest.raises(ValueError, match="'hard' is unknown; choose from independent, linear"):
        setting_of([], "hard")


def test_a_table_may_mix_settings_and_losses():
    lines = [line("linear"), line("keep-hard", "logistic", margin=0.8), line("mixture", real=0.2)]
    names = {name for row in lines for name in row}
    columns = {
        name: np.array([row.get(name, 0.5) for row in lines], object if name in ("loss", "setting") else float)
        for name in names
    }
    together = predict_table(columns)["accuracy"]
    for row, found in zip(lines, together, strict=True):
        assert predict_table(row)["accuracy"][0] == pytest.approx(found, abs=1e-13)


@pytest.mark.parametrize(
    ("curation", "words"),
    [
        (KeepEasy(*COSINES, -0.1), "margin = -0.1 is outside"),
        (KeepHard(*COSINES, 1e-9), r"margin = 1e-09 is outside \[1e-06, 1000\]"),
        (KeepHard(*COSINES, np.inf), "margin = inf is outside"),
        (Mixture(*COSINES, 1.2), r"real = 1.2 is outside \[0, 1\]"),
        (Mixture(0.9, 0.9, -0.9, 0.2), "no three unit vectors"),
        ((0.1, 0.2), "of no setting; give one of Rates, Cosines, Learned, KeepEasy"),
    ],
)
def test_refusals(curation, words):
    with pytest.raises((ValueError, TypeError), match=words):
        predict(Problem(1.0, curation, 0.1), 2.0)


def test_every_setting_has_its_file_on_both_roads():
    from sims import settings as simulated

    for name, setting in SETTINGS.items():
        assert settings.named(name).name == name
        assert settings.named(name).vocabulary is setting
        curation = type("Any", (), {"setting": name})
        assert simulated.of(curation) is not None
