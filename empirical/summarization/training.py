"""Fine-tuning by transformers' Trainer, that can be killed and resumed, in this process or in several by accelerate.

Step t sees examples t * batch .. (t + 1) * batch of an endless sequence that depends on the seed alone, so that
micro-batches, accumulation and processes change only the order of sums. Every batch is full: the last one of a pass
over the data is filled from the next pass.

Precision: weights, gradients and the two moments of AdamW are float32 (16 bytes per parameter, whence the 108 GB of a
7B model); "bfloat16" computes under autocast and saves the weights in bfloat16. Weights in bfloat16 would not do: a
learning rate of 2e-5 is lost in their 8 bits. With LoRA the base is frozen and in ``precision``, the adapter float32.
"""

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
import torch
from safetensors import SafetensorError

from empirical.summarization.encode import Encoder, Example, Format
from empirical.summarization.models import load_tokenizer
from empirical.tensors import read_arrays, write_arrays
from sims.running.files import write_atomic
from theory.errors import InputError, RunError

ABOUT, LOSSES = "about.json", "losses.json"
WORK, CHECKPOINTS, EXAMPLES, JOB, FAULT = "training", "checkpoints", "examples.safetensors", "job.json", "fault.txt"
"""The folder of what is there only while a training goes on, and what is in it."""
FSDP = Path(__file__).parent / "presets" / "fsdp.yaml"
"""Our own accelerate configuration, which takes as many processes as there are GPUs."""


@dataclass(frozen=True)
class Schedule:
    """How a model is trained, whatever it is trained on. Raises ValueError for what cannot be."""

    steps: int
    """Updates; 0: as many as ``epochs`` passes over the data take."""
    epochs: float
    batch: int
    """Examples of an update, over all processes."""
    micro_batch: int
    """Examples that a process handles at a time."""
    learning_rate: float
    scheduler: str
    """cosine (down to 0) or constant, after the warm-up."""
    warm_up: int
    """Updates over which the learning rate rises."""
    weight_decay: float
    clip: float
    """Largest norm of a gradient."""
    lora_rank: int = 0
    """0: all weights are trained. Else adapters of this rank on every linear layer, alpha twice the rank."""
    precision: str = "float32"
    """float32 or bfloat16."""
    gradient_checkpointing: bool = False
    """Compute activations twice rather than keep them."""
    checkpoint_steps: int = 0
    """Updates between checkpoints; 0: none, as for LoRA under FSDP, whose checkpoints are not restored exactly."""
    style: str = "summary"
    """Which tokens carry loss: summary (and eos), or everything."""

    def __post_init__(self) -> None:
        """Check ranges."""
        for name, allowed in (
            ("scheduler", ("cosine", "constant")),
            ("precision", ("float32", "bfloat16")),
            ("style", ("summary", "everything")),
        ):
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} = {getattr(self, name)!r}: must be {' or '.join(allowed)}")
        for name in ("steps", "warm_up", "weight_decay", "lora_rank", "checkpoint_steps"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} = {getattr(self, name)}: must not be negative")
        for name in ("batch", "micro_batch", "learning_rate", "clip"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} = {getattr(self, name)}: must be positive")
        if not self.steps and not self.epochs > 0:
            raise InputError(f"steps = 0 and epochs = {self.epochs}: one of them must be positive")
        accumulation(self, 1)

    def updates(self, examples: int) -> int:
        """Updates of a training on so many examples."""
        return self.steps or math.ceil(self.epochs * math.ceil(examples / self.batch))


def accumulation(schedule: Schedule, processes: int) -> int:
    """Micro-batches that each process sums up for an update. Raises ValueError unless they make the batch exactly."""
    at_once = schedule.micro_batch * processes
    if schedule.batch % at_once:
        raise InputError(
            f"batch = {schedule.batch} is no multiple of micro_batch = {schedule.micro_batch} times {processes} "
            f"process{'es' if processes > 1 else ''}; change micro_batch or the number of processes, and keep the batch"
        )
    return schedule.batch // at_once


def train(
    base: Path,
    examples: tuple[Sequence[str], Sequence[str]],
    form: Format,
    schedule: Schedule,
    seed: int,
    folder: Path,
    runtime: Mapping[str, Any],
) -> None:
    """Fine-tune the model of folder ``base`` on (articles, summaries) and save it, or its adapter, into ``folder``.

    Also written: losses.json, the mean loss per token in nats of every update, and about.json, which comes last; its
    ``failure`` is empty, or says why there is no model (no examples, loss not finite). A folder in which a training
    was killed is continued from its newest complete checkpoint. ``runtime`` has ``device`` (cpu or cuda) and
    ``accelerate`` (an accelerate configuration, or None: this process). Raises ValueError for a batch that the
    processes cannot share, RuntimeError where one of them dies.
    """
    work = folder / WORK
    if not (folder / ABOUT).exists():
        work.mkdir(parents=True, exist_ok=True)
        tokenizer = load_tokenizer(base)
        encoder = Encoder(tokenizer, form)
        encoded = encoder.examples(*examples)
        if schedule.style == "everything":
            encoded = [example._replace(start=0) for example in encoded]
        job = {
            "base": str(base.resolve()),
            "folder": str(folder.resolve()),
            "schedule": asdict(schedule),
            "seed": seed,
            "pad": encoder.pad,
            "device": runtime["device"],
            "checkpoint": newest_checkpoint(work / CHECKPOINTS),
        }
        if encoded:
            write_examples(work / EXAMPLES, encoded)
            _run(job, work, runtime.get("accelerate"), schedule)
        else:
            write_about(folder, {"steps": 0, "examples": 0, "failure": "no examples: the verifier kept none"}, [])
    shutil.rmtree(work, ignore_errors=True)


