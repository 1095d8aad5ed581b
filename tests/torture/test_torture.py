"""A short slice of every program of torture, and twins: each must notice what it is there to notice.

In full they are run by hand: `docs/trust.md` says when, how often, and what came out.
"""

import gc
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from sims.running import sums
from sims.sweeps import store, whole
from tests.torture import crowd, flips, fuzz, kills, soak, words
from tests.torture.record import Record, rng_of


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return kills.Place(tmp_path_factory.mktemp("place"), ["stages"])


@pytest.fixture
def record():
    return Record("cases", 1, 0)


def test_kills(place, record, fresh_seed):
    """Few folders of the kind that is cheap, each killed once to four times; `sims/sweeps/test_run.py` kills sweeps."""
    for case in range(3):
        kills.case_of(place, fresh_seed, case, record, {"stages": 1.0})
    assert record.faults == []


def test_a_kill_that_loses_something_would_be_noticed(place, record, monkeypatch, fresh_seed):
    monkeypatch.setitem(place.expected, "stages", {"sum": b"another"})
    kills.case_of(place, fresh_seed, 0, record, {"stages": 1.0})
    assert [fault["what"] for fault in record.faults] == ["other bytes"]


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    return crowd.Crowd(tmp_path_factory.mktemp("crowded"), ["stages"])


def test_crowds(crowded, record, fresh_seed):
    """Two at work on stages, which is cheap; `sims/sweeps/test_run.py` has two sweeps, and one that is frozen."""
    for case in range(3):
        crowd.case_of(crowded, fresh_seed, case, record, 2, {"stages": 1.0})
    assert record.faults == []
    assert sum(record.outcomes.values()) == 3


def test_a_crowd_that_spoils_its_folder_would_be_noticed(crowded, record, monkeypatch, fresh_seed):
    monkeypatch.setitem(crowded.expected, "stages", {"sum": b"another"})
    crowd.case_of(crowded, fresh_seed, 3, record, 2, {"stages": 1.0})
    assert [fault["what"] for fault in record.faults] == ["other bytes of stages"]


def in_process(words):
    """A command of pstar in this process, any other in its own."""
    if words[1:3] != ("-m", "pstar"):
        return kills.run(words)
    code, out, err = fuzz.call(*words[3:])
    return CompletedProcess(words, code, out, err)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return flips.folders(kills.Place(tmp_path_factory.mktemp("finished"), run=in_process))


def harmed(finished, seed, count, record):
    for case in range(count):
        flips.case_of(*finished[case % len(finished)], seed, case, record, mended=0)


def test_flips(finished, record, fresh_seed):
    harmed(finished, fresh_seed, 150, record)
    assert record.faults == []
    assert record.outcomes["noticed"] > 75


def test_flips_that_nobody_looks_for_would_be_silent(finished, record, monkeypatch, fresh_seed):
    """The store, and the sums of all else, taken to be right whatever they are."""
    monkeypatch.setattr(sums, "sha256_of", lambda path: "")
    monkeypatch.setattr(sums, "faults", lambda *_: iter(()))
    monkeypatch.setattr("sims.running.certificates.faults", lambda *_: iter(()))
    monkeypatch.setattr(store, "sha256", lambda data: "")
    monkeypatch.setattr(store.Receipt, "sha256", "", raising=False)
    harmed(finished, fresh_seed, 60, record)
    assert len(record.faults) > 5


def test_files_of_a_sibling_with_their_sums(finished, record, monkeypatch, fresh_seed):
    """Each is good by its own sum: only who compares manifest, shards and rows sees them. Then nobody does."""
    folder = finished[0][0]
    both = [path for path in folder.paths if path.parent.name == "shards" or (folder.sibling / path.name).is_file()]
    monkeypatch.setattr(flips, "HARMS", ("sibling",))
    monkeypatch.setattr(folder, "paths", both)
    for case in range(40):
        flips.case_of(*finished[0], fresh_seed, case, record, mended=0)
    assert record.faults == []
    assert record.outcomes["noticed"] == 40
    monkeypatch.setattr(whole, "_together", lambda *_: whole.Together())
    for case in range(40):
        flips.case_of(*finished[0], fresh_seed, case, record, mended=0)
    assert len(record.faults) > 5  # shards and the manifest: 5 files of 7


def fuzzed(seed, cases, folder):
    return [fuzz.run_case(seed, case, folder) for case in cases]


def test_fuzz(tmp_path, monkeypatch):
    """The same cases every time: new ones are for the program, which says what it found and goes on."""
    monkeypatch.chdir(tmp_path)
    done = fuzzed(20261127, range(200), tmp_path)
    assert [case for case in done if case["wrong"]] == []
    assert {case["kind"] for case in done} == set(fuzz.KINDS)
    assert {case["end"] for case in done} >= {"0", "2"}


def test_a_bug_would_be_noticed(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pstar.cli.main", broken)
    assert "ZeroDivisionError" in fuzz.run_case(0, 0, tmp_path)["wrong"]


@pytest.mark.parametrize(
    ("ending", "wrong"),
    [
        ((0, '{"status": "ok", "accuracy": null}', ""), "ok, and accuracy = None"),
        ((0, '{"converged": true, "accuracy": 0.5, "overlap": -1, "norm": 0.5}', ""), "ok, and overlap"),
        ((0, '{"accuracy": 1.5}', ""), "accuracy = 1.5"),
        ((0, "a\x1b[31m", ""), "control character"),
        ((2, "", "usage: pstar"), "without a line that starts with error"),
        ((5, "", "error: x"), "exit 5"),
        (("slow", "", ""), "no answer"),
        ((2, "", "error: x"), ""),
        ((0, '{"status": "ok", "accuracy": 0.5, "overlap": 1, "norm": 2}', ""), ""),
    ],
)
def test_endings_are_judged(ending, wrong):
    assert fuzz.judge("rates", *ending).startswith(wrong) if not wrong else wrong in fuzz.judge("rates", *ending)
    if not wrong:
        assert fuzz.judge("rates", *ending) == ""


def test_cases_are_repeated_by_their_number(tmp_path):
    first, again = (fuzz.command(rng_of(7, 12), tmp_path) for _ in range(2))
    assert first == again
    assert len({words.rates(rng_of(7, case))[2] for case in range(40)}) > 5


def test_soak(fresh_seed):
    gc.collect()
    record = soak.soak(0, fresh_seed % 1000, rounds=1)
    assert record.faults == []
    assert record.about["leftovers"] == []


def test_what_grows_would_be_noticed():
    record = Record("rounds", 1, 0)
    hours = [number / 40 for number in range(41)]
    soak.judged(record, [(hour, 200 + 20 * hour) for hour in hours], [(9, 3, 0)] * 41, [])
    soak.judged(record, [(hour, 200.0) for hour in hours], [(9 + number, 3, 0) for number in range(41)], [".x.tmp"])
    assert [fault["case"] for fault in record.faults] == ["memory", "state", "leftovers"]


def test_every_program_is_named_in_the_docs():
    page = (Path(__file__).parents[2] / "docs" / "trust.md").read_text()
    for name in ("kills", "flips", "fuzz", "crowd", "soak"):
        assert f"python -m tests.torture.{name}" in page
