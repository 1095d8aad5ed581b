"""Whole sweeps in real processes: killed, interrupted, damaged, grown and crowded, the table is the same bytes."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from sims.comparison.tables import read_rows
from sims.running.files import StoreError
from sims.running.machine import Resources
from sims.sweeps import run as sweeps
from sims.sweeps.config import parse
from sims.sweeps.receipt import Receipt
from sims.sweeps.store import Store
from tests.gate import Gate
from tests.processes import PATIENCE, wait_for
from tests.sims.helpers import changed
from tests.sims.sweeps.objects import install
from tests.sims.sweeps.processes import (
    LONG,
    ROOT,
    SMALL,
    assert_nothing_twice,
    command,
    pstar,
    receipts,
    run,
    table,
    toml,
)


def start(file, out, *more, **environment):
    """A driver that goes on while the test does."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command(file, out, *more), cwd=ROOT, env=os.environ | environment, text=True, **pipes)


def chunk_by_chunk(folder):
    """A gate before every receipt."""
    return Gate(folder / "gate", "*/shards/*.json")


def limited(bytes_per_file, line):
    """A command that may not write larger files."""
    limit = f"import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, 2 * ({bytes_per_file},))"
    return [sys.executable, "-c", f"{limit}; os.execv(sys.executable, sys.argv[1:])", *line]


def workers_of(out):
    """Process ids of the workers that serve a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue  # it ended meanwhile
        if b"sims.sweeps.worker" in words and str(out).encode() in words:
            found.append(int(entry.name))
    return found


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """The sweep that is disturbed below, undisturbed: file, folder."""
    folder = tmp_path_factory.mktemp("long")
    file, out = toml(LONG, folder / "long.toml"), folder / "out"
    done = pstar(file, out, workers=2)
    assert done.returncode == 0, done.stderr
    assert_nothing_twice(out, LONG)
    assert len(receipts(out)) == 9
    return file, out


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A finished small sweep: file, folder."""
    folder = tmp_path_factory.mktemp("small")
    file, out = toml(SMALL, folder / "small.toml"), folder / "out"
    done = pstar(file, out)
    assert done.returncode == 0, done.stderr
    return file, out


def test_rows_of_a_small_sweep(small):
    rows = read_rows(small[1])
    assert list(zip(rows["psi"], rows["p"], rows["seed"], strict=True)) == [
        (psi, p, seed) for psi in (0.2, 0.8) for p in (0.1, 0.3) for seed in range(3)
    ]
    assert set(rows["status"]) == {"ok"}
    assert np.isfinite(rows[["overlap", "norm", "accuracy", "gradient_norm"]]).all(axis=None)
    assert rows["accuracy"].between(0, 1).all()
    assert rows["accuracy"].nunique() == len(rows)
    assert (rows["kept_wrong"] <= rows["m"]).all()


def test_a_finished_sweep_computes_nothing(small):
    file, out = small
    before, rows = receipts(out), table(out)
    done = pstar(file, out, "--json")
    assert done.returncode == 0
    assert (json.loads(done.stdout)["missing"], json.loads(done.stdout)["present"]) == (0, 12)
    assert receipts(out) == before
    assert table(out) == rows


def test_one_worker_gives_the_bytes_of_two(long, tmp_path):
    file, out = long
    assert pstar(file, tmp_path / "one", workers=1).returncode == 0
    assert table(tmp_path / "one") == table(out)


# --- killed ---


