"""A worker process: chunks come in as lines of JSON, shards go to the store, receipts go out as lines.

Started by `sims.sweeps.processes` as ``python -m sims.sweeps.worker DIR ROOT_SEED`` with one thread and float64 set in
its environment. It ends when its standard input closes, so that no worker outlives its driver.
"""

import json
import os
import platform
import queue
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from sims.sweeps.store import Receipt


def main() -> None:
    """Serve chunks until standard input closes."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints goes to standard error, never into the protocol
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin, requests), daemon=True).start()
    serve(sys.argv[1], int(sys.argv[2]), requests, replies)


def _listen(stream: TextIO, requests: "queue.Queue[str]") -> None:
    for line in stream:
        requests.put(line)
    os._exit(0)


def serve(root: str, root_seed: int, requests: "queue.Queue[str]", replies: TextIO) -> None:
    """Compute and commit every requested chunk; answer as `reply` does."""
    while True:
        replies.write(json.dumps(reply(requests.get(), root, root_seed)) + "\n")


def reply(request: str, root: str | Path, root_seed: int) -> dict[str, Any]:
    """{"done": chunk id} once a chunk is in the store, or {"error": text, "kind": "disk" or "compute"}."""
    try:
        return {"done": compute(request, root, root_seed).chunk}
    except Exception as error:
        kind = "disk" if isinstance(error, OSError) else "compute"
        return {"error": f"{type(error).__name__}: {error}", "kind": kind}


def compute(request: str, root: str | Path, root_seed: int) -> "Receipt":
    """Compute one chunk and commit it to the store. Raises OSError where the store cannot be written."""
    import jax

    from sims.sweeps.jobs import read_request
    from sims.sweeps.rows import run_chunk
    from sims.sweeps.store import Store, versions

    chunk, cells = read_request(request)
    started = time.monotonic()
    table = run_chunk(chunk, cells, root_seed)
    seconds = round(time.monotonic() - started, 3)
    about = {"host": platform.node(), "device": jax.devices()[0].device_kind, **versions(), "seconds": seconds}
    return Store(root).commit(chunk, root_seed, table, about)


if __name__ == "__main__":
    main()
