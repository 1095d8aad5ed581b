"""A look at every file of an experiment's stages, against the checksums of their manifests."""

import re
from pathlib import Path

from empirical.stages.artefact import LOCK, MANIFEST, at_home, home
from sims.running.files import read_bytes, unfinished
from sims.running.sealed import unseal
from sims.running.sums import DAMAGED, MISSING, Checked, Fault, faults, size_of

STAGE = re.compile(r".*-[0-9a-f]{12}(\.partial|\.lock)?")


def check(root: Path, again: str) -> Checked:
    """All finished stages below root/stages; ``again`` is the command that makes them again."""
    return _look(root / "stages", again)


def _look(folder: Path, again: str) -> Checked:
    found = Checked()
    for path in sorted(folder.iterdir()):
        name = STAGE.fullmatch(path.name)
        if name is None and path.is_dir() and not path.is_symlink():  # a link may lead back here
            found += _look(path, again)
        elif name is None or (path.is_file() and not name[1]):
            found += Checked() if _passing(path) else Checked(foreign=(path,))
        elif name[1] == ".partial":
            found += Checked(unfinished=(f"{path}: a stage on its way, or one that was interrupted",))
        elif name[1] is None:
            found += _stage(path, again)
    return found


def _passing(path: Path) -> bool:
    """Whether a file is one that comes and goes."""
    return path.name == LOCK or unfinished(path.name)


def _stage(folder: Path, again: str) -> Checked:
    manifest = folder / MANIFEST
    try:
        body = unseal(read_bytes(manifest))
        files: dict[str, str] = body["files"]
        wrong = tuple(faults(folder, files, again))
        if not at_home(body, folder):
            wrong += (Fault(manifest, f"that of {home(body, folder)}; rename its folder, if it was moved", again),)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Checked(1, 0, (Fault(manifest, DAMAGED if manifest.exists() else MISSING, again),))
    ours = {manifest, *(folder / name for name in files)}
    beside = {path for path in folder.rglob("*") if path.is_file() and not unfinished(path.name)}
    return Checked(len(ours), size_of(ours), wrong, (), tuple(sorted(beside - ours)))
