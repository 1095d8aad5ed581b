"""`pstar verify` and `compare` of sweeps whose files are each good, and yet not of one sweep, or not all there."""

import shutil
import tomllib
from pathlib import Path

import pytest

import pstar
from pstar import verifying
from sims.running.sealed import seal, unseal
from sims.sweeps.store import Store
from tests.pstar.command import SWEEP
from tests.torture.fuzz import call

GROWN = SWEEP.replace("seeds = 3", "seeds = 5")
pytestmark = pytest.mark.filterwarnings("always::theory.errors.Note")  # as in a process of its own

OTHERS = {
    "seed": SWEEP.replace("seeds = 3", "seeds = 3\nroot_seed = 9"),
    "cells": SWEEP.replace("p = [0.1, 0.3]", "p = [0.2, 0.3]"),
    "fewer": SWEEP.replace("p = [0.1, 0.3]", "p = [0.1]"),
}
SHAPES = SWEEP.replace("alpha = 4", "alpha = [4, 6]")


def simulate(text, out):
    """A finished sweep, computed in this process."""
    url = f"memory://verified/{out.name}"
    pstar.sweep(tomllib.loads(text), out=url)
    files = Store(url).files
    (out / "shards").mkdir(parents=True)
    for name in (
        *(name for name in files.names() if name != "shards"),
        *(f"shards/{n}" for n in files.names("shards")),
    ):
        (out / name).write_bytes(files.read(name))
    files.system.rm(files.base, recursive=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A compared sweep, one of two shards, the same sweep grown, and others."""
    folder = tmp_path_factory.mktemp("made")
    for name, text in {"out": SWEEP, "grown": GROWN, "two": SHAPES, **OTHERS}.items():
        (folder / f"{name}.toml").write_text(text)
        simulate(text, folder / name)
    assert call("compare", folder / "out")[0] == 0
    return folder


@pytest.fixture
def out(made, tmp_path):
    return Path(shutil.copytree(made / "out", tmp_path / "out"))


def replace(out, other, *names):
    """Files, or all shards, of another sweep in the place of ours."""
    for name in names:
        if name == "shards":
            shutil.rmtree(out / name)
            shutil.copytree(other / name, out / name)
        else:
            shutil.copy(other / name, out / name)


def verified(out):
    code, said, _ = call("verify", out)
    return code, said


def test_an_interrupted_sweep_that_grew_is_not_finished(out, made):
    """The manifest is rewritten, and the process killed: what is there is whole, and not all."""
    replace(out, made / "grown", "manifest.json")
    code, said = verified(out)
    assert code == 0
    assert said.startswith(f"{out} is not finished; what is there is whole: ")
    assert "4 of the 10 trials that " in said
    assert f"to continue: pstar sweep FILE.toml --out {out}" in said
    code, _, err = call("compare", out)
    assert code == 0
    assert "rows.parquet has 6 of the 10 trials that the sweep has grown to" in err
    assert err.count("warning: ") == 1
    code, _, err = call("sweep", made / "grown.toml", "--out", out, "--workers", 1)
    assert code == 0, err
    assert "is not finished" not in verified(out)[1]
    assert (out / "rows.parquet").read_bytes() == (made / "grown/rows.parquet").read_bytes()


def test_rows_that_were_not_rewritten_after_the_last_shard(out, made):
    replace(out, made / "grown", "manifest.json", "shards")
    assert f"{out}/rows.parquet has 6 of the 10 trials that manifest.json asks for" in verified(out)[1]


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("rows.parquet", "rows.sha256"), "rows.parquet: of another sweep"),
        (("manifest.json",), "manifest.json: of another sweep than the shards; pstar sweep FILE.toml --out"),
        (("shards",), "shards: missing: "),
    ],
    ids=["rows", "manifest", "shards"],
)
def test_files_of_another_sweep_are_seen(out, made, other, names, said):
    if names[0] == "rows.parquet" and other == "fewer":
        said = "rows.parquet has 3 of the 6 trials"  # as good as those of the same sweep before it grew
    replace(out, made / other, *names)
    code, found = verified(out)
    assert code == 1
    assert f"{out}/{said}" in found
    if names[0] != "shards":
        code, _, err = call("compare", out)
        warned = "rows.parquet has 3 of the 6 trials that the sweep has grown to" in err
        assert warned or (code == 1 and f"{out}/rows.parquet is of another sweep than {out}/" in err)


@pytest.mark.parametrize("other", OTHERS)
def test_shards_of_another_sweep_beside_ours_are_not_ours(out, made, other):
    shutil.copytree(made / other / "shards", out / "shards", dirs_exist_ok=True)
    code, said = verified(out)
    assert code == 0
    if other == "seed":  # the others have trials of ours as well
        names = {path.name for path in (made / other / "shards").iterdir()}
        assert {path.name for path in verifying.check(out).foreign} == names
        assert "not ours, left alone" in said
    assert call("compare", out)[0] == 0


def test_a_shard_that_is_gone_with_its_receipt_is_missed(made, tmp_path):
    out = Path(shutil.copytree(made / "two", tmp_path / "two"))
    rows = (out / "rows.parquet").read_bytes()
    assert verified(out)[1].startswith(f"{out} is whole: ")
    victim = min(out.glob("shards/*.parquet"))
    for path in (victim, victim.with_suffix(".json")):
        path.unlink()
    code, said = verified(out)
    assert code == 1
    assert f"{out}/shards: missing: 6 of the 12 trials that rows.parquet has; pstar verify --repair {out}" in said
    assert call("verify", out, "--repair")[0] == 0
    assert victim.exists()
    assert (out / "rows.parquet").read_bytes() == rows


@pytest.mark.parametrize("repair", ["verify", "sweep"])
def test_all_shards_that_are_gone_are_missed(out, made, repair):
    before = (out / "rows.parquet").read_bytes()
    shutil.rmtree(out / "shards")
    code, said = verified(out)
    assert code == 1
    assert f"{out}/shards: missing: 6 of the 6 trials" in said
    assert "not ours" not in said
    words = {"verify": ("--repair", out), "sweep": (made / "out.toml", "--out", out, "--workers", 1)}[repair]
    code, _, err = call(repair, *words)
    assert code == 0, err
    assert verified(out)[1].startswith(f"{out} is whole: ")
    assert (out / "rows.parquet").read_bytes() == before


def test_rows_copied_from_a_bucket_are_whole(out):
    shutil.rmtree(out / "shards")
    (out / "manifest.json").unlink()
    assert verified(out)[0] == 0
    assert call("compare", out)[0] == 0
    (out / "rows.sha256").unlink()
    (out / "rows.sha256").write_text("0  rows.parquet\n")
    assert verified(out)[0] == 1


def test_a_manifest_that_this_version_does_not_read_is_left_at_that(out):
    """Of an earlier version: its rows are compared with its shards alone."""
    body = unseal((out / "manifest.json").read_bytes())
    body["config"]["run"]["draws"] = "float32"
    (out / "manifest.json").write_bytes(seal(body))
    assert verified(out)[1].startswith(f"{out} is whole: ")
    assert call("compare", out)[0] == 0
    victim = next(out.glob("shards/*.json"))
    victim.with_suffix(".parquet").unlink()
    victim.unlink()
    assert f"{out}/shards: missing: 6 of the 6 trials" in verified(out)[1]


def test_a_report_of_ones_own_is_not_that_of_compare(made, tmp_path):
    """A finished sweep, and a folder that is none: no tables, no certificate to be missed."""
    out = Path(shutil.copytree(made / "grown", tmp_path / "grown"))
    (out / "report.txt").write_text("mine")
    code, said = verified(out)
    assert code == 0
    assert f"not ours, left alone, and never counted:\n  {out}/report.txt" in said
    folder = tmp_path / "audit"
    (folder / "tables").mkdir(parents=True)
    (folder / "audit.json").write_text("{}")
    for name in ("report.txt", "tables/cells.csv"):
        (folder / name).write_text("mine")
    code, said = verified(folder)
    assert code == 1
    assert "certificates/audit.json: missing, though audit.json is there" in said
    assert "compare" not in said
