"""A worker process of a sweep: chunks come in, shards go to the store, and what became of them is answered.

Started by `sims.sweeps.processes` as ``python -m sims.sweeps.worker DIR ROOT_SEED`` with one thread and float64 set in
its environment.
"""

import platform
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sims.running.workers import serve, told

if TYPE_CHECKING:
    from sims.sweeps.receipt import Receipt


def reply(request: str, root: str | Path, root_seed: int) -> dict[str, Any]:
    """{"done": chunk id} once a chunk is in the store, or {"error": text, "kind": "disk" or "compute"}."""
    try:
        return {"done": compute(request, root, root_seed).chunk}
    except Exception as error:
        return {"error": told(error), "kind": "disk" if isinstance(error, OSError) else "compute"}


def compute(request: str, root: str | Path, root_seed: int) -> "Receipt":
    """Compute one chunk and commit it to the store. Raises FileError where the store cannot be written."""
    import jax

    from sims.sweeps.jobs import read_request
    from sims.sweeps.program import program
    from sims.sweeps.rows import run_chunk
    from sims.sweeps.store import Store, versions

    chunk, cells = read_request(request)
    started = time.monotonic()
    table = run_chunk(chunk, cells, root_seed)
    seconds = round(time.monotonic() - started, 3)
    about = {"host": platform.node(), "device": jax.devices()[0].device_kind, **versions(), "seconds": seconds}
    about["program"] = program()
    return Store(root).commit(chunk, root_seed, table, about)


if __name__ == "__main__":
    serve(lambda request: reply(request, sys.argv[1], int(sys.argv[2])))
