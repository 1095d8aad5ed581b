"""`pstar verify`: one line says whether a folder is whole; what is damaged is mended by what it names."""

import json
import shutil
from pathlib import Path

import pytest
from pyarrow import parquet

from pstar import verifying
from sims.comparison import tables
from sims.running.certificates import STALE
from sims.sweeps.config import load
from sims.sweeps.store import Store
from tests.pstar.command import ROOT, SWEEP, in_one_process, pstar
from tests.torture.fuzz import call


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A sweep with its tables and figures, and an audit."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "sweep.toml").write_text(SWEEP)
    (folder / "records.csv").write_text("correct,kept\n" + "1,1\n1,0\n0,1\n1,1\n0,0\n" * 8)
    audit = ["audit", folder / "records.csv", "--correct", "correct", "--kept", "kept", "--out", folder / "audit"]
    lines = [["sweep", folder / "sweep.toml", "--out", folder / "out", "--workers", 1], ["compare", folder / "out"]]
    lines += [["figures", folder / "out"], audit]
    for code, _, err in in_one_process([[str(word) for word in line] for line in lines]):
        assert code == 0, err
    return folder


@pytest.fixture
def out(made, tmp_path):
    return Path(shutil.copytree(made / "out", tmp_path / "out"))


def test_whole_in_one_line(made):
    for name in ("out", "audit"):
        done = pstar("verify", made / name)
        assert done.returncode == 0
        assert done.stdout.startswith(f"{made / name} is whole: ")
        assert done.stdout.count("\n") == 1


def test_each_harm_is_named_and_repair_mends_all_of_it_at_a_stated_cost(out):
    expected = {path: path.read_bytes() for path in out.rglob("*.csv")} | {out / "rows.parquet": table(out)}
    victim = next(out.glob("shards/*.parquet"))
    victim.write_bytes(victim.read_bytes()[:-7])
    (out / "tables/maps.csv").write_bytes(b"")
    (out / "figures/residuals.png").unlink()
    (out / "rows.parquet").write_bytes(b"PAR1")
    shutil.copy(out / "tables/lines.csv", out / "tables/copy.csv")
    (out / "notes.txt").write_text("mine")
    found = pstar("verify", out, "--json")
    assert found.returncode == 1
    said = json.loads(found.stdout)
    assert {Path(entry["path"]).name for entry in said["damaged"]} >= {
        victim.name, "maps.csv", "residuals.png", "rows.parquet"
    }  # fmt: skip
    assert {Path(path).name for path in said["foreign"]} == {"copy.csv", "notes.txt"}
    ahead = pstar("verify", out, "--repair", "--dry-run")
    assert "6 trials in 1 chunk, about" in ahead.stderr
    assert f"pstar compare {out}: seconds" in ahead.stderr
    assert not (out / "figures/residuals.png").exists()
    done = pstar("verify", out, "--repair")
    assert done.returncode == 0, done.stderr
    assert " is whole again (" in done.stdout
    assert {path: path.read_bytes() for path in expected} == expected
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "tables/copy.csv").exists()


def table(out):
    return (out / "rows.parquet").read_bytes()


@pytest.mark.parametrize("name", ["compare", "figures"])
def test_a_certificate_that_is_gone_is_missed(out, name):
    (out / "certificates" / f"{name}.json").unlink()
    done = pstar("verify", out)
    assert done.returncode == 1
    assert f"certificates/{name}.json: missing, though " in done.stdout
    assert pstar("verify", out, "--repair").returncode == 0


