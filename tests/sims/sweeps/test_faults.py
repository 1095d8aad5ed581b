"""A sweep under faults: whatever fails, at whatever step, it says where, loses no finished row, and can be repeated.

The sweeps run in this process and their rows are made up, since it is the storing that is tested.
"""

import errno
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from sims.running import files as files_module
from sims.running.files import LocalFiles, StoreError
from sims.running.machine import Crew, Resources
from sims.sweeps import run as sweeps
from sims.sweeps.config import parse
from sims.sweeps.store import Store
from tests.sims.helpers import INDEPENDENT, changed
from tests.sims.sweeps.processes import assert_nothing_twice

THREE = changed(INDEPENDENT, {"problem.d": [4, 5, 6], "generator.p": 0.1})  # three shapes, so three shards
HALF = changed(THREE, {"problem.d": [4, 5]})
ERRORS = [errno.EIO, errno.ENOSPC]


def run_chunk(chunk, cells, root_seed):
    """Rows that stand for simulated ones: a function of cell and seed, as those are."""
    trials = [(cell, seed) for cell, first, count in chunk.spans for seed in range(first, first + count)]
    values = [cells[cell].words[0] / 2**32 + seed for cell, seed in trials]
    return pa.table({"cell": [cell for cell, _ in trials], "seed": [seed for _, seed in trials], "accuracy": values})


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Every sweep in this process, into whatever store, without waiting for the disk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr("sims.sweeps.rows.run_chunk", run_chunk)
    monkeypatch.setattr(LocalFiles, "private", True)


def sweep(document, out):
    return sweeps.run(parse(document), out, Resources(workers=1))


@pytest.fixture
def clean(tmp_path_factory):
    """The bytes of rows.parquet of THREE and HALF without any fault."""
    folder = tmp_path_factory.mktemp("clean")
    sweep(THREE, folder / "three")
    sweep(HALF, folder / "half")
    return {name: (folder / name / "rows.parquet").read_bytes() for name in ("three", "half")}


# --- every step ---


class Steps:
    """Count the calls of what touches the disk; make the ``at``-th fail."""

    def __init__(self, at, number):
        self.at, self.number, self.calls = at, number, 0

    def fails(self):
        self.calls += 1
        return self.calls - 1 == self.at

    def step(self):
        if self.fails():
            raise OSError(self.number, os.strerror(self.number))


