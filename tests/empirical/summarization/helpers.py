"""A profile that goes through every stage in seconds. One thread: the machine is shared."""

import torch

from tests.empirical import experiments

torch.set_num_threads(1)

ROLE = {"steps": 12, "learning_rate": 1e-2}
SMOKE = {
    "data": {"source": "stories", "labelled": 120, "test": 24},
    "base": {"name": "made"},
    "made": {"width": 32, "layers": 1, "heads": 2, "steps": 20, "batch": 8},
    "format": {"block": 128, "summary_tokens": 12, "separator": " TL;DR "},
    "training": {"batch": 8, "micro_batch": 8},
    "generator": {"share": 0.25} | ROLE,
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
