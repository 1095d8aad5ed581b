"""The result folder: whole files or none, and no damage that goes unseen."""

import errno
import json
import os
import platform
import random
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sims.comparison.tables import read_rows
from sims.running import files as module
from sims.running.files import StoreError
from sims.sweeps import receipt as receipts_module
from sims.sweeps import whole
from sims.sweeps.grid import Chunk, Shape, Span
from sims.sweeps.receipt import Receipt, done_seeds
from sims.sweeps.store import Store, parquet_bytes

SHAPE = Shape("squared", 8, 4)
CHUNKS = [
    Chunk(SHAPE, (Span("a" * 16, 0, 4), Span("b" * 16, 0, 2))),
    Chunk(SHAPE, (Span("b" * 16, 2, 2), Span("c" * 16, 0, 4))),
    Chunk(SHAPE, (Span("d" * 16, 0, 4),)),
]
ORDER = ["d" * 16, "a" * 16, "b" * 16, "c" * 16]
MANIFEST = {"format": 1, "config": {"problem": {"d": 4}}}
MADE = {"seconds": 0.25, "host": "here"}


def rows_of(chunk, shift=0.0):
    trials = [(cell, seed) for cell, first, count in chunk.spans for seed in range(first, first + count)]
    values = [ord(cell[0]) + seed / 100 + shift for cell, seed in trials]
    return pa.table({"cell": [cell for cell, _ in trials], "seed": [seed for _, seed in trials], "accuracy": values})


def fill(store, made=MADE):
    """A whole sweep's worth of writes."""
    store.create()
    store.write_manifest(MANIFEST)
    receipts = [store.commit(chunk, 0, rows_of(chunk), made) for chunk in CHUNKS]
    store.write_rows(store.rows(receipts, ORDER, 4))


def contents(root):
    """Bytes of every file that is not temporary."""
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if visible(path)}


def visible(path):
    return path.is_file() and not path.name.endswith(".tmp")


@pytest.fixture
def full(tmp_path):
    store = Store(tmp_path / "full")
    fill(store)
    return store


def test_round_trip(full):
    receipts, damaged = full.scan()
    assert damaged == []
    assert sorted(receipt.chunk for receipt in receipts) == sorted(chunk.id(0) for chunk in CHUNKS)
    assert {receipt.spans for receipt in receipts} == {chunk.spans for chunk in CHUNKS}
    assert done_seeds(receipts) == {cell: set(range(4)) for cell in ORDER}
    assert full.read_manifest() == MANIFEST
    found = read_rows(full.root)
    assert list(found["cell"]) == [cell for cell in ORDER for _ in range(4)]
    assert list(found["seed"]) == [0, 1, 2, 3] * 4
    assert list(found["accuracy"]) == [ord(c[0]) + s / 100 for c, s in zip(found["cell"], found["seed"], strict=True)]


def test_checksum_file_is_what_sha256sum_checks(full):
    subprocess.run(["sha256sum", "--check", "--strict", "rows.sha256"], cwd=full.root, check=True, capture_output=True)


# --- rows ---


def test_rows_are_in_order_once_and_only_those_asked_for(full):
    again = full.commit(Chunk(SHAPE, (Span("a" * 16, 1, 5),)), 0, rows_of(Chunk(SHAPE, (Span("a" * 16, 1, 5),))), {})
    receipts = [again, *full.scan()[0]]
    for seeds, order in [(4, ORDER), (2, ORDER[::-1]), (6, ["a" * 16]), (1, ["b" * 16, "unknown"])]:
        table = full.rows(receipts, order, seeds)
        there = {cell: 4 for cell in ORDER} | {"a" * 16: 6, "unknown": 0}
        wanted = [(cell, seed) for cell in order for seed in range(min(seeds, there[cell]))]
        assert list(zip(table["cell"].to_pylist(), table["seed"].to_pylist(), strict=True)) == wanted
        assert table.equals(full.rows(receipts[::-1], order, seeds))


def test_rows_do_not_depend_on_how_trials_were_cut_into_chunks(full, tmp_path):
    other = Store(tmp_path / "other")
    other.create()
    cut = [Chunk(SHAPE, (Span(cell, seed, 1),)) for cell in ORDER for seed in (3, 1, 0, 2)]
    receipts = [other.commit(chunk, 0, rows_of(chunk), {}) for chunk in cut]
    other.write_rows(other.rows(receipts, ORDER, 4))
    assert Path(other.rows_path).read_bytes() == Path(full.rows_path).read_bytes()


def test_a_shard_that_changes_after_the_scan_is_noticed(full):
    receipts, _ = full.scan()
    (full.root / "shards" / f"{receipts[1].chunk}.parquet").write_bytes(parquet_bytes(rows_of(CHUNKS[0], shift=1)))
    with pytest.raises(StoreError, match=f"{receipts[1].chunk}.parquet changed"):
        full.rows(receipts, ORDER, 4)


