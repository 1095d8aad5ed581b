"""Fine-tuning by transformers' Trainer, that can be killed and resumed, in this process or in several by accelerate.

Step t sees examples t * batch .. (t + 1) * batch of an endless sequence that depends on the seed alone, so that
micro-batches, accumulation and processes change only the order of sums. Every batch is full: the last one of a pass
over the data is filled from the next pass.

Precision: weights, gradients and the two moments of AdamW are float32 (16 bytes per parameter, whence the 108 GB of a
7B model); "bfloat16" computes under autocast and saves the weights in bfloat16. Weights in bfloat16 would not do: a
learning rate of 2e-5 is lost in their 8 bits. With LoRA the base is frozen and in ``precision``, the adapter float32.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from empirical.summarization.accelerators import processes
from empirical.summarization.encode import Encoder, Format
from empirical.summarization.job import (
    ABOUT,
    CHECKPOINTS,
    EXAMPLES,
    FAULT,
    JOB,
    WORK,
    newest_checkpoint,
    write_about,
    write_examples,
)
from empirical.summarization.models import load_tokenizer
from empirical.summarization.schedule import Schedule, accumulation
from sims.running.files import write_atomic
from theory.errors import RunError


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


def _run(job: Mapping[str, Any], work: Path, accelerate: str | None, schedule: Schedule) -> None:
    if accelerate is None:
        accumulation(schedule, 1)
        from empirical.summarization.fit import fit  # its imports take seconds

        fit({**job, "processes": 1})
        return
    count, _ = processes(accelerate)
    accumulation(schedule, count)
    (work / FAULT).unlink(missing_ok=True)
    write_atomic(work / JOB, json.dumps({**job, "processes": count}).encode())
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", accelerate]
    command += ["--num_processes", str(count), "-m", "empirical.summarization.fit", str(work / JOB)]
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
