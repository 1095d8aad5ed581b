"""Fine-tuning by the Trainer: killed anywhere it ends the same, shared by processes it is the same training."""

import dataclasses
import io
import json
import shutil
import signal
import subprocess
import sys
import textwrap
import weakref

import numpy as np
import pytest
import safetensors.torch
import torch

from empirical.stages.worker import release
from empirical.summarization import training
from empirical.summarization.accelerators import FSDP
from empirical.summarization.encode import Format
from empirical.summarization.job import ABOUT, CHECKPOINTS, JOB, LOSSES, WORK, newest_checkpoint
from empirical.summarization.made import Shape, WarmUp, make_base, train_tokenizer
from empirical.summarization.models import load_model, load_tokenizer, save_model
from empirical.summarization.schedule import Schedule
from empirical.summarization.training import train
from tests.processes import alive, descendants, wait_for

WORDS = [f"w{number}" for number in range(40)]
FORM = Format(block=32, summary_tokens=8, separator=" =>")
SCHEDULE = Schedule(
    steps=9,
    epochs=0,
    batch=8,
    micro_batch=8,
    learning_rate=1e-2,
    scheduler="cosine",
    warm_up=2,
    weight_decay=0.01,
    clip=1.0,
    checkpoint_steps=2,
)
HERE = {"device": "cpu", "accelerate": None}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    tokenizer = train_tokenizer([" ".join([*WORDS, "=>"])], "word", 100)
    warm_up = WarmUp(steps=2, batch=4)
    shape = Shape(width=32, layers=2, heads=2, intermediate=48, positions=64)
    save_model(make_base(tokenizer, FORM.separator, shape, warm_up, 0)[0], tokenizer, folder)
    return folder


@pytest.fixture(scope="module")
def examples():
    """50 articles of different lengths and their first words."""
    rng = np.random.default_rng(0)
    articles = [" ".join(rng.choice(WORDS, rng.integers(4, 14))) for _ in range(50)]
    return articles, [" ".join(article.split()[:3]) for article in articles]


def fit(base, examples, folder, schedule=SCHEDULE, runtime=HERE, form=FORM):
    train(base, examples, form, schedule, 3, folder, runtime)
    return result(folder)


