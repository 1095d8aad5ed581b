"""Exact theory, exact law and direct trials by JAX on its first device, beside the same on the CPU."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from gpu_jobs import AGREED, Job, Row, timed
from theory_speed import by_jax, diagram

from sims.exact_law import blocks_needed, run_draws
from sims.trial import make_trials
from theory.table import predict_table
from theory.types import ClassRates, Problem, Rates

jax.config.update("jax_enable_x64", True)
D, SIGNAL, P, RIDGE = 200, 1.5, 0.2, 0.1


def both(name: str, work: Callable[[], Any], read: Callable[[Any], np.ndarray]) -> Row:
    """Work on the first device and on the CPU: compiled, then timed; how far the numbers are apart."""
    seconds, values = [], []
    for device in (jax.devices()[0], jax.devices("cpu")[0]):
        with jax.default_device(device):
            finish = lambda: jax.block_until_ready(work())
            first, compiled = timed(finish)
            again, spent = timed(finish)
            seconds.append((compiled, spent))
            values.append(read(again))
            assert np.array_equal(read(first), values[-1], equal_nan=True), "a second call gave other numbers"
    apart = np.abs(values[0] - values[1])
    return {
        "name": name,
        "device": str(jax.devices()[0]),
        "first_seconds": seconds[0][0],
        "seconds": seconds[0][1],
        "cpu_seconds": seconds[1][1],
        "ratio": seconds[1][1] / seconds[0][1],
        "apart": float(np.nanmax(apart)),
        "share_within_1e-8": float((apart < AGREED).mean()),
    }


def theory(job: Job) -> Iterator[Row]:
    """A phase diagram by the program that JAX compiles; and its distance from NumPy's solver on the CPU."""
    loss = "squared" if job.toy else "logistic"
    table = diagram(100 if job.toy else 10_000, loss)
    row = both(f"exact theory, {loss}, by JAX", lambda: by_jax(table)["accuracy"], np.asarray)
    numbers, seconds = timed(lambda: predict_table(table)["accuracy"])
    found = by_jax(table)["accuracy"]  # on the first device
    yield row | {
        "cells": len(numbers),
        "numpy_seconds": seconds,
        "ratio_to_numpy": seconds / row["seconds"],
        "apart_from_numpy": float(np.nanmax(np.abs(found - numbers))),
    }


def law(job: Job) -> Iterator[Row]:
    """Draws from the exact law: the same keys."""
    count, n = (64, 400) if job.toy else (8192, 4000)
    pair = lambda rate: np.full((count, 2), rate)
    rates = ClassRates(pair(P), pair(1.0), pair(1.0), pair(0.5))
    problem = Problem(np.full(count, SIGNAL), rates, np.full(count, RIDGE))
    blocks, words = blocks_needed(problem, n, D), _words(count)
    draws = lambda: run_draws(0, words, problem, blocks, n, D)
    yield both(f"exact law, n = {n}, d = {D}", draws, _accuracy) | {"draws": count}


def trials(job: Job) -> Iterator[Row]:
    """Direct trials with their data: all at once on a GPU, one after the other on a CPU."""
    count, n = (8, 200) if job.toy else (128, 4000)
    one = Problem(SIGNAL, Rates(P, 1.0, 1.0), RIDGE)
    problem = jax.tree.map(lambda leaf: np.full(count, leaf), one)
    for loss in ("squared",) if job.toy else ("squared", "logistic"):

        def work(loss: Any = loss) -> Any:
            together = count if jax.config.jax_default_device.platform != "cpu" else 1
            return make_trials(n, D, loss, together)(0, _words(count), problem)

        yield both(f"direct trials, {loss}, n = {n}, d = {D}", work, _accuracy) | {"trials": count}


def _accuracy(found: Any) -> np.ndarray:
    return np.asarray(found.accuracy)


def _words(count: int) -> np.ndarray:
    words = np.zeros((count, 3), np.uint32)
    words[:, 2] = np.arange(count)
    return words
