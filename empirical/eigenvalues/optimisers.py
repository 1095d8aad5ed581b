"""What updates a model: AdamW alone, or Muon for the matrices of its layers and AdamW for the rest.

Rates of the schedule are numbers on the device, so that a recorded CUDA graph can replay a step; a rate in Python would
be frozen.
"""

import torch
from torch import Tensor

from empirical.eigenvalues.model import Transformer
from empirical.eigenvalues.muon import Directions, Muon

BETAS = (0.9, 0.98)
"""Of AdamW."""
LAYERS = ("encoder.", "decoder.")
"""What the names of layers begin with. Tables, places, norms and biases are AdamW's."""
MOMENTUM = "momentum_buffer"
"""Of Muon, in a checkpoint: the name that PyTorch has for it."""
STACKED = "inward.weight"
"""Query, key and value in one matrix: three to Muon, which measured better than one."""


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
        self._directions = Directions(self.moved, muon.momentum if muon is not None else 0.0)
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
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move by the gradients that are there."""
        self._adam.step()
        if self.muon is None:
            return
        directions = self._directions.step([part for p, parts in self._stacked for part in _slope(p).chunk(parts)])
        torch._foreach_mul_(self.moved, 1 - self.matrix_rate * self.muon.weight_decay)
        torch._foreach_mul_(directions, self.matrix_rate)
        torch._foreach_add_(self.moved, directions)

    def state(self) -> dict[str, Tensor]:
        """Moments and counts: all that a checkpoint needs beside the weights."""
        found = {f"muon.{place}.{MOMENTUM}": tensor for place, tensor in enumerate(self._directions.momenta)}
        for place, moments in self._adam.state_dict()["state"].items():
            found |= {f"optimiser.{place}.{name}": tensor for name, tensor in moments.items()}
        return found

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take over what `state` gave, on whatever device."""
        for place, momentum in enumerate(self._directions.momenta):
            momentum.copy_(tensors[f"muon.{place}.{MOMENTUM}"])
        found: dict[int, dict[str, Tensor]] = {}
        for key, tensor in tensors.items():
            if key.startswith("optimiser."):
                _, parameter, name = key.split(".")
                found.setdefault(int(parameter), {})[name] = tensor
        self._adam.load_state_dict({"state": found, "param_groups": self._adam.state_dict()["param_groups"]})
        if self._recorded:
            self._adam.param_groups[0]["lr"] = self.rate  # loading has put a copy there


def _slope(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None  # every matrix of a layer is used in every step
    return parameter.grad
