"""Declared fields of a configuration file, and the strict reader that serves them all.

A field declares its kind, range and meaning where it is defined. The reader refuses what does not fit with the
key's path, the value, the allowed range and the meaning, and goes on, so that all faults are reported together.
"""

import difflib
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from sims.running.twins import merged
from theory.decimals import typed
from theory.errors import InputError

PerClass = tuple[float, float]
"""A rate for (y = -1, y = +1)."""

MAX_POINTS = 100_000


class ConfigError(InputError):
    """A configuration that is refused; ``faults`` lists every reason, one line each."""

    def __init__(self, source: str, faults: list[str]):
        """Keep the faults and build the message that shows them all."""
        self.faults = faults
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        lines = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"{source}: {count}, nothing was run\n{lines}")


@dataclass(frozen=True)
class Range:
    """Interval of allowed numbers; an infinite end is always open."""

    low: float
    high: float
    open_low: bool = False
    integer: bool = False

    def __contains__(self, value: float) -> bool:
        """Whether ``value`` is allowed; NaN and infinities never are."""
        above = value > self.low if self.open_low else value >= self.low
        return above and value <= self.high and math.isfinite(value)  # in this order: integers may be huge

    def __str__(self) -> str:
        """The interval as text, with 'an integer in' where only integers are allowed."""
        left = "(" if self.open_low or math.isinf(self.low) else "["
        right = ")" if math.isinf(self.high) else "]"
        kind = "an integer in " if self.integer else ""
        return f"{kind}{left}{typed(self.low)}, {typed(self.high)}{right}"