def result(folder):
    about = json.loads((folder / ABOUT).read_bytes())
    losses = json.loads((folder / LOSSES).read_bytes())
    path = next(iter(folder.glob("*.safetensors")), None)
    return about, losses, safetensors.torch.load_file(path) if path else None


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def whole(base, examples, tmp_path_factory):
    """A training that nothing disturbed, and without checkpoints."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, fit(base, examples, folder, dataclasses.replace(SCHEDULE, checkpoint_steps=0))


def test_what_it_leaves(whole):
    folder, (about, losses, _) = whole
    left = {path.name for path in folder.rglob("*")}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= left
    assert not [name for name in left if name.endswith((".bin", ".pt", ".pth", ".md"))]
    assert WORK not in left
    assert about["steps"] == len(losses) == 9
    assert (about["examples"], about["passes"], about["failure"]) == (50, 1.44, "")
    assert (about["batch"], about["micro_batch"], about["accumulation"], about["world"]) == (8, 8, 1, 1)
    assert about["loss_tokens"] == 9 * 8 * 4  # three words and eos
    assert losses[-1] < losses[0]
    model = load_model(folder, "float32", "cpu")
    assert about["parameters"] == sum(parameter.numel() for parameter in model.parameters())
    assert model.config.use_cache


def test_the_loss_is_of_the_summary_and_eos_alone(base, examples, whole, tmp_path):
    """The first recorded loss, by hand: mean over all summary tokens of the batch, not over sequences."""
    from empirical.order import Order
    from empirical.summarization.encode import Encoder

    model, encoder = load_model(base, "float32", "cpu"), Encoder(load_tokenizer(base), FORM)
    total = count = 0
    for index in Order(50, 3).batch(0, 8):
        ids, start = encoder.example(examples[0][index], examples[1][index])
        logits = model(input_ids=torch.tensor([ids])).logits[0, start - 1 : -1]
        total += torch.nn.functional.cross_entropy(logits, torch.tensor(ids[start:]), reduction="sum").item()
        count += len(ids) - start
    assert whole[1][1][0] == pytest.approx(total / count, rel=1e-6)


def test_everything_as_style_gives_loss_to_the_article(base, examples, tmp_path):
    schedule = dataclasses.replace(SCHEDULE, style="everything", steps=2)
    about, losses, _ = fit(base, examples, tmp_path, schedule)
    assert about["loss_tokens"] == about["tokens"] - 2 * 8  # nothing predicts the first token of a sequence


class Killed(Exception):
    """Stands for SIGKILL at a certain moment."""


@pytest.mark.parametrize("moment", ["on_step_end", "on_save", "on_log"])
def test_killed_and_resumed_it_is_the_same_training(base, examples, whole, tmp_path, monkeypatch, moment):
    """Bit for bit, wherever it was killed, twice."""
    from empirical.summarization.fit import StopAtNonFinite

    for step in (4, 5 if moment != "on_save" else 6):

        def kill(self, args, state, control, _at=step, **_):
            if state.global_step == _at:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(StopAtNonFinite, moment, kill)
            with pytest.raises(Killed):
                fit(base, examples, tmp_path)
    assert newest_checkpoint(tmp_path / WORK / CHECKPOINTS)
    about, losses, weights = fit(base, examples, tmp_path)
    assert losses == whole[1][1]
    assert same(weights, whole[1][2])
    assert about == whole[1][0]
    assert not (tmp_path / WORK).exists()


def test_lora_saves_the_adapter_alone_and_resumes(base, examples, tmp_path, monkeypatch):
    from empirical.summarization.fit import StopAtNonFinite

    schedule = dataclasses.replace(SCHEDULE, lora_rank=4, learning_rate=0.1)
    about, losses, adapter = fit(base, examples, tmp_path / "whole", schedule)
    with monkeypatch.context() as patch:

        def kill(self, args, state, control, **_):
            if state.global_step == 5:
                raise Killed

        patch.setattr(StopAtNonFinite, "on_step_end", kill)
        with pytest.raises(Killed):
            fit(base, examples, tmp_path / "killed", schedule)
    again = fit(base, examples, tmp_path / "killed", schedule)
    assert again[1] == losses
    assert same(again[2], adapter)
    assert about["parameters"] == sum(tensor.numel() for tensor in adapter.values())
    assert not list(tmp_path.rglob("model.safetensors"))
    merged, before = load_model(tmp_path / "whole", "float32", "cpu"), load_model(base, "float32", "cpu")
    layer = "model.layers.0.mlp.up_proj"
    change = merged.get_submodule(layer).weight - before.get_submodule(layer).weight
    key = f"base_model.model.{layer}"
    expected = 2 * adapter[f"{key}.lora_B.weight"] @ adapter[f"{key}.lora_A.weight"]  # alpha over rank
    assert torch.allclose(change, expected, atol=1e-6)
    assert change.abs().max() > 1e-3
    assert torch.equal(merged.model.embed_tokens.weight, before.model.embed_tokens.weight)


def test_an_adapter_finds_its_base_after_both_were_moved(base, examples, tmp_path):
    shutil.copytree(base, tmp_path / "run" / "base")
    schedule = dataclasses.replace(SCHEDULE, lora_rank=2, steps=1)
    train(tmp_path / "run" / "base", examples, FORM, schedule, 3, tmp_path / "run" / "seed0" / "arm", HERE)
    (tmp_path / "run").rename(tmp_path / "elsewhere")
    assert load_model(tmp_path / "elsewhere" / "seed0" / "arm", "float32", "cpu").num_parameters() > 0


def test_torn_checkpoints_are_passed_over(base, examples, whole, tmp_path, monkeypatch):
    from empirical.summarization.fit import StopAtNonFinite

    def kill(self, args, state, control, **_):
        if state.global_step == 6:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(StopAtNonFinite, "on_step_end", kill)
        with pytest.raises(Killed):
            fit(base, examples, tmp_path)
    checkpoints = tmp_path / WORK / CHECKPOINTS
    good = newest_checkpoint(checkpoints)
    assert good.endswith("checkpoint-4")
    for number, (name, content) in enumerate(
        [("trainer_state.json", b'{"global_step"'), ("model.safetensors", b"12"), ("optimizer.pt", b"PK")]
    ):
        torn = checkpoints / f"checkpoint-{90 + number}"
        shutil.copytree(good, torn)
        state = (torn / "trainer_state.json").read_text().replace('"global_step": 4', f'"global_step": {90 + number}')
        (torn / "trainer_state.json").write_text(state)
        (torn / name).write_bytes(content)
    (checkpoints / "checkpoint-99").mkdir()
    assert newest_checkpoint(checkpoints) == good
    assert [path.name for path in checkpoints.iterdir()] == ["checkpoint-4"]
    assert fit(base, examples, tmp_path)[1] == whole[1][1]


def test_accumulation_changes_nothing_but_the_last_bits(base, examples, whole, tmp_path):
    """Though the micro-batches carry different numbers of tokens."""
    rng = np.random.default_rng(1)
    uneven = examples[0], [" ".join(article.split()[: rng.integers(1, 5)]) for article in examples[0]]
    one = fit(base, uneven, tmp_path / "one", dataclasses.replace(SCHEDULE, checkpoint_steps=0))
    four = fit(base, uneven, tmp_path / "four", dataclasses.replace(SCHEDULE, micro_batch=2, checkpoint_steps=0))
    assert four[0]["accumulation"] == 4
    assert np.allclose(one[1], four[1], rtol=1e-5)


@pytest.mark.parametrize(("before", "after"), [(8, 2), (2, 4)])
def test_a_checkpoint_of_another_micro_batch_is_continued_with_the_same_examples(
    base, examples, whole, tmp_path, monkeypatch, before, after
):
    """Also with other checkpoints, and with activations computed twice."""
    from empirical.summarization.fit import Examples, StopAtNonFinite

    def kill(self, args, state, control, **_):
        if state.global_step == 5:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(StopAtNonFinite, "on_step_end", kill)
        with pytest.raises(Killed):
            fit(base, examples, tmp_path, dataclasses.replace(SCHEDULE, micro_batch=before))
    assert newest_checkpoint(tmp_path / WORK / CHECKPOINTS).endswith("checkpoint-4")
    places, take = [], Examples.__getitem__
    monkeypatch.setattr(Examples, "__getitem__", lambda self, place: places.append(place) or take(self, place))
    other = dataclasses.replace(SCHEDULE, micro_batch=after, checkpoint_steps=3, gradient_checkpointing=True)
    about, losses, weights = fit(base, examples, tmp_path, other)
    assert places == list(range(4 * 8, 9 * 8))
    assert (about["steps"], about["accumulation"]) == (9, 8 // after)
    assert np.allclose(losses, whole[1][1], rtol=1e-5)
    assert all(torch.allclose(weights[name], whole[1][2][name], atol=1e-5) for name in weights)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_nothing_of_a_training_is_left_in_memory(base, examples, tmp_path, monkeypatch, precision):
    """Else a GPU's memory could not be given back before the next stage; a model under autocast refers to itself."""
    from empirical.summarization import fit as module

    models, left, make = [], [], module._model

    def remembered(*args):
        model = make(*args)
        models.append(weakref.ref(model))
        return model

    monkeypatch.setattr(module, "_model", remembered)
    monkeypatch.setattr("torch.cuda.empty_cache", lambda: left.append([model() for model in models]))
    fit(base, examples, tmp_path, dataclasses.replace(SCHEDULE, steps=1, precision=precision))
    release()
    assert left[-1] == [None]


