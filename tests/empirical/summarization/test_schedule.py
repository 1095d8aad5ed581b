"""How long a training is, and which schedules there are."""

import dataclasses

import pytest

from empirical.summarization.schedule import accumulation
from tests.empirical.summarization import helpers

SCHEDULE = dataclasses.replace(helpers.SCHEDULE, steps=9, batch=8)


def test_steps_and_rates():
    assert SCHEDULE.updates(1000) == 9
    assert dataclasses.replace(SCHEDULE, steps=0, epochs=1.0).updates(50) == 7
    assert dataclasses.replace(SCHEDULE, steps=0, epochs=2.5).updates(50) == 18


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("scheduler", "linear", "cosine or constant"),
        ("precision", "float16", "float32 or bfloat16"),
        ("style", "article", "summary or everything"),
        ("micro_batch", 3, "no multiple"),
        ("learning_rate", 0.0, "positive"),
        ("warm_up", -1, "negative"),
        ("steps", 0, "one of them"),
    ],
)
def test_schedules_that_cannot_be(field, value, said):
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(SCHEDULE, **{field: value})


def test_a_batch_that_processes_cannot_share_is_refused():
    schedule = dataclasses.replace(SCHEDULE, batch=32, micro_batch=4)
    assert accumulation(schedule, 2) == 4
    with pytest.raises(ValueError, match="batch = 32 is no multiple of micro_batch = 4 times 3 processes"):
        accumulation(schedule, 3)
