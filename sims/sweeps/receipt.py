"""The certificate of a shard: which trials it holds, its checksum, and how it was made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sims.running.sealed import seal, unseal
from sims.sweeps.grid import Shape, Span
from theory.errors import InputError

FORMAT = 2


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

    @property
    def device(self) -> str:
        """What computed the shard: "cpu" or "gpu"; ``made`` names the kind of GPU."""
        return "cpu" if self.made.get("device", "cpu") == "cpu" else "gpu"

    @property
    def program(self) -> str:
        """The fingerprint of the program that computed the shard; empty in folders of earlier versions."""
        return str(self.made.get("program", ""))

    def to_bytes(self) -> bytes:
        """As it is stored."""
        body = {"format": FORMAT, "chunk": self.chunk, "sha256": self.sha256, "root_seed": self.root_seed}
        body |= {
            "shape": Shape(*self.shape).content,
            "spans": [list(span) for span in self.spans],
            "made": dict(self.made),
        }
        return seal(body)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Receipt":
        """Inverse of `to_bytes`. Raises ValueError for anything that does not certify itself."""
        body = unseal(data)
        if body["format"] != FORMAT:
            raise InputError(f"receipt has format {body['format']}, this version reads {FORMAT}")
        spans = tuple(Span(*span) for span in body["spans"])
        return cls(body["chunk"], body["sha256"], body["root_seed"], Shape(*body["shape"]), spans, body["made"])


def done_seeds(receipts: Iterable[Receipt]) -> dict[str, set[int]]:
    """Which seeds of which cells the receipts certify."""
    done: dict[str, set[int]] = {}
    for receipt in receipts:
        for cell, first, count in receipt.spans:
            done.setdefault(cell, set()).update(range(first, first + count))
    return done
