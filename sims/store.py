"""The result folder: immutable Parquet shards, one per chunk, each certified by a receipt.

    DIR/manifest.json             configuration, its hash, versions, root seed, dtype, device
    DIR/shards/<chunk>.parquet    rows of one chunk, written once
    DIR/shards/<chunk>.json       receipt: sha256 of the shard, which trials it holds, how it was made
    DIR/rows.parquet              all rows in plan order, written when the sweep is complete
    DIR/rows.sha256               its checksum, as `sha256sum` writes it

The folder is the only truth: a chunk is done when a receipt that certifies itself names a shard whose sha256
agrees. Whatever else lies there (a temporary file, a shard without receipt, a damaged one) counts as absent.
Files appear whole or not at all: temporary name in the same folder, flush, fsync, rename, fsync of the folder.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sims.plan import Chunk, Shape, Span

FORMAT = 1
DTYPE = "float64"


class StoreError(RuntimeError):
    """A folder that cannot be used as it is; the message says why and what to do."""


@dataclass(frozen=True)
class Receipt:
    """Certificate of one shard."""

    chunk: str
    sha256: str
    root_seed: int
    shape: Shape
    spans: tuple[Span, ...]
    made: Mapping[str, Any] = field(default_factory=dict)
    """How: seconds, host, versions. Never part of the table."""

    def to_bytes(self) -> bytes:
        """JSON with a checksum of itself."""
        body = {"format": FORMAT, "chunk": self.chunk, "sha256": self.sha256, "root_seed": self.root_seed}
        body |= {
            "shape": list(self.shape),
            "spans": [list(span) for span in self.spans],
            "made": dict(self.made),
        }
        return json.dumps(body | {"check": _digest(_canonical(body))}, indent=1).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Receipt":
        """Inverse of `to_bytes`. Raises ValueError for anything that does not certify itself."""
        body = json.loads(data)
        if not isinstance(body, dict) or body.pop("check", None) != _digest(_canonical(body)):
            raise ValueError("receipt does not match its own checksum")
        if body["format"] != FORMAT:
            raise ValueError(f"receipt has format {body['format']}, this version reads {FORMAT}")
        spans = tuple(Span(*span) for span in body["spans"])
        return cls(body["chunk"], body["sha256"], body["root_seed"], Shape(*body["shape"]), spans, body["made"])


def _canonical(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all, even after a crash or a full disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a full disk does not say where
        raise


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as Parquet, with checksums on its pages."""
    buffer = BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    return buffer.getvalue()


def config_hash(config: Any) -> str:
    """sha256 of a configuration (JSON-able) in canonical form."""
    return _digest(_canonical(config))