def on_disk(patch, steps):
    """Opening, writing (half of it is written), syncing, renaming, listing and reading may fail."""
    for owner, name in [(os, "fsync"), (os, "replace"), (os, "listdir"), (Path, "read_bytes")]:
        real = getattr(owner, name)
        patch.setattr(owner, name, lambda *a, real=real: (steps.step(), real(*a))[1])

    def opened(path, mode):
        steps.step()
        file = open(path, mode, buffering=0)

        class Short:
            flush, fileno = file.flush, file.fileno

            def write(self, data):
                file.write(data[: len(data) // 2])
                steps.step()
                return file.write(data[len(data) // 2 :])

            def __enter__(self):
                return self

            def __exit__(self, *_):
                file.close()

        return Short()

    patch.setattr(files_module, "open", opened, raising=False)


def on_objects(patch, steps):
    """PUT (half of the object is there), GET, LIST and DELETE may fail, as where a store is not atomic."""
    real = {name: getattr(MemoryFileSystem, name) for name in ("pipe_file", "cat_file", "ls", "rm_file")}

    def put(self, path, value, **options):
        if steps.fails():
            real["pipe_file"](self, path, value[: len(value) // 2], **options)
            raise OSError(steps.number, os.strerror(steps.number))
        real["pipe_file"](self, path, value, **options)

    patch.setattr(MemoryFileSystem, "pipe_file", put)
    for name in ("cat_file", "ls", "rm_file"):
        patch.setattr(MemoryFileSystem, name, lambda *a, call=real[name], **k: (steps.step(), call(*a, **k))[1])


def certified(store):
    return {receipt.chunk: store.files.read(f"shards/{receipt.chunk}.json") for receipt in store.scan()[0]}


def what_it_said(document, out):
    """The message of a sweep that fails, or nothing."""
    try:
        sweep(document, out)
    except StoreError as error:
        return str(error)
    return ""


def every_step(document, place, break_it, number, wanted):
    """Fail a sweep at each of its steps in turn, then repeat it; returns how often it failed and went on."""
    failed = went_on = 0
    while True:
        out = place(failed + went_on)
        store = Store(out)
        steps = Steps(failed + went_on, number)
        with pytest.MonkeyPatch.context() as patch:
            break_it(patch, steps)
            said = what_it_said(document, out)
        failed, went_on = failed + bool(said), went_on + (not said)
        if said:
            assert [word for word in (str(out), os.strerror(number)) if word not in said] == []
            assert "\n" not in said
        if steps.calls <= steps.at:
            assert store.files.read("rows.parquet") == wanted
            return failed, went_on - 1
        kept = certified(store)
        sweep(document, out)
        assert certified(store).items() >= kept.items(), f"step {steps.at}: a finished chunk was computed again"
        assert_nothing_twice(out, document)
        assert store.files.read("rows.parquet") == wanted, f"step {steps.at}"


@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.get)
def test_a_fault_at_every_step_on_disk(tmp_path, clean, number):
    failed, went_on = every_step(THREE, lambda at: tmp_path / str(at), on_disk, number, clean["three"])
    assert failed >= 5 * 9  # nine files, each opened, written, synced, renamed, its folder synced
    assert went_on >= 6  # reading a receipt or shard: that one is computed again
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.get)
def test_a_fault_at_every_step_on_objects(clean, number):
    failed, _ = every_step(THREE, lambda at: f"memory://fault{number}-{at}", on_objects, number, clean["three"])
    assert failed >= 9


def test_a_fault_at_every_step_of_a_growing_sweep(tmp_path, clean):
    def half(at):
        sweep(HALF, tmp_path / str(at))
        return tmp_path / str(at)

    failed, _ = every_step(THREE, half, on_disk, errno.EIO, clean["three"])
    assert failed >= 5 * 5


# --- the disk ---


def test_a_folder_that_became_read_only(tmp_path, clean):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("mounting a small file system is not permitted here; the faults above include refused writes")
    try:
        sweep(HALF, disk / "out")
        kept = certified(Store(disk / "out"))
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        for out in (disk / "out", disk / "new"):
            with pytest.raises(StoreError, match=f"cannot (read or write|make the output folder) {out}.*Read-only"):
                sweep(THREE, out)
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        assert certified(Store(disk / "out")) == kept
        sweep(THREE, disk / "out")
        assert certified(Store(disk / "out")).items() > kept.items()
        assert (disk / "out" / "rows.parquet").read_bytes() == clean["three"]
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


# --- two sweeps on one folder ---


def run_beside(monkeypatch, small_or_large, out, other):
    """Run a sweep; when its first chunk is stored, do something else, then let it go on."""
    real = sweeps.execute_here

    def execute(work, on_done):
        def after(chunk, told=[]):  # noqa: B006
            if not told:
                told.append(chunk)
                monkeypatch.setattr(sweeps, "execute_here", real)
                other()
            on_done(chunk)

        return real(work, after)

    monkeypatch.setattr(sweeps, "execute_here", execute)
    return sweep(small_or_large, out)


TAKEN = "another sweep file was run on this folder meanwhile"


def test_a_larger_sweep_started_meanwhile_keeps_its_table(tmp_path, clean, monkeypatch):
    out = tmp_path / "out"
    with pytest.raises(StoreError, match=TAKEN):
        run_beside(monkeypatch, HALF, out, lambda: sweep(THREE, out))
    assert (out / "rows.parquet").read_bytes() == clean["three"]
    assert Store(out).read_manifest()["config"]["problem"]["d"] == [4, 5, 6]
    assert sweeps.plan(parse(THREE), out).missing == 0
    assert_nothing_twice(out, THREE)


def test_a_smaller_sweep_started_meanwhile_is_told_apart(tmp_path, clean, monkeypatch):
    """The smaller one begins while the folder holds nothing beyond it: it ends well, and the larger one says so."""
    out = tmp_path / "out"
    with pytest.raises(StoreError, match=f"{TAKEN}.*run the one with the larger grid again"):
        run_beside(monkeypatch, THREE, out, lambda: sweep(HALF, out))
    assert (out / "rows.parquet").read_bytes() == clean["half"]
    assert Store(out).read_manifest()["config"]["problem"]["d"] == [4, 5]
    assert sweep(THREE, out).computed == 0
    assert (out / "rows.parquet").read_bytes() == clean["three"]


def test_the_same_sweep_beside_itself_is_no_fault(tmp_path, clean, monkeypatch):
    out = tmp_path / "out"
    assert run_beside(monkeypatch, THREE, out, lambda: sweep(THREE, out)).set_aside == ()
    assert (out / "rows.parquet").read_bytes() == clean["three"]
    assert_nothing_twice(out, THREE)


def test_a_manifest_that_is_lost_meanwhile_is_written_again(tmp_path, clean, monkeypatch):
    out = tmp_path / "out"
    run_beside(monkeypatch, THREE, out, lambda: (out / "manifest.json").unlink())
    assert (out / "rows.parquet").read_bytes() == clean["three"]
    assert Store(out).read_manifest()["config"]["problem"]["d"] == [4, 5, 6]


def test_a_folder_that_vanishes_is_one_message(tmp_path, monkeypatch):
    out = tmp_path / "out"
    with pytest.raises(StoreError, match=f"cannot read or write {out}.*the same command again"):
        run_beside(monkeypatch, THREE, out, lambda: shutil.rmtree(out))


# --- a shard cut short ---


@pytest.mark.parametrize("length", [0, 1, 100])
def test_a_truncated_shard_is_told_and_computed_again(tmp_path, clean, length):
    out = tmp_path / "out"
    sweep(THREE, out)
    before = certified(Store(out))
    victim = sorted((out / "shards").glob("*.parquet"))[1]
    victim.write_bytes(victim.read_bytes()[:length])
    outlook = sweeps.plan(parse(THREE), out)
    assert outlook.damaged == (f"{victim}: damaged (its sha256 is not the receipt's)",)
    assert len(outlook.chunks) == 1
    assert sweep(THREE, out).computed == 6
    after = certified(Store(out))
    assert {name: data for name, data in after.items() if name != victim.stem}.items() <= before.items()
    assert (out / "rows.parquet").read_bytes() == clean["three"]


# --- two devices ---


def test_rows_of_two_devices_are_told_apart(tmp_path, monkeypatch):
    """The manifest names both once a folder holds both, and every later sweep is warned."""
    out = tmp_path / "out"
    sweep(HALF, out)
    assert Store(out).read_manifest()["device"] == "cpu"
    monkeypatch.setattr(sweeps, "hire", lambda *_: (Crew(1, "gpu", ("0",)), ""))
    monkeypatch.setattr("jax.devices", lambda: [SimpleNamespace(device_kind="NVIDIA H200")])
    sweep(THREE, out)
    assert Store(out).read_manifest()["device"] == "cpu, gpu"
    note = "some rows were computed on cpu and some on gpu: equal to rounding, not to the bit"
    assert sweeps.plan(parse(THREE), out).notes == (note,)
