"""Names that data give are never names of files; links of others are not written through; bombs are seen."""

import contextlib
import gzip
import json
import os
import zipfile

import numpy as np
import pandas as pd
import pytest

from empirical.features.files import read, read_rates
from empirical.records import logs
from sims.running import files, unpacked
from sims.running.files import FileError, write_atomic
from tests.pstar.command import in_one_process, snapshot
from theory.errors import InputError

NAMES = ["../../x", "/etc/x", "a\0b", "a" * 300, "..", "con/../../x"]


def everything_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_names_of_data_name_no_file(tmp_path):
    """Classes, verifiers, prompts and columns: what is written is called the same whatever they are called."""
    written = []
    for kind, names in (("plain", ["a", "b"]), ("nasty", NAMES)):
        top = tmp_path / kind / "deep" / "er"
        top.mkdir(parents=True)
        records = pd.DataFrame({"correct": [1, 0] * 60, "kept": [1, 1, 0, 0] * 30})
        column = names[0] if kind == "plain" else NAMES[0]
        records = records.assign(**{column: (names * 120)[:120], f"{column}2": [1, 0, 1, 0] * 30})
        records.to_json(top / "records.jsonl", orient="records", lines=True)
        line = ["audit", str(top / "records.jsonl"), "--correct", "correct", "--kept", "kept", f"{column}2"]
        lines = [[*line[:-1], "--class", column, "--out", str(top / "out")]]
        lines += [[*line[:-2], f"{column}2", "--group", column, "--out", str(top / "out2")]]
        for code, _, error in in_one_process(lines):
            assert code == 0, error
        written.append(everything_below(tmp_path / kind))
    assert written[0] == written[1]
    assert any(name.endswith("classes.csv") for name in written[0])
    assert everything_below(tmp_path) == {f"{kind}/{name}" for kind in ("plain", "nasty") for name in written[0]} | {
        "plain",
        "nasty",
    }


@pytest.mark.parametrize("name", NAMES)
def test_names_of_a_command_line_are_refused_before_any_file(tmp_path, name):
    """Names of studies, presets and verbs are from a list."""
    (tmp_path / "sweep.toml").write_text(f"[training]\nloss = {json.dumps(name)}\n")
    (tmp_path / "own.toml").write_text(f"[{json.dumps(name)}]\na = 1\n")
    before = snapshot(tmp_path)
    out = ["--out", str(tmp_path / "out")]
    lines = [
        ["study", name, *out],
        ["sweep", str(tmp_path / "sweep.toml"), *out],
        ["summarization", "run", "--preset", name, *out],
        ["summarization", "run", "--config", str(tmp_path / "own.toml"), *out],
        ["eigenvalues", name, *out],
    ]
    for words, (code, _, error) in zip(lines, in_one_process(lines), strict=True):
        assert code == 2, (words, error)
        assert "Traceback" not in error
    assert snapshot(tmp_path) == before
    assert everything_below(tmp_path) == {"sweep.toml", "own.toml"}


def test_a_link_under_the_temporary_name_is_not_written_through(tmp_path):
    victim, path = tmp_path / "victim", tmp_path / "folder" / "file"
    victim.write_bytes(b"precious")
    path.parent.mkdir()
    (path.parent / f".file{files._writer(os.getpid())}").symlink_to(victim)
    write_atomic(path, b"data")
    assert (victim.read_bytes(), path.read_bytes()) == (b"precious", b"data")
    assert not path.is_symlink()
    assert everything_below(path.parent) == {"file"}


def test_nor_is_one_that_comes_between(tmp_path, monkeypatch):
    """Placed after the look and before the opening: that is an error, and the link's target stays."""
    victim, path = tmp_path / "victim", tmp_path / "file"
    victim.write_bytes(b"precious")
    temporary = path.with_name(f".file{files._writer(os.getpid())}")
    unlink, tries = type(path).unlink, []

    def slow(self, missing_ok=False):
        with contextlib.suppress(FileNotFoundError):
            unlink(self)
        if not tries:
            tries.append(self)
            temporary.symlink_to(victim)

    monkeypatch.setattr(type(path), "unlink", slow)
    with pytest.raises(FileError, match="File exists"):
        write_atomic(path, b"data")
    assert victim.read_bytes() == b"precious"
    assert not path.exists()


def test_a_link_in_the_place_of_a_file_is_replaced(tmp_path):
    victim, path = tmp_path / "victim", tmp_path / "file"
    victim.write_bytes(b"precious")
    path.symlink_to(victim)
    write_atomic(path, b"data")
    assert (victim.read_bytes(), path.read_bytes(), path.is_symlink()) == (b"precious", b"data", False)


# --- bombs ---


@pytest.fixture
def little_memory(monkeypatch):
    """A machine with eight megabytes to spare."""
    monkeypatch.setattr(unpacked, "free_memory", lambda: 1 << 23)
    monkeypatch.setattr("empirical.records.gathering.free_memory", lambda: 1 << 23)


