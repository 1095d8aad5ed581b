"""What the command line offers is what there is: names that are read without the packages that know them."""

from pathlib import Path

from empirical.eigenvalues import vocabulary as eigenvalues
from empirical.summarization import vocabulary as summarization
from sims.losses import LOSSES, PREDICTED
from theory import losses


def test_losses():
    assert tuple(losses.LOSSES) == PREDICTED
    assert set(LOSSES) < set(PREDICTED)


def test_presets():
    folder = Path(summarization.__file__).parent / "presets"
    assert {path.stem for path in folder.glob("*.toml")} == set(summarization.PRESETS)


def test_stages():
    assert summarization.STEPS[-1] == summarization.SHOW
    for verbs in (eigenvalues.VERBS, summarization.VERBS):
        assert (next(iter(verbs)), list(verbs)[-1]) == ("run", "report")
