"""Flipped bits, cut, emptied, swapped, removed and added files: does anything of a damaged folder pass as good?

    python -m tests.torture.flips --count 20000 --seed 7 --json flips.json

Each case harms one file of a finished sweep (with tables and figures), of a finished experiment, or of an audit, as its
readers would find it in another process. Somebody who reads the file must say so before using it: the plan of the
sweep, the reader of rows, the reader of tables, the finder of stages, the publication of a report; and `pstar verify`
always. Files of a sibling, a sweep with another root seed, take the place of ours together with their sums. A harm that
leaves the content what it was (white space of JSON) is harmless. What is added is named as not ours and never counted.
In about MENDED of the cases the command that was named is run, and must bring the old bytes back.
"""

import shutil
import sys
import tempfile
import tomllib
from functools import partial
from pathlib import Path

import pstar
from empirical.stages.artefact import find
from pstar import verifying
from sims.comparison.tables import read_rows, read_tables
from sims.running import sums
from sims.sweeps.outlook import plan
from sims.sweeps.store import Store
from tests.torture.kills import Place, run
from tests.torture.record import Record, arguments, rng_of
from theory.errors import Error

MENDED = 60
HARMS = ("flip", "flip", "flip", "flip", "cut", "empty", "remove", "swap", "double", "grow", "sibling")


class Folder:
    """A finished folder, its pristine bytes, and who reads which of its files."""

    def __init__(self, root, mend, sibling=None):
        """Remember all bytes; ``sibling`` is a folder of the same kind, of something else."""
        self.root, self.mend, self.sibling = root, mend, sibling
        self.bytes = {
            path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file() and path.name != ".lock"
        }
        self.paths = list(self.bytes)

    def restore(self):
        """Bring back the old bytes; what was added goes."""
        for path in self.root.rglob("*"):
            if path.is_file() and path not in self.bytes and path.name != ".lock":
                path.unlink()
        for path, data in self.bytes.items():
            if not path.exists() or path.read_bytes() != data:
                path.write_bytes(data)


def harm(folder, how, path, rng):
    """Do it; returns (files that are harmed, files that are added)."""
    data = bytearray(folder.bytes[path])
    other = folder.paths[int(rng.integers(len(folder.paths)))]
    if how == "flip" and data:
        data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
    elif how == "cut" and data:
        path.write_bytes(data[: int(rng.integers(len(data)))])
    elif how == "grow":
        path.write_bytes(data + bytes(rng.integers(0, 256, 3, dtype="uint8")))
    elif how == "empty" and data:
        path.write_bytes(b"")
    elif how == "remove":
        path.unlink()
    elif how == "swap" and folder.bytes[other] != data:
        path.write_bytes(folder.bytes[other])
        other.write_bytes(data)
        return [path, other], []
    elif how == "double":
        copy = path.with_name(f"copy of {path.name}")
        shutil.copy(path, copy)
        return [], [copy]
    elif how == "sibling" and folder.sibling is not None:
        return exchange(folder, path, rng), []
    else:
        return [], []
    return [path], []


def exchange(folder, path, rng):
    """Put a file of the sibling in the place of one, each with its sum or receipt; returns what is another now."""
    root, shards = folder.root, folder.sibling / "shards"
    if path.parent.name == "shards":
        theirs = sorted(shards.glob("*.json"))[int(rng.integers(len(list(shards.glob("*.json")))))]
        pairs = [(path.with_suffix(end), theirs.with_suffix(end)) for end in (".json", ".parquet")]
        for old, new in pairs:
            old.unlink()
            shutil.copy(new, root / "shards" / new.name)
        return [old for old, _ in pairs]
    names = ["rows.parquet", "rows.sha256"] if path.name.startswith("rows.") else [path.relative_to(root)]
    if not all((folder.sibling / name).is_file() for name in names):
        return []
    for name in names:
        shutil.copy(folder.sibling / name, root / name)
    return [root / name for name in names if folder.bytes[root / name] != (root / name).read_bytes()]


def same_content(path, data):
    """Whether a file of JSON says the same as it did: white space, or another way to write a letter."""
    from sims.running.sealed import unseal

    if path.suffix != ".json" or not path.exists():
        return False
    try:
        return unseal(path.read_bytes()) == unseal(data)
    except (ValueError, KeyError):
        return False


