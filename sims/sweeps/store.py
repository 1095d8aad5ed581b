"""The result folder: immutable Parquet shards, one per chunk, each certified by a receipt.

    DIR/manifest.json             configuration, its hash, versions, root seed, dtype, device
    DIR/shards/<chunk>.parquet    rows of one chunk, written once
    DIR/shards/<chunk>.json       receipt: sha256 of the shard, which trials it holds, how it was made
    DIR/rows.parquet              all rows in plan order, written when the sweep is complete
    DIR/rows.sha256               its checksum, as `sha256sum` writes it

The folder is the only truth: a chunk is done when a receipt that certifies itself names a shard whose sha256
agrees. Whatever else lies there (a temporary file, a shard without receipt, a damaged one) counts as absent.
Files appear whole or not at all (`sims.running.files`). DIR is a folder or a URL.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sims.running.files import FileError, MissingError, StoreError
from sims.running.owned import owned
from sims.running.places import Files, files_at
from sims.running.sealed import seal, unseal
from sims.running.sums import sha256
from sims.sweeps.grid import Chunk
from sims.sweeps.receipt import Receipt
from theory.errors import InputError

DTYPE = "float64"
MANIFEST, ROWS, CHECKSUM = "manifest.json", "rows.parquet", "rows.sha256"


OURS = re.compile(r"[0-9a-f]{16}\.(json|parquet)")
"""Names of shards and receipts."""


class Survey(NamedTuple):
    """What lies in the folder of shards."""

    receipts: list[Receipt]
    """Those whose shard is intact."""
    damaged: list[str]
    """A line for each that certifies nothing."""
    foreign: list[str]
    """A line for each file that is not ours: never counted, never touched."""


class _Copy(NamedTuple):
    """A receipt under another name than its own."""

    line: str


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as Parquet, with checksums on its pages."""
    buffer = BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    return buffer.getvalue()


def table_of(data: bytes) -> pa.Table:
    """A table of Parquet, whose checksums are verified. Raises OSError or ArrowException where it is damaged."""
    return pq.read_table(owned(data), page_checksum_verification=True)


