"""Results of a model in all repetitions, as stages left them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from empirical.eigenvalues.metric import correct
from empirical.eigenvalues.steps import ABOUT, DISTANCES
from empirical.tensors import read_arrays


class Measured(NamedTuple):
    """A model's (or a beam's) results in every repetition."""

    distances: np.ndarray
    """(seeds, tests), NaN for failed models."""
    steps: int
    examples: float
    """Mean number of different training examples."""
    failure: str

    def hits(self, tolerance: float) -> np.ndarray:
        """Correct answers as 1, wrong as 0, NaN for failed models."""
        return np.where(np.isnan(self.distances), np.nan, correct(self.distances, tolerance))


Read = Callable[..., Measured]
"""(model, width of the beam, which answer: top or best) -> results."""


def reader(inputs: Mapping[str, Path], seeds: int) -> Read:
    """How the report's stage reads what evaluations have written."""

    def read(model: str, beams: int = 1, which: str = "top") -> Measured:
        folders = [inputs[f"seed{seed}/evaluate-{model}-beam{beams}"] for seed in range(seeds)]
        about = [json.loads((folder / ABOUT).read_bytes()) for folder in folders]
        distances = np.stack([read_arrays(folder / DISTANCES, which)[which] for folder in folders])
        failure = next((entry["failure"] for entry in about if entry["failure"]), "")
        return Measured(distances, about[0]["steps"], float(np.mean([entry["examples"] for entry in about])), failure)

    return read


def percent(found: Mapping[str, float]) -> dict[str, float]:
    """An accuracy and its intervals in percent."""
    names = {"mean": "accuracy"}
    return {names.get(name, name): 100 * value for name, value in found.items()}


def gain(found: Any) -> dict[str, Any]:
    """A difference with its interval in points, and its verdict."""
    numbers = {"difference": found.mean, "difference_low": found.low, "difference_high": found.high}
    return {name: 100 * value for name, value in numbers.items()} | {
        "verdict": found.verdict,
        "seeds_above": found.above,
        "seeds_below": found.below,
    }
