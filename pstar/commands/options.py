"""Options that several verbs share, and choices whose names come from the package that knows them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg
from tyro.constructors import PrimitiveConstructorSpec

from theory.errors import InputError

Json = Annotated[bool, arg(help="Print the result as JSON.")]
Out = Annotated[Path, arg(metavar="DIR", help="Result folder; created, or continued where it left off.")]
Workers = Annotated[
    int | None, arg(metavar="INT", help="Processes, one thread each. Default: one per core; 1 on a GPU.")
]
Device = Annotated[Literal["auto", "cpu", "cuda"], arg(help="auto: the GPU if there is one.")]
DryRun = Annotated[bool, arg(help="Only say what is to be done, how long, and what is already there.")]
Folder = Annotated[Positional[Path], arg(metavar="DIR", help="Result folder of a sweep.")]


def choice(names: Iterable[str]) -> Any:
    """Beside ``str`` in an annotation: one of ``names``. What Literal says of names that are typed out."""
    known = tuple(names)
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=f"{{{','.join(known)}}}",
        instance_from_str=lambda words: words[0],
        is_instance=lambda value: isinstance(value, str),
        str_from_instance=lambda value: [value],
        choices=known,
    )


def flag(name: str) -> str:
    """The option of a parameter."""
    return f"--{name.replace('_', '-')}"


def local(folder: Path) -> Path:
    """The folder, unless it is the URL of one."""
    if folder.parts and ":" in folder.parts[0]:
        url = f"{folder.parts[0]}//{Path(*folder.parts[1:])}"
        raise InputError(f"{url} is a URL; copy {url}/rows.parquet and rows.sha256 into a folder and name that")
    return folder
