"""Whether a folder is whole: every file of ours against its checksum; and mending what can be computed again."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from figures import KINDS, NAMES
from pstar.commands.output import counted
from sims.comparison.tables import TABLES
from sims.running import certificates
from sims.running.certificates import Certificate
from sims.running.files import StoreError, unfinished
from sims.running.sums import MISSING, Checked, Fault
from sims.running.workers import found_here
from sims.sweeps import whole
from sims.sweeps.asked import configuration
from theory.errors import InputError, RunError

STEPS = ("sweep", "compare", "figures", "study", "eigenvalues", "summarization")
"""Commands whose files can be made again from the folder alone, or from what ships, in the order in which they are."""

SIGNS = {
    "compare": TABLES,
    "figures": tuple(f"figures/{name}.{kind}" for name in NAMES for kind in KINDS),
    "audit": ("audit.json",),
    "forecast": ("forecast.json",),
    "features": ("features.json",),
}
"""Files by which a command is known to have written into a folder: names that nobody else gives to files."""


class Step(NamedTuple):
    """Something that is to be done to mend a folder."""

    command: str
    """As it is typed; for a sweep what is computed from the folder's own manifest."""
    cost: str
    words: tuple[str, ...]
    """The command in words; none for a sweep."""


def verify(folder: str | Path) -> Checked:
    """Whether every file of a folder that any command or call wrote is as it was written.

    Returns:
        `sims.running.sums.Checked`: ``files`` and ``size`` of what was read; ``faults``, each with path, what is wrong
        and the command that mends it; what is ``unfinished``; and ``foreign`` files, which are not ours.

    Raises:
        InputError: nothing in the folder is ours.
    """
    return check(Path(folder))


def check(root: Path) -> Checked:
    """Look at every file of a folder. Raises InputError for one in which nothing is ours."""
    if not root.is_dir():
        raise InputError(f"{root} is not a folder; name one that a command wrote with --out")
    found = certificates.check(root)
    sweep, stages = whole.is_sweep(root), (root / "stages").is_dir()
    found += Checked(faults=tuple(_uncertified(root, sweep)))
    if sweep:
        found += whole.check(root)
    if stages:
        from empirical.stages import inspect

        found += inspect.check(root, _experiment(root))
    if not (sweep or stages or found.files or found.faults):
        raise InputError(f"{root}: nothing here was written by pstar, or it was by a version without certificates")
    return found + Checked(foreign=tuple(_strange(root, sweep, stages)))


def _uncertified(root: Path, sweep: bool) -> Iterator[Fault]:
    """Certificates that are not there, though files are that they would speak for."""
    there = certificates.find_all(root)
    known = {name for each in there.values() if each is not None for name in each.files}
    for maker, signs in SIGNS.items():
        if maker in certificates.GUESTS and not sweep:
            continue
        place = certificates.path_of(root, maker)
        lost = [name for name in signs if (root / name).exists() and name not in known]
        if lost and place not in there:
            again = certificates.again_without(root, maker)
            yield Fault(place, f"{MISSING}, though {lost[0]} is there", again)


def _strange(root: Path, sweep: bool, stages: bool) -> Iterator[Path]:
    """Files and folders beside ours in the folder itself."""
    from sims.sweeps.store import CHECKSUM, MANIFEST, ROWS

    written = [name for each in certificates.find_all(root).values() if each is not None for name in each.files]
    ours = {certificates.FOLDER, *(Path(name).parts[0] for name in written)}
    ours |= {"shards", MANIFEST, ROWS, CHECKSUM} if sweep else set()
    ours |= {"stages", ".lock"} if stages else set()
    yield from (path for path in sorted(root.iterdir()) if path.name not in ours and not unfinished(path.name))


def _experiment(root: Path) -> str:
    """The command of the experiment in a folder."""
    for name in ("eigenvalues", "summarization"):
        found = certificates.find(root, name)
        if found is not None:
            return found.again(root)
    return "the command that was typed, again"


def plan(root: Path, found: Checked) -> list[Step]:
    """What would mend a folder, in order; what no step mends is not in it."""
    steps = [*_of_sweep(root, found)] if whole.is_sweep(root) else []
    lost = {fault.path: None for fault in found.faults if fault.path.parent == root / certificates.FOLDER}
    makers = sorted((lost | certificates.find_all(root)).items())
    for name in STEPS[1:]:
        for path, certificate in makers:
            if path.stem.partition("-")[0] != name:
                continue
            wrong = any(fault.path == path or _of(certificate, root, fault.path) for fault in found.faults)
            if name in STEPS[4:]:
                wrong = wrong or any(root / "stages" in fault.path.parents for fault in found.faults)
            if name == "figures" and any(step.words[:1] == ("compare",) for step in steps):
                wrong = True
            if wrong:
                words = _words(root, path, certificate)
                if words:
                    steps.append(Step(shlex.join(["pstar", *words]), _cost(name), words))
    return steps


def _of(certificate: Certificate | None, root: Path, path: Path) -> bool:
    return certificate is not None and any(root / name == path for name in certificate.files)


def _cost(name: str) -> str:
    costs = {"compare": "seconds", "figures": "seconds", "study": "a minute or a few"}
    return costs.get(name, "only the stages that are damaged, and what depends on them; --dry-run of it says how long")


def _words(root: Path, path: Path, certificate: Certificate | None) -> tuple[str, ...]:
    """The words of the command that made a certificate; none where they are not known, or name what runs code."""
    if path.stem in certificates.GUESTS:
        return (path.stem, str(root))
    if certificate is None:
        return ()
    program, *words = shlex.split(certificate.again(root))
    ours = program == "pstar" and words[:1] == [path.stem.partition("-")[0]] and words[-2:] == ["--out", str(root)]
    runs_code = any(word.startswith("--accelerate") for word in words)  # a folder may be of somebody else
    return tuple(words) if ours and not runs_code else ()


def _of_sweep(root: Path, found: Checked) -> Iterator[Step]:
    """What the sweep of a folder lacks, by its own manifest."""
    from sims.sweeps.outlook import plan as look
    from sims.sweeps.store import Store

    shards = root / "shards"
    ours = [each for each in found.faults if shards in (each.path, *each.path.parents) or each.path.name[:5] == "rows."]
    config = configuration(Store(root).read_manifest())
    if ours and config is not None:
        try:
            ahead = look(config, root)
        except StoreError:  # shards of another sweep are in the way, as their fault says
            return
        work = "seconds"
        if ahead.chunks:
            work = f"{counted(ahead.missing, 'trial')} in {counted(len(ahead.chunks), 'chunk')}, about "
            work += f"{ahead.estimated_seconds(1):.0f} s on one core"
        yield Step(f"the sweep of {root}, as its manifest has it", work, ())


def mend(root: Path, steps: list[Step]) -> None:
    """Do the steps. Raises RunError where one fails; what was done is kept."""
    for step in steps:
        if not step.words:
            from sims.sweeps.run import run
            from sims.sweeps.store import Store

            config = configuration(Store(root).read_manifest())
            if config is None:
                raise RunError(f"{root}/manifest.json changed meanwhile; run pstar verify again")
            outcome = run(config, root)
            if outcome.set_aside:
                raise RunError(f"{root}: {len(outcome.set_aside)} chunks failed three times; run the sweep again")
            continue
        line = [sys.executable, "-P", "-m", "pstar", *step.words]
        done = subprocess.run(line, stdout=subprocess.DEVNULL, env=os.environ | found_here())
        if done.returncode:
            raise RunError(f"{step.command} ended with exit {done.returncode}; see above, and run it yourself")