def test_accelerate_starts_as_many_processes_as_the_batch_was_shared_among(base, examples, tmp_path, monkeypatch):
    """Ours fits the host: one for each GPU."""
    commands = []

    class Crew:
        def __init__(self, command, **_):
            commands.append((command, json.loads((tmp_path / WORK / JOB).read_text())))
            self.stdin = io.StringIO()

        def wait(self):
            return 0

    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    monkeypatch.setattr(training.subprocess, "Popen", Crew)
    schedule = dataclasses.replace(SCHEDULE, micro_batch=1)
    train(base, examples, FORM, schedule, 3, tmp_path, {"device": "cuda", "accelerate": str(FSDP)})
    [(command, job)] = commands
    assert command[command.index("--num_processes") + 1] == "4"
    assert job["processes"] == 4
    with pytest.raises(ValueError, match="micro_batch = 8 times 4 processes"):
        train(base, examples, FORM, SCHEDULE, 3, tmp_path, {"device": "cuda", "accelerate": str(FSDP)})


def test_bfloat16_between_two_trainings_in_float32_disturbs_neither(base, examples, whole, tmp_path):
    plain = dataclasses.replace(SCHEDULE, checkpoint_steps=0)
    low = fit(base, examples, tmp_path / "low", dataclasses.replace(plain, precision="bfloat16"))
    again = fit(base, examples, tmp_path / "again", plain)
    assert again[1] == whole[1][1]
    assert same(again[2], whole[1][2])
    assert low[1] != again[1]
    assert np.allclose(low[1], again[1], rtol=0.05)
    assert {tensor.dtype for tensor in low[2].values()} == {torch.bfloat16}


