"""The region of (psi, phi): it covers, corners included; and the lines of the plane are where they are said to be."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from empirical import Counts, audit, audit_counts
from empirical.auditing.design import CORRECT, WRONG, Design, Grouping, units
from empirical.auditing.files import FileAudit, Names, audit_file
from empirical.auditing.region import Region, region
from empirical.auditing.report.plane import equal_worth, plane
from empirical.auditing.resample import resample
from theory.types import Rates
from theory.worth import worth

RUNS = 120
LEVEL = 0.9
FAILURE = 1e-6


def inside(found, psi, phi):
    """Whether a point is left of every side of a convex outline that runs counter-clockwise."""
    outline = np.column_stack(found)
    side, to = np.roll(outline, -1, axis=0) - outline, np.array([psi, phi]) - outline
    return bool((side[:, 0] * to[:, 1] - side[:, 1] * to[:, 0] > -1e-9).all())


def drawn(rng, n, p, phi, psi):
    correct = rng.random(n) < 1 - p
    kept = rng.random(n) < np.where(correct, phi, psi)
    judged = np.where(correct, CORRECT, WRONG).astype(np.int8)
    by = Grouping(None, None)
    [found] = resample(units(judged, kept[:, None], by), Design.of(judged, by).whole, 1_000, int(rng.integers(2**31)))
    return found


def covered(rng, truth, shift=0.0):
    n, p, phi, psi = truth
    return sum(inside(region(drawn(rng, *truth), LEVEL), psi, phi + shift) for _ in range(RUNS))


@pytest.mark.statistical
@pytest.mark.parametrize(
    "truth", [(400, 0.3, 0.8, 0.4), (25, 0.3, 0.8, 0.3), (60, 0.2, 0.99, 0.02), (40, 0.1, 1.0, 0.0)]
)
def test_the_region_covers(fresh_seed, truth):
    """False failure 1e-6: fewer than the binomial's quantile at ``LEVEL``, which it reaches or exceeds."""
    least = binom.ppf(FAILURE, RUNS, LEVEL)
    assert covered(np.random.default_rng(fresh_seed), truth) >= least


@pytest.mark.statistical
def test_a_region_elsewhere_does_not_cover(fresh_seed):
    """Five standard errors beside the truth it covers in under 2 % of runs; the bound is passed in fewer than 1e-6."""
    n, p, phi, psi = truth = (400, 0.3, 0.8, 0.4)
    shift = 5 * np.sqrt(phi * (1 - phi) / (n * (1 - p)))
    least = binom.ppf(FAILURE, RUNS, LEVEL)
    assert binom.sf(least - 1, RUNS, 0.1) < FAILURE
    assert covered(np.random.default_rng(fresh_seed), truth, shift) < least


def test_the_region_is_the_ellipse_of_many_records():
    counts = Counts(40_000, 10_000, 6_000, 14_000)
    found = region(audit_counts(counts).resampled, 0.95)
    reach = np.sqrt(-2 * np.log(0.05))
    for rate, share, number in ((found.psi, 0.3, 20_000), (found.phi, 0.8, 50_000)):
        error = reach * np.sqrt(share * (1 - share) / number)
        np.testing.assert_allclose([rate.max() - share, share - rate.min()], error, rtol=0.12)
    area = (
        abs(
            np.dot(found.psi - 0.3, np.roll(found.phi - 0.8, -1))
            - np.dot(found.phi - 0.8, np.roll(found.psi - 0.3, -1))
        )
        / 2
    )
    ellipse = np.pi * reach**2 * np.sqrt(0.21 / 20_000 * 0.16 / 50_000)
    assert area == pytest.approx(ellipse, rel=0.15)


def test_corners_of_the_plane():
    """Where nothing wrong is kept the region holds psi = 0, and reaches as far as one cannot rule out."""
    found = region(audit_counts(Counts(80, 20, 0, 40)).resampled, 0.95)
    assert found.psi.min() == pytest.approx(0, abs=1e-9)
    assert 0.07 < found.psi.max() < 0.2  # 1 - tail^(1/40) of one tail: 0.116
    all_kept = region(audit_counts(Counts(70, 0, 30, 0)).resampled, 0.95)
    assert inside(all_kept, 1.0, 1.0)
    assert all_kept.psi.min() > 0.6


