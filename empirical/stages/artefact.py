"""Experiments as stages: functions of (settings, input folders, own folder) whose result is there whole or not at all.

    DIR/stages/<name>-<key>/            files of a finished stage, with manifest.json written last
    DIR/stages/<name>-<key>.partial/    a stage on its way, or killed: its checkpoints are continued

The key is a hash of what changes the result: the function, its settings, and the content of its inputs. A changed
setting therefore makes new folders beside the old ones, of the stages that depend on it and of no others. A folder
whose files are not those of its manifest counts as absent, and is made again.
"""

import contextlib
import fcntl
import importlib
import os
import platform
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sims.running.files import is_leftover, located, read_bytes, write_atomic
from sims.running.fingerprint import fingerprint
from sims.running.sealed import digest, seal, unseal
from sims.running.sums import faults, sha256_of
from theory.errors import RunError

FORMAT = 1
MANIFEST = "manifest.json"
LOCK = ".lock"
KEY = 12
"""Letters of the key in a folder's name."""
REMARKS = ("README.md", "provenance.json")
"""Files that say where a stage comes from; what reads the stage does not depend on them."""
LIBRARIES = ("numpy", "torch", "safetensors", "transformers", "tokenizers", "accelerate", "peft", "datasets")


class StageError(RunError):
    """A stage that failed, or a folder that cannot be used; the message says which, why and what to do."""


@dataclass(frozen=True)
class Stage:
    """One step of an experiment."""

    name: str
    """Where it goes, such as seed0/generator."""
    function: str
    """module:function, called as function(settings, inputs, folder, runtime); writes its files into folder."""
    settings: Mapping[str, Any]
    """All that changes the result, as JSON."""
    inputs: Mapping[str, str]
    """Role to name of the stage whose folder it reads."""
    seconds: float = 0.0
    """Estimated, for the order of work and for what is said before it starts."""

    @property
    def program(self) -> str:
        """The fingerprint of the module of its function, and of all that it imports of ours."""
        return fingerprint(self.function.partition(":")[0])


@dataclass(frozen=True)
class Artefact:
    """A finished stage."""

    folder: Path
    digest: str
    """Of the content of its files."""
    program: str = ""
    """The fingerprint of the program that made it; empty in folders of earlier versions."""


def key(stage: Stage, inputs: Mapping[str, Artefact]) -> str:
    """Hash of what the result of a stage depends on. ``inputs`` is by name of stage."""
    read = {role: inputs[name].digest for role, name in stage.inputs.items()}
    return _key(FORMAT, stage.function, stage.settings, read)


def _key(form: int, function: str, settings: Mapping[str, Any], read: Mapping[str, str]) -> str:
    return digest({"format": form, "function": function, "settings": settings, "inputs": read})


def folder_of(root: Path, stage: Stage, inputs: Mapping[str, Artefact]) -> Path:
    """Where the result of a stage lies, or will."""
    return root / "stages" / f"{stage.name}-{key(stage, inputs)[:KEY]}"


def home(body: Mapping[str, Any], folder: Path) -> str:
    """The folder's name that a manifest belongs to, such as x/a-0123456789ab, from what it says of its stage.

    One of an earlier version does not say what its inputs held: then the key is taken from ``folder`` itself.
    """
    read = body.get("digests", None if body["inputs"] else {})
    found = folder.name[-KEY:] if read is None else _key(body["format"], body["function"], body["settings"], read)[:KEY]
    return f"{body['stage']}-{found}"


def at_home(body: Mapping[str, Any], folder: Path) -> bool:
    """Whether a manifest belongs to the folder that it lies in: not to one that was copied or renamed."""
    parts = Path(home(body, folder)).parts
    return folder.parts[-len(parts) :] == parts


