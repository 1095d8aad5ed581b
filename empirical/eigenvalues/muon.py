"""Muon for many small matrices: the directions of `torch.optim.Muon`, matrices of one shape in one product.

PyTorch's own takes one matrix after the other, some forty kernels each; of matrices of width 64 an update is a third
that. Here Newton-Schulz runs over stacks. On a CPU directions are those of torch.optim.Muon to the bit (a test).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

STEPS, EPSILON = 5, 1e-7
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic of Newton and Schulz, as PyTorch has them."""


@dataclass(frozen=True)
class Muon:
    """How Muon moves matrices: momentum, Nesterov's look ahead, five Newton-Schulz steps (PyTorch's defaults)."""

    learning_rate: float
    """Largest; the schedule is AdamW's. Tall matrices move sqrt(rows/columns) times as far."""
    momentum: float
    weight_decay: float


class Directions:
    """Where matrices are to move, from their gradients and what came before."""

    def __init__(self, matrices: Sequence[Tensor], momentum: float):
        """Of such shapes and on such devices."""
        self.momentum = momentum
        self.momenta = [torch.zeros_like(matrix) for matrix in matrices]
        shapes = [matrix.shape for matrix in matrices]
        self._alike = [[place for place, each in enumerate(shapes) if each == shape] for shape in dict.fromkeys(shapes)]

    def step(self, slopes: list[Tensor]) -> list[Tensor]:
        """Matrices to be added, times the learning rate; the momenta move on."""
        torch._foreach_lerp_(self.momenta, slopes, 1 - self.momentum)
        ahead = torch._foreach_lerp(slopes, self.momenta, self.momentum)
        found = list(ahead)
        for places in self._alike:
            rows, columns = ahead[places[0]].shape
            turned = orthogonal([ahead[place].bfloat16() for place in places])
            scaled = turned.float() * -math.sqrt(max(1, rows / columns))
            for place, direction in zip(places, scaled, strict=True):
                found[place] = direction
        return found


def orthogonal(matrices: list[Tensor]) -> Tensor:
    """U V' of each matrix U S V', of one shape and in bfloat16, roughly: singular values end between .7 and 1.2."""
    norms = torch.stack(torch._foreach_norm(matrices)).clamp(min=EPSILON)
    found = torch.stack(matrices)
    tall = found.shape[1] > found.shape[2]
    found = (found.mT.contiguous() if tall else found) / norms.view(-1, 1, 1)
    a, b, c = COEFFICIENTS
    for _ in range(STEPS):
        gram = found @ found.mT
        gram = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        found = torch.baddbmm(found, gram, found, beta=a)
    return found.mT if tall else found