@dataclass(frozen=True)
class Store:
    """A result folder."""

    root: Path

    @property
    def shards(self) -> Path:
        """Folder of shards and receipts."""
        return self.root / "shards"

    @property
    def rows_path(self) -> Path:
        """The final table of raw rows."""
        return self.root / "rows.parquet"

    @property
    def manifest_path(self) -> Path:
        """What made the folder."""
        return self.root / "manifest.json"

    def create(self) -> None:
        """Make the folders. Raises StoreError where that is not possible, or where root is a file."""
        try:
            self.shards.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot make the output folder {self.root}: {error.strerror}; choose another") from None

    def read_manifest(self) -> dict[str, Any] | None:
        """The manifest, or None where there is none that certifies itself (it can be rebuilt)."""
        try:
            body = json.loads(self.manifest_path.read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(body, dict) or body.pop("check", None) != _digest(_canonical(body)):
            return None
        return body

    def write_manifest(self, body: Mapping[str, Any]) -> None:
        """Write the manifest with a checksum of itself."""
        write_atomic(
            self.manifest_path,
            json.dumps(dict(body) | {"check": _digest(_canonical(body))}, indent=1).encode(),
        )

    def commit(self, chunk: Chunk, root_seed: int, table: pa.Table, made: Mapping[str, Any]) -> Receipt:
        """Write a shard, then its receipt. Returns the receipt. Raises OSError where the disk refuses."""
        data = parquet_bytes(table)
        name = chunk.id(root_seed)
        receipt = Receipt(name, _digest(data), root_seed, chunk.shape, chunk.spans, made)
        write_atomic(self.shards / f"{name}.parquet", data)
        write_atomic(self.shards / f"{name}.json", receipt.to_bytes())
        return receipt

    def scan(self) -> tuple[list[Receipt], list[str]]:
        """(receipts whose shard is intact, one line per damaged file). Reads every shard once."""
        found = [self._certify(path) for path in sorted(self.shards.glob("*.json"))]
        good = [receipt for receipt in found if isinstance(receipt, Receipt)]
        return good, [reason for reason in found if isinstance(reason, str)]

    def _certify(self, path: Path) -> Receipt | str:
        """The receipt at ``path`` if it and its shard are intact, else what is wrong."""
        try:
            receipt = Receipt.from_bytes(path.read_bytes())
        except (OSError, ValueError, KeyError, TypeError):
            return f"{path}: damaged receipt"
        shard = path.with_suffix(".parquet")
        try:
            intact = _digest(shard.read_bytes()) == receipt.sha256 and path.stem == receipt.chunk
        except OSError as error:
            return f"{shard}: {error.strerror}"
        return receipt if intact else f"{shard}: damaged (its sha256 is not the receipt's)"

    def discard_damaged(self) -> None:
        """Remove receipts that certify nothing, with their shards: once all trials are there without them."""
        for path in sorted(self.shards.glob("*.json")):
            if isinstance(self._certify(path), str):
                path.with_suffix(".parquet").unlink(missing_ok=True)
                path.unlink(missing_ok=True)

    def discard_leftovers(self) -> None:
        """Remove temporary files of writers that are gone."""
        for path in [*self.shards.glob(".*.tmp"), *self.root.glob(".*.tmp")]:
            pid = path.name.split(".")[-2]
            if not (pid.isdigit() and Path(f"/proc/{pid}").exists()):
                path.unlink(missing_ok=True)

    def rows(self, receipts: Iterable[Receipt], order: Iterable[str], seeds: int) -> pa.Table:
        """All rows of the given cells with seed < ``seeds``, by cell in ``order`` and then by seed, each once.

        Raises StoreError where a shard changed since `scan`.
        """
        tables = []
        for receipt in sorted(receipts, key=lambda receipt: receipt.chunk):
            path = self.shards / f"{receipt.chunk}.parquet"
            data = path.read_bytes()
            if _digest(data) != receipt.sha256:
                raise StoreError(f"{path} changed while it was read; run the same command again")
            tables.append(pq.read_table(BytesIO(data), page_checksum_verification=True))
        table = pa.concat_tables(tables)
        position = {cell: place for place, cell in enumerate(order)}
        rank = np.array([position.get(cell, -1) for cell in table["cell"].to_pylist()])
        seed = table["seed"].to_numpy()
        sorting = np.lexsort((seed, rank))
        rank, seed = rank[sorting], seed[sorting]
        repeated = np.zeros(len(rank), dtype=bool)
        repeated[1:] = (rank[1:] == rank[:-1]) & (seed[1:] == seed[:-1])
        wanted = (rank >= 0) & (seed < seeds) & ~repeated
        return table.take(pa.array(sorting[wanted])).combine_chunks()

    def write_rows(self, table: pa.Table) -> None:
        """Write the final table, then its checksum: Parquet certifies its pages, not its footer."""
        data = parquet_bytes(table)
        write_atomic(self.rows_path, data)
        write_atomic(self.root / "rows.sha256", f"{_digest(data)}  rows.parquet\n".encode())

    def read_rows(self) -> bytes:
        """The bytes of the final table. Raises OSError, or ValueError where the checksum is not theirs."""
        data = self.rows_path.read_bytes()
        if (self.root / "rows.sha256").read_bytes() != f"{_digest(data)}  rows.parquet\n".encode():
            raise ValueError("its sha256 is not the one in rows.sha256")
        return data


def versions() -> dict[str, str]:
    """Versions of the packages that the numbers come from."""
    from importlib.metadata import version

    return {name: version(name) for name in ("jax", "jaxlib", "numpy", "pyarrow")}


def done_seeds(receipts: Iterable[Receipt]) -> dict[str, set[int]]:
    """Which seeds of which cells the receipts certify."""
    done: dict[str, set[int]] = {}
    for receipt in receipts:
        for cell, first, count in receipt.spans:
            done.setdefault(cell, set()).update(range(first, first + count))
    return done