def kill_drivers(long, out, kills, seed):
    """SIGKILL drivers, half the time with their workers, after drawn numbers of files; then let one finish."""
    file, reference = long
    rng, kept = random.Random(seed), {}
    for kill in range(kills):
        gate = Gate(out.with_name(f"{out.name}, gate {kill}"), f"{out}/*")
        left = 1 + 2 * (9 - len(kept)) + 2  # manifest, shards with their receipts, table with its checksum
        with start(file, out, "--workers", "2", **gate.environment) as driver, gate:
            gate.let(rng.randrange(left))
            wait_for(gate.passed, "these files")
            victims = workers_of(out) if rng.random() < 0.5 else []  # else they find out that they are alone
            driver.kill()
            for worker in victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
            wait_for(lambda: not workers_of(out), "workers to end with their driver")
        assert driver.returncode == -signal.SIGKILL
        found = receipts(out)
        assert found.items() >= kept.items(), "a finished chunk was lost or computed again"
        assert Store(out).scan()[1] == []
        kept = found
    assert pstar(file, out, workers=2).returncode == 0
    assert receipts(out).items() >= kept.items()
    assert_nothing_twice(out, LONG)
    assert table(out) == table(reference)
    assert not list(out.rglob("*.tmp"))


def test_driver_killed_at_random_moments(long, tmp_path, fresh_seed):
    kill_drivers(long, tmp_path / "out", 5, fresh_seed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_driver_killed_fifty_times(long, tmp_path, fresh_seed):
    rng = random.Random(fresh_seed)
    for round in range(10):
        kill_drivers(long, tmp_path / f"out {round}", 5, rng.random())


def test_workers_killed_mid_run(long, tmp_path, fresh_seed):
    file, reference = long
    out, rng, gate = tmp_path / "out", random.Random(fresh_seed), chunk_by_chunk(tmp_path)
    with start(file, out, "--workers", "2", **gate.environment) as driver, gate:
        for chunks in (0, 3):
            gate.let(chunks)
            wait_for(lambda chunks=chunks: len(receipts(out)) == chunks, "chunks")
            os.kill(rng.choice(wait_for(lambda: workers_of(out), "workers")), signal.SIGKILL)
        gate.open()
        driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 0
    assert_nothing_twice(out, LONG)
    assert table(out) == table(reference)
    assert workers_of(out) == []


def run_and_kill_workers(file, out, kills):
    """Kill the one worker as soon as it is seen, that often; returns exit code and standard output."""
    killed, gate = set(), chunk_by_chunk(out.parent)
    with start(file, out, "--workers", "1", **gate.environment) as driver, gate:
        while len(killed) < kills:
            (worker,) = wait_for(lambda: set(workers_of(out)) - killed, "the next worker")
            os.kill(worker, signal.SIGKILL)
            killed.add(worker)
        gate.open()
        said = driver.communicate(timeout=PATIENCE)[0]
    return driver.returncode, said


def test_a_chunk_survives_the_end_of_two_workers(small, tmp_path):
    file, reference = small
    code, _ = run_and_kill_workers(file, tmp_path / "out", 2)
    assert code == 0
    assert table(tmp_path / "out") == table(reference)


def test_a_chunk_that_ends_three_workers_is_set_aside_and_the_rest_finishes(tmp_path):
    document = changed(SMALL, {"problem.d": [4, 5]})
    file, out = toml(document, tmp_path / "two shapes.toml"), tmp_path / "out"
    code, said = run_and_kill_workers(file, out, 3)
    assert code == 3
    assert "12 trials of squared loss, n = 10, d = 5: the worker died (signal 9)" in said
    assert not (out / "rows.parquet").exists()
    assert [receipt.shape[:3] for receipt in Store(out).scan()[0]] == [("squared", 8, 4)]
    assert pstar(file, out).returncode == 0
    assert_nothing_twice(out, document)


# --- interrupted ---


def test_an_interrupted_sweep_continues(long, tmp_path):
    file, reference = long
    out, kept = tmp_path / "out", {}
    for number, code in [(signal.SIGINT, 130), (signal.SIGTERM, 143)]:
        gate = Gate(tmp_path / f"gate {code}", "*/shards/*.json")
        with start(file, out, "--workers", "1", **gate.environment) as driver, gate:
            gate.let(1)
            wait_for(lambda: receipts(out).keys() > kept.keys(), "the first chunk of this run")  # noqa: B023
            driver.send_signal(number)
            message = driver.communicate(timeout=PATIENCE)[1]
        assert driver.returncode == code
        assert "Traceback" not in message
        assert workers_of(out) == []
        assert not (out / "rows.parquet").exists()
        assert receipts(out).items() > kept.items()
        kept = receipts(out)
    assert pstar(file, out).returncode == 0
    assert receipts(out).items() > kept.items()
    assert_nothing_twice(out, LONG)
    assert table(out) == table(reference)


# --- grown, changed ---


def test_a_grown_grid_computes_only_what_is_new(tmp_path):
    """At this size the last bits of a trial depend on the width of its batch, unless batches are padded."""
    size = {"problem.d": 40, "problem.alpha": 4, "verifier.psi": 0.2}
    first = changed(SMALL, size | {"generator.p": 0.1, "run.seeds": 64})
    grown = changed(SMALL, size | {"generator.p": [0.1, 0.2], "run.seeds": 200})
    out, file = tmp_path / "grown", toml(grown, tmp_path / "grown.toml")
    assert pstar(toml(first, tmp_path / "first.toml"), out).returncode == 0
    old = receipts(out)
    done = json.loads(pstar(file, out, "--json").stdout)
    assert (done["trials"], done["present"], done["missing"]) == (400, 64, 336)
    assert receipts(out).items() > old.items()
    assert_nothing_twice(out, grown)
    assert pstar(file, tmp_path / "fresh").returncode == 0
    assert table(out) == table(tmp_path / "fresh")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"training.ridge": 0.2}, ["training.ridge: [0.1] in the folder, [0.2] in the file", "4 of its 4 cells"]),
        (
            {"generator.p": [0.1, 0.2]},
            ["generator.p: [0.1, 0.3] in the folder, [0.1, 0.2] in the file", "2 of its 4"],
        ),
        (
            {"run.root_seed": 1},
            ["run.root_seed: 0 in the folder, 1 in the file", "its seeds are not in this sweep"],
        ),
        ({"run.seeds": 2}, ["run.seeds: 3 in the folder, 2 in the file", "its seeds are not in this sweep"]),
        ({"problem.d": 5, "training.loss": "logistic"}, ["problem.d: [4]", "[5]", '["squared"]', '["logistic"]']),
    ],
    ids=lambda value: next(iter(value), "") if isinstance(value, dict) else "",
)
def test_another_configuration_is_refused(small, changes, expected):
    out = small[1]
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(StoreError) as refused:
        sweeps.run(parse(changed(SMALL, changes)), out)
    for text in (str(out), *expected):
        assert text in str(refused.value)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_another_configuration_is_refused_without_a_manifest(small, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(small[1], out)
    (out / "manifest.json").write_text("{}")
    with pytest.raises(StoreError, match="its manifest is gone"):
        sweeps.plan(parse(changed(SMALL, {"training.ridge": 0.2})), out)
    assert sweeps.plan(parse(SMALL), out).missing == 0


@pytest.mark.parametrize("stream", ["float64", "float32"])
def test_a_folder_of_other_random_numbers_is_refused(small, tmp_path, stream):
    """As earlier versions made them: the same file, whose trials would be others now."""
    out = tmp_path / "out"
    shutil.copytree(small[1], out)
    for path in (out / "shards").glob("*.json"):
        receipt = Receipt.from_bytes(path.read_bytes())
        path.write_bytes(replace(receipt, shape=receipt.shape._replace(draws=stream)).to_bytes())
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(StoreError, match=rf"{out}.*earlier version.*{stream}; now box-muller.*new --out.*compare"):
        sweeps.run(parse(SMALL), out)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert len(read_rows(out)) == len(read_rows(small[1]))


@pytest.mark.parametrize("kind", ["file", "other folder"])
def test_what_is_not_a_result_folder_is_refused(tmp_path, kind):
    out = tmp_path / "out"
    if kind == "file":
        out.write_text("")
    else:
        out.mkdir()
        (out / "thesis.tex").write_text("")
    with pytest.raises(StoreError, match=str(out)):
        sweeps.run(parse(SMALL), out)
    assert kind == "file" or [path.name for path in out.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("workers", [0, -1])
def test_at_least_one_worker(tmp_path, workers):
    with pytest.raises(ValueError, match=f"workers = {workers} must be at least 1"):
        sweeps.run(parse(SMALL), tmp_path / "out", Resources(workers))
    assert not (tmp_path / "out").exists()


# --- damaged ---


@pytest.mark.parametrize("ending", ["parquet", "json"])
def test_a_damaged_file_is_named_and_only_its_trials_are_recomputed(long, tmp_path, ending):
    file, reference = long
    out = tmp_path / "out"
    shutil.copytree(reference, out)
    before = receipts(out)
    victim = sorted((out / "shards").glob(f"*.{ending}"))[4]
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 4
    victim.write_bytes(data)
    done = pstar(file, out, "--json")
    assert done.returncode == 0
    (warning,) = [line for line in done.stderr.splitlines() if "warning" in line]
    assert str(victim) in warning
    assert warning.endswith("; its trials are computed again")
    assert json.loads(done.stdout)["missing"] <= 4096
    assert all(receipts(out)[name] == data for name, data in before.items() if name != f"{victim.stem}.json")
    assert_nothing_twice(out, LONG)
    assert table(out) == table(reference)


# --- the disk ---


def tiny_disk(folder, size):
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip("mounting a small file system is not permitted here; the file size limit is tested instead")


def test_a_full_disk_keeps_what_is_finished(long, tmp_path):
    file, reference = long
    disk = tmp_path / "disk"
    tiny_disk(disk, "1m")
    try:
        failed = pstar(file, disk / "out")
        assert failed.returncode == 1
        assert str(disk / "out") in failed.stderr
        assert "No space left" in failed.stderr
        assert "Traceback" not in failed.stderr
        kept = receipts(disk / "out")
        assert 0 < len(kept) < len(receipts(reference))
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert pstar(file, disk / "out").returncode == 0
        assert receipts(disk / "out").items() >= kept.items()
        assert_nothing_twice(disk / "out", LONG)
        assert table(disk / "out") == table(reference)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_limit_on_file_size_is_reported_and_can_be_lifted(long, tmp_path):
    """Shards fit, the table of all rows does not."""
    file, reference = long
    out = tmp_path / "out"
    shutil.copytree(reference, out)
    kept = receipts(out)
    for name in ("rows.parquet", "rows.sha256"):
        (out / name).unlink()
    limit = len(table(reference)) // 2
    failed = run(limited(limit, command(file, out)))
    assert failed.returncode == 1
    assert str(out / "rows.parquet") in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not (out / "rows.parquet").exists()
    assert pstar(file, out).returncode == 0
    assert receipts(out) == kept
    assert table(out) == table(reference)


def test_a_worker_that_cannot_write_stops_the_sweep(tmp_path):
    file, out = toml(SMALL, tmp_path / "small.toml"), tmp_path / "out"
    failed = run(limited(4096, command(file, out, "--workers", "1")))
    assert failed.returncode == 1
    assert f"cannot read or write {out}" in failed.stderr
    assert ".parquet" in failed.stderr
    assert "the same command" in failed.stderr
    assert len(failed.stderr.splitlines()) == 2  # what is to do, and the error
    assert receipts(out) == {}


# --- crowded ---


def test_two_sweeps_on_one_folder_give_one_table(long, tmp_path):
    """Both are at work before either finishes a chunk."""
    file, reference = long
    out, gate = tmp_path / "out", chunk_by_chunk(tmp_path)
    both = [start(file, out, "--workers", "1", **gate.environment) for _ in range(2)]
    with both[0], both[1], gate:
        wait_for(lambda: len(workers_of(out)) == 2, "a worker of each")
        gate.open()
        for driver in both:
            driver.communicate(timeout=PATIENCE)
    assert [driver.returncode for driver in both] == [0, 0]
    assert_nothing_twice(out, LONG)
    assert table(out) == table(reference)
    assert not list(out.rglob("*.tmp"))


def test_a_stopped_sweep_does_not_block_another(long, tmp_path):
    file, reference = long
    out, gate = tmp_path / "out", chunk_by_chunk(tmp_path)
    with start(file, out, "--workers", "1", **gate.environment) as frozen, gate:
        gate.let(1)
        wait_for(lambda: receipts(out), "the first chunk")
        frozen.send_signal(signal.SIGSTOP)
        try:
            assert pstar(file, out).returncode == 0
            assert table(out) == table(reference)
        finally:
            frozen.send_signal(signal.SIGCONT)
        gate.open()
        frozen.communicate(timeout=PATIENCE)
    assert frozen.returncode == 0
    assert_nothing_twice(out, LONG)
    assert table(out) == table(reference)


# --- an object store ---


def test_a_sweep_into_an_object_store_is_the_same(long, tmp_path):
    """Nine chunks by two workers into a stand-in without rename; one shard is lost and computed again."""
    file, reference = long
    environment = os.environ | install(tmp_path)
    url, room = "objects://bucket/deep/out", tmp_path / "room"
    done = run(command(file, url, "--workers", "2"), env=environment)
    assert done.returncode == 0, done.stderr
    assert f"written: {url}/rows.parquet" in done.stdout
    there = {unquote(path.name).removeprefix("bucket/deep/out/"): path for path in room.iterdir()}
    assert there.keys() == {str(path.relative_to(reference)) for path in reference.rglob("*") if path.is_file()}
    assert there["rows.parquet"].read_bytes() == table(reference)
    victim = next(name for name in there if name.endswith(".parquet") and "shards/" in name)
    there[victim].unlink()
    again = run(command(file, url, "--workers", "1", "--json"), env=environment)
    assert f"warning: {url}/{victim}: no such object" in again.stderr
    assert 0 < json.loads(again.stdout)["missing"] <= 4096
    assert there["rows.parquet"].read_bytes() == table(reference)


# --- odd cells, odd places ---


def test_a_cell_where_nothing_is_kept_is_flagged_and_does_not_stop_the_sweep(tmp_path):
    document = changed(SMALL, {"generator.p": [0.3, 1], "verifier.psi": 0})
    assert pstar(toml(document, tmp_path / "odd.toml"), tmp_path / "out").returncode == 0
    rows = read_rows(tmp_path / "out")
    empty = rows["p"] == 1
    assert empty.sum() == 3
    assert set(rows.loc[empty, "status"]) == {"nothing kept"}
    assert rows.loc[empty, ["overlap", "norm", "accuracy"]].isna().all(axis=None)
    assert (rows.loc[empty, "m"] == 0).all()
    assert set(rows.loc[~empty & (rows["m"] > 0), "status"]) == {"ok"}
    assert rows.loc[rows["status"] == "ok", ["overlap", "norm", "accuracy"]].notna().all(axis=None)
    assert (rows["converged"] == (rows["status"] == "ok")).all()


def test_a_folder_called_sims_where_the_user_stands_is_not_ours(small, tmp_path):
    (tmp_path / "sims").mkdir()
    (tmp_path / "sims" / "__init__.py").write_text("raise SystemExit('not me')")
    (tmp_path / "queue.py").write_text("raise SystemExit('nor me')")
    file, out = small
    line = command(file, "here", "--workers", "1")
    line.insert(1, "-P")  # as the console script, which does not look where the user stands
    found = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(line, cwd=tmp_path, env=found, check=True, capture_output=True, timeout=PATIENCE)
    assert table(tmp_path / "here") == table(out)


def test_called_from_python_it_is_the_same_sweep(small, tmp_path):
    outcome = sweeps.run(parse(SMALL), tmp_path / "out", Resources(workers=1))
    assert (outcome.computed, outcome.found, outcome.set_aside) == (12, 0, ())
    assert table(tmp_path / "out") == table(small[1])
    again = sweeps.run(parse(SMALL), tmp_path / "out", Resources(workers=1))
    assert (again.computed, again.found) == (0, 12)