def noticed_by_reader(folder, path, config):
    """Whether who reads this file says that something is wrong with it; None where nobody reads it again."""
    root, name = folder.root, path.relative_to(folder.root).as_posix()
    try:
        if name.startswith("shards/") and config is not None:
            ahead = plan(config, root)
            return bool(ahead.damaged or ahead.missing)
        if name in ("rows.parquet", "rows.sha256"):
            read_rows(root)
        elif name.startswith("tables/") and config is not None:
            read_tables(root)
        elif name.startswith("stages/"):
            place = next(each for each in path.parents if (each / "manifest.json").exists() or each.parent == root)
            return find(place) is None
        elif name == "manifest.json" and Store(root).read_manifest() is not None:
            read_rows(root)
        elif name == "manifest.json":
            return True
        else:
            return None
    except Error:
        return True
    return False


def case_of(folder, config, seed, case, record, mended=0.01):
    """One harm; a share ``mended`` of what was noticed is mended by what was named."""
    rng = rng_of(seed, case)
    how = str(rng.choice(HARMS))
    path = folder.paths[int(rng.integers(len(folder.paths)))]
    name = path.relative_to(folder.root).as_posix()
    harmed, added = harm(folder, how, path, rng)
    sums._sha256_of.cache_clear()  # a reader is another process, which has read nothing yet
    fault = partial(record.fault, case, how=how, path=name, folder=folder.root.name)
    try:
        found = verifying.check(folder.root)
        named = {fault.path for fault in found.faults}
        if added:
            record.outcome("named") if set(added) <= set(found.foreign) and not named else fault("added, not named")
            return
        real = [each for each in harmed if not same_content(each, folder.bytes[each])]
        if not real:
            record.outcome("harmless")
            return
        blind = [each for each in real if not _named(each, named, folder.root)]
        if found.foreign and not added:  # what an unknown command made, when its certificate is gone
            blind = [each for each in blind if each.name != "torture.json"]
        unread = [each for each in real if noticed_by_reader(folder, each, config) is False]
        if blind or unread:
            fault("silent", verify=[str(each) for each in blind], reader=[str(each) for each in unread])
            return
        record.outcome("noticed")
        if rng.random() < mended:
            _mend(folder, record, fault)
    except Exception as error:
        fault(f"{type(error).__name__}: {error}")
    finally:
        folder.restore()


def _named(path, named, root):
    """Whether verify names a file, or the receipt, certificate or manifest that speaks for it."""
    partner = {path, path.with_suffix(".json"), path.with_suffix(".parquet")}
    partner |= {path.parent} if path.parent == root / "shards" else set()  # where shards are gone with their receipts
    partner |= {root / "rows.parquet", root / "rows.sha256"} if path.name.startswith("rows.") else set()
    partner |= {each for each in named if each.parent == root / "certificates"}
    if root / "stages" in path.parents:  # a stage is good or not, whichever of its files says so
        partner |= {each for each in named if path.parent in each.parents or each.parent in path.parents}
    return bool(partner & named)


def _mend(folder, record, fault):
    """The command that was named, and all bytes that are not about when and how are those of before."""
    for words in folder.mend:
        done = run(words)
        if done.returncode:
            fault("the command that mends failed", detail=done.stderr[-500:])
            return
    sums._sha256_of.cache_clear()
    after = verifying.check(folder.root)
    kept = ("rows.parquet", "cells.csv", "maps.csv", "sum", "value", "audit.json")
    other = [path for path, data in folder.bytes.items() if path.name in kept and path.read_bytes() != data]
    if after.faults or other:
        fault("not mended", faults=[str(each) for each in after.faults], other=[str(path) for path in other])
    else:
        record.outcomes["mended"] += 1


def folders(place):
    """A sweep with all that follows, an audit, an experiment; and how each is mended."""
    from sims.sweeps.config import load

    sibling = place.folder / "sibling"
    text = place.file.read_text()
    pstar.sweep(tomllib.loads(text.replace("[run]", "[run]\nroot_seed = 9")), out=sibling, workers=1)
    mend = [place.words(kind, place.sweep) for kind in ("sweep", "compare", "figures")]
    sweep = Folder(place.sweep, mend, sibling)
    audit = Folder(place.folder / "audit", [place.words("audit", place.folder / "audit")])
    stages = Folder(place.folder / "stages", [place.words("stages", place.folder / "stages")])
    return [(sweep, load(place.file)), (audit, None), (stages, None)]


def main():
    """The program."""
    given = arguments(__doc__.splitlines()[0])
    record = Record("harmed files", given.count, given.seed)
    with tempfile.TemporaryDirectory(prefix="flips") as folder:
        made = folders(Place(Path(folder)))
        for case in range(given.first, given.first + given.count):
            which = int(rng_of(given.seed + 1, case).choice(3, p=[0.6, 0.15, 0.25]))  # a stream of its own
            case_of(*made[which], given.seed, case, record, min(MENDED / given.count, 0.01))
    return record.end(given.json)


if __name__ == "__main__":
    sys.exit(main())
