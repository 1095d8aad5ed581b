"""`pstar explore`: one page that computes what theory predicts as its sliders are moved, for any browser."""

from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from pstar.commands.options import Json
from pstar.commands.output import on_disk, show
from theory.errors import InputError, RunError


def explore(
    out: Annotated[Path, arg(metavar="FILE", help="The page.")] = Path("explorer.html"),
    audit: Annotated[
        Path | None, arg(metavar="DIR", help="Folder of pstar audit --out: your own verifier on the page.")
    ] = None,
    open: Annotated[bool, arg(help="Open it in a browser.")] = False,
    json: Json = False,
) -> None:
    """When does training help? Write a page with sliders that answers as they move, and needs no network.

    Phase diagram, accuracy against p, the verifier's plane, and the verdict as pstar predict says it, with the command
    that prints it; squared loss, independent, linear and learned errors. One file, which can be sent by mail.
    """
    with on_disk():
        _check(out)
        known = None
        if audit is not None:
            from empirical.auditing.report.plotted import plotted

            known = plotted(audit)
        from importlib.metadata import version

        from figures.explorer import build
        from sims.running.files import write_atomic

        page = build(known, version("pstar")).encode()
        write_atomic(out, page)
    shown = known["verifiers"] if known else []
    result = {"written": [str(out)], "bytes": len(page), "verifiers": [each["name"] for each in shown]}
    show(result, json, _text)
    if open:
        _opened(out)


def _text(result: dict[str, Any]) -> str:
    mine = f"; it shows {', '.join(result['verifiers'])}" if result["verifiers"] else ""
    first = f"a page of {result['bytes'] / 1000:.0f} kB for any browser, without a network{mine}"
    return "\n".join([first, *(f"written: {path}" for path in result["written"])])


def _opened(page: Path) -> None:
    import webbrowser

    address = page.absolute().as_uri()
    if not webbrowser.open(address):
        raise RunError(f"--open found no browser on this machine; open {address} in one")


def _check(page: Path) -> None:
    """Raise InputError where the page would overwrite anything but one of ours, or has no folder."""
    from figures.explorer import GENERATOR
    from sims.running.pages import check_place, has_mark

    check_place("--out", page)
    if page.is_dir():
        raise InputError(f"--out {page} is a folder; name a page in it")
    if page.exists() and not has_mark(page, GENERATOR):
        raise InputError(f"--out {page} is there, and is no explorer page; choose another name, or remove it")