def test_pages_carry_checksums():
    data = parquet_bytes(rows_of(CHUNKS[0]))
    column = pq.read_metadata(BytesIO(data)).row_group(0).column(2)
    last = (column.dictionary_page_offset or column.data_page_offset) + column.total_compressed_size - 1
    broken = bytearray(data)
    broken[last] ^= 1
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(BytesIO(broken), page_checksum_verification=True)


# --- certificates ---


def test_receipt_certifies_itself():
    receipt = Receipt("chunk", "0" * 64, 7, tuple(SHAPE), CHUNKS[0].spans, MADE)
    data = receipt.to_bytes()
    assert Receipt.from_bytes(data) == receipt
    body = json.loads(data)
    for key, value in body.items():
        forged = body | {key: value + 1 if isinstance(value, int) else [value]}
        with pytest.raises(ValueError, match="checksum"):
            Receipt.from_bytes(json.dumps(forged).encode())
        with pytest.raises(ValueError, match="checksum"):
            Receipt.from_bytes(json.dumps({k: v for k, v in body.items() if k != key}).encode())
    for other in (b"", b"[]", b"null", b"{}", b"\xff", data[:-1]):
        with pytest.raises(ValueError, match=r"checksum|Expecting|codec"):
            Receipt.from_bytes(other)


def test_receipt_of_another_format_is_refused(monkeypatch):
    data = Receipt("chunk", "0" * 64, 0, tuple(SHAPE), ()).to_bytes()
    monkeypatch.setattr(receipts_module, "FORMAT", 3)
    with pytest.raises(ValueError, match="format 2, this version reads 3"):
        Receipt.from_bytes(data)


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"null", b'{"format": 1, "check": "0"}', b"\xff"])
def test_manifest_certifies_itself(full, data):
    (full.root / "manifest.json").write_bytes(data)
    assert full.read_manifest() is None


def test_a_shard_under_another_name_is_not_ours(full):
    name, other = (chunk.id(0) for chunk in CHUNKS[:2])
    for ending in ("json", "parquet"):
        shutil.copy(full.root / "shards" / f"{name}.{ending}", full.root / "shards" / f"{other}.{ending}")
    receipts, damaged, foreign = full.survey()
    assert (len(receipts), damaged) == (2, [])
    assert foreign == [f"{full.root}/shards/{other}.json: a copy of {name}.json under another name"]


def test_a_shard_without_receipt_is_absent(full):
    (full.root / "shards" / f"{CHUNKS[0].id(0)}.json").unlink()
    receipts, damaged = full.scan()
    assert {receipt.spans for receipt in receipts} == {chunk.spans for chunk in CHUNKS[1:]}
    assert damaged == []


@pytest.mark.parametrize("what", ["pipe", "deep"])
def test_odd_files_are_damaged_and_not_waited_for(full, what):
    full.write_rows(full.rows(full.scan()[0], [], 0))
    name = f"shards/{CHUNKS[0].id(0)}.json"
    paths = {full.root / each for each in ("manifest.json", "rows.sha256", name)}
    for path in paths:
        path.unlink(missing_ok=True)
        if what == "pipe":
            os.mkfifo(path)
        else:
            path.write_bytes(b"[" * 100_000)
    found = whole.check(full.root).faults
    assert {fault.path.name for fault in found} == {"manifest.json", "rows.parquet", Path(name).name}
    assert all(fault.remedy for fault in found)


