"""What a training leaves in its folder, and what is there only while it goes on."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
from safetensors import SafetensorError

from empirical.summarization.encode import Example
from empirical.tensors import read_arrays, write_arrays
from sims.running.files import read_bytes, write_atomic, write_json
from sims.running.sealed import seal, unseal
from sims.running.sums import faults, sha256_of

ABOUT, LOSSES = "about.json", "losses.json"
WORK, CHECKPOINTS, EXAMPLES, JOB, FAULT = "training", "checkpoints", "examples.safetensors", "job.json", "fault.txt"
"""The folder of what is there only while a training goes on, and what is in it."""
SUMS = "sums.json"
"""In a checkpoint: the sums of its files."""


def write_about(folder: Path, about: Mapping[str, Any], losses: Sequence[float]) -> None:
    """Say how a training went: the last that is written."""
    write_atomic(folder / LOSSES, json.dumps(list(losses)).encode())
    write_json(folder / ABOUT, about)


def read_about(folder: Path) -> dict[str, Any]:
    """How a training went; its ``failure`` is empty, or says why there is no model."""
    return json.loads((folder / ABOUT).read_bytes())


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
        if (checkpoint / SUMS).exists() and not _as_written(checkpoint):
            return False
        state = json.loads((checkpoint / "trainer_state.json").read_bytes())
        for path in checkpoint.glob("*.safetensors"):
            read_arrays(path)
    except (OSError, ValueError, KeyError, SafetensorError):
        return False
    archives = [*checkpoint.glob("*.pt"), *checkpoint.glob("*.pth")]
    return state["global_step"] == int(checkpoint.name.rpartition("-")[2]) and all(map(is_zipfile, archives))


def certify(checkpoint: Path) -> None:
    """Write down the sums of a checkpoint's files, the last of it; where one process alone has written them."""
    files = {path.name: sha256_of(path) for path in sorted(checkpoint.iterdir()) if path.name != SUMS}
    write_atomic(checkpoint / SUMS, seal({"files": files}))


def _as_written(checkpoint: Path) -> bool:
    return not any(faults(checkpoint, unseal(read_bytes(checkpoint / SUMS))["files"]))


def write_examples(path: Path, examples: Sequence[Example]) -> None:
    """Put encoded examples into one file."""
    arrays = {
        "ids": np.array([token for example in examples for token in example.ids], np.int32),
        "lengths": np.array([len(example.ids) for example in examples], np.int32),
        "starts": np.array([example.start for example in examples], np.int32),
    }
    write_arrays(path, arrays)
