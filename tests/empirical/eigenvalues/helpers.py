"""A profile that goes through every stage in seconds, and small models. One thread: the machine is shared."""

import torch

from empirical.eigenvalues.model import Architecture, Transformer
from empirical.eigenvalues.training import Schedule
from tests.empirical import experiments

torch.set_num_threads(1)

SMOKE = {
    "problem": {"size": 2, "input": "grid", "input_step": 1.0, "output": "grid", "output_step": 4.0},
    "model": {"width": 16, "heads": 2, "encoder_layers": 1, "decoder_layers": 1, "norm": "pre", "waves": 1.0},
    "training": {"generator_pairs": 600, "steps": 60, "batch": 64, "learning_rate": 1e-2, "warm_up": 5},
    "selection": {"matrices": 500, "noisy": [[1.0, 0.5], [0.4, 1.0]], "label_beams": 3, "self_beam": 2},
    "evaluation": {"matrices": 300, "beams": [3, 121]},
    "optimizer": {"matrices": "muon", "learning_rate": 0.05},
    "contrast": {"generator_pairs": 600, "steps": [30, 90]},
    "curve": {"true": [100, 250], "unverified": [250]},
    "run": {"seeds": 1, "root_seed": 7},
}
"""Eleven values per answer token: a beam of 121 holds every answer."""

SIZES = Architecture(22, 12, 3, 2, 16, 2, 1, 1, "pre")
SCHEDULE = Schedule(steps=40, batch=16, learning_rate=1e-2, warm_up=5, final_share=0.1, weight_decay=0.01, clip=5.0)


def small_model(seed=0, **sizes):
    torch.manual_seed(seed)
    return Transformer(SIZES._replace(**sizes))


def changed(**changes):
    """A copy of SMOKE with table__key=value applied."""
    return experiments.changed(SMOKE, **changes)
