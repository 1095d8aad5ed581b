"""What every script of a tool does: all draws of all files, one JSON object printed. NumPy and the tool, nothing else.

A tool gives `numbers(correct, kept, prompt, first)`: by "quantity: estimator" a value with its interval, or the words
with which it refuses. ``prompt`` is None where records stand alone, ``first`` says that this is the file itself.
"""

import json
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

LEVEL = 0.95
Numbers = dict[str, tuple[float, float, float] | str]


def serve(package: str, numbers: Callable[[Any, Any, Any, bool], Numbers]) -> None:
    """Print {"version": ..., "found": {file: {row: [a value with its ends, or words, by draw]}}}."""
    warnings.simplefilter("ignore")
    np.random.seed(0)  # noqa: NPY002  some tools draw from the global generator
    found: dict[str, dict[str, list[Any]]] = {}
    for path in sorted(Path(sys.argv[1]).glob("*.npz")):
        data = np.load(path)
        rows = found.setdefault(path.stem, {})
        for place, (correct, kept, prompt) in enumerate(
            zip(data["correct"], data["kept"], data["prompt"], strict=True)
        ):
            alone = prompt.size == np.unique(prompt).size
            for row, value in numbers(correct, kept, None if alone else prompt, place == 0).items():
                rows.setdefault(row, []).append(value if isinstance(value, str) else [float(end) for end in value])
    print(json.dumps({"version": version(package), "found": found}))


def tried(estimate: Callable[[], tuple[float, float, float]]) -> tuple[float, float, float] | str:
    """A value with its interval, or the tool's words where it refuses."""
    try:
        value, low, high = (float(np.squeeze(end)) for end in estimate())
    except (ValueError, RuntimeError, ZeroDivisionError) as error:
        return f"refused: {error}".splitlines()[0]
    return (value, low, high) if np.isfinite(value) else "not a number"
