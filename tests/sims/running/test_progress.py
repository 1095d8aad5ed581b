"""Lines of progress where there is no terminal."""

import pytest

from sims.running import progress


@pytest.mark.parametrize(("expected", "left"), [(14_400.0, "4 hours"), (None, "28 hours")])
def test_at_first_the_time_left_is_that_of_the_estimate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], expected: float | None, left: str
) -> None:
    """One of 1,000 units in 100 s would mean 28 hours, while others are at work; half of them are a pace to go by."""
    now = iter((0.0, 100.0, 3_700.0))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    with progress.progress("work", 1_000, "units", expected) as advance:
        advance(1)
        advance(499)
    assert capsys.readouterr().err.splitlines() == [
        f"work: 1/1000 units, 100 s, about {left} left",
        "work: 500/1000 units, 62 minutes, about 62 minutes left",
    ]