def test_leftovers_of_dead_writers_are_removed(full):
    """Of this machine; what another one is writing is left alone, until it is a day old."""
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    here, shards = platform.node(), full.root / "shards"
    mine, theirs = (shards / f".x.parquet.{here}.{pid}.tmp" for pid in (os.getpid(), int(dead.stdout)))
    top, odd = full.root / f".rows.parquet.{here}.{int(dead.stdout)}.tmp", shards / ".odd.tmp"
    zombie = subprocess.Popen(["true"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)  # ended, and nobody has asked how
    ended = shards / f".y.parquet.{here}.{zombie.pid}.tmp"
    far, old = (shards / f".{name}.parquet.elsewhere.{int(dead.stdout)}.tmp" for name in ("far", "old"))
    before = contents(full.root)
    for path in (mine, theirs, ended, top, odd, far, old):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert full.scan()[1] == []
    full.files.discard_leftovers()
    zombie.wait()
    assert [path.exists() for path in (mine, odd, far)] == [True] * 3
    assert [path.exists() for path in (theirs, ended, top, old)] == [False] * 4
    assert contents(full.root) == before


# --- faults ---


class Faults:
    """Count every open, write, fsync and rename of the store; make the ``at``-th fail."""

    def __init__(self, monkeypatch, at, number):
        self.at, self.number, self.calls = at, number, 0
        replace = os.replace
        monkeypatch.setattr(os, "replace", lambda *a: (self.step(), replace(*a)))
        monkeypatch.setattr(os, "fsync", lambda _: self.step())  # without waiting for the disk
        monkeypatch.setattr(module, "open", self.open, raising=False)

    def step(self):
        self.calls += 1
        if self.calls - 1 == self.at:
            raise OSError(self.number, os.strerror(self.number))

    def open(self, path, mode):
        self.step()
        file = open(path, mode, buffering=0)
        real = file.write

        class Short:
            """Half of the data is written before the write fails."""

            def write(_, data):
                real(data[: len(data) // 2])
                self.step()
                return real(data[len(data) // 2 :])

            flush, fileno = file.flush, file.fileno

            def __enter__(short):
                return short

            def __exit__(short, *_):
                file.close()

        return Short()


def count_of_steps(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        faults = Faults(patch, -1, 0)
        fill(Store(tmp_path / "count"))
    return faults.calls


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["disk full", "input/output error"])
@pytest.mark.parametrize("killed", [False, True], ids=["error", "killed"])
def test_a_fault_at_every_step_leaves_whole_files_and_a_retry_succeeds(tmp_path, monkeypatch, full, number, killed):
    """``killed``: nothing is tidied up after the fault, as after a crash. Old files are there before."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    whole = contents(full.root)
    steps = count_of_steps(tmp_path, monkeypatch)
    assert steps == 5 * 9  # nine files, each opened, written, synced, renamed, its folder synced
    for at in range(steps):
        store = Store(tmp_path / f"fault {at}")
        store.create()
        store.write_rows(rows_of(CHUNKS[0], shift=1))
        store.write_manifest({"format": 0})
        old = contents(store.root)
        with monkeypatch.context() as patch:
            Faults(patch, at, number)
            if killed:
                patch.setattr(Path, "unlink", lambda *_, **__: None)
            with pytest.raises(OSError, match=f"{os.strerror(number)}.*{store.root}"):
                fill(store)
        for path, data in contents(store.root).items():
            assert data in (whole[path], old.get(path)), (at, path)
        receipts, damaged = store.scan()
        assert damaged == []
        assert len(receipts) == sum((store.root / "shards" / f"{chunk.id(0)}.json").exists() for chunk in CHUNKS)
        assert killed or not list(store.root.rglob("*.tmp"))
        fill(store)
        assert contents(store.root) == whole
        shutil.rmtree(store.root)


def test_a_full_disk_says_where(full, monkeypatch):
    Faults(monkeypatch, 1, errno.ENOSPC)
    with pytest.raises(OSError, match=str(full.root / "manifest.json")):
        full.write_manifest(MANIFEST)


def test_a_read_fault_is_damage_of_that_shard_alone(full, monkeypatch):
    whole, _ = full.scan()
    real = Path.read_bytes

    def read(path, bad):
        if path == bad:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(path)

    for bad in (full.root / "shards").iterdir():
        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_bytes", lambda path, bad=bad: read(path, bad))
            receipts, damaged = full.scan()
        assert len(damaged) == 1
        assert str(bad) in damaged[0]
        assert receipts == [receipt for receipt in whole if receipt.chunk != bad.stem]


@pytest.mark.parametrize("place", ["", "deeper/still"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=str(tmp_path / "file")):
        Store(tmp_path / "file" / place).create()


# --- damage ---


def damages(data, count, rng):
    """One flipped bit, ``count`` times, then truncations."""
    for _ in range(count):
        bit = rng.randrange(8 * len(data))
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit}", bytes(flipped)
    for length in {0, 1, len(data) // 2, len(data) - 1, *(rng.randrange(len(data)) for _ in range(count // 10))}:
        yield f"cut to {length}", data[:length]


def verdict(store, path, whole):
    """'found', 'harmless' (what is read is what was written) or 'SILENT'."""
    receipts, damaged = store.scan()
    if path.parent == (store.root / "shards"):
        others = [receipt for receipt in whole if receipt.chunk != path.stem]
        if damaged:
            only = len(damaged) == 1 and path.stem in damaged[0] and receipts == others
            return "found" if only else "SILENT"
        return "harmless" if receipts == whole else "SILENT"
    if receipts != whole or damaged:
        return "SILENT"
    if path == store.root / "manifest.json":
        body = store.read_manifest()
        return "found" if body is None else "harmless" if body == MANIFEST else "SILENT"
    try:
        read_rows(store.root)
    except StoreError as error:
        return "found" if str(store.rows_path) in str(error) else "SILENT"
    return "SILENT"


def test_no_flipped_bit_and_no_truncation_is_silent(full, fresh_seed):
    rng = random.Random(fresh_seed)
    whole, _ = full.scan()
    counts = {"found": 0, "harmless": 0}
    for path in filter(visible, full.root.rglob("*")):
        data = path.read_bytes()
        for what, broken in damages(data, 60, rng):
            path.write_bytes(broken)
            outcome = verdict(full, path, whole)
            assert outcome in counts, f"{path.name}, {what}: not noticed"
            counts[outcome] += 1
        path.write_bytes(data)
    assert counts["found"] > 0.9 * sum(counts.values()) > 500  # harmless: white space of a receipt or manifest
    assert full.scan() == (whole, [])
    assert np.all(read_rows(full.root)["accuracy"] > 0)


# --- URLs ---


@pytest.fixture
def remote(request):
    """A whole sweep's worth of files in memory, through fsspec."""
    store = Store(f"memory://{request.node.name}")
    fill(store)
    yield store
    store.files.system.rm(store.files.base, recursive=True)


def test_a_url_holds_the_same_bytes_as_a_folder(full, remote):
    names = {str(path.relative_to(full.root)) for path in full.root.rglob("*") if path.is_file()}
    assert {f"shards/{name}" for name in remote.files.names("shards")} | {*remote.files.names()} - {"shards"} == names
    assert all(remote.files.read(name) == (full.root / name).read_bytes() for name in names)
    assert remote.scan() == full.scan()
    assert remote.read_manifest() == MANIFEST
    assert remote.read_rows() == full.read_rows()
    assert remote.rows_path == f"{remote.root}/rows.parquet"
    remote.refuse_foreign()


def test_damage_and_absence_behind_a_url(full, remote):
    """One shard cut, one receipt gone, one shard gone: each is told, and is not found."""
    cut, bare, gone = (chunk.id(0) for chunk in CHUNKS)
    shard = f"shards/{cut}.parquet"
    remote.files.write(shard, remote.files.read(shard)[:-1])
    remote.files.remove(f"shards/{bare}.json")
    remote.files.remove(f"shards/{gone}.parquet")
    receipts, damaged = remote.scan()
    assert receipts == []
    first, second = sorted(damaged, key=lambda line: cut not in line)
    assert first == f"{remote.root}/{shard}: damaged (its sha256 is not the receipt's)"
    assert second == f"{remote.root}/shards/{gone}.parquet: no such object or bucket"
    assert [remote.find(chunk, 0) for chunk in CHUNKS] == [None] * 3
    assert full.find(CHUNKS[0], 0) == full.scan()[0][full.scan()[0].index(full.find(CHUNKS[0], 0))]
    remote.discard_damaged()
    assert remote.files.names("shards") == [f"{bare}.parquet"]
    remote.files.remove("nothing such")


@pytest.mark.parametrize("prefix", ["", "file://", "local://"])
def test_a_folder_may_be_written_as_url(full, prefix):
    assert Store(f"{prefix}{full.root}").scan() == full.scan()


def test_a_folder_needs_no_fsspec(tmp_path):
    code = "import sys; sys.modules['fsspec'] = None\nfrom sims.sweeps.store import Store\nStore(sys.argv[1]).create()"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "out")], check=True)
    assert (tmp_path / "out" / "shards").is_dir()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sss://bucket/x", "sss://bucket/x: Protocol not known: sss; give a folder, or a URL such as s3://"),
        ("s3://bucket/x", "s3://bucket/x: the driver of s3:// is not installed here .*s3fs"),
    ],
)
def test_a_url_that_cannot_be_used_is_one_line(url, expected, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(StoreError, match=expected) as refused:
        Store(url).scan()
    assert "\n" not in str(refused.value)


def test_what_a_driver_raises_is_one_line_that_names_the_object(remote, monkeypatch):
    """No credentials, say: such errors are of every kind."""

    def refuse(*_, **__):
        raise KeyError("Unable to locate credentials\nsecond line")

    for method, call in [
        ("pipe_file", lambda: remote.write_manifest({})),
        ("cat_file", lambda: remote.read_rows()),
        ("ls", lambda: remote.scan()),
        ("rm_file", lambda: remote.files.remove("x")),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(type(remote.files.system), method, refuse)
            with pytest.raises(OSError, match=f"^{remote.root}.*: KeyError: .*locate credentials") as refused:
                call()
            assert "\n" not in str(refused.value)


def test_what_is_not_a_result_folder_is_refused_behind_a_url(remote):
    remote.files.write("thesis/chapter.tex", b"")
    remote.refuse_foreign()
    with pytest.raises(StoreError, match="thesis is not empty and not a result folder"):
        Store(f"{remote.root}/thesis").refuse_foreign()
