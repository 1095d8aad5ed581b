"""The options of a verb, as its signature has them: one table for parsing, for refusals and for help."""

import inspect
import types
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from tyro.conf import FlagCreatePairsOff, Positional
from tyro.constructors import PrimitiveConstructorSpec

from pstar.line.limits import Limits, of

POSITIONAL = get_args(Positional[Path])[1]
LONE_FLAG = get_args(Annotated[bool, FlagCreatePairsOff])[1]


class Option(NamedTuple):
    """An option, or a word without one."""

    name: str
    """Of the parameter."""
    flag: str
    """As it is typed; of a positional word, what stands for it in help."""
    kind: type
    """bool, int, float, str or Path."""
    many: bool
    """Takes several words."""
    positional: bool
    default: Any
    """`inspect.Parameter.empty` where it must be given."""
    choices: tuple[str, ...]
    metavar: str
    help: str
    limits: Limits | None
    pair: bool
    """A flag that has a --no- beside it."""

    @property
    def required(self) -> bool:
        """Whether a call without it is refused."""
        return self.default is inspect.Parameter.empty

    @property
    def shown(self) -> str:
        """As help and refusals write it, with what stands for its value."""
        return self.flag if self.positional or self.kind is bool else f"{self.flag} {self.metavar}"


def options_of(verb: Callable[..., Any]) -> tuple[Option, ...]:
    """Every option of a verb, in the order of its signature."""
    return tuple(_option(name, parameter) for name, parameter in inspect.signature(verb).parameters.items())


def _option(name: str, parameter: inspect.Parameter) -> Option:
    annotation: Any = parameter.annotation
    extras: tuple[Any, ...] = ()
    if get_origin(annotation) is Annotated:
        annotation, *rest = get_args(annotation)
        extras = tuple(rest)
    kind, many, choices = _kind(annotation)
    said = next((extra for extra in extras if hasattr(extra, "help") and hasattr(extra, "metavar")), None)
    own = next((extra for extra in extras if isinstance(extra, Limits)), None)
    spec = next((extra for extra in extras if isinstance(extra, PrimitiveConstructorSpec)), None)
    choices = tuple(spec.choices or ()) if spec is not None else choices
    positional = any(extra is POSITIONAL or extra == POSITIONAL for extra in extras)
    typed = (said.name if said is not None else None) or name.replace("_", "-")
    metavar = (said.metavar if said is not None else None) or (
        f"{{{','.join(choices)}}}" if choices else {int: "INT", float: "FLOAT", Path: "PATH"}.get(kind, "TEXT")
    )
    return Option(
        name=name,
        flag=(said.metavar if said is not None and said.metavar else name.upper()) if positional else f"--{typed}",
        kind=kind,
        many=many,
        positional=positional,
        default=parameter.default,
        choices=choices,
        metavar=metavar,
        help=str(said.help or "") if said is not None else "",
        limits=(own or of(name)) if kind in (int, float) else None,
        pair=kind is bool and not any(extra == LONE_FLAG for extra in extras),
    )


def _kind(annotation: Any) -> tuple[type, bool, tuple[str, ...]]:
    """The type of one word, whether there may be several, and the choices of a Literal."""
    if get_origin(annotation) in (types.UnionType, Union):
        annotation = next(each for each in get_args(annotation) if each is not type(None))
    if get_origin(annotation) is Literal:
        return str, False, get_args(annotation)
    if get_origin(annotation) is tuple:
        return get_args(annotation)[0], True, ()
    return annotation, False, ()
