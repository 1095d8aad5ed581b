"""What a packed file would take once it is unpacked, before it is."""

import zipfile
from pathlib import Path

from sims.running.machine import free_memory
from theory.errors import InputError

SHARE = 0.5
"""Of the free memory, which a file may take."""


def check_zip(path: Path) -> None:
    """Raise InputError for a zip archive that holds more than half of what is free; anything else is let pass.

    By the sizes that it declares: no more than those are ever unpacked.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    room = int(SHARE * (free_memory() or 2**62))
    if size > room:
        raise InputError(
            f"{path} unpacks to {size / 2**30:.1f} GiB, and {SHARE:.0%} of the memory that is free is "
            f"{room / 2**30:.1f} GiB; give a part of it"
        )
