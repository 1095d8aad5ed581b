"""What a command wrote is certified: damage is named with its remedy, and nobody else's file is written over."""

import os
import re

import pytest

from sims.running import certificates, files
from sims.running.certificates import Maker, claim, find, read, stale, sums, write
from sims.running.files import StoreError
from sims.running.sealed import seal
from theory.errors import InputError

ONE = Maker("one", "pstar one --out {folder}", mark="one.json")
TWO = Maker("two", "pstar two {folder}", guest=True)


@pytest.fixture
def made(tmp_path):
    write(tmp_path / "a b", ONE, {"one.json": b"1", "tables/x.csv": b"x\n1\n"})
    return tmp_path / "a b"


def test_what_was_written_is_read_and_nothing_else(made):
    assert read(made, ONE, "tables/x.csv") == b"x\n1\n"
    assert certificates.check(made)[2:] == ((), (), ())
    assert find(made, "one").files.keys() == {"one.json", "tables/x.csv"}


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "remove", "certificate", "no certificate", "interrupted"])
def test_damage_is_named_with_what_to_type(made, harm):
    path, place = made / "tables/x.csv", made / "certificates/one.json"
    harms = {
        "flip": lambda: path.write_bytes(b"x\n2\n"),
        "cut": lambda: path.write_bytes(b"x\n"),
        "empty": lambda: path.write_bytes(b""),
        "remove": path.unlink,
        "certificate": lambda: place.write_bytes(place.read_bytes()[:-9]),
        "no certificate": place.unlink,
    }
    if harm == "interrupted":
        there = find(made, "one")
        place.write_bytes(certificates.Certificate("one", there.command, there.files, finished=False).to_bytes())
    else:
        harms[harm]()
    os.utime(made, ns=(0, 0))
    with pytest.raises(StoreError, match=re.escape(f"pstar one --out '{made}'")):
        read(made, ONE, "tables/x.csv")
    if harm != "no certificate":
        (fault,) = certificates.check(made).faults
        assert fault.path in (path, place)
        assert "pstar one" in fault.remedy


def test_the_same_command_mends(made):
    (made / "tables/x.csv").write_bytes(b"")
    write(made, ONE, {"one.json": b"1", "tables/x.csv": b"x\n1\n"})
    assert certificates.check(made).faults == ()


def test_what_it_does_not_write_any_more_goes_unless_it_was_changed(made):
    (made / "one.json").write_bytes(b"edited")
    write(made, ONE, {"new.txt": b"2"})
    assert not (made / "tables/x.csv").exists()
    assert (made / "one.json").read_bytes() == b"edited"
    write(made, ONE, {"newer.txt": b"3"}, keep=True)
    assert find(made, "one").files.keys() == {"new.txt", "newer.txt"}


def test_files_that_it_was_made_from_make_it_stale(made):
    write(made, TWO, {"two.txt": b"2"}, read=sums(made, ["one.json"]))
    assert not stale(made, TWO)
    (made / "one.json").write_bytes(b"3")
    assert stale(made, TWO)
    assert [fault.what for fault in certificates.check(made).faults] == ["damaged", certificates.STALE]


def test_a_file_of_another_command_is_not_written_over(made):
    with pytest.raises(InputError, match=r"one.json is there, and `pstar one .*` made it; move it away"):
        claim(made, TWO, ["one.json"])
    with pytest.raises(InputError, match="made it"):
        write(made, TWO, {"one.json": b"2"})
    assert read(made, ONE, "one.json") == b"1"


@pytest.mark.parametrize("name", ["notes.txt", "one.json"])
def test_a_file_of_the_user_is_not_written_over(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match="is there, and `pstar two` did not make it"):
        claim(tmp_path, TWO, [name])
    write(tmp_path, TWO, {"two.txt": b"2"})
    with pytest.raises(InputError, match="did not make it"):
        write(tmp_path, TWO, {name: b"2"})
    assert (tmp_path / name).read_text() == "mine"


def test_a_command_with_a_folder_of_its_own_refuses_others(tmp_path, made):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds files already, such as 'notes.txt'; pstar one wants a folder"):
        claim(tmp_path / "used", ONE)
    write(tmp_path / "two", TWO, {"two.txt": b"2"})
    with pytest.raises(InputError, match=r"was made by `pstar two .*two`; pstar one wants a folder of its own"):
        claim(tmp_path / "two", ONE)
    with pytest.raises(InputError, match="is a file; name a folder"):
        claim(made / "one.json", ONE)
    claim(made, ONE, ["one.json", "tables/x.csv"])
    claim(tmp_path / "new", ONE)
    (tmp_path / "empty").mkdir()
    claim(tmp_path / "empty", ONE)


def test_its_own_input_is_not_written_over(made):
    with pytest.raises(InputError, match="its own input; choose another folder"):
        claim(made, ONE, ["one.json"], inputs=[made / "one.json"])
    (made.parent / "link.json").symlink_to(made / "one.json")
    with pytest.raises(InputError, match="its own input"):
        claim(made, ONE, ["one.json"], inputs=[made.parent / "link.json"])


