"""A stand-in for an object store that several processes share: objects://bucket/key.

No folders, no rename, no append: PUT, GET, LIST by prefix and DELETE, as S3 has them. `install` makes it known to
fsspec in every process that has the folder on its path.
"""

import os
import shutil
from pathlib import Path
from urllib.parse import quote, unquote

from fsspec import AbstractFileSystem

ROOM = "PSTAR_TEST_OBJECTS"
ENTRY = "[fsspec.specs]\nobjects = pstar_test_objects:Objects\n"


class Objects(AbstractFileSystem):
    protocol = "objects"
    cachable = False

    @property
    def room(self):
        return Path(os.environ[ROOM])

    def _file(self, path):
        return self.room / quote(self._strip_protocol(path), safe="")

    def pipe_file(self, path, value, mode="overwrite", **_):
        temporary = self.room / f".{os.getpid()}"
        temporary.write_bytes(value)
        temporary.replace(self._file(path))

    def cat_file(self, path, start=None, end=None, **_):
        return self._file(path).read_bytes()

    def rm_file(self, path):
        self._file(path).unlink()

    def ls(self, path, detail=True, **_):
        prefix = self._strip_protocol(path).rstrip("/") + "/"
        keys = [unquote(file.name) for file in self.room.iterdir() if not file.name.startswith(".")]
        found = {prefix + key.removeprefix(prefix).partition("/")[0] for key in keys if key.startswith(prefix)}
        if not found:
            raise FileNotFoundError(path)
        return sorted(found) if not detail else [{"name": name, "size": None, "type": "file"} for name in sorted(found)]

    def _no(self, *_, **__):
        raise NotImplementedError("an object store has no such thing")

    mv = cp_file = mkdir = makedirs = rmdir = _open = touch = _no


def install(folder):
    """Write what makes objects:// known; returns the environment of processes that shall use it."""
    about = folder / "path" / "pstar_test_objects-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pstar-test-objects\nVersion: 1\n")
    (about / "entry_points.txt").write_text(ENTRY)
    shutil.copy(__file__, about.parent / "pstar_test_objects.py")
    (folder / "room").mkdir()
    return {"PYTHONPATH": str(about.parent), ROOM: str(folder / "room")}
