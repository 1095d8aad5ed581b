"""What a machine has for a training: the processes that accelerate starts, and memory for each."""

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch

from sims.running.machine import free_memory
from sims.running.text import say
from theory.errors import InputError

FSDP = Path(__file__).parent / "presets" / "fsdp.yaml"
"""Our own accelerate configuration, which takes as many processes as there are GPUs."""
BFLOAT16 = {"amx_bf16", "avx512_bf16"}
"""Instructions by which a processor multiplies in bfloat16."""
LARGE = 5e7
"""Parameters from which arithmetic is what takes the time."""


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


def quicker(device: str, precisions: Collection[str], parameters: float) -> str:
    """What would make a large model answer and learn faster on this CPU, or nothing."""
    if device != "cpu" or set(precisions) != {"float32"} or parameters < LARGE or not BFLOAT16 & _instructions():
        return ""
    return say(
        'This processor multiplies in bfloat16 by itself: a file with precision = "bfloat16" in [training] and '
        "[generation], named by --config, takes about half the time, and gives somewhat other numbers."
    )


def _instructions() -> set[str]:
    """Names of what the processor can do."""
    return {name for name, there in torch.cpu.get_capabilities().items() if there is True}


def memory(device: str, processes: int) -> int | None:
    """Bytes that one of several processes can have; None if unknown."""
    if device == "cuda":
        return torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else None
    free = free_memory()
    return None if free is None else free // processes


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