def test_gradient_checkpointing_changes_nothing(base, examples, whole, tmp_path):
    schedule = dataclasses.replace(SCHEDULE, checkpoint_steps=0, gradient_checkpointing=True)
    assert fit(base, examples, tmp_path, schedule)[1] == whole[1][1]


def test_no_examples_and_no_finite_loss_are_failures_without_a_model(base, examples, tmp_path):
    about, losses, weights = fit(base, ([], []), tmp_path / "none")
    assert "no examples" in about["failure"]
    assert losses == []
    assert weights is None
    wild = dataclasses.replace(SCHEDULE, learning_rate=1e30, clip=1e30, warm_up=0, steps=20)
    about, losses, weights = fit(base, examples, tmp_path / "wild", wild)
    assert "not finite" in about["failure"]
    assert weights is None
    assert len(losses) < 20
    assert not (tmp_path / "wild" / WORK).exists()


SEVERAL = {
    "compute_environment": "LOCAL_MACHINE",
    "distributed_type": "MULTI_GPU",  # accelerate starts several processes for GPUs only; the job says cpu
    "num_machines": 1,
    "machine_rank": 0,
    "num_processes": 2,
    "main_process_port": 0,
    "mixed_precision": "no",
    "use_cpu": False,
}
FSDP_ON_CPU = """
    import os
    if os.environ.get("WORLD_SIZE"):
        from accelerate import state
        from accelerate.utils import DistributedType
        plain = state.AcceleratorState.__init__
        def start(self, *args, **kwargs):
            if not state.AcceleratorState._shared_state:
                state.PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU
            plain(self, *args, **kwargs)
        state.AcceleratorState.__init__ = start
"""
"""accelerate shares a model between processes on GPUs only; PyTorch can on a CPU as well."""
FSDP_AND_KILL = (
    FSDP_ON_CPU
    + """
        from transformers import TrainerCallback
        def end(self, args, state, control, **_):
            if state.global_step == 6:
                os._exit(9)
        TrainerCallback.on_step_begin = end
"""
)


def accelerated(folder, **changes):
    folder.mkdir(exist_ok=True)
    path = folder / "accelerate.yaml"
    path.write_text(json.dumps(SEVERAL | changes))
    return {"device": "cpu", "accelerate": str(path)}


def shared(schedule=SCHEDULE):
    return dataclasses.replace(schedule, micro_batch=2, checkpoint_steps=4)


