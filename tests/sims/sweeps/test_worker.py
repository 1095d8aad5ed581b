"""What a worker says of a chunk that it could not compute or store."""

from sims.sweeps import worker
from sims.sweeps.worker import reply


def test_a_bug_is_answered_and_shows_its_traceback(capsys):
    assert reply("{}", "nowhere", 0) == {"error": "KeyError: 'cells'", "kind": "compute"}
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "in read_request" in said


def test_a_full_disk_is_answered_and_shows_none(capsys, monkeypatch):
    def compute(*_):
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr(worker, "compute", compute)
    assert reply("{}", "nowhere", 0) == {"error": "OSError: [Errno 28] No space left on device: 'x'", "kind": "disk"}
    assert capsys.readouterr().err == ""