def shown(value: Any) -> str:
    """A value as it stands in the file, shortened where it is long."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python prints
        return "a huge integer"
    return text if len(text) <= 60 else f"{text[:57]}..."


def unknown(name: str, known: Any, what: str, given: str | None = None) -> str:
    """The fault of a name that is not among the known ones, with the nearest of them."""
    given = name.split(".")[-1] if given is None else given
    close = difflib.get_close_matches(given, list(known), n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    hint += f"known: {', '.join(known)}" if not close or what == "value" else ""
    return f"{name}: unknown {what}; {hint.strip()}"


LONGEST = 4_000_000
"""Characters of a TOML file that are read; /dev/zero has no end."""


def read_toml(path: Path, source: str, remedy: str) -> dict[str, Any]:
    """The content of a TOML file, which messages call ``source``.

    Raises:
        ConfigError: there is none (with ``remedy``), it cannot be read, has no end in sight, or is not TOML.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read(LONGEST + 1)
        if len(text) <= LONGEST:
            return tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(source, [f"no such file{remedy}"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(source, [f"cannot be read: {error}"]) from None
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, an integer too long, lists too deep
        raise ConfigError(source, [f"not valid TOML: {error}"]) from None
    raise ConfigError(source, [f"longer than {LONGEST:,} characters, which no such file is; is it another?"])


Tables = dict[str, dict[str, Any]]
"""Values by table and key."""


def read_tables(
    document: dict[str, Any], kinds: Mapping[str, type], source: str, across: Callable[[Tables], list[str]]
) -> dict[str, Any]:
    """The tables of a document as instances of ``kinds``, by name.

    ``across`` names faults that only show across keys, and may mend values; it sees tables without other faults.

    Raises:
        ConfigError: with every fault at once.
    """
    faults = [unknown(name, kinds, "table") for name in document if name not in kinds]
    read = {name: read_table(name, kind, document.get(name, {}), faults) for name, kind in kinds.items()}
    if not faults:
        faults = across(read)
    if faults:
        raise ConfigError(source, faults)
    return {name: kind(**read[name]) for name, kind in kinds.items()}


def read_table(name: str, kind: Any, raw: Any, faults: list[str]) -> dict[str, Any]:
    """The values of one table by key, defaults filled in, with what is wrong appended to ``faults``.

    ``kind.retired``, where there is one, says of keys of earlier versions what to do.
    """
    if not isinstance(raw, dict):
        faults.append(f"{name} = {shown(raw)}: must be a table, [{name}]")
        return {}
    known: dict[str, Field[Any]] = {f.name: f for f in fields(kind)}
    retired = getattr(kind, "retired", {})
    for key in raw:
        if key not in known:
            faults.append(f"{name}.{key} {retired[key]}" if key in retired else unknown(f"{name}.{key}", known, "key"))
    values: dict[str, Any] = {}
    for key, declared in known.items():
        path = f"{name}.{key}"
        if key in raw:
            values[key] = declared.metadata["read"](path, raw[key], declared.metadata, faults)
        elif declared.default is MISSING:
            faults.append(f"{path}: missing; it is {declared.metadata['meaning']}")
        else:
            values[key] = declared.default
    return values


def _number(path: str, raw: Any, allowed: Range, meaning: str, faults: list[str]) -> float | int | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or (allowed.integer and not isinstance(raw, int)):
        kind = allowed if allowed.integer else f"a number in {allowed}"
        faults.append(f"{path} = {shown(raw)}: must be {kind}; it is {meaning}")
        return None
    if raw not in allowed:
        faults.append(f"{path} = {shown(raw)}: outside {allowed}; it is {meaning}")
        return None
    return raw if allowed.integer else float(raw) + 0.0  # no -0.0: it would be another cell


def _read_single(path: str, raw: Any, about: Any, faults: list[str]) -> float | int | None:
    return _number(path, raw, about["range"], about["meaning"], faults)


def _read_grid(path: str, raw: Any, about: Any, faults: list[str]) -> tuple[Any, ...] | None:
    if isinstance(raw, dict):
        return _read_range(path, raw, about, faults)
    items = raw if isinstance(raw, list) else [raw]
    if not items:
        faults.append(f"{path} = []: an empty grid; give at least one number in {about['range']}")
    if len(items) > MAX_POINTS:
        faults.append(f"{path}: {len(items)} values; at most {MAX_POINTS}")
        return None
    values = [read_value(_item(path, i, raw), item, about, faults) for i, item in enumerate(items)]
    return merged(path, (value for value in values if value is not None))


def _item(path: str, index: int, raw: Any) -> str:
    return f"{path}[{index}]" if isinstance(raw, list) else path


def read_value(path: str, raw: Any, about: Any, faults: list[str]) -> float | PerClass | None:
    """One number, or [a, b] for (y = -1, y = +1) where rates may depend on the class."""
    per_class = about.get("per_class", False)
    if per_class and isinstance(raw, list):
        if len(raw) != 2:
            faults.append(
                f"{path} = {shown(raw)}: per class give two rates in {about['range']}, [for y = -1, for y = +1]"
            )
            return None
        both = [_number(f"{path}[{i}]", r, about["range"], about["meaning"], faults) for i, r in enumerate(raw)]
        return None if None in both else (both[0], both[1])  # type: ignore[return-value]
    return _number(path, raw, about["range"], about["meaning"], faults)


def _read_range(path: str, raw: dict[str, Any], about: Any, faults: list[str]) -> tuple[Any, ...] | None:
    """{start, stop, num} with both ends included, and spacing = "log" on request.

    Points are rounded to 12 significant digits, so that a refined grid contains the old points exactly.
    """
    known = ("start", "stop", "num", "spacing")
    before = len(faults)
    faults += [unknown(f"{path}.{key}", known, "key of a range") for key in raw if key not in known]
    faults += [f"{path}.{key}: missing; a range is {{start, stop, num}}" for key in known[:3] if key not in raw]
    if len(faults) > before:
        return None
    allowed: Range = about["range"]
    real = Range(allowed.low, allowed.high, allowed.open_low)
    start = _number(f"{path}.start", raw["start"], real, about["meaning"], faults)
    stop = _number(f"{path}.stop", raw["stop"], real, about["meaning"], faults)
    num = _number(f"{path}.num", raw["num"], Range(2, MAX_POINTS, integer=True), "how many points", faults)
    spacing = raw.get("spacing", "linear")
    if spacing not in ("linear", "log"):
        faults.append(f"{path}.spacing = {shown(spacing)}: must be 'linear' or 'log'")
    if len(faults) > before:
        return None
    assert start is not None and stop is not None and num is not None
    if spacing == "log" and min(start, stop) <= 0:
        faults.append(f"{path}.start = {typed(start)}, {path}.stop = {typed(stop)}: a log range needs both above 0")
        return None
    shares = [i / (num - 1) for i in range(int(num))]
    if spacing == "log":
        low, high = math.log10(start), math.log10(stop)
        points = [10.0 ** (low + (high - low) * share) for share in shares]
    else:
        points = [start + (stop - start) * share for share in shares]
        tiny = 1e-13 * max(abs(start), abs(stop))  # what rounding leaves of a zero inside the range
        points = [0.0 if abs(point) < tiny else point for point in points]
    points = [min(max(float(f"{point:.12g}"), min(start, stop)), max(start, stop)) for point in points]
    points = [start, *points[1:-1], stop]  # as written, however unlike their sizes are
    if allowed.integer:
        points = [round(point) for point in points]
    return merged(path, points)


def _read_choices(path: str, raw: Any, about: Any, faults: list[str]) -> str | tuple[str, ...] | None:
    options, many = about["options"], about["many"]
    items = raw if many and isinstance(raw, list) else [raw]
    if not items:
        faults.append(f"{path} = []: empty; choose from {', '.join(options)}")
    wrong = [(i, item) for i, item in enumerate(items) if item not in options]
    for i, item in wrong:
        name = f"{_item(path, i, raw) if many else path} = {shown(item)}"
        faults.append(unknown(name, options, "value", given=item if isinstance(item, str) else ""))
    if wrong:
        return None
    return tuple(dict.fromkeys(items)) if many else raw


def _read_pairs(path: str, raw: Any, about: Any, faults: list[str]) -> tuple[Any, ...] | None:
    """Two-element lists; ranges are checked once the setting is known."""
    if not isinstance(raw, list) or not raw:
        faults.append(f"{path} = {shown(raw)}: must be a list of pairs; {about['meaning']}")
        return None
    found = []
    for i, item in enumerate(raw):
        if not isinstance(item, list) or len(item) != 2:
            faults.append(f"{path}[{i}] = {shown(item)}: must be a pair; {about['meaning']}")
        else:
            found.append(tuple(tuple(entry) if isinstance(entry, list) else entry for entry in item))
    return tuple(found)


def grid(allowed: Range, meaning: str, *, per_class: bool = False, default: Any = MISSING) -> Any:
    """A field that holds a tuple of numbers: one number, a list, or {start, stop, num} in the file."""
    metadata = {"read": _read_grid, "range": allowed, "meaning": meaning, "per_class": per_class}
    return field(default=default, metadata=metadata)


def single(allowed: Range, meaning: str, *, default: Any) -> Any:
    """A field that holds one number."""
    return field(default=default, metadata={"read": _read_single, "range": allowed, "meaning": meaning})


def choices(options: tuple[str, ...], meaning: str, *, default: Any, many: bool) -> Any:
    """A field that holds one (or, if ``many``, a tuple) of the named options."""
    metadata = {"read": _read_choices, "options": options, "meaning": meaning, "many": many}
    return field(default=default, metadata=metadata)


def pairs(meaning: str) -> Any:
    """A field that holds explicit pairs, as alternative to the product of two grids."""
    return field(default=None, metadata={"read": _read_pairs, "meaning": meaning})


def _read_text(path: str, raw: Any, about: Any, faults: list[str]) -> str | None:
    if isinstance(raw, str):
        return raw
    faults.append(f"{path} = {shown(raw)}: must be text; it is {about['meaning']}")
    return None


def _read_flag(path: str, raw: Any, about: Any, faults: list[str]) -> bool | None:
    if isinstance(raw, bool):
        return raw
    faults.append(f"{path} = {shown(raw)}: must be true or false; it is {about['meaning']}")
    return None


def _read_flags(path: str, raw: Any, about: Any, faults: list[str]) -> tuple[bool, ...] | None:
    items = raw if isinstance(raw, list) else [raw]
    if not items:
        faults.append(f"{path} = []: empty; give true, false or both")
    before = len(faults)
    values = [_read_flag(_item(path, i, raw), item, about, faults) for i, item in enumerate(items)]
    return None if len(faults) > before else tuple(dict.fromkeys(values))  # type: ignore[arg-type]


def flags(meaning: str) -> Any:
    """A field that holds a tuple of true and false, or None where it is left out."""
    return field(default=None, metadata={"read": _read_flags, "meaning": meaning})


def text(meaning: str, *, default: str) -> Any:
    """A field that holds text of any kind."""
    return field(default=default, metadata={"read": _read_text, "meaning": meaning})


def flag(meaning: str, *, default: bool) -> Any:
    """A field that holds true or false."""
    return field(default=default, metadata={"read": _read_flag, "meaning": meaning})
