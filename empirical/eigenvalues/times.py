"""How long stages take: as estimated before a run, and as measured after it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from empirical.stages.artefact import MANIFEST, Stage
from sims.running.sealed import unseal

SHORT = 1.0
"""Seconds below which a stage has no line of its own."""


def before(missing: Sequence[Stage]) -> list[str]:
    """Lines of what is to be made: stages by name, seeds together, with the seconds that each is estimated to take."""
    if not missing:
        return []
    groups, lines, short = _groups(missing), [], 0
    for name, part in groups.items():
        longest = max(stage.seconds for stage in part)
        short += longest < SHORT
        if longest >= SHORT:
            lines.append(f"  {name:<28}{len(part):4} x {longest:7,.0f} s")
    total = sum(stage.seconds for stage in missing)
    head = (
        f"stages ahead, of one worker's time (estimated, {total:,.0f} s in all; {short} kinds take less than a second)"
    )
    return [head, *lines]


def after(made: Sequence[Stage], seconds: Mapping[str, float]) -> list[str]:
    """Lines of what was made: mean seconds as measured beside those that were estimated. ``seconds``: by name."""
    known = [stage for stage in made if stage.name in seconds]
    if not known:
        return []
    lines = []
    for name, part in _groups(known).items():
        mean = sum(seconds[stage.name] for stage in part) / len(part)
        if max(mean, part[0].seconds) >= SHORT:
            lines.append(f"  {name:<28}{len(part):4} x {mean:7,.1f} s  (estimated {part[0].seconds:,.0f})")
    total, told = sum(seconds[stage.name] for stage in known), sum(stage.seconds for stage in known)
    return [f"stages made, of one worker's time: {total:,.0f} s (estimated {told:,.0f})", *lines]


def measured(out: Path, stage: Stage) -> float | None:
    """Seconds that a stage which has just been made took, by its manifest; None where that cannot be read."""
    found = sorted((out / "stages").glob(f"{stage.name}-????????????/{MANIFEST}"), key=lambda p: p.stat().st_mtime)
    try:
        return float(unseal(found[-1].read_bytes())["made"]["seconds"])
    except (IndexError, OSError, ValueError, KeyError, TypeError):
        return None


def _groups(stages: Sequence[Stage]) -> dict[str, list[Stage]]:
    """By name without the seed."""
    found: dict[str, list[Stage]] = {}
    for stage in stages:
        found.setdefault(stage.name.partition("/")[2] or stage.name, []).append(stage)
    return found
