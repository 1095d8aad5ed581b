"""A worker process: chunks come in as lines of JSON, shards go to the store, receipts go out as lines.

Started by `sims.executor` as ``python -m sims.worker DIR ROOT_SEED`` with one thread and float64 set in its
environment. It ends when its standard input closes, so that no worker outlives its driver.
"""

import json
import os
import platform
import queue
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO


def main() -> None:
    """Serve chunks until standard input closes."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints goes to standard error, never into the protocol
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin, requests), daemon=True).start()
    serve(Path(sys.argv[1]), int(sys.argv[2]), requests, replies)


def _listen(stream: TextIO, requests: "queue.Queue[str]") -> None:
    for line in stream:
        requests.put(line)
    os._exit(0)


def serve(root: Path, root_seed: int, requests: "queue.Queue[str]", replies: TextIO) -> None:
    """Compute and commit every requested chunk; answer {"done": id} or {"error": text}."""
    import jax

    from sims.chunk import run_chunk
    from sims.plan import Chunk, Shape, Span, cell_from_json
    from sims.store import Store, versions

    store = Store(root)
    about: dict[str, Any] = {"host": platform.node(), "device": jax.devices()[0].device_kind, **versions()}
    while True:
        request: dict[str, Any] = json.loads(requests.get())
        cells = {cell.id: cell for cell in map(cell_from_json, request["cells"])}
        chunk = Chunk(Shape(*request["shape"]), tuple(Span(*span) for span in request["spans"]))
        started = time.monotonic()
        try:
            table = run_chunk(chunk, cells, root_seed)
            seconds = round(time.monotonic() - started, 3)
            receipt = store.commit(chunk, root_seed, table, about | {"seconds": seconds})
        except Exception as error:
            kind = "disk" if isinstance(error, OSError) else "compute"
            reply: dict[str, Any] = {"error": f"{type(error).__name__}: {error}", "kind": kind}
        else:
            reply = {"done": receipt.chunk, "seconds": seconds}
        replies.write(json.dumps(reply) + "\n")


if __name__ == "__main__":
    main()
