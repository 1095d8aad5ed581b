"""One measurement: students on what a verifier keeps, or learners on clean samples. Answers are rows of plain numbers.

Every trial has its own split into resampled and held-out digits, and its random numbers are a function of its name.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from empirical.seeds import stream
from empirical.worth.corruptions import keep, label
from empirical.worth.data import Digits, Labels, Numbers, split
from empirical.worth.learners import FAILED, LEARNERS, tuned

ROOT = 0
"""Root seed."""
SPLIT, SAMPLES, SCORES, TRAINING, TEACHER = range(5)
"""Streams of a trial."""
Row = dict[str, Any]
Verifiers = Sequence[tuple[float, float]]
"""(phi, psi)."""


def clean(repeat: int, n: int, learners: Sequence[str]) -> list[Row]:
    """Accuracy of learners, names of `LEARNERS`, on n clean samples."""
    name = (ROOT, 0, repeat, n)
    digits, samples = _start(name)
    x, y = digits.draw(n, samples)
    accuracy = {learner: _right(learner, x, y, digits, name).mean() for learner in learners}
    return [{"learner": learner, "n": n, "accuracy": value} for learner, value in accuracy.items()]


def verified(seed: int, errors: str, n: int, p: float, learners: Sequence[str], verifiers: Verifiers) -> list[Row]:
    """Every learner's student for every verifier; errors do not depend on x. The generator's accuracy is 1 - p."""
    name = (ROOT, 1 + (errors == "pair"), seed, n, round(1000 * p))
    digits, samples = _start(name)
    x, y = digits.draw(n, samples)
    given, score = label(y, p, errors, samples), stream((*name, SCORES)).random(n)
    rows = []
    for phi, psi in verifiers:
        kept = keep(given == y, phi, psi, score)
        for learner in learners:
            right = _right(learner, x[kept], given[kept], digits, name)
            about = {"errors": errors, "learner": learner, "n": n, "p": p, "phi": phi, "psi": psi, "seed": seed}
            rows.append(about | _student(right, np.full(len(right), 1 - p), kept))
    return rows


def taught(seed: int, n: int, first: int, learners: Sequence[str], verifiers: Verifiers) -> list[Row]:
    """Students of n labels by a generator of their own family, which had ``first`` clean samples; p is its error rate.

    Its errors are a function of x.
    """
    name = (ROOT, 3, seed, n, first)
    digits, samples = _start(name)
    seen, true = digits.draw(first, samples)
    x, y = digits.draw(n, samples)
    score = stream((*name, SCORES)).random(n)
    rows = []
    for learner in learners:
        asked = np.concatenate([x, digits.x])
        answers = tuned(LEARNERS[learner], seen, true, asked, stream((*name, TEACHER)))
        given, teacher = answers[:n], (answers[n:] == digits.y).astype(float)
        about = {
            "errors": "learned",
            "learner": learner,
            "n": n,
            "p": np.mean(given != y),
            "first": first,
            "seed": seed,
        }
        for phi, psi in verifiers:
            kept = keep(given == y, phi, psi, score)
            right = _right(learner, x[kept], given[kept], digits, name)
            rows.append(about | {"phi": phi, "psi": psi} | _student(right, teacher, kept))
    return rows


def _start(name: tuple[int, ...]) -> tuple[Digits, np.random.Generator]:
    return split(stream((*name, SPLIT))), stream((*name, SAMPLES))


def _right(learner: str, x: Numbers, y: Labels, digits: Digits, name: tuple[int, ...]) -> Numbers:
    """By held-out digit: 1 where a learner is right, else 0; NaN of a fit that failed, or without a sample."""
    if not len(y):
        return np.full(len(digits.y), np.nan)
    found = tuned(LEARNERS[learner], x, y, digits.x, stream((*name, TRAINING)))
    return np.where(found == FAILED, np.nan, found == digits.y)


def _student(right: Numbers, generator: Numbers, kept: np.ndarray) -> Row:
    """``variance``: of the mean gain over these test digits, as a sample of all."""
    gain = right - generator
    return {
        "kept": kept.sum(),
        "generator": generator.mean(),
        "student": right.mean(),
        "variance": gain.var() / len(gain),
    }
