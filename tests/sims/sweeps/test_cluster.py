"""Sweeps on Dask: the bytes of a sweep without it, whoever dies; and clear words where it cannot be."""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from sims.running.machine import Crew, Resources
from sims.sweeps import cluster
from sims.sweeps import cluster_task as task
from sims.sweeps.config import parse
from sims.sweeps.jobs import Work
from sims.sweeps.outlook import plan
from sims.sweeps.run import run as run_sweep
from sims.sweeps.store import Store
from tests.gate import Gate
from tests.processes import PATIENCE, alive, descendants, wait_for
from tests.sims.helpers import changed
from tests.sims.sweeps.processes import (
    LONG,
    ROOT,
    SMALL,
    assert_nothing_twice,
    command,
    pstar,
    receipts,
    table,
    toml,
)

pytest.importorskip("distributed")

SET = {"JAX_ENABLE_X64": "1", "NPROC": "1", "OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """A sweep of nine chunks by plain worker processes: file, folder."""
    folder = tmp_path_factory.mktemp("long")
    file, out = toml(LONG, folder / "long.toml"), folder / "out"
    assert pstar(file, out).returncode == 0
    return file, out


@pytest.fixture
def gate(tmp_path):
    """Before every receipt."""
    with Gate(tmp_path / "gate", "*/shards/*.json") as gate:
        yield gate


@contextmanager
def driver(file, out, *more, **environment):
    """A sweep on a cluster that goes on while the test does; it leads a process group, as in a terminal."""
    line = command(file, out, *more)
    about = {"cwd": ROOT, "env": os.environ | environment, "text": True, "start_new_session": True}
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **about) as process:
        try:
            yield process
        finally:
            process.kill()


def children(pid):
    """Process ids of the workers that a driver has spawned."""
    found = []
    for child in descendants(pid):
        with suppress(OSError):  # it ended meanwhile
            found += [child] * (b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes())
    return found


@contextmanager
def scheduler(folder, **environment):
    """A Dask scheduler as a user would start it; yields its address."""
    file = folder / "scheduler.json"
    line = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    with dask(*line, "--scheduler-file", str(file), **environment) as process:
        yield wait_for(lambda: address_in(file), "the scheduler"), process


def address_in(file):
    """Of a scheduler, once its file is whole."""
    with suppress(FileNotFoundError, ValueError):
        return json.loads(file.read_text())["address"]


@contextmanager
def dask(*line, **environment):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-m", *line], cwd=ROOT, env=os.environ | environment, **quiet) as process:
        try:
            yield process
        finally:
            process.kill()


def worker(address, *more, **environment):
    line = ["distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    return dask(*line, *more, **environment)


# --- of this machine ---


def test_a_killed_worker_loses_and_doubles_nothing(long, tmp_path, fresh_seed, gate):
    file, reference = long
    out = tmp_path / "out"
    with driver(file, out, "--scheduler", "local", "--workers", "2", **gate.environment) as process:
        gate.let(1)
        kept = wait_for(lambda: receipts(out), "the first chunk")
        victim = random.Random(fresh_seed).choice(children(process.pid))
        os.kill(victim, signal.SIGKILL)
        gate.open()
        said, error = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, error
    assert "Traceback" not in error
    assert f"written: {out}/rows.parquet" in said
    assert receipts(out).items() >= kept.items()
    assert_nothing_twice(out, LONG)
    assert table(out) == table(reference)


def listening(pid):
    """Hexadecimal addresses on which a process and all that it has started listen."""
    held = set()
    for each in (pid, *descendants(pid)):
        for entry in Path(f"/proc/{each}/fd").iterdir():
            with suppress(OSError):  # it was closed meanwhile
                held.add(os.readlink(entry))
    lines = [
        line.split() for kind in ("tcp", "tcp6") for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]
    ]
    return {words[1].partition(":")[0] for words in lines if words[3] == "0A" and f"socket:[{words[9]}]" in held}


LOOPBACK = {"0100007F", "00000000000000000000000001000000"}


def test_a_cluster_of_this_machine_listens_to_this_machine_alone(tmp_path, gate):
    file, out = toml(SMALL, tmp_path / "small.toml"), tmp_path / "out"
    with driver(file, out, "--scheduler", "local", "--workers", "2", **gate.environment) as process:
        wait_for(lambda: list(out.glob("shards/.*.json.*.tmp")), "a chunk that waits at the gate")
        assert listening(process.pid) == {"0100007F"}
        gate.open()
        said, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, error
    assert re.search(r"^Dask on this machine: tcp://127\.0\.0\.1:\d+, which no other machine can reach$", error, re.M)


def test_a_socket_that_listens_to_all_would_be_seen():
    with socket.create_server(("", 0)), socket.create_server(("127.0.0.1", 0)):
        assert listening(os.getpid()) - LOOPBACK == {"00000000"}


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_sweep_that_is_ended_continues_and_leaves_no_worker(long, tmp_path, number, code, gate):
    """Ctrl-C goes to the whole group, as from a terminal."""
    file, reference = long
    out = tmp_path / "out"
    with driver(file, out, "--scheduler", "local", "--workers", "2", **gate.environment) as process:
        gate.let(1)
        kept = wait_for(lambda: receipts(out), "the first chunk")
        workers = children(process.pid)
        assert len(workers) == 2
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        error = process.communicate(timeout=PATIENCE)[1]
        assert process.returncode == code
    assert "Traceback" not in error
    wait_for(lambda: not any(map(alive, workers)), "the workers to end")
    assert receipts(out) == kept
    assert pstar(file, out, "--scheduler", "local").returncode == 0
    assert receipts(out).items() > kept.items()
    assert_nothing_twice(out, LONG)
    assert table(out) == table(reference)


@pytest.mark.slow
def test_a_chunk_that_ends_three_workers_is_set_aside(tmp_path, gate):
    document = changed(SMALL, {"problem.d": [4, 5]})  # two chunks
    file, out = toml(document, tmp_path / "two.toml"), tmp_path / "out"
    killed = set()
    with driver(file, out, "--scheduler", "local", "--workers", "1", **gate.environment) as process:
        while len(killed) < 3:
            (victim,) = wait_for(lambda: set(children(process.pid)) - killed, "the next worker")
            wait_for(lambda victim=victim: b"libjax" in Path(f"/proc/{victim}/maps").read_bytes(), "its task")
            os.kill(victim, signal.SIGKILL)
            killed.add(victim)
        gate.open()
        said, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3, error
    assert said.count("the worker died") == 1
    assert len(receipts(out)) == 1
    assert "Traceback" not in error
    assert pstar(file, out).returncode == 0
    assert_nothing_twice(out, document)


# --- of somebody else ---


def test_a_cluster_that_is_there_is_used_once_its_workers_are_fit(long, tmp_path):
    file, reference = long
    out = tmp_path / "out"
    shutil.copytree(reference, out)
    lost = sorted(receipts(out))[0]
    (out / "shards" / lost).unlink()
    (out / "rows.parquet").unlink()
    kept = receipts(out)
    with scheduler(tmp_path) as (address, _):
        with worker(address, **SET | {"NPROC": ""}):
            refused = pstar(file, out, "--scheduler", address, workers=None)
        assert refused.returncode == 1
        assert "its environment lacks NPROC=1; export that" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert receipts(out) == kept
        with worker(address, **SET):
            assert pstar(file, out, "--scheduler", address, workers=None).returncode == 0
    assert receipts(out).keys() == kept.keys() | {lost}
    assert receipts(out).items() > kept.items()
    assert table(out) == table(reference)


@pytest.mark.slow
def test_a_scheduler_that_goes_away_is_reported(long, tmp_path, gate):
    file, _ = long
    out = tmp_path / "out"
    with scheduler(tmp_path) as (address, process), driver(file, out, "--scheduler", address) as sweep:
        with worker(address, **SET, **gate.environment):
            gate.let(1)
            wait_for(lambda: receipts(out), "the first chunk")
            process.kill()
            error = sweep.communicate(timeout=PATIENCE)[1]
    assert sweep.returncode == 1
    assert "error: the scheduler went away" in error
    assert "the same command continues" in error
    assert "Traceback" not in error
    assert pstar(file, out).returncode == 0
    assert_nothing_twice(out, LONG)


@pytest.mark.slow
def test_unfit_workers_are_refused(tmp_path):
    file, out = toml(SMALL, tmp_path / "small.toml"), tmp_path / "out"
    other = tmp_path / "other"
    (other / "sims").mkdir(parents=True)
    (other / "sims" / "__init__.py").write_text("")
    with scheduler(tmp_path) as (address, _):
        for start, expected in [
            (worker(address, "--nthreads", "2", **SET), "it has 2 threads; start it with --nthreads 1"),
            (worker(address, **SET | {"PYTHONPATH": str(other), "PYTHONSAFEPATH": "1"}), "cannot load pstar"),
        ]:
            with start:
                refused = pstar(file, out, "--scheduler", address, workers=None)
            assert refused.returncode == 1, refused.stderr
            assert expected in refused.stderr
            assert "Traceback" not in refused.stderr
            assert receipts(out) == {}


def test_no_scheduler_is_one_line_and_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    with pytest.raises(cluster.ClusterError, match=r"no Dask scheduler answers at tcp://127.0.0.1:1 .*dask scheduler"):
        run_sweep(parse(SMALL), tmp_path / "out", Resources(scheduler="tcp://127.0.0.1:1"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("address", ["nonsense", "foo://x:1", "tcp://host", "tcp://host:port", ""])
def test_an_address_that_cannot_be_one_is_refused(address):
    with pytest.raises(ValueError, match=r"scheduler = .* must be local, or an address such as tcp://host:8786"):
        Resources(scheduler=address)


@pytest.mark.parametrize("name", ["workers", "memory"])
def test_a_cluster_has_its_own_workers_and_memory(name):
    with pytest.raises(ValueError, match=f"{name} = 2: a cluster at tcp://host:8786 has its own; leave it out"):
        Resources(scheduler="tcp://host:8786", **{name: 2})


def test_without_dask_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(cluster.ClusterError, match="pip install distributed"):
        cluster.executor(Crew(1), None).__enter__()


def test_a_worker_that_stores_elsewhere_is_found_out(tmp_path, monkeypatch):
    """A folder of the same name on another machine, say."""
    monkeypatch.setattr(cluster, "POLL_SECONDS", 0)
    outlook = plan(parse(SMALL), tmp_path)
    work = Work(outlook.chunks, outlook.cells, tmp_path, 0)
    drive = cluster._Drive(None, work, {}, lambda _: None)
    with pytest.raises(cluster.ClusterError, match=f"not into this machine's {tmp_path}; give an --out that all"):
        drive._see(work.chunks[0])
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / f"{work.chunks[0].id(0)}.json").write_text("")
    drive._see(work.chunks[0])


# --- a task ---


class FakeWorker:
    class state:
        nthreads = 1

    class memory_manager:
        memory_limit = None


@pytest.fixture
def as_worker(monkeypatch):
    """This process as a worker that is fit."""
    for name, value in SET.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("distributed.get_worker", FakeWorker)
    return task.fingerprint("cpu")


@pytest.fixture
def request_of(tmp_path):
    """A request for the one chunk of SMALL, and its finished store."""
    config = parse(SMALL)
    outlook = plan(config, "memory://nowhere")
    return Work(outlook.chunks, outlook.cells, tmp_path, 0).request(outlook.chunks[0]), config


def test_a_task_whose_receipt_is_there_computes_nothing(as_worker, request_of, monkeypatch):
    request, config = request_of
    root = f"memory://{id(request)}"
    run_sweep(config, root)
    before = Store(root).scan()
    monkeypatch.setattr("sims.sweeps.rows.run_chunk", None)
    task.task(request, root, 0, as_worker)
    assert Store(root).scan() == before


def refusal(request, expected, kind="setup"):
    with pytest.raises(task.TaskError) as refused:
        task.task(request, "/nowhere", 0, expected)
    assert refused.value.kind == kind
    return str(refused.value)


def test_a_task_refuses_another_version_device_and_folder(as_worker, request_of):
    request, _ = request_of
    assert "it has jax " in refusal(request, as_worker | {"jax": "0.1"})
    assert "the driver 0.1" in refusal(request, as_worker | {"pstar": "0.1"})
    assert refusal(request, as_worker | {"device": "gpu"}) == "it has device cpu, the driver gpu"
    assert refusal(request, as_worker) == "/nowhere is not there; give an --out that all workers share"


def test_a_task_refuses_threads(as_worker, request_of, monkeypatch):
    monkeypatch.setattr(FakeWorker.state, "nthreads", 4)
    assert "it has 4 threads" in refusal(request_of[0], as_worker)


def test_a_task_refuses_too_little_memory(as_worker, request_of, monkeypatch):
    monkeypatch.setattr(FakeWorker.memory_manager, "memory_limit", 500_000_000)
    assert "it has 0.5 GB of memory, and n = 8, d = 4 takes" in refusal(request_of[0], as_worker)


def test_a_task_refuses_a_loose_environment(as_worker, request_of, monkeypatch):
    monkeypatch.delenv("NPROC")
    assert "its environment lacks NPROC=1;" in refusal(request_of[0], as_worker)
