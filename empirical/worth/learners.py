"""Learners of classes: six whose one setting is chosen on held-out data, and two that fit wrong labels as well.

A learner predicts test points for several settings at once, the most regularised first. `tuned` chooses one of them on
held-out samples, labels as they come, and trains again on all: it needs no clean sample. What is iterated is in single
precision, which is quicker by a fifth.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from empirical.worth.data import CLASSES, Labels, Numbers

FOLDS, FEW = 5, 100
"""The setting is chosen on a fifth of the samples, and with fewer than `FEW` on each fifth in turn."""
FAILED = -1
"""Prediction of a fit that did not converge."""
ITERATIONS, TOLERANCE = 2000, 1e-3
"""Of logistic regression: the most, and the largest entry of the gradient of the mean loss."""
WIDTH, BATCH, RATE = 32, 64, 1e-2
"""Of the network: hidden units, samples per step, and Adam's rate."""
Predict = Callable[[Numbers, Labels, Numbers, Sequence[float], np.random.Generator], Labels]
"""Of x (m, d), y (m,), test points (N, d) and S settings: (S, N)."""


class Learner(NamedTuple):
    """How it predicts, and the settings it chooses from, the most regularised first."""

    predict: Predict
    settings: tuple[float, ...]
    kind: str
    """"tuned" or "interpolating"."""


def tuned(learner: Learner, x: Numbers, y: Labels, test: Numbers, rng: np.random.Generator) -> Labels:
    """Predictions (N,) of the setting that is best on held-out samples; of equally good ones the most regularised.

    At least one sample.
    """
    settings = learner.settings
    if len(settings) > 1 and len(y) >= FOLDS:
        right = np.zeros(len(settings))
        for held in np.array_split(rng.permutation(len(y)), FOLDS)[: FOLDS if len(y) < FEW else 1]:
            rest = np.setdiff1d(np.arange(len(y)), held)
            right += np.sum(_predict(learner, x[rest], y[rest], x[held], settings, rng) == y[held], -1)
        settings = (settings[int(np.argmax(right))],)
    return _predict(learner, x, y, test, settings[:1], rng)[0]


def _predict(
    learner: Learner, x: Numbers, y: Labels, test: Numbers, settings: Sequence[float], rng: np.random.Generator
) -> Labels:
    if np.all(y == y[0]):
        return np.full((len(settings), len(test)), y[0])
    return learner.predict(x, y, test, settings, rng)


def _ridge(x: Numbers, y: Labels, test: Numbers, settings: Sequence[float], rng: np.random.Generator) -> Labels:
    """Least squares on indicators; the penalty is in units of the mean variance of a pixel."""
    mean, target = x.mean(0), np.eye(CLASSES)[y]
    spectrum, axes = np.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    slope = axes.T @ ((x - mean).T @ (target - target.mean(0)) / len(x))
    seen = (test - mean) @ axes
    shrunk = (slope / (spectrum + penalty * spectrum.mean())[:, None] for penalty in settings)
    return np.stack([np.argmax(seen @ weights + target.mean(0), -1) for weights in shrunk])


def _lda(x: Numbers, y: Labels, test: Numbers, settings: Sequence[float], rng: np.random.Generator) -> Labels:
    """Fisher's discriminant, the covariance within classes shrunk towards its mean variance by the setting."""
    present, place = np.unique(y, return_inverse=True)
    share = np.bincount(place) / len(y)
    means = np.stack([x[place == k].mean(0) for k in range(len(present))])
    spectrum, axes = np.linalg.eigh((x - means[place]).T @ (x - means[place]) / len(x))
    seen, centres = test @ axes, means @ axes
    found = []
    for shrinkage in settings:
        weights = centres / ((1 - shrinkage) * spectrum + shrinkage * spectrum.mean() + 1e-9)
        found.append(present[np.argmax(seen @ weights.T - np.sum(weights * centres, -1) / 2 + np.log(share), -1)])
    return np.stack(found)


def _neighbours(x: Numbers, y: Labels, test: Numbers, settings: Sequence[float], rng: np.random.Generator) -> Labels:
    """The most frequent label of the k nearest; of equally frequent ones that which has the nearest."""
    most = min(int(max(settings)), len(x))
    distance = np.sum(x**2, -1) - 2 * test @ x.T
    near = (
        np.argpartition(distance, most - 1, -1)[:, :most] if most < len(x) else np.tile(np.arange(most), (len(test), 1))
    )
    near = np.take_along_axis(near, np.argsort(np.take_along_axis(distance, near, -1), -1), -1)
    votes = np.cumsum(np.eye(CLASSES)[y[near]] * (1 - 1e-6 * np.arange(most))[:, None], 1)
    return np.stack([np.argmax(votes[:, min(int(k), most) - 1], -1) for k in settings])


