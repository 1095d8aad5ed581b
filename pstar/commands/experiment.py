"""What the verbs of both experiments do: say what is ahead, make it, show the report."""

import json
import sys
from pathlib import Path
from shlex import quote
from typing import Any

from pstar.commands.output import on_disk, show
from sims.running.text import duration
from theory.errors import InputError


def need(*packages: str) -> None:
    """Raise InputError where packages of the extra are not installed."""
    from importlib.util import find_spec

    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise InputError(
            f"{', '.join(missing)} not installed; this command needs the extra: pip install -e '.[empirical]'"
        )


def run_experiment(
    name: str,
    again: str,
    ahead: Any,
    out: Path,
    dry_run: bool,
    as_json: bool,
    make: Any,
    quiet: bool = False,
    said: str = "",
) -> None:
    """Say what is ahead, make it by ``make(on_done)``, show the report if that was asked for, or what is next.

    ``said``: what is to be known beside, before anything is made.
    """
    from sims.running.progress import progress

    with on_disk():
        file = out.exists() and not out.is_dir()
    if file:
        raise InputError(f"--out {out} is a file; name a folder")
    about: dict[str, Any] = {"out": str(out), "stages": len(ahead.stages), "missing": len(ahead.missing)}
    about |= {"device": ahead.device, "workers": ahead.workers, "estimated_seconds": round(ahead.seconds)}
    about |= {"said": said} if said else {}
    if dry_run:
        slowest = sorted(ahead.missing, key=lambda stage: -stage.seconds)[:5]
        about["slowest"] = {entry.name: round(entry.seconds) for entry in slowest}
        show(about, as_json, _ahead)
        return
    if ahead.missing and not as_json:
        print(_ahead(about), file=sys.stderr)
    work = lambda stage: max(round(stage.seconds), 1)
    with on_disk(), progress(name, sum(map(work, ahead.missing)), "s of work, as estimated", ahead.seconds) as advance:
        paths = make(lambda stage: advance(work(stage)))
    report = out / "report.txt"
    about |= {"written": [str(path) for path in paths]}
    if as_json and report in paths:
        about |= {"report": json.loads((out / "report.json").read_bytes())}
    if not quiet:
        again = again.replace("{folder}", quote(str(out)))
        show(about, as_json, lambda _: _done(out, again, report if report in paths else None))


def _ahead(about: dict[str, Any]) -> str:
    line = (
        f"{about['stages']} stages, {about['stages'] - about['missing']} there already; "
        f"about {duration(about['estimated_seconds'])} "
        f"on {about['workers']} x {about['device']} (a cost model, good to a factor of two on an idle machine)"
    )
    slow = [f"  {name}: {duration(seconds)}" for name, seconds in about.get("slowest", {}).items()]
    return "\n".join([line, *(["longest:", *slow] if slow else []), *([about["said"]] if "said" in about else [])])


def _done(out: Path, again: str, report: Path | None) -> str:
    if report is None:
        return f"written: {out}/stages\nnext:    {again}"
    written = f"written: {out}/report.txt, report.json, tables/*.csv, figures/"
    return f"{report.read_text(encoding='utf-8')}\n{written}"
