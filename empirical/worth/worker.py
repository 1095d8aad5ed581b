"""Trials in processes of one thread each: a line of JSON names one, its rows come back.

A process is started by `measure` as ``python -m empirical.worth.worker``.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from empirical.worth import trials
from sims.running.machine import ONE_THREAD, clean_environment, cores
from sims.running.progress import progress
from sims.running.workers import Workers, serve, told
from theory.errors import RunError

Trial = tuple[str, list[Any]]
"""Name of a function of `empirical.worth.trials`, and its arguments."""


def measure(asked: Sequence[Trial], label: str) -> dict[str, pd.DataFrame]:
    """Rows of all trials, one table per function, in the order of ``asked`` whatever the number of processes.

    A process per core. The longest should come first. Raises RunError where one fails.
    """
    found: dict[int, list[trials.Row]] = {}
    waiting = list(enumerate(asked))[::-1]
    environment = lambda slot: clean_environment() | ONE_THREAD
    with (
        Workers[int]("empirical.worth.worker", [], environment) as crew,
        progress(label, len(asked), "trials") as advance,
    ):
        for slot in range(min(cores(), len(asked))):
            index, trial = waiting.pop()
            crew.ask(crew.hire(slot), json.dumps(trial), index)
        while crew.busy:
            for worker, index, answer in crew.wait():
                if isinstance(answer, int):
                    raise RunError(
                        f"a process that measured {asked[index]} died (exit {answer}); start the study again"
                    )
                if "error" in answer:
                    raise RunError(f"{asked[index]} failed: {answer['error']}")
                found[index] = answer["rows"]
                advance(1)
                if waiting:
                    index, trial = waiting.pop()
                    crew.ask(worker, json.dumps(trial), index)
    return {name: pd.DataFrame(list(_rows(asked, found, name))) for name in dict.fromkeys(name for name, _ in asked)}


def _rows(asked: Sequence[Trial], found: dict[int, list[trials.Row]], name: str) -> Iterable[trials.Row]:
    for index, (function, _) in enumerate(asked):
        if function == name:
            yield from found[index]


def reply(request: str) -> dict[str, Any]:
    """{"rows": of the trial} or {"error": text}."""
    try:
        name, arguments = json.loads(request)
        rows = getattr(trials, name)(*arguments)
    except Exception as error:
        return {"error": told(error)}
    plain = lambda value: value.item() if isinstance(value, np.generic) else value
    return {"rows": [{key: plain(value) for key, value in row.items()} for row in rows]}


if __name__ == "__main__":
    serve(reply)
