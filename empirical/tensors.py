"""Arrays and checkpoints as safetensors: whole or absent, no pickle, and with a checksum of their own.

A finished stage is certified by its manifest; what a killed one has left is not, and is continued only where the
sha256 in the file's own header is right.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
import safetensors.torch
import torch

from sims.running.files import write_atomic
from sims.running.sealed import canonical
from sims.running.sums import sha256

ABOUT, CHECK = "about", "sha256"


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays."""
    own = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_atomic(path, _sealed(safetensors.numpy.save(own)))


def read_arrays(path: Path, *names: str) -> dict[str, np.ndarray]:
    """The named arrays of a file, default all. Raises OSError or safetensors.SafetensorError for a damaged file."""
    with safetensors.safe_open(path, framework="numpy") as file:
        return {name: file.get_tensor(name) for name in names or file.keys()}


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> None:
    """Write named tensors, and JSON beside them in the same file."""
    own = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_atomic(path, _sealed(safetensors.torch.save(own, metadata={ABOUT: json.dumps(about, sort_keys=True)})))


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Inverse of `write_tensors`."""
    with safetensors.safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()[ABOUT])


def intact(path: Path) -> bool:
    """Whether a file is there and as it was written here."""
    try:
        header, data = _parts(path.read_bytes())
        return header["__metadata__"].pop(CHECK) == _check(header, data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _sealed(content: bytes) -> bytes:
    """A file of safetensors with its checksum in its header."""
    header, data = _parts(content)
    header.setdefault("__metadata__", {})
    header["__metadata__"][CHECK] = _check(header, data)
    written = json.dumps(header).encode()
    written += b" " * (-len(written) % 8)
    return len(written).to_bytes(8, "little") + written + data


def _parts(content: bytes) -> tuple[dict[str, Any], bytes]:
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def _check(header: Mapping[str, Any], data: bytes) -> str:
    return sha256(canonical(header) + data)
