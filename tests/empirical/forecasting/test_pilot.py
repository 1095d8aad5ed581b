"""What a pilot may look like, what is refused, and how far its means may be off."""

import numpy as np
import pandas as pd
import pytest

from empirical.forecasting.noise import draws, noise
from empirical.forecasting.pilot import pilot
from theory.errors import InputError, KindError

RUNS = {"n": [100, 100, 400, 400, 1600, 1600], "accuracy": [0.7, 0.74, 0.8, 0.82, 0.86, 0.86]}


def test_runs_of_a_size_are_put_together():
    found = pilot(RUNS).clean
    assert [size.n for size in found] == [100, 400, 1600]
    assert [size.accuracy for size in found] == pytest.approx([0.72, 0.81, 0.86])
    assert found[0].sd == pytest.approx(np.std([0.7, 0.74], ddof=1))
    assert [size.runs for size in found] == [2, 2, 2]


def test_lines_with_repeats_say_the_same_as_their_runs():
    runs = pilot(RUNS).clean
    summed = {"n": [100, 400, 1600], "accuracy": [0.72, 0.81, 0.86], "repeats": [2, 2, 2]}
    found = pilot(summed | {"sd": [size.sd for size in runs]}).clean
    for one, other in zip(runs, found, strict=True):
        assert one[:4] == pytest.approx(other[:4])


@pytest.mark.parametrize("kind", ["frame", "array", "csv", "path as text"])
def test_kinds(kind, tmp_path):
    frame = pd.DataFrame(RUNS)
    frame.to_csv(tmp_path / "pilot.csv", index=False)
    given = {"frame": frame, "array": frame.to_numpy(), "csv": tmp_path / "pilot.csv"}
    given["path as text"] = str(tmp_path / "pilot.csv")
    assert str(pilot(given[kind])) == str(pilot(RUNS))  # by text, as NaN is not itself


def test_noisy_runs_are_kept_apart(tmp_path):
    frame = pd.DataFrame(RUNS).assign(p=0.0, tested=2000)
    frame.loc[len(frame)] = [1600, 0.7, 0.2, 2000]
    frame.to_csv(tmp_path / "pilot.csv", index=False)
    found = pilot(tmp_path / "pilot.csv")
    assert len(found.clean) == 3
    assert [(size.n, size.p, size.tested) for size in found.noisy] == [(1600, 0.2, 2000)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"accuracy": [70, 74, 80, 82, 86, 86]}, "row 1: column 'accuracy' is 70, outside [0, 1]; accuracy is a share"),
        ({"n": [100, 100, 400, 400, 400, 400]}, "the pilot has 2 clean sizes; a learning curve needs 3"),
        ({"n": [0, 100, 400, 400, 1600, 1600]}, "the pilot, row 1: column 'n' is 0, outside [1, inf)"),
        ({"p": [0, 0, 0, 0, 0, 2]}, "the pilot, row 6: column 'p' is 2, outside [0, 1]"),
        ({"n": [1, 2, 3]}, "the columns of the pilot differ in length"),
        ({"n": [50, 100, 200, 400, 800, 1600]}, "one run of every size and no column 'tested'"),
        ({"repeat": [1] * 6}, "the pilot: column 'repeat' is not known; did you mean 'repeats'? Rename it"),
        ({"acc": [1] * 6}, "column 'acc' is not known; leave it out, or do not read it: --ignore acc"),
        ({"P": [0, 0, 0, 0, 0, 0.2]}, "column 'P' is not known; did you mean 'p'?"),
        ({"p ": [0] * 6, "p": [0] * 6}, "has 2 columns 'p'; rename all but one"),
        ({"tested": [True] * 6}, "column 'tested' holds true and false, not numbers"),
        ({"accuracy": [0.7, None, 0.8, 0.8, 0.9, 0.9]}, "the pilot, row 2: column 'accuracy' has no value; fill it in"),
    ],
)
def test_refusals(change, said):
    with pytest.raises(InputError, match=None) as refused:
        pilot(RUNS | change)
    assert said in str(refused.value)
    lines = str(refused.value).splitlines()
    assert len(lines) == 1 or (lines[0].endswith("nothing was computed") and len(lines) > 2)


def test_other_objects_are_refused():
    with pytest.raises(KindError, match="give a path, a table or a dict"):
        pilot(object())
    with pytest.raises(KindError, match="column 'sd' of kind list is no column"):
        pilot(RUNS | {"sd": [[1.0]] * 6})
    with pytest.raises(InputError, match=r"must be \(rows, 2\)"):
        pilot(np.ones(3))
    with pytest.raises(InputError, match="has no column 'n'"):
        pilot({"size": [1], "accuracy": [1]})


def test_noise_is_that_of_a_size_itself():
    """t with its own freedom; single runs borrow, and a test set that all share moves all together."""
    sizes = pilot(RUNS | {"tested": [500] * 6}).clean
    found = noise(sizes, sizes)
    assert found.error == pytest.approx([size.sd / np.sqrt(2) for size in sizes])
    assert found.freedom.tolist() == [1, 1, 1]
    assert found.shared == pytest.approx([np.sqrt(size.accuracy * (1 - size.accuracy) / 500) for size in sizes])
    alone = sizes[2]._replace(runs=1.0, sd=np.nan)
    borrowed = noise([alone], sizes)
    assert borrowed.error[0] == pytest.approx(max(sizes[1].sd, sizes[2].sd))
    unseen = noise([alone], [alone])
    assert (unseen.error[0], unseen.shared[0]) == (pytest.approx(np.sqrt(0.86 * 0.14 / 500)), 0)


def test_draws_end_with_the_means():
    sizes = pilot(RUNS).clean
    means = np.array([size.accuracy for size in sizes])
    found = draws(means, noise(sizes, sizes), np.zeros(50), np.random.default_rng(0))
    assert found.shape == (51, 3)
    assert found[-1].tolist() == means.tolist()
    assert ((found >= 0) & (found <= 1)).all()
