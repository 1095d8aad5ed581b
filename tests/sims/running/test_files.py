"""What the system refuses is explained: a FileError that names the file, and is an OSError for whoever expects one."""

import errno
import os
import pickle

import pytest

from sims.running.files import FileError, LocalFiles, MissingError, located, write_atomic
from sims.running.places import files_at
from theory.errors import Error


def refused(monkeypatch, number):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)


def test_a_full_disk_is_explained_and_leaves_nothing(tmp_path, monkeypatch):
    refused(monkeypatch, errno.ENOSPC)
    with pytest.raises(Error) as caught:
        write_atomic(tmp_path / "file", b"data")
    error = caught.value
    assert isinstance(error, FileError)
    assert (error.errno, error.strerror, error.filename) == (
        errno.ENOSPC,
        "No space left on device",
        str(tmp_path / "file"),
    )
    assert str(error) == f"[Errno 28] No space left on device: '{tmp_path / 'file'}'"
    assert list(tmp_path.iterdir()) == []


def test_what_could_not_be_tidied_up_does_not_hide_what_went_wrong(tmp_path):
    with pytest.raises(MissingError, match="No such file or directory"):
        write_atomic(tmp_path / "nowhere" / "file", b"data")


def test_what_is_missing_is_told_apart(tmp_path):
    (tmp_path / "file").write_bytes(b"data")
    for name in ("absent", "file/inside"):
        with pytest.raises(FileNotFoundError) as caught:
            LocalFiles(tmp_path).read(name)
        assert isinstance(caught.value, MissingError)
    with pytest.raises(FileError, match="Is a directory") as refused:
        LocalFiles(tmp_path).read("")
    assert not isinstance(refused.value, FileNotFoundError)


def test_both_ends_of_a_rename_are_named(tmp_path):
    with pytest.raises(FileError, match=r"'.*/a' -> '.*/b'"), located(tmp_path):
        os.replace(tmp_path / "a", tmp_path / "b")


def test_an_error_of_a_library_keeps_its_words(tmp_path):
    with pytest.raises(FileError, match=f"^{tmp_path}: CRC"), located(tmp_path):
        raise OSError("CRC checksum verification failed")


def test_what_is_no_fault_of_the_system_passes(tmp_path):
    with pytest.raises(ZeroDivisionError), located(tmp_path):
        raise ZeroDivisionError


@pytest.mark.parametrize("kind", [FileError, MissingError])
def test_it_survives_the_way_between_processes(kind):
    error = pickle.loads(pickle.dumps(kind(errno.EIO, "bad", "x")))
    assert (type(error), error.errno, error.filename) == (kind, errno.EIO, "x")


def test_objects_are_refused_by_the_same_names():
    files = files_at("memory://refusals")
    with pytest.raises(MissingError, match="no such object or bucket"):
        files.read("absent")
