"""Beam search over answers of one length; greedy decoding is a beam of one.

Answers are ranked by the sum of the log-probabilities of their tokens. Since all have one length, neither a length
penalty nor early stopping would change the ranking.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from empirical.eigenvalues.model import Transformer
from theory.errors import InputError


class Beams(NamedTuple):
    """Answers to a batch of matrices, most likely first."""

    tokens: Tensor
    """(batch, beams, output length)."""
    scores: Tensor
    """(batch, beams): log-probability. -inf fills up where there are fewer answers than beams."""


@torch.inference_mode()
def search(model: Transformer, inputs: Tensor, beams: int) -> Beams:
    """The ``beams`` answers that beam search finds for every matrix (batch, input length).

    The search keeps the best ``beams`` beginnings at every length, so that a wider beam need not contain a narrower
    one. Raises ValueError for beams < 1.
    """
    if beams < 1:
        raise InputError(f"beams = {beams} must be at least 1")
    batch, length = len(inputs), model.sizes.output_length
    encoded = model.encode(inputs)
    written = model.empty_cache(encoded, 1)
    tokens = inputs.new_empty((batch, 1, 0))
    scores = torch.zeros((batch, 1), device=inputs.device)
    newest = inputs.new_full((batch, 1), model.START)
    for position in range(length):
        logits = model.step(newest, encoded, written, position).float()
        ahead = logits[..., model.START + 1 :].log_softmax(-1)  # START begins answers and is no part of them
        total = scores[..., None] + ahead
        scores, choice = total.flatten(1).topk(min(beams, total[0].numel()))
        parent, newest = choice // ahead.shape[-1], choice % ahead.shape[-1] + model.START + 1
        tokens = torch.cat([_follow(tokens, parent), newest[..., None]], dim=-1)
        if position + 1 < length:
            written = [(_follow(keys, parent), _follow(values, parent)) for keys, values in written]
    return Beams(*_fill(tokens, scores, beams))


@torch.inference_mode()
def log_probability(model: Transformer, inputs: Tensor, labels: Tensor) -> Tensor:
    """Log-probability (batch,) that the model gives to whole answers (batch, output length)."""
    ahead = model(inputs, labels).float()[..., model.START + 1 :].log_softmax(-1)
    return ahead.gather(-1, labels[..., None] - model.START - 1).sum((-2, -1))


def _follow(per_beam: Tensor, parent: Tensor) -> Tensor:
    """Rows of the beams that go on."""
    return per_beam[torch.arange(len(parent), device=parent.device)[:, None], parent]


def _fill(tokens: Tensor, scores: Tensor, beams: int) -> tuple[Tensor, Tensor]:
    missing = beams - scores.shape[1]
    if missing <= 0:
        return tokens, scores
    again = tokens[:, :1].expand(-1, missing, -1)
    return torch.cat([tokens, again], 1), torch.nn.functional.pad(scores, (0, missing), value=-torch.inf)
