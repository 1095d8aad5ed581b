"""One update of a model: run as it stands, or, on a GPU, recorded once as a CUDA graph and replayed.

A small model's update is some hundred kernels of a few microseconds each; started one by one from Python they take
several times as long as they run. What is recorded reads its batch and its rates from tensors that stay in place.
"""

import sys
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from empirical.eigenvalues.optimisers import Optimiser

FIRST = 3
"""Updates before a graph is recorded: libraries choose and allocate what they need in them."""


class Stepper:
    """Updates by batches of one set of examples (inputs, labels) on the device."""

    def __init__(
        self,
        forward: Callable[[Tensor, Tensor], Tensor],
        optimiser: Optimiser,
        examples: tuple[Tensor, Tensor],
        batch: int,
        clip: float,
        bf16: bool,
        record: Callable[[Callable[[], None]], Callable[[], None]] | None = None,
    ):
        """``clip``: largest norm of a gradient. ``record``: how a graph is made of an update, see `graph`."""
        self.forward, self.optimiser, self.examples = forward, optimiser, examples
        self.clip, self.bf16, self.record = clip, bf16, record
        device = examples[0].device
        self.chosen = torch.zeros(batch, dtype=torch.int64, device=device)
        self.loss = torch.zeros((), device=device)
        self.made = 0
        self.replay: Callable[[], None] | None = None

    def __call__(self, chosen: Tensor) -> Tensor:
        """Update by the examples at places ``chosen``; returns the loss, which later calls leave alone."""
        self.chosen.copy_(chosen)
        if self.record is not None and self.made >= FIRST:
            self.replay = self.replay or self._recorded(self.record)
            self.replay()
        elif self.record is not None and self.loss.is_cuda:
            self._aside()
        else:
            self._update()
        self.made += 1
        return self.loss.clone()

    def _aside(self) -> None:
        """In a stream of its own, as recording asks of the updates before it."""
        main, side = torch.cuda.current_stream(), torch.cuda.Stream()
        side.wait_stream(main)
        with torch.cuda.stream(side):
            self._update()
        main.wait_stream(side)

    def _recorded(self, record: Callable[[Callable[[], None]], Callable[[], None]]) -> Callable[[], None]:
        self.optimiser.forget()
        try:
            return record(self._update)
        except RuntimeError as error:
            print(f"note: no CUDA graph could be recorded, updates run one by one ({error})", file=sys.stderr)
            self.optimiser.forget()
            return self._update

    def _update(self) -> None:
        inputs, labels = (part[self.chosen].long() for part in self.examples)
        with torch.autocast(inputs.device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.forward(inputs, labels)
        loss = functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten())
        self.optimiser.forget()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.optimiser.parameters, self.clip)
        self.optimiser.step()
        self.loss.copy_(loss.detach())


def graph(work: Callable[[], None]) -> Callable[[], None]:
    """Record ``work``, which is not run by that; the result runs it on what its tensors then hold."""
    torch.cuda.synchronize()
    found = torch.cuda.CUDAGraph()
    with torch.cuda.graph(found):
        work()
    replay: Callable[[], None] = found.replay
    return replay
