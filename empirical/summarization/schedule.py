"""How a model is trained: updates and batches, the optimiser, precision, and what fits it into a machine."""

import math
from dataclasses import dataclass

from theory.errors import InputError


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
