"""What a machine offers: memory within its control group, devices, and the environment of workers."""

from types import SimpleNamespace

import pytest

from sims.running import machine
from sims.running.machine import (
    Crew,
    ResourceError,
    Resources,
    clean_environment,
    find_device,
    free_memory,
    parse_bytes,
)
from sims.sweeps import run as sweep
from sims.sweeps.config import parse
from sims.sweeps.grid import WORKER_BYTES, Shape
from sims.sweeps.outlook import plan
from sims.sweeps.run import hire
from tests.sims.helpers import INDEPENDENT, changed

LARGE = {"problem.d": 1000, "problem.alpha": 2, "run.seeds": 1000}  # many chunks
EACH = Shape("squared", 2000, 1000).worker_bytes


# --- memory ---


@pytest.mark.parametrize(
    ("text", "size"),
    [("8GB", 8e9), ("1.5 gb", 1.5e9), ("512MiB", 512 * 2**20), ("1e9", 1e9), ("7", 7), ("2kB", 2000), ("1TiB", 2**40)],
)
def test_sizes(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GB", "8 apples", "-1GB", "nan", "inf", "1e400", "0", "0.1", "1.2.3GB", "8GBB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="memory = .*: must be a size of at least 1 byte, such as 8GB"):
        parse_bytes(text)


def outlook(tmp_path, **changes):
    return plan(parse(changed(INDEPENDENT, LARGE | changes)), tmp_path / "out")


def test_workers_are_as_many_as_fit(tmp_path):
    view = outlook(tmp_path)
    for fit in (1, 2, 3):
        for spare in (0, EACH - 1):
            crew, line = hire(view, Resources(workers=3, memory=fit * EACH + spare, device="cpu"))
            assert crew.workers == fit
            assert (line == "") == (fit == 3)
            if line:
                assert f"{fit} of 3 workers: a worker with n = 2000, d = 1000 takes about" in line


def test_a_worker_that_does_not_fit_is_refused_with_the_figures(tmp_path):
    with pytest.raises(ResourceError) as refused:
        hire(outlook(tmp_path), Resources(memory=EACH - 1, device="cpu"))
    for text in (f"about {EACH / 1e9:.3g} GB", "n = 2000, d = 1000", "(--memory)", "make problem.d or problem.alpha"):
        assert text in str(refused.value)


def test_the_default_is_half_of_what_is_free(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "free_memory", lambda: 4 * EACH + 1)
    assert hire(outlook(tmp_path), Resources(workers=8, device="cpu"))[0].workers == 2
    monkeypatch.setattr(sweep, "free_memory", lambda: 2 * EACH - 2)
    with pytest.raises(ResourceError, match="half of what is free; --memory sets another"):
        hire(outlook(tmp_path), Resources(device="cpu"))
    monkeypatch.setattr(sweep, "free_memory", lambda: None)
    assert hire(outlook(tmp_path), Resources(workers=8, device="cpu"))[0].workers == 8


def test_a_refused_sweep_leaves_no_folder(tmp_path):
    with pytest.raises(ResourceError):
        sweep.run(parse(INDEPENDENT), tmp_path / "out", Resources(memory=WORKER_BYTES, device="cpu"))
    assert not (tmp_path / "out").exists()


def test_free_memory_of_this_machine():
    assert 0 < free_memory() < 2**50


def group(folder, limit, used, cached, names=("memory.max", "memory.current")):
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in zip(names, (limit, used), strict=True):
        (folder / name).write_text(f"{value}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cached}\n")


def test_control_groups_of_version_2(tmp_path):
    """The least of all groups around this process; what is cached counts as free."""
    proc, mount = tmp_path / "cgroup", tmp_path / "mount"
    proc.write_text("0::/job/step\n")
    group(mount / "job" / "step", "max", 50, 10)
    assert machine._of_the_groups(proc, mount) == []
    group(mount / "job", 1000, 700, 100)
    assert machine._of_the_groups(proc, mount) == [400]
    group(mount / "job" / "step", 200, 300, 10)
    assert sorted(machine._of_the_groups(proc, mount)) == [0, 400]
    group(tmp_path, 1, 0, 0)  # outside the mount
    assert sorted(machine._of_the_groups(proc, mount)) == [0, 400]


