"""Training: killed anywhere it ends the same, and where it cannot go well it says so."""

import dataclasses
import random

import numpy as np
import pytest
import torch

from empirical.eigenvalues.training import CHECKPOINT, Runtime, train
from empirical.order import Order
from tests.empirical.eigenvalues.helpers import SCHEDULE, small_model


class Killed(Exception):
    """Stands for SIGKILL right after a step."""


@pytest.fixture
def examples():
    rng = np.random.default_rng(0)
    return rng.integers(1, 22, (50, 3), dtype=np.int16), rng.integers(1, 12, (50, 2), dtype=np.int16)


def fit(examples, folder, plan=SCHEDULE, **runtime):
    model = small_model()
    folder.mkdir(exist_ok=True)
    return train(model, *examples, plan, 3, folder, Runtime(**runtime)), model.state_dict()


def killed_at(steps):
    """A hook that ends the run after each of the given steps, once."""
    waiting = sorted(steps)

    def on_step(step):
        if waiting and step == waiting[0]:
            waiting.pop(0)
            raise Killed

    return on_step


def same_after_kills(examples, folder, kills, checkpoint_seconds):
    whole, weights = fit(examples, folder / "whole")
    hook = killed_at(kills)
    for _ in kills:
        with pytest.raises(Killed):
            fit(examples, folder / "killed", checkpoint_seconds=checkpoint_seconds, on_step=hook)
    resumed, others = fit(examples, folder / "killed", checkpoint_seconds=checkpoint_seconds, on_step=hook)
    assert np.array_equal(resumed.losses, whole.losses)
    assert all(torch.equal(weights[name], others[name]) for name in weights)


def test_three_kills_leave_the_loss_curve_as_it_was(examples, tmp_path):
    """P14: bit for bit, at steps drawn afresh; a checkpoint after every step."""
    kills = sorted(random.SystemRandom().sample(range(1, SCHEDULE.steps), 3))
    print(f"killed after steps {kills}")
    same_after_kills(examples, tmp_path, kills, checkpoint_seconds=0.0)


@pytest.mark.slow
@pytest.mark.parametrize("repetition", range(50))
def test_fifty_kills_leave_the_loss_curve_as_it_was(examples, tmp_path, repetition):
    same_after_kills(examples, tmp_path, [1 + repetition * (SCHEDULE.steps - 1) // 50], checkpoint_seconds=0.0)


def test_a_forgotten_moment_of_the_optimiser_shows(examples, tmp_path, monkeypatch):
    """The twin that must fail: resuming with the weights alone is seen by the comparison."""
    load = torch.optim.AdamW.load_state_dict
    monkeypatch.setattr(torch.optim.AdamW, "load_state_dict", lambda self, state: load(self, state | {"state": {}}))
    with pytest.raises(AssertionError):
        same_after_kills(examples, tmp_path, [20], checkpoint_seconds=0.0)


def test_checkpoints_hold_no_pickle(examples, tmp_path):
    with pytest.raises(Killed):
        fit(examples, tmp_path / "run", checkpoint_seconds=0.0, on_step=killed_at([2]))
    data = (tmp_path / "run" / CHECKPOINT).read_bytes()
    assert int.from_bytes(data[:8], "little") < 100_000  # safetensors: length of a JSON header, then the header
    assert data[8:9] == b"{"


def test_training_learns_what_can_be_learnt(tmp_path):
    """Labels that are a function of the first token: the loss falls to near nothing."""
    rng = np.random.default_rng(1)
    inputs = rng.integers(1, 22, (400, 3), dtype=np.int16)
    labels = np.stack([inputs[:, 0] // 2 + 1, 12 - (inputs[:, 0] // 2 + 1)], axis=1).astype(np.int16)
    found, _ = fit((inputs, labels), tmp_path / "run", dataclasses.replace(SCHEDULE, steps=200, batch=64))
    assert found.failure == ""
    assert found.losses[0] > 1.5
    assert found.losses[-1] < 0.2


def test_a_diverging_model_is_flagged_and_ends_early(examples, tmp_path):
    found, _ = fit(examples, tmp_path / "run", dataclasses.replace(SCHEDULE, steps=120, learning_rate=1e30, clip=1e30))
    assert "not finite at step" in found.failure
    assert np.isnan(found.losses[-1])


def test_no_examples_are_flagged(examples, tmp_path):
    found, _ = fit([part[:0] for part in examples], tmp_path / "run")
    assert found.failure == "no examples: the verifier kept none"
    assert np.isnan(found.losses).all()


def test_every_pass_sees_every_example_once_in_an_order_of_its_own():
    order = Order(10, 1)
    seen = np.concatenate([order.batch(start, 7) for start in range(0, 70, 7)])
    passes = seen.reshape(7, 10)
    assert (np.sort(passes, axis=1) == np.arange(10)).all()
    assert len({tuple(row) for row in passes}) == 7
    assert np.array_equal(Order(10, 1).batch(31, 25), seen[31:56])  # a batch longer than a pass, from the middle
    assert not np.array_equal(Order(10, 2).batch(0, 10), seen[:10])


def test_the_learning_rate_warms_up_and_falls_to_its_share():
    rates = np.array([SCHEDULE.rate(step) for step in range(SCHEDULE.steps + 1)])
    assert rates[:5] == pytest.approx(SCHEDULE.learning_rate * np.arange(1, 6) / 5)
    assert np.all(np.diff(rates[5:]) < 0)
    assert rates[-1] == pytest.approx(SCHEDULE.final_share * SCHEDULE.learning_rate)
