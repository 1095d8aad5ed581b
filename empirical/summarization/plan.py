"""What a profile asks for: its stages, each with what it depends on, and those that a sub-command wants."""

from collections.abc import Iterator
from dataclasses import asdict

from empirical.stages.artefact import Stage
from empirical.summarization.noisy import Noisy
from empirical.summarization.profile import Profile
from empirical.summarization.repetition import Repetition
from empirical.summarization.shared import Shared, others, verifiers
from empirical.summarization.vocabulary import SHOW, VERBS
from theory.errors import InputError

__all__ = ["others", "shard", "stages", "targets", "verifiers"]

PIECES = {"generate": "generate_part", "score": "score_part"}
"""Sub-commands that can be spread over machines, and the functions of their pieces."""
READ = ("prepare", "generate", "select", "evaluate", "gate")
"""Functions whose folders the report reads."""


def stages(profile: Profile, device: str = "cpu") -> list[Stage]:
    """All stages, inputs before what reads them; the report comes last."""
    plan = Shared(profile, device)
    first, *rest = (list(_repetition(plan, seed)) for seed in range(profile.run.seeds))
    later = (stage for repetition in rest for stage in repetition)
    found = [plan.source(), *first[:1], *plan.bases(), *first[1:], *later]
    read = [stage.name for stage in found if stage.function.split(":")[1] in READ]
    settings = {"profile": asdict(profile), "verifiers": verifiers(profile)}
    inputs = {name: name for name in read}
    return [*found, Stage("report", "empirical.summarization.steps:report", settings, inputs, 20.0)]


def _repetition(plan: Shared, seed: int) -> Iterator[Stage]:
    yield from Repetition(plan, seed).stages()
    for noisy in plan.profile.stories.curve:
        yield from Noisy(plan, seed, noisy).stages()


def targets(plan: list[Stage], verb: str) -> list[str]:
    """Names of the stages that a sub-command asks for; SHOW wants a tokenizer and an article."""
    if verb == SHOW:
        return ["seed0/prepare", "base"]
    return [stage.name for stage in plan if stage.function.split(":")[1] in VERBS[verb]]


def shard(plan: list[Stage], verb: str, index: int, count: int) -> list[str]:
    """Names of the stages that machine ``index`` (from 1) of ``count`` makes for a sub-command.

    Raises ValueError for a sub-command without pieces, and where there are fewer pieces than machines.
    """
    if verb not in PIECES:
        raise InputError(f"--shard {index}/{count}: {verb} has no pieces; only {' and '.join(PIECES)} have")
    pieces = [stage.name for stage in plan if stage.function.endswith(f":{PIECES[verb]}")]
    if not 1 <= index <= count:
        raise InputError(f"--shard {index}/{count}: must be i/n with 1 <= i <= n")
    if count > len(pieces):
        raise InputError(f"--shard {index}/{count}: there are only {len(pieces)} pieces; raise generation.parts")
    return pieces[index - 1 :: count]
