"""Keep-easy, keep-hard and mixture: their limits, what they add up to, and counting."""

import jax.numpy as jnp
import numpy as np
import pytest

from theory import settings
from theory.columns import SETTINGS, setting_of
from theory.crossings import predicted_crossings, thresholds
from theory.prediction import predict
from theory.table import predict_table
from theory.types import Cosines, KeepEasy, KeepHard, Mixture, Problem, Rates

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
    assert accuracy("keep-easy", loss, margin=0.0) == pytest.approx(linear, abs=1e-12)
    assert accuracy("mixture", loss, real=0.0) == pytest.approx(linear, abs=1e-10)
    gaps = [abs(accuracy("keep-easy", loss, margin=margin) - linear) for margin in (0.2, 0.1, 0.05)]
    assert gaps == sorted(gaps, reverse=True)
    far = [abs(accuracy("keep-hard", loss, margin=margin) - linear) for margin in (3.0, 4.0, 5.0, 8.0)]
    assert far == sorted(far, reverse=True)
    assert far[-1] < 1e-10


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
    error = (1 - real) * p
    same = Rates(error, (real + (1 - real) * (1 - p) * phi) / (1 - error), psi)
    kept = real + (1 - real) * ((1 - p) * phi + p * psi)
    pure = (real + (1 - real) * (1 - p) * phi) / kept
    found = predict(Problem(1.5, same, 0.1), 4.0)
    assert float(found.kept_rate) == pytest.approx(kept, abs=1e-14)
    assert float(found.purity) == pytest.approx(pure, abs=1e-14)


@pytest.mark.parametrize(
    "curation", [KeepEasy(*COSINES, 0.7), KeepHard(*COSINES, 0.7), Mixture(*COSINES, 0.3)], ids=lambda c: c.setting
)
def test_rates_moments_and_kept_rate_by_counting(curation):
    """A million points; false-failure rate below 1e-8 (six standard errors). Twin: those of another margin fail."""
    rng = np.random.default_rng(1)
    g, v = (
        (np.asarray(axis) for axis in settings.of(curation).law(1.5, KeepEasy(*COSINES, 0.0))[0].axes())
        if (curation.setting != "mixture")
        else (np.asarray(axis) for axis in settings.of(Cosines(*COSINES)).law(1.5, Cosines(*COSINES))[0].axes())
    )
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
    setting = settings.of(curation)
    law, kappa = setting.law(jnp.asarray(1.5), curation)
    rates = setting.rates(1.5, curation)
    made = ~real
    wrong = label != y
    counted = {
        "kappa": (kept, float(kappa)),
        "p": (wrong[made], float(rates.p)),
        "phi": (kept[made & ~wrong], float(rates.phi)),
        "psi": (kept[made & wrong], float(rates.psi)),
        "purity": (~wrong[kept], float(setting.trained_on(rates, curation).purity)),
    }
    for name, (hits, expected) in counted.items():
        error = hits.std() / np.sqrt(len(hits))
        assert abs(hits.mean() - expected) < 6 * error, name
        assert abs(hits.mean() - (expected + 13 * error)) > 6 * error
    u = label[kept, None] * x[kept]
    mean, second = law.moments()
    np.testing.assert_array_less(np.abs(u.mean(0) - mean), 6 * u.std(0) / np.sqrt(len(u)))
    products = u[:, :, None] * u[:, None, :]
    np.testing.assert_array_less(np.abs(products.mean(0) - second), 6 * products.std(0) / np.sqrt(len(u)) + 1e-12)


@pytest.mark.parametrize("setting", ["keep-easy", "keep-hard", "mixture"])
def test_threshold_along_a_curve_is_where_half_is_correct(setting):
    """Solved, as symmetry gives none; and where it gives one, the solver finds the same."""
    own = {"real": 0.1} if setting == "mixture" else {"margin": 0.6}
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
    half = predicted_crossings(columns, "p_half")
    assert len(half.x) == 1


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
        (KeepHard(*COSINES, np.inf), "margin = inf is outside"),
        (Mixture(*COSINES, 1.2), r"real = 1.2 is outside \[0, 1\]"),
        (Mixture(0.9, 0.9, -0.9, 0.2), "no three unit vectors"),
        ((0.1, 0.2), "of no setting; give one of Rates, Cosines, KeepEasy"),
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
