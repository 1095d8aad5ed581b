"""Every figure of `figures`, with the command that makes it and a picture; which, `gallery.toml` says.

Pictures of quick commands are drawn while the site is built. Those of longer ones were drawn by the command beside them
and lie in `docs/gallery`.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tree

import figures

FILE = Path(__file__).with_suffix(".toml")
HEAD = """# Gallery

Every figure that the toolkit draws, and the command that makes it; each writes PNG and PDF. Figures compute nothing:
they are drawn from the tables beside them. The figures of sweeps follow

```
{first}
```

for which [`docs/examples/gallery.toml`](examples/gallery.toml) is the shipped sweep with squared loss alone, so that it
takes a quarter of a minute. `make run` draws the same figures of the whole sweep, with both losses."""


def made() -> dict[str, str | bytes]:
    """The page, and the pictures that are drawn here."""
    groups = tomllib.loads(FILE.read_text(encoding="utf-8"))
    commands = groups.pop("drawn_here")
    files: dict[str, str | bytes] = {}
    parts = [HEAD.format(first="\n".join(commands[:2]))]
    with TemporaryDirectory() as folder:
        top = Path(folder)
        (top / "docs").symlink_to(tree.ROOT / "docs")
        run(commands, top)
        for heading, group in groups.items():
            parts.append(f"## {heading[0].upper()}{heading[1:]}")
            for name, figure in group.items():
                place = figure.get("picture", "").removeprefix("docs/")
                if place.startswith("out/"):
                    place = f"gallery/{name}.png"
                    files[place] = (top / figure["picture"]).read_bytes()
                parts.append(_entry(name, figure, place))
    return files | {"gallery.md": "\n\n".join(parts) + "\n"}


def run(commands: list[str], top: Path) -> None:
    """Commands, one after the other in a folder. Raises RuntimeError with what the first that fails says."""
    environment = os.environ | {"PYTHONPATH": str(tree.ROOT), "PSTAR_QUIET": "1"}
    for command in commands:
        words = [sys.executable, "-m", *command.split()]
        done = subprocess.run(words, cwd=top, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stderr}")


def _entry(name: str, figure: dict[str, Any], place: str) -> str:
    """One figure: caption, picture, sizes, command."""
    caption, shown = figures.caption(name), figure["shown"]
    picture = [f"![{caption}]({place})", f"Shown: {shown}."] if place else [f"No picture here: {shown}."]
    return "\n\n".join([f"### {name}", caption, *picture, f"```\n{figure['command']}\n```"])