def write_about(folder: Path, about: Mapping[str, Any], losses: Sequence[float]) -> None:
    """Say how a training went: the last that is written."""
    write_atomic(folder / LOSSES, json.dumps(list(losses)).encode())
    write_atomic(folder / ABOUT, json.dumps(about, indent=1).encode())


def newest_checkpoint(folder: Path) -> str | None:
    """The Trainer's newest checkpoint that is complete; those that are not are removed."""
    for path in sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True):
        if _complete(path):
            return str(path.resolve())
        shutil.rmtree(path)
    return None


def _complete(checkpoint: Path) -> bool:
    """The state is written last, unless a crash of the machine has mixed up the order."""
    try:
        state = json.loads((checkpoint / "trainer_state.json").read_bytes())
        for path in checkpoint.glob("*.safetensors"):
            read_arrays(path)
    except (OSError, ValueError, SafetensorError):
        return False
    archives = [*checkpoint.glob("*.pt"), *checkpoint.glob("*.pth")]
    return state["global_step"] == int(checkpoint.name.rpartition("-")[2]) and all(map(is_zipfile, archives))


def write_examples(path: Path, examples: Sequence[Example]) -> None:
    """Put encoded examples into one file."""
    arrays = {
        "ids": np.array([token for example in examples for token in example.ids], np.int32),
        "lengths": np.array([len(example.ids) for example in examples], np.int32),
        "starts": np.array([example.start for example in examples], np.int32),
    }
    write_arrays(path, arrays)


def _run(job: Mapping[str, Any], work: Path, accelerate: str | None, schedule: Schedule) -> None:
    if accelerate is None:
        accumulation(schedule, 1)
        from empirical.summarization.launch import fit

        fit({**job, "processes": 1})
        return
    count, _ = processes(accelerate)
    accumulation(schedule, count)
    (work / FAULT).unlink(missing_ok=True)
    write_atomic(work / JOB, json.dumps({**job, "processes": count}).encode())
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", accelerate]
    command += ["--num_processes", str(count), "-m", "empirical.summarization.launch", str(work / JOB)]
    # The processes end when their standard input does, which is when this one is gone, however it goes.
    crew = subprocess.Popen(command, stdin=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"})
    try:
        code = crew.wait()
    finally:
        assert crew.stdin is not None
        crew.stdin.close()
        crew.wait()
    if (work / FAULT).exists():
        raise RunError((work / FAULT).read_text())
    if code:
        raise RunError(f"accelerate launch ended with exit code {code} (its messages are above; out of memory?)")


def processes(accelerate: str) -> tuple[int, bool]:
    """How many processes an accelerate configuration starts, on all machines, and whether they share the model (FSDP).

    `FSDP` fits the host: one process per GPU that is there. Raises ValueError for a broken one.
    """
    config = _configuration(accelerate)
    own = torch.cuda.device_count() if Path(accelerate).resolve() == FSDP.resolve() else 0
    count = own or int(config.num_processes)
    return count, getattr(config.distributed_type, "value", config.distributed_type) == "FSDP"


def check_accelerate(accelerate: str, gpus: int) -> None:
    """Whether an accelerate configuration is one, and fits this host's GPUs (0: the device is no GPU).

    Raises ValueError, with what to do, unless it does.
    """
    count, _ = processes(accelerate)
    here = math.ceil(count / _configuration(accelerate).num_machines)
    if gpus and here > gpus:
        raise InputError(
            f"accelerate = {accelerate!r}: asks for {here} processes on this machine, which has {gpus} GPU"
            f"{'s' if gpus > 1 else ''}; set num_processes in it, or make one that fits by `accelerate config`"
        )


def _configuration(accelerate: str) -> Any:
    from accelerate.commands.config.config_args import load_config_from_file

    try:
        config = load_config_from_file(accelerate)
        if not (config.num_processes > 0 and config.num_machines > 0):
            raise InputError("num_processes and num_machines must be positive")
    except Exception as error:
        raise InputError(
            f"accelerate = {accelerate!r}: not a configuration of accelerate ({error}); make one by `accelerate config`"
        ) from None
    return config
