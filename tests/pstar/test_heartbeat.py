"""A sign of life after two seconds of silence. Clocks are injected: no test waits."""

import io
import sys

import pytest

from pstar import heartbeat
from pstar.heartbeat import ERASE, Heartbeat
from tests.processes import wait_for


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def beats(clock, terminal, busy=lambda: False):
    said = []
    return Heartbeat("pstar audit", said.append, terminal, busy, clock), said


def run(beat, clock, until):
    """Look whenever the heartbeat says so, until a second."""
    while (wait := beat.tick()) + clock.now <= 100 + until:
        clock.now += wait


def test_a_log_gets_lines_at_growing_distance(clock):
    beat, said = beats(clock, terminal=False)
    run(beat, clock, 901)
    assert said == [f"still at work: pstar audit, {at} s\n" for at in (2, 10, 60, 300, 600, 900)]


def test_a_terminal_gets_one_line_that_counts_and_goes_away(clock):
    beat, said = beats(clock, terminal=True)
    run(beat, clock, 4)
    assert said == [f"{ERASE}still at work: pstar audit, {at} s" for at in (2, 3, 4)]
    beat.heard()
    beat.heard()
    assert said[3:] == [ERASE]
    assert beat.tick() == 2.0  # silence begins anew


def test_what_is_quick_says_nothing(clock):
    beat, said = beats(clock, terminal=True)
    run(beat, clock, 1.9)
    beat.end()
    clock.now += 100
    beat.tick()
    assert said == []


def test_who_speaks_is_not_interrupted(clock):
    beat, said = beats(clock, terminal=False)
    for _ in range(50):
        clock.now += 1.5
        beat.heard()
        assert beat.tick() == 2.0
    assert said == []


def test_a_bar_that_moves_is_a_sign_of_life(clock):
    busy = [True]
    beat, said = beats(clock, True, lambda: busy[0])
    run(beat, clock, 30)
    assert said == []
    busy[0] = False
    run(beat, clock, 40)
    assert said


def test_streams_are_as_they_were_and_standard_output_is_untouched(monkeypatch):
    monkeypatch.delenv("PSTAR_QUIET", raising=False)
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr(heartbeat, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(heartbeat, "MARKS", (0.0, 1e9))

    def work():
        with heartbeat.heartbeat("pstar x"):
            wait_for(lambda: "still at work: pstar x" in err.getvalue(), "a sign of life")
            print("answer")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert out.getvalue() == "answer\n"
    assert "write" not in vars(out)
    assert "write" not in vars(err)


def test_it_can_be_silenced(monkeypatch):
    monkeypatch.setenv("PSTAR_QUIET", "1")
    before = vars(sys.stderr).get("write")
    with heartbeat.heartbeat("pstar x"):
        assert vars(sys.stderr).get("write") == before