@dataclass(frozen=True)
class Store:
    """A result folder: a local one, or any URL that fsspec knows.

    Raises StoreError, when first used, for a URL that cannot be (see `sims.running.places.files_at`).
    """

    root: str | Path

    @cached_property
    def files(self) -> Files:
        """Where its files are."""
        return files_at(self.root)

    @property
    def rows_path(self) -> str:
        """The final table of raw rows."""
        return self.files.path(ROWS)

    def create(self) -> None:
        """Make the folders. Raises StoreError where that is not possible."""
        self.files.make()

    def refuse_foreign(self) -> None:
        """Raise StoreError where the place is a file, or holds something that is no result folder."""
        top = self.files.names()
        cut_short = top == [MANIFEST] and self._manifest_of_ours()
        if top and "shards" not in top and not cut_short and self.read_manifest() is None:
            raise StoreError(f"{self.root} is not empty and not a result folder; choose a new or empty one with --out")

    def _manifest_of_ours(self) -> bool:
        """Whether the manifest is one of a sweep, or one cut short, as where a write is not atomic."""
        try:
            json.loads(self.files.read(MANIFEST))
        except (ValueError, RecursionError):
            return True
        return self.read_manifest() is not None

    def read_manifest(self) -> dict[str, Any] | None:
        """The manifest, or None where there is none that certifies itself (it can be rebuilt)."""
        try:
            body = unseal(self.files.read(MANIFEST))
            return body if isinstance(body.get("config"), dict) else None  # else of another kind of file
        except (MissingError, ValueError):  # not what may pass: it would read as a new folder
            return None

    def write_manifest(self, body: Mapping[str, Any]) -> None:
        """Write the manifest, sealed."""
        self.files.write(MANIFEST, seal(body))

    def commit(self, chunk: Chunk, root_seed: int, table: pa.Table, made: Mapping[str, Any]) -> Receipt:
        """Write a shard, then its receipt. Returns the receipt. Raises FileError where the disk refuses."""
        data = parquet_bytes(table)
        name = chunk.id(root_seed)
        receipt = Receipt(name, sha256(data), root_seed, chunk.shape, chunk.spans, made)
        self.files.write(shard_name(name), data)
        self.files.write(receipt_name(name), receipt.to_bytes())
        return receipt

    def find(self, chunk: Chunk, root_seed: int) -> Receipt | None:
        """The receipt of a chunk, if it and its shard are there and intact."""
        (found,) = self._certify([chunk.id(root_seed)])
        return found if isinstance(found, Receipt) else None

    def scan(self) -> tuple[list[Receipt], list[str]]:
        """(receipts whose shard is intact, one line per damaged file). Reads every shard once."""
        found = self.survey()
        return found.receipts, found.damaged

    def survey(self) -> Survey:
        """All that lies in the folder of shards. Reads every shard once."""
        names = self.files.names("shards")
        found = list(self._certify(self._receipts(names)))
        foreign = [
            f"{self.files.path(f'shards/{name}')}: not of this sweep" for name in names if not OURS.fullmatch(name)
        ]
        return Survey(
            [receipt for receipt in found if isinstance(receipt, Receipt)],
            [reason for reason in found if isinstance(reason, str)],
            foreign + [copy.line for copy in found if isinstance(copy, _Copy)],
        )

    def orphans(self) -> list[str]:
        """Chunks that have a shard and no receipt: on their way, or of a run that was killed. They count as absent."""
        names = set(self.files.names("shards"))
        found = sorted(name for name in names if OURS.fullmatch(name) and name.endswith(".parquet"))
        return [name[:-8] for name in found if f"{name[:-8]}.json" not in names]

    def first(self, which: Callable[[Receipt], bool]) -> tuple[Receipt, bytes] | None:
        """The first receipt of a kind whose shard is intact, with that shard."""
        for name in self._receipts():
            (found,) = self._certify([name])
            if isinstance(found, Receipt) and which(found):
                return found, self.files.read(shard_name(name))
        return None

    def _receipts(self, names: Iterable[str] | None = None) -> list[str]:
        names = self.files.names("shards") if names is None else names
        return [name[:-5] for name in names if name.endswith(".json") and OURS.fullmatch(name)]

    def _certify(self, chunks: Sequence[str]) -> Iterator[Receipt | str | _Copy]:
        """For each chunk its receipt, if it and its shard are intact, else what is wrong."""
        receipts = self.files.read_all([receipt_name(name) for name in chunks])  # first: they are written last
        shards = self.files.read_all([shard_name(name) for name in chunks])
        for name, written, shard in zip(chunks, receipts, shards, strict=True):
            yield self._verdict(name, written, shard)

    def _verdict(self, chunk: str, written: bytes | FileError, shard: bytes | FileError) -> Receipt | str | _Copy:
        path = self.files.path(receipt_name(chunk))
        if isinstance(written, FileError):
            return f"{path}: {written.strerror or written}"
        try:
            receipt = Receipt.from_bytes(written)
        except (ValueError, KeyError, TypeError):
            return f"{path}: damaged receipt"
        if receipt.chunk != chunk:
            if not isinstance(shard, FileError) and sha256(shard) != receipt.sha256:
                return f"{path}: damaged (it is the receipt of {receipt.chunk})"
            return _Copy(f"{path}: a copy of {receipt.chunk}.json under another name")
        path = self.files.path(shard_name(chunk))
        if isinstance(shard, FileError):
            return f"{path}: {shard.strerror or shard}"
        return receipt if sha256(shard) == receipt.sha256 else f"{path}: damaged (its sha256 is not the receipt's)"

    def discard_damaged(self) -> None:
        """Remove receipts that certify nothing, with their shards: once all trials are there without them."""
        names = self._receipts()
        for name, verdict in zip(names, self._certify(names), strict=True):
            if isinstance(verdict, str):
                self.files.remove(shard_name(name))
                self.files.remove(receipt_name(name))

    def rows(self, receipts: Iterable[Receipt], order: Iterable[str], seeds: int) -> pa.Table:
        """All rows of the given cells with seed < ``seeds``, by cell in ``order`` and then by seed, each once.

        Raises StoreError where a shard changed since `scan`.
        """
        ordered = sorted(receipts, key=lambda receipt: receipt.chunk)
        names = [shard_name(receipt.chunk) for receipt in ordered]
        tables = []
        for receipt, name, data in zip(ordered, names, self.files.read_all(names), strict=True):
            if isinstance(data, FileError):
                raise data
            if sha256(data) != receipt.sha256:
                raise StoreError(f"{self.files.path(name)} changed while it was read; run the same command again")
            tables.append(table_of(data))
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
        self.files.write(ROWS, data)
        self.files.write(CHECKSUM, f"{sha256(data)}  {ROWS}\n".encode())

    def read_rows(self) -> bytes:
        """The bytes of the final table. Raises FileError, or ValueError where the checksum is not theirs."""
        data = self.files.read(ROWS)
        if self.files.read(CHECKSUM) != f"{sha256(data)}  {ROWS}\n".encode():
            raise InputError(f"its sha256 is not the one in {CHECKSUM}")
        return data


def shard_name(chunk: str) -> str:
    """The file of a chunk's rows."""
    return f"shards/{chunk}.parquet"


def receipt_name(chunk: str) -> str:
    """The file of a chunk's receipt."""
    return f"shards/{chunk}.json"


def versions() -> dict[str, str]:
    """Versions of the packages that the numbers come from."""
    from importlib.metadata import PackageNotFoundError, version

    found = {name: version(name) for name in ("jax", "jaxlib", "numpy", "pyarrow")}
    try:
        return {"pstar": version("pstar"), **found}
    except PackageNotFoundError:
        return {"pstar": "not installed", **found}