def test_control_groups_of_version_1(tmp_path):
    proc, mount = tmp_path / "cgroup", tmp_path / "mount"
    proc.write_text("4:memory:/job\n1:cpu:/other\n0::/\n")
    group(mount / "memory" / "job", 1000, 600, 0, ("memory.limit_in_bytes", "memory.usage_in_bytes"))
    assert machine._of_the_groups(proc, mount) == [400]
    assert machine._of_the_groups(tmp_path / "none", mount) == []


# --- devices ---


def pretend(monkeypatch, plugin, gpus):
    points = [SimpleNamespace(name="xla_cuda12")] if plugin else []
    monkeypatch.setattr(machine, "entry_points", lambda group: points)
    monkeypatch.setattr(machine, "gpus", lambda: gpus)


@pytest.mark.parametrize(
    ("plugin", "gpus", "auto"),
    [(True, ("0", "1"), "gpu"), (True, (), "cpu"), (False, ("0",), "cpu"), (False, (), "cpu")],
)
def test_a_gpu_is_used_where_jax_would_see_one(monkeypatch, plugin, gpus, auto):
    pretend(monkeypatch, plugin, gpus)
    assert find_device("auto") == (auto, gpus if auto == "gpu" else ())
    assert find_device("cpu") == ("cpu", ())
    if auto == "gpu":
        assert find_device("gpu") == ("gpu", gpus)
    else:
        remedy = "CUDA_VISIBLE_DEVICES" if plugin else "pip install 'jax"
        with pytest.raises(ResourceError, match=f"--device gpu: JAX sees none; .*{remedy}.*Use --device cpu"):
            find_device("gpu")


def test_one_worker_for_each_gpu(tmp_path, monkeypatch):
    pretend(monkeypatch, True, ("2", "GPU-7"))
    view = outlook(tmp_path)
    crew, line = hire(view, Resources(memory=1))
    assert (crew, line) == (Crew(2, "gpu", ("2", "GPU-7")), "")
    assert [crew.environment(slot)["CUDA_VISIBLE_DEVICES"] for slot in range(2)] == ["2", "GPU-7"]
    assert hire(view, Resources(workers=1))[0].workers == 1
    with pytest.raises(ValueError, match="workers = 3: there is one per GPU, and 2 of them"):
        hire(view, Resources(workers=3))


def test_environment_of_workers(monkeypatch):
    common = {"NPROC": "1", "OMP_NUM_THREADS": "1", "JAX_ENABLE_X64": "1", "PYTHONSAFEPATH": "1"}
    cpu, gpu = Crew(1).environment(0), Crew(1, "gpu", ("3",)).environment(0)
    assert cpu.items() >= common.items() | {"JAX_PLATFORMS": "cpu"}.items()
    assert "CUDA_VISIBLE_DEVICES" not in cpu
    assert gpu.items() >= common.items() | {"JAX_PLATFORMS": "cuda", "CUDA_VISIBLE_DEVICES": "3"}.items()
    assert gpu["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    kept = clean_environment({"HOME": "/h", "JAX_ENABLE_X64": "0", "XLA_FLAGS": "--x", "OMP_NUM_THREADS": "8"})
    assert kept == {"HOME": "/h", "OMP_NUM_THREADS": "8"}


@pytest.mark.parametrize(
    ("visible", "expected"), [(None, ()), ("", ()), ("0", ()), ("-1", ())], ids=["unset", "none", "first", "hidden"]
)
def test_no_gpu_is_seen_on_a_machine_without(monkeypatch, visible, expected):
    if machine.Path("/dev/nvidia0").exists():
        pytest.skip("this machine has a GPU")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert machine.gpus() == expected
