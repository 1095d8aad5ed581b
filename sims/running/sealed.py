"""JSON that certifies itself: a file cut short, damaged or edited by hand does not open."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from theory.errors import InputError


def digest(body: Any) -> str:
    """sha256 of JSON values in canonical form: sorted keys, no spaces."""
    return hashlib.sha256(canonical(body)).hexdigest()


def canonical(body: Any) -> bytes:
    """JSON values in one form, whatever order they were written in."""
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def seal(body: Mapping[str, Any]) -> bytes:
    """The file: ``body``, and its digest under the key ``check``."""
    return json.dumps(dict(body) | {"check": digest(body)}, indent=1).encode()


def unseal(data: bytes) -> dict[str, Any]:
    """The body of a file. Raises ValueError for anything that does not certify itself."""
    try:
        body = json.loads(data)
        if not isinstance(body, dict) or body.pop("check", None) != digest(body):
            raise InputError("it does not match its own checksum")
    except RecursionError:
        raise InputError("it is nested too deeply") from None
    return body
