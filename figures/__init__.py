"""What is drawn. Every figure is a module with ``draw(tables) -> Figure | None``; none of them computes.

``draw`` takes the tables of a compared sweep (`sims.comparison.compare.Comparison`), of a study (`sims.studies`), of an
audit (`empirical.auditing.report.artefacts.tables`), of features (`empirical.features.report.tables`), or of a forecast
(`empirical.forecasting.report.tables`), and returns None where they hold nothing of its kind. The first line of a
module's docstring is its caption.
"""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from theory.errors import InputError

NAMES = (
    "phase_diagram",
    "accuracy_against_p",
    "accuracy_against_scaled_p",
    "residuals",
    "trained_against_generator",
)
KINDS = ("png", "pdf")
"""What a figure is written as."""
SVG_METADATA = ("Creator", "Date", "Format", "Type")
"""What Matplotlib writes of its own accord; a date would make files differ."""


def caption(name: str) -> str:
    """What a figure shows: the first line of its module's docstring."""
    return (import_module(f"figures.{name}").__doc__ or "").splitlines()[0]


def legend(name: str) -> str:
    """What is seen in a figure: the rest of its module's docstring."""
    return " ".join((import_module(f"figures.{name}").__doc__ or "").split("\n", 1)[1].split())


def describe() -> dict[str, str]:
    """Name and caption of every figure of a sweep."""
    return {name: caption(name) for name in NAMES}


def check_names(names: Iterable[str]) -> None:
    """Raise ValueError for a figure that does not exist, naming those that do."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise InputError(f"figure {unknown[0]!r} does not exist; choose from {', '.join(NAMES)}")


def draw_all(tables: dict[str, Any], folder: Path, names: Iterable[str] = ()) -> list[Path]:
    """Draw the named figures of a sweep (default all) into ``folder`` as PNG and PDF; returns what was written.

    Raises ValueError for an unknown name.
    """
    names = tuple(names) or NAMES
    check_names(names)
    return [path for name in names for path in draw(name, tables, folder)]


def draw(name: str, tables: dict[str, Any], folder: Path) -> list[Path]:
    """Draw figures.<name> into ``folder``; returns nothing where the tables hold nothing of its kind."""
    folder.mkdir(parents=True, exist_ok=True)
    files = rendered(name, tables)
    for file, data in files.items():
        (folder / file).write_bytes(data)
    return [folder / file for file in files]


def rendered(name: str, tables: dict[str, Any]) -> dict[str, bytes]:
    """figures.<name> as PNG and PDF, by the names of the files; nothing where the tables hold nothing of its kind."""
    files = {}
    with _drawn(name, tables) as figure:
        for kind in KINDS if figure is not None else ():
            page = BytesIO()
            figure.savefig(page, format=kind, metadata={"CreationDate": None} if kind == "pdf" else None)
            figure.set_layout_engine("none")  # what stands in its place stays there: the second file takes half as long
            files[f"{name}.{kind}"] = page.getvalue()
    return files


def svg(name: str, tables: dict[str, Any]) -> str | None:
    """figures.<name> as SVG of text and paths on no ground, the same bytes each time; None where nothing is drawn."""
    with _drawn(name, tables, **{"svg.fonttype": "none", "svg.hashsalt": name}) as figure:
        if figure is None:
            return None
        page = StringIO()
        figure.savefig(page, format="svg", transparent=True, metadata=dict.fromkeys(SVG_METADATA))
        return page.getvalue()


@contextmanager
def _drawn(name: str, tables: dict[str, Any], **more: Any) -> Iterator[Any]:
    """The figure in the project's style, and ``more`` settings of Matplotlib; letters that no font has are boxes."""
    import matplotlib as mpl

    mpl.use("Agg")
    with mpl.rc_context(fname=str(Path(__file__).parent / "style.mplstyle")), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        mpl.rcParams.update(more)
        try:
            yield import_module(f"figures.{name}").draw(tables)
        finally:
            import_module("matplotlib.pyplot").close("all")
