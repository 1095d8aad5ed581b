"""Embeddings and labels from files: arrays of NumPy, tables, safetensors; and rates from an audit's JSON."""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.auditing import saved
from empirical.features import tables
from empirical.features.tables import Held
from empirical.records.sources import ENDS, SUFFIXES
from sims.running.files import located
from sims.running.unpacked import check_zip
from theory.errors import InputError
from theory.types import Rates

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("y", "label", "labels", "target")
"""What labels are called where --label does not say."""
KINDS = (".npy", ".npz", ".safetensors", *SUFFIXES)
_DTYPES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1"},
    **{"U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?", "BF16": "<u2"},
}


def read(
    data: Path, labels: Path | None = None, label: str | None = None, features: str | None = None
) -> tuple["np.ndarray | pd.DataFrame", np.ndarray]:
    """(X, y) from a file or folder of features, and labels of a file of their own or under a name beside them.

    ``label`` names the labels' array, tensor or column; ``features`` the array or tensor of features, or what the names
    of their columns begin with. A table's column of lists is a matrix.

    Raises:
        ValueError: a kind of file that is not read, names that are not there or leave a choice.
    """
    held = _named(data)
    if labels is not None:
        beside = _named(labels, "the labels, one per row of the features")
        name = _only(labels, beside, label) if label is None or label in beside else _absent(labels, label, beside)
        y = tables.labels(beside[name])
    else:
        name = _label(data, held, label)
        y = tables.labels(held[name])
        held = {key: value for key, value in held.items() if key != name}
    return _matrix(data, held, features), y


def read_rates(path: Path, classes: tuple[Any, Any] | None = None) -> tuple[Rates, tuple[str, ...]]:
    """p, phi, psi of an audit's JSON (`pstar audit --out`, or its --json), by class where it has just the two classes.

    With them what must be said: that classes which the audit has are other ones, and the rates therefore pooled.

    Raises ValueError for another kind of file, and where a rate is undefined; StoreError where it was damaged.
    """
    path = saved.path_of(path)
    text = saved.read(path)
    try:
        audit = json.loads(text)["audit"]
        parts = {_class_name(name): part for name, part in (audit.get("by_class") or {}).items()}
        names = [_class_name(name) for name in classes or ()]
        by_class = len(names) == 2 and set(names) == set(parts)
        found = [
            [part[rate]["value"] for part in ([parts[name] for name in names] if by_class else [audit])]
            for rate in ("p", "phi", "psi")
        ]
        for part in (audit, *parts.values()):
            saved.check_rates(path, part)
    except InputError:
        raise
    except saved.BROKEN:
        raise InputError(
            f"{path} is no audit with p, phi and psi; make one: pstar audit RECORDS --correct COL --kept COL --out DIR"
        ) from None
    for rate, values in zip(("p", "phi", "psi"), found, strict=True):
        if any(not isinstance(value, (int, float)) or not math.isfinite(value) for value in values):
            raise InputError(f"{path}: {rate} is undefined; judge more records, or give --p, --phi and --psi")
    rates = Rates(*(tuple(values) if by_class else values[0] for values in found))
    if by_class or not parts:
        return rates, ()
    others = " and ".join(names)
    return rates, (
        f"rates are pooled over the classes of the audit ({_list(parts)}), which are not those of the labels "
        f"({others}). Rates that depend on the class change the answer: audit with --class and the labels' names.",
    )


def _class_name(name: Any) -> str:
    """As text; numbers without a difference between 1 and 1.0."""
    try:
        return f"{float(str(name)):.15g}"
    except ValueError:
        return str(name)


def _named(path: Path, what: str = "the features, one row per point") -> Mapping[str, Held]:
    """What a file or folder holds, by name; an array of .npy has the name ""."""
    if path.is_dir():
        return _folder(path)
    suffix = path.with_suffix("").suffix if path.suffix.lower() in ENDS else path.suffix
    if suffix.lower() not in KINDS:
        raise InputError(
            f"{path} ends in {path.suffix!r}, not in one of {', '.join(KINDS)}, and is no folder of .safetensors; "
            "convert it"
        )
    if not path.is_file():
        raise InputError(f"{path} is not there; give the file that holds {what}")
    reader = {".npy": _numpy, ".npz": _numpy, ".safetensors": _safetensors}.get(path.suffix.lower(), tables.read)
    with located(path):
        return reader(path)