def test_a_folder_of_an_earlier_version_is_its_own(tmp_path):
    (tmp_path / "one.json").write_text("old")
    claim(tmp_path, ONE, ["one.json"])
    write(tmp_path, ONE, {"one.json": b"new"})
    assert read(tmp_path, ONE, "one.json") == b"new"


@pytest.mark.parametrize("name", ["../out.txt", "/etc/passwd", "a/../../b"])
def test_a_certificate_names_nothing_outside_its_folder(made, name):
    body = {"format": 1, "maker": "one", "command": "", "finished": True, "files": {name: ""}, "read": {}, "made": {}}
    (made / "certificates/one.json").write_bytes(seal(body))
    assert find(made, "one") is None


def test_files_beside_ours_are_named_and_copies_of_certificates_too(made):
    for name in ("tables/copy.csv", "certificates/copy of one.json"):
        (made / name).write_bytes((made / "certificates/one.json").read_bytes())
    found = certificates.check(made)
    assert [path.name for path in found.foreign] == ["copy of one.json", "copy.csv"]
    assert found.faults == ()


def test_what_a_killed_command_left_goes(made, monkeypatch):
    monkeypatch.setattr(files, "_alive", lambda pid: False)
    left = made / "tables" / f".x.csv{files._writer(12345)}"
    left.write_bytes(b"half")
    write(made, ONE, {"one.json": b"1", "tables/x.csv": b"x\n1\n"})
    assert not left.exists()


def test_a_command_killed_before_its_first_certificate_is_begun_again(tmp_path, monkeypatch):
    """Found by tests/torture/kills.py, which killed an audit after its first fsync."""
    monkeypatch.setattr(files, "_alive", lambda pid: False)
    left = tmp_path / "certificates" / f".one.json{files._writer(12345)}"
    left.parent.mkdir()
    claim(tmp_path, ONE, ["one.json"])
    left.write_bytes(b"half")
    claim(tmp_path, ONE, ["one.json"])
    write(tmp_path, ONE, {"one.json": b"1"})
    assert not left.exists()
    assert certificates.check(tmp_path)[2:] == ((), (), ())


def test_a_folder_of_certificates_that_is_not_ours_is_refused(tmp_path):
    (tmp_path / "certificates").mkdir()
    (tmp_path / "certificates" / "diploma.pdf").write_bytes(b"mine")
    with pytest.raises(InputError, match="holds files already, such as 'certificates'"):
        claim(tmp_path, ONE, ["one.json"])


def test_a_folder_that_cannot_be_looked_at_is_one_line(tmp_path):
    """Found by tests/torture/fuzz.py."""
    with pytest.raises(files.FileError, match="File name too long"):
        claim(tmp_path / ("a" * 5000), ONE, ["one.json"])
    with pytest.raises(files.FileError, match="File name too long"):
        certificates.sums(tmp_path / ("a" * 5000), ["one.json"])


def test_files_and_folders_of_the_user_are_left_alone_however_they_are_called(made):
    """Not ours: what only looks as if it were temporary."""
    leftover = made / "tables" / ".x.csv.elsewhere.7.tmp"
    mine = [made / "tables" / name for name in (".notes.tmp", ".a.7.tmp", ".x.csv.host.pid.tmp", "..host.7.tmp")]
    folders = [made / "tables" / name for name in (".cache.tmp", ".b.host.7.tmp")]
    for path in (leftover, *mine):
        path.write_text("mine")
    for path in folders:
        path.mkdir()
    for path in (leftover, *mine, *folders):
        os.utime(path, (0, 0))
    assert set(certificates.check(made).foreign) == set(mine)
    write(made, ONE, {"one.json": b"1", "tables/x.csv": b"x\n1\n"})
    assert [path.read_text() for path in mine] == ["mine"] * 4
    assert all(path.is_dir() for path in folders)
    assert not leftover.exists()


@pytest.mark.parametrize("what", ["pipe", "deep"])
def test_an_odd_certificate_is_damaged(made, what):
    """One that nobody writes into is not waited for."""
    place = made / "certificates/one.json"
    place.unlink()
    if what == "pipe":
        os.mkfifo(place)
    else:
        place.write_bytes(b"[" * 100_000)
    assert find(made, "one") is None
    assert [fault.path for fault in certificates.check(made).faults] == [place]
    with pytest.raises(StoreError, match="its certificate .* is damaged; run again: pstar one"):
        read(made, ONE, "one.json")


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(made):
    (made / "one.json").unlink()
    os.mkfifo(made / "one.json")
    with pytest.raises(StoreError, match="it is a pipe or device, not a file"):
        read(made, ONE, "one.json")
    assert [fault.what for fault in certificates.check(made).faults] == ["damaged"]


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("pstar one 'a b.csv' --out AU --level 0.9", "pstar one 'a b.csv' --out {folder} --level 0.9"),
        ("pstar one --out='A U'", "pstar one --out={folder}"),
        ("pstar one AU", "pstar one AU"),
    ],
)
def test_a_command_names_the_folder_where_its_files_are_now(tmp_path, typed, stored):
    assert certificates.movable(typed) == stored
    place = tmp_path / "W X"
    write(place, Maker("one", typed), {"one.json": b"1"})  # as earlier versions did
    assert find(place, "one").again(place) == stored.replace("{folder}", f"'{place}'")
