"""Greedy summaries of articles, row by row on disk."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch

from empirical.summarization.append import Row, collect, finished, longest_first
from empirical.summarization.encode import Encoder, check_room, pad_left

if TYPE_CHECKING:
    from transformers import GenerationConfig, PreTrainedModel

TYPES = {"generated": "str", "tokens": "int64", "capped": "bool", "empty": "bool"}


def generate(
    model: "PreTrainedModel",
    encoder: Encoder,
    rows: pd.DataFrame,
    folder: Path,
    *,
    batch: int,
    name: str = "rows",
    on_batch: Callable[[int], None] = lambda count: None,
) -> pd.DataFrame:
    """Greedy summaries of ``rows`` (id, text), in their order: id, generated, tokens (with eos), capped, empty.

    ``capped``: no eos within the room for a summary. Written to ``folder``/``name``.parquet; a killed call goes on
    after its last whole batch. ``on_batch`` gets the number of summaries that are there. The model is put into
    evaluation mode. Raises ValueError where the model has too few positions, or an id comes twice.
    """
    ids = rows["id"].tolist()
    there = finished(folder, name, ids)
    if there is not None:
        return there
    prompts = encoder.prompts(rows["text"].tolist())
    lengths = [len(prompt) for prompt in prompts]
    check_room(model, max(lengths, default=0) + encoder.form.summary_tokens)
    config = _greedy(encoder)
    model.eval()

    def make(chosen: Sequence[int]) -> list[Row]:
        return [_row(encoder, ids) for ids in _answers(model, encoder, config, [prompts[index] for index in chosen])]

    return collect(folder, name, ids, longest_first(lengths, batch), make, TYPES, on_batch)


def counts(rows: pd.DataFrame) -> dict[str, Any]:
    """How many generated rows there are, are capped, are empty, repeat an earlier one; share of distinct ones."""
    duplicates = int(rows["generated"].duplicated().sum())
    return {
        "rows": len(rows),
        "capped": int(rows["capped"].sum()),
        "empty": int(rows["empty"].sum()),
        "duplicates": duplicates,
        "distinct": (len(rows) - duplicates) / len(rows) if len(rows) else float("nan"),
    }


@torch.inference_mode()
def _answers(model: Any, encoder: Encoder, config: "GenerationConfig", prompts: Sequence[list[int]]) -> list[list[int]]:
    """Tokens generated for each prompt, up to and with eos."""
    padded = pad_left(prompts, encoder.pad, model.device)
    theirs = model.generation_config
    model.generation_config = config  # what ours leaves open would come from theirs: sampling, other ends, penalties
    try:
        found = model.generate(**padded, generation_config=config)
    finally:
        model.generation_config = theirs
    answers = found[:, padded["input_ids"].shape[1] :].tolist()
    return [answer[: answer.index(encoder.eos) + 1] if encoder.eos in answer else answer for answer in answers]


def _greedy(encoder: Encoder) -> "GenerationConfig":
    from transformers import GenerationConfig

    return GenerationConfig(
        do_sample=False,
        num_beams=1,
        max_new_tokens=encoder.form.summary_tokens,
        use_cache=True,
        eos_token_id=encoder.eos,
        pad_token_id=encoder.pad,
    )


def _row(encoder: Encoder, ids: list[int]) -> Row:
    text = encoder.text(ids)
    return {"generated": text, "tokens": len(ids), "capped": encoder.eos not in ids, "empty": not text}
