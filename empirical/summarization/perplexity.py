"""How likely a model finds a summary of an article: mean negative log-likelihood per token, eos included."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch.nn.functional import cross_entropy

from empirical.summarization.append import Row, collect, finished, longest_first
from empirical.summarization.encode import IGNORED, Encoder, Example, check_room, pad_left
from theory.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def nll(
    model: "PreTrainedModel", encoder: Encoder, articles: Sequence[str], summaries: Sequence[str], *, batch: int
) -> np.ndarray:
    """Mean over the tokens of each summary and its eos of -log p(token | article, tokens before), (summaries,) nats.

    The exponential is the perplexity. The model is put into evaluation mode; its logits count as float32. Raises
    ValueError where the model has too few positions.
    """
    examples = _examples(model, encoder, articles, summaries)
    found = np.empty(len(examples))
    for chosen in longest_first([len(example.ids) for example in examples], batch):
        found[chosen] = _means(model, encoder, [examples[index] for index in chosen])
    return found


def score_rows(
    model: "PreTrainedModel",
    encoder: Encoder,
    articles: pd.DataFrame,
    rows: pd.DataFrame,
    folder: Path,
    *,
    batch: int,
    name: str = "scores",
    on_batch: Callable[[int], None] = lambda count: None,
) -> pd.DataFrame:
    """Minus `nll` of generated ``rows`` (id, generated), in their order: id, score (float64, high is likely).

    An empty summary cannot be scored: NaN. ``articles`` (id, text) may hold more than the rows ask for. Written to
    ``folder``/``name``.parquet; a killed call goes on after its last whole batch. ``on_batch`` gets the number of
    scores that are there. Raises ValueError where an article is missing, an id comes twice, or the model has too few
    positions.
    """
    ids = rows["id"].tolist()
    there = finished(folder, name, ids)
    if there is not None:
        return there
    missing = set(ids) - set(articles["id"])
    if missing:
        raise InputError(f"{len(missing)} rows have no article, such as id {min(missing)!r}; give their corpus")
    texts = dict(zip(articles["id"], articles["text"], strict=True))
    summaries = rows["generated"].str.strip().tolist()
    filled = [index for index, summary in enumerate(summaries) if summary]
    examples = dict(
        zip(
            filled,
            _examples(model, encoder, [texts[ids[index]] for index in filled], [summaries[index] for index in filled]),
            strict=True,
        )
    )
    order = longest_first([len(examples[index].ids) for index in filled], batch)

    def make(chosen: Sequence[int]) -> list[Row]:
        means = _means(model, encoder, [examples[index] for index in chosen])
        return [{"score": -float(mean)} for mean in means]

    batches = [[filled[place] for place in chosen] for chosen in order]
    return collect(folder, name, ids, batches, make, {"score": "float64"}, on_batch)


def _examples(
    model: "PreTrainedModel", encoder: Encoder, articles: Sequence[str], summaries: Sequence[str]
) -> list[Example]:
    examples = encoder.examples(articles, summaries)
    check_room(model, max((len(example.ids) for example in examples), default=0))
    model.eval()
    return examples


@torch.inference_mode()
def _means(model: "PreTrainedModel", encoder: Encoder, examples: Sequence[Example]) -> np.ndarray:
    """Mean -log p of the tokens that carry loss, (examples,).

    All sequences end at the right edge, so that the last few positions hold every summary, and only their logits are
    made.
    """
    padded = pad_left([example.ids for example in examples], encoder.pad, model.device)
    widths = [len(example.ids) - example.start for example in examples]
    last = max(widths)
    positions = (padded["attention_mask"].cumsum(-1) - 1).clamp(min=0)
    out = model(**padded, position_ids=positions, logits_to_keep=last + 1, use_cache=False)
    logits = out.logits[:, -last - 1 : -1].float()
    width = torch.tensor(widths, device=model.device)
    labels = padded["input_ids"][:, -last:]
    labels = labels.masked_fill(torch.arange(last, 0, -1, device=model.device) > width[:, None], IGNORED)
    losses = cross_entropy(logits.transpose(1, 2), labels, reduction="none", ignore_index=IGNORED)
    return (losses.double().sum(-1) / width).cpu().numpy()
