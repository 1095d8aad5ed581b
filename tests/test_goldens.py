"""What folders of users depend on, as it was before the tree was renovated: ids of cells and chunks, keys of stages."""

import hashlib
import json
from pathlib import Path

import pytest

from empirical.eigenvalues import plan as eigenvalues
from empirical.eigenvalues.profile import load as eigenvalue_profile
from empirical.summarization import plan as summarization
from empirical.summarization.profile import load as preset
from sims.running.sealed import digest
from sims.sweeps.config import load
from sims.sweeps.grid import cells, chunks, missing_spans

SWEEPS = Path(__file__).resolve().parents[1] / "sweeps"
IDS = {
    "linear.toml": (90, "da3dbd4b719ae4e9d8758ee9", 3, "58475a640b6de4da1fbb4443"),
    "million_dimensions.toml": (100, "63999dd7c6dee55a32cdc766", 246, "d142b93b58a47292368e5427"),
    "phase_diagram.toml": (532, "362933395a36ddce0c8bc960", 10, "581c5458b64b42ad7f410251"),
    "intercept.toml": (152, "3c3c469deaec1b8906b26290", 6, "5b266a77d4035f75ff40e9ee"),
    "spectrum.toml": (114, "096a4c891ec77abcaf5b2c8b", 4, "a97ef5f36634ab11788cce36"),
}
"""Number and hash of the ids of all cells, and of all chunks."""

STAGES = {
    "eigenvalues quick": (91, "ed871b7ee4fc300406c6d45e"),
    "eigenvalues tiny": (157, "b190c9ff671e23d41f0f5a5c"),
    "eigenvalues crossing": (977, "4ed81fbc7606001a0ebb73ab"),
    "eigenvalues long": (91, "d9154b3cdafbf524ba63dcd4"),
    "eigenvalues gpu": (36, "0aeb69932698e99d3519d3be"),
    "eigenvalues paper": (59, "693d26117503b5c7e3125ace"),
    "summarization small": (277, "f42dbb67a6ee54f936aa77e8"),
    "summarization scarce": (223, "a8fd4c06947aaefb321e6a53"),
    "summarization smollm": (226, "6070cdef4bc4401a1821376f"),
    "summarization llama2": (120, "2ce45a86efe540a2fd2a2fe1"),
    "summarization debian": (54, "6c7c8351f3eb490b351e0aa0"),
    "summarization debian-made": (256, "00665053761af6a9d998c8c7"),
}
"""Number of stages, and hash of their names with those of function, settings and inputs.

Those of summarization changed twice since, on purpose: stages that count words say how (`words`), so that folders from
before words of any script counted are scored again, and models trained before are kept; and profiles have new keys
(margin, power, tokenizer, learning curve, curve of noise, beginnings), which the report alone depends on, `small` and
`scarce` a model more for each seed, trained on a quarter of the generator's articles (clean-0.25), and `small` finding
1 at two shares of noisy references (noisy-*): all other stages keep their keys. Those of eigenvalues changed once, on
purpose: what was quick is tiny, quick and three more profiles are new, and reports, which know the whole profile with
its optimiser, are written again; and what says most is made first; later `long` got more steps. See UNCHANGED."""

UNCHANGED = {
    "eigenvalues tiny": "25bb9632a761b0e71723446c",
    "eigenvalues paper": "703ad2825698b2c714b9cbce",
    "summarization small": "21bd95836322c757956ece4b",
    "summarization scarce": "f74dc5872a9fbac5c9f31149",
    "summarization smollm": "c6bcd834fcadfd8e372321c9",
    "summarization llama2": "29bd5aa091a324803eae3276",
    "summarization debian": "ab2bae8e3aca3ca1f55a0cbb",
}
"""All but the report, in any order: eigenvalues as before there was Muon, when tiny was quick, summarization as before
models made here could learn beginnings. Folders of then are continued."""


def hashed(values):
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:24]


@pytest.mark.parametrize("name", IDS)
def test_ids_of_the_shipped_sweeps(name):
    config = load(SWEEPS / name)
    grid = cells(config)
    work = [chunk.id(config.run.root_seed) for chunk in chunks(grid, missing_spans(grid, config.trials, {}))]
    assert (len(grid), hashed(list(grid)), len(work), hashed(work)) == IDS[name]


@pytest.mark.parametrize("name", STAGES)
def test_keys_of_the_shipped_experiments(name):
    """The key of a stage is made of this and of what its inputs came out as."""
    found = keys(planned(name))
    assert (len(found), hashed(found)) == STAGES[name]


@pytest.mark.parametrize("name", UNCHANGED)
def test_keys_that_a_new_setting_of_others_leaves_alone(name):
    assert hashed(sorted(key for key in keys(planned(name)) if key[0] != "report")) == UNCHANGED[name]


def planned(name):
    """Stages of an experiment and a profile."""
    experiment, kind = name.split()
    if experiment == "eigenvalues":
        return eigenvalues.stages(eigenvalue_profile(kind))
    return summarization.stages(preset(kind, None))


def keys(plan):
    """Name of every stage, and what its key is made of, but for the content of models that may be installed here."""
    found = []
    for stage in plan:
        base = stage.function.endswith("steps:base")
        settings = {name: value for name, value in stage.settings.items() if not (base and name == "content")}
        made_of = {"function": stage.function, "settings": settings, "inputs": dict(stage.inputs)}
        found.append([stage.name, digest(made_of)[:16]])
    return found
