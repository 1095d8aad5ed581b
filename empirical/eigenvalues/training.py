"""Training that can be killed at any step and resumed: the loss curve is the same to the bit on a CPU.

Step t sees a batch that is a function of the seed and t, so that parameters, optimiser moments and the step number
are the whole state; they are written together, in one file that is there whole or not at all.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from empirical.eigenvalues.model import Transformer
from empirical.eigenvalues.muon import Muon
from empirical.eigenvalues.optimisers import Optimiser
from empirical.eigenvalues.stepping import Stepper, graph
from empirical.order import Order
from empirical.tensors import intact, read_tensors, write_tensors
from theory.errors import RunError

CHECKPOINT = "checkpoint.safetensors"
LOOK_EVERY = 50
"""Steps between two looks at the losses, and between two uploads of the order of examples."""


class TimeIsOver(RunError):
    """The time that a run was given has passed; what it had done is in its checkpoint."""


@dataclass(frozen=True)
class Schedule:
    """How a model is trained, whatever it is trained on."""

    steps: int
    batch: int
    learning_rate: float
    """Reached after ``warm_up`` steps, then a half cosine down to ``final_share`` of it."""
    warm_up: int
    final_share: float
    weight_decay: float
    clip: float
    """Largest norm of a gradient."""
    muon: Muon | None = None
    """For the matrices of the layers, in AdamW's place."""

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Schedule":
        """From the settings of a stage."""
        muon = settings.get("muon")
        return cls(**{**settings, "muon": muon and Muon(**muon)})

    def share(self, step: int) -> float:
        """Share of the largest learning rate that a step has, counted from 0."""
        if step < self.warm_up:
            return (step + 1) / self.warm_up
        done = (step - self.warm_up) / max(self.steps - self.warm_up, 1)
        return float(self.final_share + (1 - self.final_share) * 0.5 * (1 + np.cos(np.pi * done)))

    def rate(self, step: int) -> float:
        """AdamW's learning rate of a step."""
        return self.learning_rate * self.share(step)


class Runtime(NamedTuple):
    """Where and how often, none of which is part of the configuration."""

    device: str = "cpu"
    bf16: bool = False
    compile: bool = False
    record: bool = False
    """Whether updates are recorded as a CUDA graph."""
    until: float = np.inf
    """Of the monotonic clock: when to save, and to raise TimeIsOver."""
    checkpoint_seconds: float = 60.0
    on_step: Callable[[int], None] = lambda step: None
    """Called after every step, and after its checkpoint where there is one."""


class Trained(NamedTuple):
    """How a training went."""

    losses: np.ndarray
    """Mean cross-entropy per token in nats, of every step; NaN from the step on at which it was not finite."""
    failure: str
    """Empty, or why the model is of no use."""


def train(
    model: Transformer,
    inputs: np.ndarray,
    labels: np.ndarray,
    plan: Schedule,
    seed: int,
    folder: Path,
    runtime: Runtime,
) -> Trained:
    """Train ``model`` in place on tokens (count, length).

    ``folder`` holds the checkpoint while it goes on; a checkpoint that is there, and intact, is continued. Raises
    TimeIsOver after ``runtime.until``, with a checkpoint written.
    """
    losses = torch.full((plan.steps,), torch.nan, dtype=torch.float64)
    if len(inputs) == 0:
        return Trained(losses.numpy(), "no examples: the verifier kept none")
    device = torch.device(runtime.device)
    model.to(device).train()
    optimiser = Optimiser(model, plan.weight_decay, plan.muon, runtime.record)
    path = folder / CHECKPOINT
    first = _restore(path, model, optimiser, losses) if intact(path) else 0
    forward = torch.compile(model) if runtime.compile else model
    examples = torch.from_numpy(inputs).to(device), torch.from_numpy(labels).to(device)
    record = graph if runtime.record else None
    update = Stepper(forward, optimiser, examples, plan.batch, plan.clip, runtime.bf16, record)
    order = Order(len(inputs), seed)
    recent: list[Tensor] = []
    saved = time.monotonic()

    def settle(step: int) -> None:
        """Fetch the losses of the last steps from the device: waiting for it every step would cost time."""
        if recent:
            losses[step - len(recent) : step] = torch.stack(recent).double().cpu()
            recent.clear()

    for start in range(first, plan.steps, LOOK_EVERY):
        count = min(LOOK_EVERY, plan.steps - start)
        chosen = torch.from_numpy(order.batch(start * plan.batch, count * plan.batch)).to(device)
        for step, batch in enumerate(chosen.view(count, plan.batch), start):
            optimiser.set_rate(plan.rate(step), plan.share(step))
            recent.append(update(batch))
            if time.monotonic() - saved >= runtime.checkpoint_seconds:
                settle(step + 1)
                _save(path, model, optimiser, losses, step + 1)
                saved = time.monotonic()
            runtime.on_step(step + 1)
        settle(start + count)
        if not losses[: start + count].isfinite().all():
            break
        if time.monotonic() > runtime.until and start + count < plan.steps:
            _save(path, model, optimiser, losses, start + count)
            raise TimeIsOver(f"time is over after step {start + count} of {plan.steps}; the same command continues")
    return Trained(losses.numpy(), _failure(losses))


def _failure(losses: Tensor) -> str:
    bad = torch.nonzero(~losses.isfinite())
    return f"the loss is not finite at step {int(bad[0]) + 1}; lower training.learning_rate" if len(bad) else ""


def _save(path: Path, model: Transformer, optimiser: Optimiser, losses: Tensor, step: int) -> None:
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    write_tensors(path, tensors | optimiser.state() | {"losses": losses}, {"step": step})


def _restore(path: Path, model: Transformer, optimiser: Optimiser, losses: Tensor) -> int:
    """Continue from a checkpoint; returns the number of steps done."""
    tensors, about = read_tensors(path)
    model.load_state_dict({name[6:]: tensor for name, tensor in tensors.items() if name.startswith("model.")})
    optimiser.restore(tensors)
    losses.copy_(tensors["losses"])
    return int(about["step"])