def _numpy(path: Path) -> dict[str, np.ndarray]:
    try:
        check_zip(path)
        with open(path, "rb") as file:
            held = np.load(file, allow_pickle=False)
            return {"": held} if isinstance(held, np.ndarray) else {name: held[name] for name in held.files}
    except (ValueError, EOFError, KeyError) as error:
        raise InputError(f"{path} is no array of numbers that NumPy reads ({str(error).splitlines()[0]})") from None
    except (OSError, InputError):
        raise
    except Exception as error:  # of a damaged archive
        raise InputError(f"{path} is damaged ({error}); write it again") from None


def _safetensors(path: Path) -> dict[str, np.ndarray]:
    raw = path.read_bytes()
    try:
        size = int.from_bytes(raw[:8], "little")
        if size > len(raw) - 8:
            raise ValueError("header longer than the file")
        header = json.loads(raw[8 : 8 + size])
        tensors = {}
        for name, about in header.items():
            if name == "__metadata__":
                continue
            start, stop = about["data_offsets"]
            if not 0 <= start <= stop <= len(raw) - 8 - size:
                raise ValueError("a tensor beyond the file")
            tensor = np.frombuffer(raw[8 + size + start : 8 + size + stop], _DTYPES[about["dtype"]])
            if about["dtype"] == "BF16":
                tensor = (tensor.astype("<u4") << 16).view("<f4")
            tensors[name] = tensor.reshape(about["shape"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{path} is no safetensors file of numbers, or is damaged; write it again") from None
    return tensors


def _folder(path: Path) -> dict[str, np.ndarray]:
    """The .safetensors of a folder in the order of their names, rows under rows."""
    files = sorted(path.glob("*.safetensors"))
    if not files:
        raise InputError(f"{path} holds no .safetensors; give such a folder, or one of {', '.join(KINDS)}")
    parts = [_safetensors(file) for file in files]
    for file, part in zip(files, parts, strict=True):
        if set(part) != set(parts[0]):
            raise InputError(f"{file} holds {_list(part)}, {files[0].name} holds {_list(parts[0])}; give all the same")
    try:
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    except ValueError:
        raise InputError(f"{path}: the tensors of its files differ in width; give rows of one length") from None


def _label(path: Path, held: Mapping[str, Held], label: str | None) -> str:
    if label is not None:
        return label if label in held else _absent(path, label, held)
    found = [name for name in LABELS if name in held]
    if len(found) != 1:
        raise InputError(
            f"{path} does not say which are the labels (it has {_list(held)}); give a second file, or --label NAME"
        )
    return found[0]


def _matrix(path: Path, given: Mapping[str, Held], features: str | None) -> "np.ndarray | pd.DataFrame":
    """The one matrix there is, or the columns side by side with their names."""
    import pandas as pd

    if features is not None:
        given = (
            {features: given[features]}
            if features in given
            else {name: value for name, value in given.items() if name.startswith(features)}
        )
        if not given:
            raise InputError(f"{path} has nothing called {features!r}, nor beginning with it; see --features")
    held = tables.numbers(given)
    matrices = {name: value for name, value in held.items() if value.ndim == 2}
    if len(matrices) == 1 or "X" in matrices:
        return matrices.get("X", next(iter(matrices.values())))
    if matrices:
        raise InputError(f"{path} has several matrices ({_list(matrices)}); name one with --features")
    if list(held) == [""]:
        return held[""]
    words = [name for name, value in held.items() if value.dtype.kind not in "fiub"]
    if words or not held:
        what = f"column {words[0]!r} is not of numbers" if words else "there are no features beside the labels"
        raise InputError(f"{path}: {what}; say with --features what the names of the features begin with")
    return pd.DataFrame({name: np.asarray(value, float) for name, value in held.items()})


def _only(path: Path, held: Mapping[str, Held], label: str | None) -> str:
    return next(iter(held)) if len(held) == 1 else _label(path, held, label)


def _absent(path: Path, name: str, held: Iterable[str]) -> str:
    raise InputError(f"{path} has nothing called {name!r}; it has {_list(held)}")


def _list(names: Iterable[str]) -> str:
    shown = [repr(name) for name in names if name]
    return (
        ", ".join(shown[:6]) + (f" and {len(shown) - 6} more" if len(shown) > 6 else "") or "one array without a name"
    )