def patched(folder, monkeypatch, text):
    """Python in every process of a launch runs ``text`` first."""
    (folder / "sitecustomize.py").write_text(textwrap.dedent(text))
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.mark.slow
def test_two_processes_are_the_same_training(base, examples, tmp_path):
    one = fit(base, examples, tmp_path / "one", shared())
    two = fit(base, examples, tmp_path / "two", shared(), accelerated(tmp_path))
    assert (two[0]["world"], two[0]["accumulation"], one[0]["accumulation"]) == (2, 2, 4)
    assert np.allclose(one[1], two[1], rtol=1e-5)
    assert all(torch.allclose(one[2][name], two[2][name], atol=1e-5) for name in one[2])
    assert not (tmp_path / "two" / WORK).exists()


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 2])
def test_a_shared_model_is_the_same_training_and_resumes(base, examples, tmp_path, monkeypatch, rank):
    """FSDP2 as in presets/fsdp.yaml, with two processes."""
    import yaml

    preset = yaml.safe_load(FSDP.read_text())
    runtime = accelerated(tmp_path, distributed_type="FSDP", fsdp_config=preset["fsdp_config"])
    schedule = dataclasses.replace(shared(), lora_rank=rank)
    one = fit(base, examples, tmp_path / "one", schedule)
    patched(tmp_path, monkeypatch, FSDP_AND_KILL)
    with pytest.raises(RuntimeError, match="exit code"):
        fit(base, examples, tmp_path / "two", schedule, runtime)
    found = newest_checkpoint(tmp_path / "two" / WORK / CHECKPOINTS)
    assert found is None if rank else found.endswith("checkpoint-4")
    patched(tmp_path, monkeypatch, FSDP_ON_CPU)
    two = fit(base, examples, tmp_path / "two", schedule, runtime)
    assert np.allclose(one[1], two[1], rtol=1e-5)
    assert one[2].keys() == two[2].keys()
    assert all(torch.allclose(one[2][name], two[2][name], atol=1e-5) for name in one[2])
    assert load_model(tmp_path / "two", "float32", "cpu").num_parameters() > 0


@pytest.mark.slow
def test_fewer_processes_than_asked_for_is_an_error(base, examples, tmp_path):
    """accelerate quietly starts one process on CPUs."""
    with pytest.raises(RuntimeError, match="asks for 2 processes, and 1 runs"):
        fit(base, examples, tmp_path / "out", shared(), accelerated(tmp_path, distributed_type="MULTI_CPU"))


@pytest.mark.slow
def test_the_processes_end_with_the_one_that_started_them(base, tmp_path):
    """Else they would write into the folder of the next try."""
    runtime = accelerated(tmp_path)
    code = f"""
        import dataclasses, pathlib
        from tests.empirical.summarization.test_training import *
        schedule = dataclasses.replace(shared(), steps=100_000)
        train(pathlib.Path({str(base)!r}), (["w1 w2 w3"] * 50, ["w1"] * 50), FORM, schedule, 3,
              pathlib.Path({str(tmp_path / "out")!r}), {runtime!r})
    """
    driver = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    checkpoints = tmp_path / "out" / WORK / CHECKPOINTS

    try:
        wait_for(lambda: newest_name(checkpoints), "a checkpoint")
        crew = descendants(driver.pid)
    finally:
        driver.kill()
        driver.wait()
    assert len(crew) >= 3  # what launches, and two that train
    wait_for(lambda: not any(map(alive, crew)), "the processes to end")


def newest_name(folder):
    return max((int(path.name.rpartition("-")[2]) for path in folder.glob("checkpoint-*")), default=None)


def test_a_process_killed_at_any_moment_is_resumed_bit_for_bit(base, tmp_path):
    """SIGKILL, also while a checkpoint is being written: there is one after every step, and the last never begins."""
    data, schedule = (["w1 w2 w3", "w4 w5"] * 9, ["w1", "w4"] * 9), dataclasses.replace(SCHEDULE, steps=30)
    whole = fit(base, data, tmp_path / "whole", schedule)
    code = f"""
        from pathlib import Path
        from tests.empirical.summarization.test_training import *
        from transformers import TrainerCallback
        TrainerCallback.on_step_begin = lambda _, args, state, *rest, **named: (
            signal.pause() if state.global_step == 29 else None
        )
        torch.set_num_threads(1)
        schedule = dataclasses.replace(SCHEDULE, steps=30, checkpoint_steps=1)
        train(Path({str(base)!r}), {data!r}, FORM, schedule, 3, Path({str(tmp_path / "killed")!r}), HERE)
    """
    driver = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    checkpoints = tmp_path / "killed" / WORK / CHECKPOINTS
    try:
        wait_for(lambda: (newest_name(checkpoints) or 0) >= 3, "three steps")
    finally:
        driver.kill()
    assert driver.wait() == -signal.SIGKILL
    assert newest_checkpoint(checkpoints)
    again = fit(base, data, tmp_path / "killed", dataclasses.replace(schedule, checkpoint_steps=1))
    assert again[1] == whole[1]
    assert same(again[2], whole[2])
