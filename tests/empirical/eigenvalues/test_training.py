"""Training: killed anywhere it ends the same, and where it cannot go well it says so."""

import dataclasses
import random

import numpy as np
import pytest
import torch

from empirical.eigenvalues import training
from empirical.eigenvalues.muon import Directions, Muon
from empirical.eigenvalues.optimisers import Optimiser
from empirical.eigenvalues.training import CHECKPOINT, Runtime, Schedule, TimeIsOver, train
from empirical.order import Order
from tests.empirical.eigenvalues.helpers import SCHEDULE, small_model

WITH_MUON = dataclasses.replace(SCHEDULE, muon=Muon(learning_rate=0.02, momentum=0.95, weight_decay=0.01))
PLANS = pytest.mark.parametrize("plan", [SCHEDULE, WITH_MUON], ids=["adamw", "muon"])


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


def same_after_kills(examples, folder, kills, checkpoint_seconds, plan=SCHEDULE):
    whole, weights = fit(examples, folder / "whole", plan)
    hook = killed_at(kills)
    for _ in kills:
        with pytest.raises(Killed):
            fit(examples, folder / "killed", plan, checkpoint_seconds=checkpoint_seconds, on_step=hook)
    resumed, others = fit(examples, folder / "killed", plan, checkpoint_seconds=checkpoint_seconds, on_step=hook)
    assert np.array_equal(resumed.losses, whole.losses)
    assert all(torch.equal(weights[name], others[name]) for name in weights)


@PLANS
def test_three_kills_leave_the_loss_curve_as_it_was(examples, tmp_path, plan):
    """P14: bit for bit, at steps drawn afresh; a checkpoint after every step."""
    kills = sorted(random.SystemRandom().sample(range(1, SCHEDULE.steps), 3))
    print(f"killed after steps {kills}")
    same_after_kills(examples, tmp_path, kills, checkpoint_seconds=0.0, plan=plan)


