"""The explorer, as `pstar explore` writes it; the page on p* shows it in a frame."""

from importlib.metadata import version

from figures.explorer import build


def made() -> dict[str, str]:
    """The page."""
    return {"explorer.html": build(version=version("pstar"))}
