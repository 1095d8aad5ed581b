"""What updates a model: AdamW alone, or Muon for the matrices of its layers and AdamW for the rest.

Muon is PyTorch's own. Its step is p <- (1 - rate decay) p - rate O with a direction O that does not depend on the rate;
so it is asked for its step of rate 1 from a matrix of zeros, -O, and the rate of the schedule, a number on the device,
multiplies that. A recorded CUDA graph can replay this, where a rate in Python would be frozen.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from empirical.eigenvalues.model import Transformer

BETAS = (0.9, 0.98)
"""Of AdamW."""
LAYERS = ("encoder.", "decoder.")
"""What the names of layers begin with. Tables, places, norms and biases are AdamW's."""
STACKED = "inward.weight"
"""Query, key and value in one matrix: three to Muon, which measured better than one."""
STREAMS = 4
"""In which a GPU works on small matrices at a time."""


@dataclass(frozen=True)
class Muon:
    """How Muon moves matrices: momentum, Nesterov's look ahead, five Newton-Schulz steps (PyTorch's defaults)."""

    learning_rate: float
    """Largest; the schedule is AdamW's. Tall matrices move sqrt(rows/columns) times as far."""
    momentum: float
    weight_decay: float


class Optimiser:
    """Both of them, moved together, with their whole state as named tensors."""

    def __init__(self, model: Transformer, weight_decay: float, muon: Muon | None, recorded: bool = False):
        """For a model that is on its device. ``recorded``: steps are to be replayed as a CUDA graph."""
        named = list(model.named_parameters())
        device = named[0][1].device
        self.parameters = [parameter for _, parameter in named]
        self.muon, self._recorded = muon, recorded
        matrices = {n: p for n, p in named if muon is not None and n.startswith(LAYERS) and p.ndim == 2}
        self._stacked = [(p, 3 if n.endswith(STACKED) else 1) for n, p in matrices.items()]
        rest = [p for n, p in named if n not in matrices]
        self.rate = torch.zeros((), device=device)
        """Of AdamW, now."""
        start = self.rate if recorded else 0.0
        self._adam = torch.optim.AdamW(
            rest, lr=start, betas=BETAS, weight_decay=weight_decay, fused=True, capturable=recorded
        )
        self.moved: list[Tensor] = [part for p, parts in self._stacked for part in p.detach().chunk(parts)]
        self._directions = [torch.zeros_like(part, requires_grad=True) for part in self.moved]
        self._streams = [torch.cuda.Stream(device) for _ in range(STREAMS)] if device.type == "cuda" else []
        count = min(max(len(self._streams), 1), len(self.moved))
        self._muons = [_directing(self._directions[first::count], muon) for first in range(count) if muon is not None]
        self.matrix_rate = torch.zeros((), device=device)
        """Of Muon, now."""

    def set_rate(self, adamw: float, share: float) -> None:
        """The rate of AdamW, and the share of its largest rate that Muon takes, for the next step."""
        self.rate.fill_(adamw)
        if not self._recorded:
            self._adam.param_groups[0]["lr"] = adamw
        if self.muon is not None:
            self.matrix_rate.fill_(self.muon.learning_rate * share)

    def forget(self) -> None:
        """Drop all gradients."""
        for parameter in (*self.parameters, *self._directions):
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move by the gradients that are there."""
        self._adam.step()
        if self.muon is None:
            return
        torch._foreach_zero_(self._directions)
        slopes = (part for p, parts in self._stacked for part in _slope(p).chunk(parts))
        for direction, slope in zip(self._directions, slopes, strict=True):
            direction.grad = slope
        self._direct()
        torch._foreach_mul_(self.moved, 1 - self.matrix_rate * self.muon.weight_decay)
        torch._foreach_mul_(self._directions, self.matrix_rate)
        torch._foreach_add_(self.moved, self._directions)

    def _direct(self) -> None:
        """All directions, on a GPU in several streams."""
        if not self._streams:
            for muon in self._muons:
                muon.step()
            return
        main = torch.cuda.current_stream()
        for stream, muon in zip(self._streams, self._muons, strict=False):
            stream.wait_stream(main)
            with torch.cuda.stream(stream):
                muon.step()
        for stream in self._streams[: len(self._muons)]:
            main.wait_stream(stream)

    def state(self) -> dict[str, Tensor]:
        """Moments and counts: all that a checkpoint needs beside the weights."""
        return {
            f"{kind}.{first + stride * index}.{name}": tensor
            for kind, first, stride, optimiser in self._kinds()
            for index, moments in optimiser.state_dict()["state"].items()
            for name, tensor in moments.items()
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take over what `state` gave, on whatever device."""
        for kind, first, stride, optimiser in self._kinds():
            found: dict[int, dict[str, Tensor]] = {}
            for name, tensor in tensors.items():
                place = name.split(".")
                if place[0] == kind and int(place[1]) % stride == first:
                    found.setdefault(int(place[1]) // stride, {})[place[2]] = tensor
            optimiser.load_state_dict({"state": found, "param_groups": optimiser.state_dict()["param_groups"]})
        if self._recorded:
            self._adam.param_groups[0]["lr"] = self.rate  # loading has put a copy there

    def _kinds(self) -> Iterator[tuple[str, int, int, torch.optim.Optimizer]]:
        """(name, place of its first parameter, distance of the next, optimiser)."""
        yield "optimiser", 0, 1, self._adam
        yield from (("muon", first, len(self._muons), muon) for first, muon in enumerate(self._muons))


def _directing(directions: list[Tensor], muon: Muon) -> torch.optim.Muon:
    return torch.optim.Muon(directions, lr=1.0, weight_decay=0.0, momentum=muon.momentum)


def _slope(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None  # every matrix of a layer is used in every step
    return parameter.grad