@pytest.mark.slow
@pytest.mark.parametrize("repetition", range(50))
def test_fifty_kills_leave_the_loss_curve_as_it_was(examples, tmp_path, repetition):
    same_after_kills(examples, tmp_path, [1 + repetition * (SCHEDULE.steps - 1) // 50], checkpoint_seconds=0.0)


@pytest.mark.parametrize("kind", ["optimiser.", "muon."])
def test_a_forgotten_moment_of_the_optimiser_shows(examples, tmp_path, monkeypatch, kind):
    """The twin that must fail: resuming without the moments of one of the two is seen by the comparison."""
    restore = Optimiser.restore
    forgotten = lambda name, tensor: torch.zeros_like(tensor) if name.startswith(kind) else tensor
    monkeypatch.setattr(
        Optimiser,
        "restore",
        lambda self, tensors: restore(self, {name: forgotten(name, tensor) for name, tensor in tensors.items()}),
    )
    with pytest.raises(AssertionError):
        same_after_kills(examples, tmp_path, [20], checkpoint_seconds=0.0, plan=WITH_MUON)


@pytest.mark.parametrize("shape", [(64, 64), (256, 64), (64, 256), (96, 96), (96, 384), (256, 256)])
def test_directions_of_a_stack_are_those_of_pytorchs_muon(shape):
    """Three steps, of matrices of this shape and of another one between them; shapes are those of shipped profiles.

    On processors with AVX-512 they were the same to the bit; others multiply stacks by another program, and the last
    bit of bfloat16 may differ. The twin that must fail: a momentum that is a little off.
    """
    torch.manual_seed(sum(shape))
    shapes = [shape, (128, 64), shape, shape]
    ours, off = (Directions([torch.empty(each) for each in shapes], momentum) for momentum in (0.95, 0.9))
    theirs = [torch.nn.Parameter(torch.zeros(each)) for each in shapes]
    muon = torch.optim.Muon(theirs, lr=1.0, weight_decay=0.0, momentum=0.95)
    for _ in range(3):
        slopes = [torch.randn(each) for each in shapes]
        for parameter, slope in zip(theirs, slopes, strict=True):
            parameter.data.zero_()
            parameter.grad = slope.clone()
        muon.step()
        found, wrong = ours.step(slopes), off.step(slopes)
    for direction, other, parameter in zip(found, wrong, theirs, strict=True):
        assert apart(direction, parameter.data) < 0.02
        assert apart(other, parameter.data) > 0.04


def apart(one, other):
    """Distance of two matrices, as a share of the second."""
    return ((one - other).norm() / other.norm()).item()


def test_muon_is_pytorchs_own_on_the_matrices_of_the_layers_and_adamw_the_rest():
    """Ten steps by drawn gradients: the same weights as by the two optimisers used as their manual says."""
    ours, theirs = small_model(width=64), small_model(width=64)
    optimiser = Optimiser(ours, 0.1, Muon(0.02, 0.9, 0.05))
    named, start = dict(theirs.named_parameters()), {n: p.detach().clone() for n, p in theirs.named_parameters()}
    matrices = [name for name, p in named.items() if name.startswith(("encoder.", "decoder.")) and p.ndim == 2]
    assert len(matrices) == 4 + 6  # an encoder's layer has four, a decoder's two more for what it reads
    stacked = [(named[name], 3 if "inward" in name else 1) for name in matrices]  # query, key, value
    parts = [torch.nn.Parameter(part) for p, count in stacked for part in p.detach().chunk(count)]
    muon = torch.optim.Muon(parts, weight_decay=0.05, momentum=0.9)
    adamw = torch.optim.AdamW(
        [p for name, p in named.items() if name not in matrices], betas=(0.9, 0.98), weight_decay=0.1
    )
    for step in range(10):
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            one.grad = other.grad = torch.randn_like(one)
        for part, slope in zip(parts, [s for p, count in stacked for s in p.grad.chunk(count)], strict=True):
            part.grad = slope
        optimiser.set_rate(1e-3 * step, step / 10)
        muon.param_groups[0]["lr"], adamw.param_groups[0]["lr"] = 0.02 * step / 10, 1e-3 * step
        for each in (optimiser, muon, adamw):
            each.step()
    for name, parameter in ours.named_parameters():
        assert apart(parameter - start[name], named[name] - start[name]) < 0.02, name


def as_it_is(work):
    """Stands for a CUDA graph: the same work again on what its tensors hold. Rates must be among those tensors."""
    optimiser = work.__self__.optimiser
    assert optimiser._adam.param_groups[0]["lr"] is optimiser.rate
    return work


@PLANS
def test_recorded_updates_read_batches_and_rates_from_tensors_that_stay(examples, tmp_path, monkeypatch, plan):
    """Also after a kill. Muon works in bfloat16, where the last bits of gradients make some of it jump.

    The twin that must fail: rates that stay what they were when the graph was recorded.
    """
    monkeypatch.setattr(training, "graph", as_it_is)
    plain, _ = fit(examples, tmp_path / "plain", plan)
    with pytest.raises(Killed):
        fit(examples, tmp_path / "recorded", plan, record=True, checkpoint_seconds=0.0, on_step=killed_at([9]))
    recorded, _ = fit(examples, tmp_path / "recorded", plan, record=True)
    assert recorded.losses == pytest.approx(plain.losses, abs=0.02)
    set_rate = Optimiser.set_rate
    monkeypatch.setattr(Optimiser, "set_rate", lambda self, rate, share: set_rate(self, plan.learning_rate, 1.0))
    frozen, _ = fit(examples, tmp_path / "frozen", plan, record=True)
    assert np.abs(frozen.losses - plain.losses).max() > 0.1


def test_a_graph_that_cannot_be_recorded_is_told_and_done_without(examples, tmp_path, monkeypatch, capsys):
    def refuses(work):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(training, "graph", refuses)
    recorded, _ = fit(examples, tmp_path / "recorded", WITH_MUON, record=True)
    plain, _ = fit(examples, tmp_path / "plain", WITH_MUON)
    assert "run one by one (no such kernel)" in capsys.readouterr().err
    assert recorded.losses == pytest.approx(plain.losses, abs=0.02)


def test_when_time_is_over_it_is_saved_and_continued_to_the_bit(examples, tmp_path):
    plan = dataclasses.replace(WITH_MUON, steps=120)
    whole, weights = fit(examples, tmp_path / "whole", plan)
    with pytest.raises(TimeIsOver, match="after step 50 of 120"):
        fit(examples, tmp_path / "cut", plan, until=0.0)
    resumed, others = fit(examples, tmp_path / "cut", plan)
    assert np.array_equal(resumed.losses, whole.losses)
    assert all(torch.equal(weights[name], others[name]) for name in weights)


def test_a_schedule_comes_back_from_the_settings_of_a_stage():
    for plan in (SCHEDULE, WITH_MUON):
        assert Schedule.of(dataclasses.asdict(plan)) == plan


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
