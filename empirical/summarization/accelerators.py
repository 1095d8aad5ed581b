"""What a machine has for a training: the processes that accelerate starts, and memory for each."""

import math
from pathlib import Path
from typing import Any

import torch

from sims.running.machine import free_memory
from theory.errors import InputError

FSDP = Path(__file__).parent / "presets" / "fsdp.yaml"
"""Our own accelerate configuration, which takes as many processes as there are GPUs."""


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