def _logistic(x: Numbers, y: Labels, test: Numbers, settings: Sequence[float], rng: np.random.Generator) -> Labels:
    from sklearn.linear_model import LogisticRegression

    x, test = x.astype(np.float32), test.astype(np.float32)
    found, model = [], LogisticRegression(max_iter=ITERATIONS, tol=TOLERANCE, warm_start=True)
    for strength in settings:
        model.set_params(C=strength).fit(x, y)
        found.append(model.predict(test) if np.max(model.n_iter_) < ITERATIONS else np.full(len(test), FAILED))
    return np.stack(found)


def _bayes(x: Numbers, y: Labels, test: Numbers, settings: Sequence[float], rng: np.random.Generator) -> Labels:
    from sklearn.naive_bayes import GaussianNB

    return np.stack([GaussianNB(var_smoothing=share).fit(x, y).predict(test) for share in settings])


def _network(x: Numbers, y: Labels, test: Numbers, settings: Sequence[float], rng: np.random.Generator) -> Labels:
    """One hidden layer by Adam, stopped after so many steps."""
    x, test = x.astype(np.float32), test.astype(np.float32)
    d, target = x.shape[1], np.eye(CLASSES, dtype=np.float32)[y]
    sizes = [d * WIDTH, WIDTH, WIDTH * CLASSES, CLASSES]
    shapes = [(d, WIDTH), (WIDTH,), (WIDTH, CLASSES), (CLASSES,)]
    theta = rng.standard_normal(sum(sizes)) * np.repeat([np.sqrt(2 / d), 0, np.sqrt(2 / WIDTH), 0], sizes)
    theta = theta.astype(np.float32)
    gradient, first, second = (np.zeros_like(theta) for _ in range(3))
    cuts = np.cumsum(sizes)[:-1]
    views = [part.reshape(shape) for part, shape in zip(np.split(theta, cuts), shapes, strict=True)]
    slopes = [part.reshape(shape) for part, shape in zip(np.split(gradient, cuts), shapes, strict=True)]
    found: list[Labels] = []
    for step in range(1, int(max(settings)) + 1):
        rows = rng.integers(len(x), size=BATCH)
        hidden = np.maximum(x[rows] @ views[0] + views[1], 0)
        score = hidden @ views[2] + views[3]
        odds = np.exp(score - score.max(-1, keepdims=True))
        error = (odds / odds.sum(-1, keepdims=True) - target[rows]) / BATCH
        back = (error @ views[2].T) * (hidden > 0)
        slopes[0][:], slopes[1][:], slopes[2][:], slopes[3][:] = (
            x[rows].T @ back,
            back.sum(0),
            hidden.T @ error,
            error.sum(0),
        )
        first += 0.1 * (gradient - first)
        second += 0.001 * (gradient**2 - second)
        theta -= RATE / (1 - 0.9**step) * first / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        if step in settings:
            found.append(np.argmax(np.maximum(test @ views[0] + views[1], 0) @ views[2] + views[3], -1))
    return np.stack(found)


LEARNERS = {
    "ridge": Learner(_ridge, (100, 10, 3, 1, 0.3, 0.1, 0.03, 0.01), "tuned"),
    "logistic": Learner(_logistic, (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1), "tuned"),
    "LDA": Learner(_lda, (0.99, 0.9, 0.7, 0.5, 0.3, 0.1, 0.03, 0.01), "tuned"),
    "kNN": Learner(_neighbours, (100, 60, 40, 25, 15, 9, 5, 3, 1), "tuned"),
    "naive Bayes": Learner(_bayes, (1, 0.3, 0.1, 0.03, 0.01), "tuned"),
    "network": Learner(_network, (80, 160, 320, 640), "tuned"),
    "1-NN": Learner(_neighbours, (1,), "interpolating"),
    "logistic, C = 1000": Learner(_logistic, (1000,), "interpolating"),
}
"""Settings: penalty, C, shrinkage, k, added variance, steps."""
