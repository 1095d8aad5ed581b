"""Training that can be killed at any step and resumed: the loss curve is the same to the bit on a CPU.

Step t sees a batch that is a function of the seed and t, so that parameters, optimiser moments and the step number
are the whole state; they are written together, in one file that is there whole or not at all.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from empirical.eigenvalues.model import Transformer
from empirical.order import Order
from empirical.tensors import intact, read_tensors, write_tensors

CHECKPOINT = "checkpoint.safetensors"
BETAS = (0.9, 0.98)
LOOK_EVERY = 50
"""Steps between two looks at the losses."""


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

    def rate(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        if step < self.warm_up:
            return self.learning_rate * (step + 1) / self.warm_up
        done = (step - self.warm_up) / max(self.steps - self.warm_up, 1)
        return self.learning_rate * (self.final_share + (1 - self.final_share) * 0.5 * (1 + np.cos(np.pi * done)))


class Runtime(NamedTuple):
    """Where and how often, none of which is part of the configuration."""

    device: str = "cpu"
    bf16: bool = False
    compile: bool = False
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

    ``folder`` holds the checkpoint while it goes on; a checkpoint that is there, and intact, is continued.
    """
    losses = torch.full((plan.steps,), torch.nan, dtype=torch.float64)
    if len(inputs) == 0:
        return Trained(losses.numpy(), "no examples: the verifier kept none")
    device = torch.device(runtime.device)
    model.to(device).train()
    optimiser = torch.optim.AdamW(model.parameters(), betas=BETAS, weight_decay=plan.weight_decay, fused=True)
    path = folder / CHECKPOINT
    first = _restore(path, model, optimiser, losses) if intact(path) else 0
    if runtime.compile:
        torch.compiler.reset()  # one process trains many models; their compilations count against one limit
    forward = torch.compile(model) if runtime.compile else model
    examples = torch.from_numpy(inputs).to(device), torch.from_numpy(labels).to(device)
    order = Order(len(inputs), seed)
    recent: list[Tensor] = []
    saved = time.monotonic()

    def settle(step: int) -> None:
        """Fetch the losses of the last steps from the device: waiting for it every step would cost time."""
        if recent:
            losses[step - len(recent) : step] = torch.stack(recent).double().cpu()
            recent.clear()

    for step in range(first, plan.steps):
        chosen = torch.from_numpy(order.batch(step * plan.batch, plan.batch)).to(device)
        for group in optimiser.param_groups:
            group["lr"] = plan.rate(step)
        batch = examples[0][chosen].long(), examples[1][chosen].long()
        recent.append(_update(forward, optimiser, batch, plan.clip, runtime.bf16))
        if len(recent) == LOOK_EVERY or step + 1 == plan.steps:
            settle(step + 1)
            if not losses[: step + 1].isfinite().all():
                break
        if time.monotonic() - saved >= runtime.checkpoint_seconds:
            settle(step + 1)
            _save(path, model, optimiser, losses, step + 1)
            saved = time.monotonic()
        runtime.on_step(step + 1)
    return Trained(losses.numpy(), _failure(losses))


def _failure(losses: Tensor) -> str:
    bad = torch.nonzero(~losses.isfinite())
    return f"the loss is not finite at step {int(bad[0]) + 1}; lower training.learning_rate" if len(bad) else ""


def _update(
    forward: Callable[..., Tensor],
    optimiser: torch.optim.Optimizer,
    batch: tuple[Tensor, Tensor],
    clip: float,
    bf16: bool,
) -> Tensor:
    """One step; returns its loss."""
    inputs, labels = batch
    with torch.autocast(inputs.device.type, torch.bfloat16, enabled=bf16):
        logits = forward(inputs, labels)
    loss = functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten())
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_([p for group in optimiser.param_groups for p in group["params"]], clip)
    optimiser.step()
    return loss.detach()


def _save(path: Path, model: Transformer, optimiser: torch.optim.Optimizer, losses: Tensor, step: int) -> None:
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": tensor for name, tensor in moments.items()}
    write_tensors(path, tensors | {"losses": losses}, {"step": step})


def _restore(path: Path, model: Transformer, optimiser: torch.optim.Optimizer, losses: Tensor) -> int:
    """Continue from a checkpoint; returns the number of steps done."""
    tensors, about = read_tensors(path)
    model.load_state_dict({name[6:]: tensor for name, tensor in tensors.items() if name.startswith("model.")})
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            _, index, key = name.split(".")
            state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    losses.copy_(tensors["losses"])
    return int(about["step"])