def test_tables_are_not_drawn_unread(out):
    """FAULTS F1: a flipped digit, an empty file, a swapped one."""
    path = out / "tables/lines.csv"
    good = path.read_bytes()
    said = (
        f"error: {path} is damaged (its sha256 is not the one in {out}/certificates/compare.json); "
        f"run again: pstar compare {out}\n"
    )
    for bad in (good.replace(b"0.", b"0.1", 1), b"", (out / "tables/maps.csv").read_bytes(), good[: len(good) // 2]):
        path.write_bytes(bad)
        ((code, _, err),) = in_one_process([["figures", str(out)]])
        assert (code, err) == (1, said)


def test_rows_that_grew_make_tables_stale(out, made, tmp_path):
    file = tmp_path / "sweep.toml"
    file.write_text(SWEEP.replace("seeds = 3", "seeds = 4"))
    assert pstar("sweep", file, "--out", out, "--workers", 1).returncode == 0
    said = pstar("verify", out).stdout
    assert "certificates/compare.json: made from files that have changed since" in said
    assert "warning: the tables are of earlier rows; run again" in pstar("figures", out, "residuals").stderr


def test_rows_that_change_while_they_are_compared_make_the_tables_stale(out, monkeypatch):
    """A sweep that ends meanwhile: the tables are of the rows that were read, not of those that are there."""
    inner = tables.write_comparison

    def late(*args):
        Store(out).write_rows(parquet.read_table(out / "rows.parquet").slice(1))
        return inner(*args)

    monkeypatch.setattr(tables, "write_comparison", late)
    assert call("compare", out)[0] == 0
    assert [fault.what for fault in verifying.check(out).faults if fault.path.stem == "compare"] == [STALE]


def test_figures_of_earlier_tables_are_drawn_again_with_the_one_that_was_asked_for(out):
    other = out / "figures/accuracy_against_p.png"
    before = other.read_bytes()
    found = tables.read_tables(out)
    tables.write_comparison(out, found | {"cells": found["cells"].iloc[1:]}, {}, {})
    code, _, err = call("figures", out, "residuals")
    assert code == 0
    assert "accuracy_against_p, " in next(line for line in err.splitlines() if line.startswith("note: the tables have"))
    assert other.read_bytes() != before
    assert verifying.check(out).faults == ()
    now = other.stat().st_mtime_ns
    assert call("figures", out, "residuals")[0] == 0
    assert other.stat().st_mtime_ns == now


def test_a_damaged_audit_says_what_to_type(made, tmp_path):
    audit = Path(shutil.copytree(made / "audit", tmp_path / "audit"))
    (audit / "audit.json").write_bytes(b"{}")
    done = pstar("verify", audit)
    assert done.returncode == 1
    assert "audit.json: damaged; pstar audit " in done.stdout
    assert "what to type stands beside" in done.stdout
    (audit / "certificates/audit.json").unlink()
    assert "certificates/audit.json: missing, though audit.json is there" in pstar("verify", audit).stdout


@pytest.mark.parametrize(
    ("place", "message"),
    [("nowhere", "is not a folder; name one that a command wrote"), ("", "nothing here was written by pstar")],
)
def test_what_is_not_ours_is_refused(tmp_path, place, message):
    done = pstar("verify", tmp_path / place)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize("file", sorted((ROOT / "sweeps").glob("*.toml")), ids=lambda path: path.stem)
def test_a_manifest_holds_its_sweep(file, tmp_path):
    from sims.sweeps.run import _manifest

    config = load(file)
    Store(tmp_path).write_manifest(_manifest(config, {"cpu"}))
    assert verifying.configuration(Store(tmp_path).read_manifest()) == config


def test_an_audit_is_not_written_into_what_another_command_made(made):
    words = ["audit", made / "records.csv", "--correct", "correct", "--kept", "kept", "--out"]
    done = pstar(*words, made / "out")
    assert done.returncode == 2
    assert "pstar audit wants a folder of its own" in done.stderr
    place = made / "own"
    place.mkdir()
    (place / "threshold_curve.csv").write_text("correct,kept\n1,1\n0,0\n")
    done = pstar("audit", place / "threshold_curve.csv", "--correct", "correct", "--kept", "kept", "--out", place)
    assert done.returncode == 2
    assert "its own input" in done.stderr
