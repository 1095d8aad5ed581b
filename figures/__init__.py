"""What is drawn. Every figure is a module with ``draw(tables) -> Figure | None``; none of them computes.

``draw`` takes the tables of a compared sweep (`sims.comparison.compare.Comparison`), of a study (`sims.studies`), of an
audit (`empirical.auditing.files.tables`), of features (`empirical.features.report.tables`), or of a forecast
(`empirical.forecasting.report.tables`), and returns None where they hold nothing of its kind. The first line of a
module's docstring is its caption.
"""

from collections.abc import Iterable
from importlib import import_module
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


def caption(name: str) -> str:
    """What a figure shows: the first line of its module's docstring."""
    return (import_module(f"figures.{name}").__doc__ or "").splitlines()[0]


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
    import matplotlib as mpl

    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with mpl.rc_context(fname=str(Path(__file__).parent / "style.mplstyle")):
        figure = import_module(f"figures.{name}").draw(tables)
        for kind in ("png", "pdf") if figure is not None else ():
            written.append(folder / f"{name}.{kind}")
            figure.savefig(written[-1], metadata={"CreationDate": None} if kind == "pdf" else None)
            figure.set_layout_engine("none")  # what stands in its place stays there: the second file takes half as long
        import_module("matplotlib.pyplot").close("all")
    return written
