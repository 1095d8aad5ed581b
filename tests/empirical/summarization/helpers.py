"""A profile through all stages in seconds, a training of three steps, a tiny Llama; one thread, on a shared machine."""

import json

import numpy as np
import torch

from empirical.summarization.arms import Arms
from empirical.summarization.encode import Format
from empirical.summarization.schedule import Schedule
from tests.empirical import experiments
from tests.empirical.summarization.tokenizers import llama

torch.set_num_threads(1)

ROLE = {"steps": 12, "learning_rate": 1e-2}
SMOKE = {
    "data": {"source": "stories", "labelled": 120, "test": 24},
    "stories": {"curve": [0.0, 0.5]},
    "base": {"name": "made"},
    "made": {"width": 32, "layers": 1, "heads": 2, "steps": 20, "beginnings": 5, "batch": 8},
    "format": {"block": 128, "summary_tokens": 12, "separator": " TL;DR "},
    "training": {"batch": 8, "micro_batch": 8},
    "generator": {"share": 0.25, "curve": [0.5]} | ROLE,
    "retraining": ROLE,
    "stronger": {"name": "made", "fresh": 60} | ROLE,
    "foreign": {"name": "made", "fresh": 40, "vocabulary": 400} | ROLE,
    "selection": {"rates": [0.125, 0.5], "random_draws": 2},
    "generation": {"batch": 16, "scoring_batch": 16, "parts": 2},
    "run": {"seeds": 2, "root_seed": 7},
}


def changed(**changes):
    """A copy of SMOKE with table__key=value applied."""
    return experiments.changed(SMOKE, **changes)


FORM = Format(block=64, summary_tokens=16)
SCHEDULE = Schedule(
    steps=3,
    epochs=0,
    batch=4,
    micro_batch=2,
    learning_rate=1e-3,
    scheduler="constant",
    warm_up=0,
    weight_decay=0.0,
    clip=1.0,
)


def llama2_folder(folder, tokenizer):
    """As Llama 2 lies on the hub: safetensors, no pad token, a generation configuration that samples."""
    model = llama(tokenizer)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    sampling = {"do_sample": True, "temperature": 0.6, "top_p": 0.9, "bos_token_id": 1, "eos_token_id": 2}
    (folder / "generation_config.json").write_text(json.dumps(sampling))
    return model


def arms_of(means, spread=1e-6, shared=False):
    """Arms a, b, c, ... with bootstrap draws next to their means."""
    names = tuple("abcdefghijklmnopqrstuvwxyz"[: len(means)])
    draws = means.mean(1, keepdims=True) + spread * np.linspace(-1, 1, 11)
    return Arms(names, means, draws, shared)


def within(found, share, count):
    """Six standard errors: fails with probability 2e-9, and 6e-9 where 300 are counted, as that is skewed."""
    return abs(found - share) < 6 * np.sqrt(share * (1 - share) / count)