def find(folder: Path, stage: Stage | None = None) -> Artefact | None:
    """The finished stage at ``folder``, or None where there is none or its files are not those it was made with.

    The files' bytes are compared with the manifest's checksums, and the manifest with the folder's name and ``stage``.
    """
    try:
        body = unseal(read_bytes(folder / MANIFEST))
        if not at_home(body, folder) or (stage is not None and not _is_of(body, stage)):
            return None
        if any(faults(folder, body["files"])):
            return None
        return Artefact(folder, _content(body), str(body["made"].get("program", "")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _is_of(body: Mapping[str, Any], stage: Stage) -> bool:
    """Whether a manifest is that of a stage, as far as the stage itself says."""
    same = (body["stage"], body["function"]) == (stage.name, stage.function)
    return same and set(body["inputs"]) == set(stage.inputs) and digest(body["settings"]) == digest(stage.settings)


def _content(body: Mapping[str, Any]) -> str:
    """The digest of what a stage has made."""
    return digest({name: sha for name, sha in body["files"].items() if name not in REMARKS})


def make(stage: Stage, folder: Path, inputs: Mapping[str, Path], runtime: Mapping[str, Any]) -> None:
    """Run a stage into ``folder``, continuing what a killed run left, and certify it.

    ``inputs`` is by role. Whatever the function raises is passed on; what it has written stays for the next try.
    """
    partial = folder.with_name(f"{folder.name}.partial")
    with located(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    module, _, name = stage.function.partition(":")
    started = time.monotonic()
    lock = folder.with_name(f"{folder.name}.lock")
    with _held(lock, f"on {stage.name}; wait for it"):
        there = find(folder, stage)
        if there is not None and there.program == stage.program:  # another process was quicker
            lock.unlink(missing_ok=True)
            return
        with located(partial):
            partial.mkdir(exist_ok=True)
        digests = {role: _content(unseal(read_bytes(path / MANIFEST))) for role, path in inputs.items()}
        getattr(importlib.import_module(module), name)(stage.settings, inputs, partial, runtime)
        body = {
            "format": FORMAT,
            "stage": stage.name,
            "function": stage.function,
            "settings": dict(stage.settings),
            "inputs": {role: path.name for role, path in inputs.items()},
            "digests": digests,
            "files": {str(path.relative_to(partial)): sha256_of(path) for path in _files(partial)},
            "made": about()
            | {"program": stage.program, "seconds": round(time.monotonic() - started, 3), "runtime": dict(runtime)},
        }
        write_atomic(partial / MANIFEST, seal(body))
        with located(folder):
            if folder.exists():
                shutil.rmtree(folder)  # damaged, or of an earlier state of the program
            os.replace(partial, folder)
            lock.unlink(missing_ok=True)  # last: who opened it before finds the folder


def _files(folder: Path) -> Iterator[Path]:
    """What a stage has written; what a killed write left is removed."""
    for path in sorted(folder.rglob("*")):
        if is_leftover(path):
            path.unlink()
        elif path.is_file() and path.name != MANIFEST:
            yield path


def about() -> dict[str, Any]:
    """What the numbers come from."""
    versions = {name: version(name) for name in LIBRARIES if find_spec(name) is not None}
    return {"host": platform.node(), "machine": platform.machine(), "python": platform.python_version(), **versions}


@contextlib.contextmanager
def locked(root: Path, shared: bool = False) -> Iterator[None]:
    """Hold a result folder, which is created; ``shared`` with others that hold it so.

    Raises StageError where another process holds it. The lock ends with the process, however it ends.
    """
    try:
        (root / "stages").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StageError(f"cannot make the output folder {root}: {error.strerror}; choose another") from None
    with _held(root / LOCK, f"in {root}; wait for it, or choose another folder", shared):
        yield


@contextlib.contextmanager
def _held(path: Path, where: str, shared: bool = False) -> Iterator[None]:
    with located(path):
        file = open(path, "a+")  # read and write, which locks over NFS ask for
    with file:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StageError(f"another process is at work {where}") from None
        except OSError as error:
            raise StageError(f"{path} cannot be locked ({error.strerror}); use a file system with locks") from None
        yield