def test_what_is_unknown_may_be_anything():
    none_wrong = region(audit_counts(Counts(20, 10, 0, 0)).resampled, 0.95)
    assert (none_wrong.psi.min(), none_wrong.psi.max()) == (0, 1)
    assert none_wrong.phi.min() > 0.3
    partly = region(audit([1, 0, None, None] * 5, [1, 0, 1, 0] * 5).resampled, 1e-9)
    assert isinstance(partly, Region)
    assert len(partly.psi) >= 3


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.4, 0.6])
def test_the_line_of_equal_worth_is_one(p, classes):
    psi = np.linspace(0, 1, 21)
    phi = equal_worth(p, psi, classes)
    some = (phi <= 1) & (phi + psi > 0)
    everything = float(worth(Rates(p, 1.0, 1.0), classes))
    np.testing.assert_allclose(worth(Rates(p, phi[some], psi[some]), classes), everything, atol=1e-12)
    assert (np.diff(phi) >= 0).all()
    assert phi[-1] == pytest.approx(1) or everything == 0


def test_p_that_is_one_or_unknown_has_no_line():
    assert np.isposinf(equal_worth(1.0, np.zeros(3))).all()
    assert np.isnan(equal_worth(np.nan, np.zeros(3))).all()


def table(tmp_path, rows, names, header="correct,kept"):
    (tmp_path / "r.csv").write_text(f"{header}\n{rows}")
    return plane(audit_file(tmp_path / "r.csv", names))


def test_tables_of_one_verifier(tmp_path):
    names = Names(correct="correct", kept=("kept",))
    found = table(tmp_path, "1,1\n" * 60 + "1,0\n" * 10 + "0,1\n" * 8 + "0,0\n" * 22, names)
    [row] = found["verifier"].to_dict("records")
    assert (row["verifier"], row["given"], row["answers"], row["better"]) == ("kept", True, True, "yes")
    assert row["phi"] == pytest.approx(6 / 7)
    assert row["psi"] == pytest.approx(8 / 30)
    assert row["psi_low"] < 8 / 30 < row["psi_high"]
    assert set(found["verifier_region"]["verifier"]) == {"kept"}
    lines = found["verifier_lines"].set_index(["line", "part"])
    assert set(lines.index) == {("p_star", "line"), ("p_star", "band"), ("worth", "line"), ("worth", "band")}
    ray = lines.loc[("p_star", "line")]
    assert ray["phi"].iloc[1] / ray["psi"].iloc[1] == pytest.approx(3 / 7)
    assert lines["p"].nunique() == 1
    assert lines[["psi", "phi"]].min().min() >= 0
    assert lines[["psi", "phi"]].max().max() <= 1 + 1e-9


def test_all_wrong_and_none_wrong_leave_gaps_and_no_more(tmp_path):
    names = Names(correct="correct", kept=("kept",))
    for rows in ("0,1\n0,0\n" * 4, "1,1\n1,0\n" * 4, "1,1\n" * 4, "0,0\n" * 4):
        found = table(tmp_path, rows, names)
        assert found["verifier_lines"][["psi", "phi"]].max().max() <= 1 + 1e-9
        assert found["verifier_region"][["psi", "phi"]].notna().all().all()


def test_labels_beside_truth_have_no_line_of_equal_worth(tmp_path):
    """It would be that of errors spread evenly, which are not those that the answers are about."""
    rows = "a,a,1\nb,b,1\na,b,0\nb,a,1\nc,c,1\n" * 6
    found = table(tmp_path, rows, Names(label="label", truth="truth", kept=("kept",)), "label,truth,kept")
    assert set(found["verifier_lines"]["line"]) == {"p_star"}


def test_no_verdict_no_plane():
    assert plane(FileAudit(path=Path("r"), names=Names(), asked=None, records=0)) == {}