def test_an_archive_is_measured_before_it_is_unpacked(tmp_path, little_memory):
    np.savez_compressed(tmp_path / "small.npz", X=np.zeros((10, 2)), y=np.zeros(10))
    np.savez_compressed(tmp_path / "big.npz", X=np.zeros((1 << 18, 4)), y=np.zeros(1 << 18))
    assert read(tmp_path / "small.npz")[0].shape == (10, 2)
    assert (tmp_path / "big.npz").stat().st_size < 1 << 16
    with pytest.raises(InputError, match=r"big.npz unpacks to 0.0 GiB.*give a part of it"):
        read(tmp_path / "big.npz")


def test_so_is_a_log_in_a_zip(tmp_path, little_memory):
    with zipfile.ZipFile(tmp_path / "big.eval", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", '{"eval": {}, "version": 2}')
        archive.writestr("samples/1.json", b'"' + b"a" * (1 << 23) + b'"')
    with pytest.raises(InputError, match=r"big.eval unpacks to"):
        logs.load(tmp_path / "big.eval")


def test_packed_records_are_read_in_blocks_within_a_bound(tmp_path, little_memory):
    from empirical.records import read as read_records

    path = tmp_path / "records.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"kept,correct\n" + b"1,0\n" * (1 << 21))
    assert path.stat().st_size < 1 << 16
    with pytest.raises(InputError, match="takes more than"):
        read_records(path, ["kept", "correct"])


@pytest.mark.parametrize("start", [b"kept,correct\n1,", b"k", b'{"kept":"', b'[{"kept":"'])
def test_one_endless_record_is_refused(tmp_path, monkeypatch, start):
    from empirical.records import blocks, delimited, json_array
    from empirical.records import read as read_records

    for module in (blocks, delimited, json_array):
        monkeypatch.setattr(module, "LONGEST", 1 << 21)
    path = tmp_path / ("records.csv.gz" if start[:1] == b"k" else "records.json.gz")
    with gzip.open(path, "wb") as file:
        file.write(start + b"1" * (1 << 25))
    with pytest.raises(InputError, match="longer than|not CSV|not JSON|no column"):
        read_records(path, ["kept", "correct"])


def test_blanks_before_a_list_are_not_kept(tmp_path):
    """A gigabyte of them took minutes, when they were looked through again and again."""
    from empirical.records import read as read_records

    path = tmp_path / "records.json.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"[" + b" " * (1 << 24) + b'{"kept": 1}]')
    assert read_records(path, ["kept"]).rows == 1


def deep(count):
    return b"[" * count


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("X.safetensors", (100_000).to_bytes(8, "little") + deep(100_000)),
        ("X.safetensors", (2**62).to_bytes(8, "little") + b"{}"),
        (
            "X.safetensors",
            (66).to_bytes(8, "little") + b'{"X":{"dtype":"F64","shape":[10,100000000],"data_offsets":[0,8]}}  ',
        ),
        (
            "X.npy",
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, 'shape': (100000000, 100000000)}",
        ),
    ],
)
def test_sizes_that_a_file_only_claims_are_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="safetensors file|NumPy reads|damaged"):
        read(tmp_path / name)


def test_json_nested_deep_is_refused(tmp_path):
    (tmp_path / "audit.json").write_bytes(deep(100_000))
    with pytest.raises(InputError, match="no audit"):
        read_rates(tmp_path / "audit.json")


def test_huge_sweeps_and_numbers_are_refused_before_any_work(tmp_path):
    rows = "{start = 0.0, stop = 1.0, num = 100000}"
    (tmp_path / "huge.toml").write_text(
        f"[problem]\nd = 4\nalpha = 4\n[generator]\np = {rows}\n[verifier]\nphi = {rows}\npsi = {rows}\n"
        "[training]\nloss = 'squared'\nridge = 0.1\n[run]\nseeds = 3\n"
    )
    (tmp_path / "long.toml").write_text(f"[generator]\np = {'9' * 400}\n")
    (tmp_path / "deep.toml").write_text("a = " + "[" * 100_000)
    (tmp_path / "points.toml").write_text("[generator]\np = {start = 0.0, stop = 1.0, num = 1000000000000}\n")
    (tmp_path / "r.csv").write_text("correct,kept\n1,1\n0,0\n" * 40)
    lines = [["sweep", str(path), "--out", str(tmp_path / "out")] for path in sorted(tmp_path.glob("*.toml"))]
    lines += [["audit", str(tmp_path / "r.csv"), "--correct", "correct", "--kept", "kept", "--classes", "9" * 400]]
    lines += [["predict", "--p", "0.3", "--phi", "0.8", "--psi", "0.2", "--classes", "9" * 400]]
    for words, (code, out, error) in zip(lines, in_one_process(lines), strict=True):
        assert (code, out) == (2, ""), (words, error)
        assert "Traceback" not in error
        assert len(error) < 2000
    assert not (tmp_path / "out").exists()
