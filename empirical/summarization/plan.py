"""What a profile asks for: its models, verifiers and students, and its stages with what each depends on."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from empirical.seeds import word
from empirical.stages.artefact import Stage
from empirical.summarization import corpus, models
from empirical.summarization.beside import CLEAN
from empirical.summarization.collapse import CHANCE, SHARE, place_of
from empirical.summarization.cost import Cost
from empirical.summarization.profile import FITTING, MADE, SAME, STORIES, ForeignTable, Profile, VerifierTable
from empirical.summarization.rouge import WORDS
from empirical.summarization.schedule import Schedule
from empirical.summarization.verifiers import OWN, VERIFIERS, Verifier, of
from empirical.summarization.vocabulary import SHOW, VERBS
from theory.errors import InputError

PIECES = {"generate": "generate_part", "score": "score_part"}
"""Sub-commands that can be spread over machines, and the functions of their pieces."""
ROLES = {"data": 0, "base": 1, "generator": 2, "student": 3, "verifier": 4, "chance": 5}
"""Streams of random numbers. Students of a repetition share theirs, so that they differ by their data alone."""


def verifiers(profile: Profile) -> list[str]:
    """Names in the order of the report, draws one by one."""
    found: list[str] = []
    for verifier in VERIFIERS:
        if verifier.drawn:
            found += [f"{verifier.name}{draw + 1}" for draw in range(profile.selection.random_draws)]
        elif not verifier.own or verifier.name in others(profile):
            found.append(verifier.name)
    return found


def others(profile: Profile) -> list[str]:
    """Verifiers that are models of their own."""
    return [name for name in OWN if getattr(profile, name).name]


def stages(profile: Profile, device: str = "cpu") -> list[Stage]:
    """All stages, inputs before what reads them; the report comes last."""
    plan = _Plan(profile, device)
    first, *rest = (list(_Repetition(plan, seed).stages()) for seed in range(profile.run.seeds))
    later = (stage for repetition in rest for stage in repetition)
    found = [plan.source(), *first[:1], *plan.bases(), *first[1:], *later]
    read = [stage.name for stage in found if stage.function.split(":")[1] in READ]
    settings = {"profile": asdict(profile), "verifiers": verifiers(profile)}
    inputs = {name: name for name in read}
    return [*found, Stage("report", "empirical.summarization.steps:report", settings, inputs, 20.0)]


GENERATOR = ("train_generator", "train_part")
"""Functions of trainings that share the generator's random numbers."""
READ = ("prepare", "generate", "select", "evaluate", "gate")
"""Functions whose folders the report reads."""


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


def learnt(schedule: Schedule) -> dict[str, Any]:
    """A schedule without what only fits it into a machine."""
    return {name: value for name, value in asdict(schedule).items() if name not in FITTING}


class _Plan:
    """What all repetitions share."""

    def __init__(self, profile: Profile, device: str):
        self.profile, self.device = profile, device
        self.form = {"format": asdict(profile.format)}
        self.decoding = {"precision": profile.generation.precision}
        self.labelled = profile.data.labelled
        self.taught = round(self.labelled * profile.generator.share)
        self.pool = self.labelled - self.taught

    def entropy(self, role: str, *more: int) -> list[int]:
        return [self.profile.run.root_seed, ROLES[role], *more]

    def seed(self, role: str, *more: int) -> int:
        """An integer for libraries that want one, of 31 bits."""
        return word(self.entropy(role, *more)) >> 1

    def cost(self, parameters: float) -> Cost:
        """Of a model that is not made here, or of one that is (0 parameters)."""
        made, tokens = self.profile.made, self.profile.data.tokens
        size = parameters or 12 * made.layers * made.width**2 + made.tokens * made.width
        return Cost(size, tokens, self.profile.format.summary_tokens, self.device)

    def source(self) -> Stage:
        """Which data these are, found out once for all repetitions."""
        data = self.profile.data
        settings = {"source": data.source, "revision": data.revision}
        if data.source not in ("", STORIES) and Path(data.source).expanduser().exists():
            settings["content"] = corpus.resolve(data.source, "")["revision"]
        return Stage("source", "empirical.summarization.steps:source", settings, {}, 1.0)

    def bases(self) -> Iterator[Stage]:
        """The base model, and those of verifiers that have one of their own."""
        yield self._base("base", self.profile.base)
        for name in others(self.profile):
            if self.base_of(name) != "base":
                yield self._base(self.base_of(name), getattr(self.profile, name))

    def base_of(self, verifier: str) -> str:
        """Name of the stage a verifier's model starts from: the base model, or one of its own."""
        table = getattr(self.profile, verifier)
        twin = table.name == MADE and not isinstance(table, ForeignTable)
        return "base" if twin or table.name == SAME else f"base-{verifier}"

    def parameters_of(self, verifier: str) -> float:
        """Of a verifier's model, for estimates; 0: made here."""
        table = getattr(self.profile, verifier)
        return self.profile.base.parameters if table.name == SAME else table.parameters

    def _base(self, stage: str, table: Any) -> Stage:
        profile = self.profile
        settings: dict[str, Any] = {"model": {key: getattr(table, key) for key in ("name", "revision", "licence")}}
        inputs, seconds = {}, 2.0
        if table.name == MADE:
            inputs["prepare"] = "seed0/prepare"
            foreign = isinstance(table, ForeignTable)
            settings |= self.form | {
                "tokenizer": "bpe" if foreign else profile.made.tokenizer,
                "vocabulary": table.vocabulary if foreign else profile.made.vocabulary,
                "shape": asdict(profile.shape),
                "warm_up": asdict(profile.warm_up),
                "seed": self.seed("base"),
            }
            seconds = 2 * self.cost(0).training(profile.made.steps * profile.made.batch)  # its sequences are longer
        elif models.here(table.name):
            settings["content"] = models.resolve(table.name, "")["fingerprint"]
        return Stage(stage, "empirical.summarization.steps:base", settings, inputs, seconds)


class _Repetition:
    """The stages of one seed."""

    def __init__(self, plan: _Plan, seed: int):
        self.plan, self.profile, self.number = plan, plan.profile, seed
        self.own = plan.cost(plan.profile.base.parameters)

    def stages(self) -> Iterator[Stage]:
        yield self._prepare()
        yield self._training(
            "generator", "train_generator", self.profile.schedule(self.profile.generator), self.plan.taught
        )
        for name in others(self.profile):
            yield self._verifier(name)
        yield from self._clean()
        yield from self._full()
        yield from self._generation()
        yield self._evaluation("generator", self.own)
        if self.profile.data.source == STORIES:
            settings = {"stemmer": self.profile.evaluation.stemmer, "words": WORDS}
            yield self._stage("gates", "gate", settings, 2.0, prepare="prepare", evaluated="evaluate-generator")
        for name in verifiers(self.profile):
            yield from self._scores(name)
            for rate in self.profile.selection.rates:
                yield from self._student(name, rate)
        for name in others(self.profile):
            yield self._evaluation(f"verifier-{name}", self.plan.cost(self.plan.parameters_of(name)))
        for noisy in self.profile.stories.curve:
            yield from _Noisy(self.plan, self.number, noisy).stages()

    @property
    def place(self) -> str:
        """Where its stages lie."""
        return f"seed{self.number}"

    def _stage(self, name: str, function: str, settings: dict[str, Any], seconds: float, **inputs: str) -> Stage:
        here = self.place
        own = lambda stage: stage if stage == "source" or stage.startswith("base") else f"{here}/{stage}"
        read = {role: own(stage) for role, stage in inputs.items()}
        return Stage(f"{here}/{name}", f"empirical.summarization.steps:{function}", settings, read, seconds)

    def _prepare(self) -> Stage:
        profile, plan = self.profile, self.plan
        data = profile.data
        settings: dict[str, Any] = {"labelled": data.labelled, "test": data.test, "share": profile.generator.share}
        settings |= {"seed": plan.entropy("data", self.number)}
        fresh = max(getattr(profile, name).fresh for name in OWN)
        if data.source == STORIES:
            settings |= {"recipe": asdict(profile.recipe), "fresh": fresh}
        elif fresh:
            settings["fresh"] = fresh
        return self._stage("prepare", "prepare", settings, 2.0 + plan.labelled * 2e-4, source="source")

    def _training(
        self, name: str, function: str, schedule: Schedule, examples: float, about: Any = None, **inputs: str
    ) -> Stage:
        """Fine-tuning of the base model."""
        settings = self.plan.form | {"schedule": learnt(schedule), "seed": self._seed(function)}
        if about is not None:
            settings["about"] = about
        seen = schedule.updates(round(examples)) * schedule.batch
        seconds = self.own.training(seen, bool(schedule.lora_rank))
        return self._stage(name, function, settings, seconds, base="base", prepare="prepare", **inputs)

    def _seed(self, function: str) -> int:
        return self.plan.seed("generator" if function in GENERATOR else "student", self.number)

    def _clean(self) -> Iterator[Stage]:
        """On shares of the generator's references, for as many steps as it."""
        schedule = self.profile.schedule(self.profile.generator)
        for share in self.profile.generator.curve:
            name, about = f"{CLEAN}{share:g}", {"share": share}
            yield self._training(name, "train_part", schedule, share * self.plan.taught, about)
            yield self._evaluation(name, self.own)

    def _full(self) -> Iterator[Stage]:
        """On all references: for as many steps as students, where these are equal; and for an epoch."""
        profile = self.profile
        if profile.retraining.steps:
            yield self._training("full", "train_full", profile.schedule(profile.retraining), self.plan.labelled)
            yield self._evaluation("full", self.own)
        epoch = profile.schedule(profile.generator, steps=0, epochs=1.0)
        yield self._training("full-epoch", "train_full", epoch, self.plan.labelled)
        yield self._evaluation("full-epoch", self.own)

    def _verifier(self, name: str) -> Stage:
        table: VerifierTable = getattr(self.profile, name)
        alone = table.name == MADE and self.profile.base.name != MADE  # from scratch: an adapter would not do
        schedule = self.profile.schedule(table, **({"lora_rank": 0} if alone else {}))
        settings = self.plan.form | {"schedule": learnt(schedule), "seed": self.plan.seed("verifier", self.number)}
        settings |= {"fresh": table.fresh, "verifier": name}
        seen = schedule.updates(table.fresh or self.plan.taught) * schedule.batch
        seconds = self.plan.cost(self.plan.parameters_of(name)).training(seen, bool(schedule.lora_rank))
        inputs = {"base": self.plan.base_of(name), "prepare": "prepare"}
        return self._stage(f"verifier-{name}", "train_verifier", settings, seconds, **inputs)

    def _generation(self) -> Iterator[Stage]:
        generation = self.profile.generation
        names = {f"part{part}": f"generate-part{part}" for part in range(generation.parts)}
        seconds = self.own.generation(self.plan.pool / generation.parts, generation.batch)
        for part, name in enumerate(names.values()):
            settings = self.plan.form | self.plan.decoding | {"batch": generation.batch}
            settings |= {"part": part, "parts": generation.parts}
            yield self._stage(name, "generate_part", settings, seconds, prepare="prepare", generator="generator")
        settings = {"stemmer": self.profile.evaluation.stemmer, "words": WORDS}
        yield self._stage("generate", "generate", settings, 1 + self.plan.pool * 3e-4, prepare="prepare", **names)

    def _scores(self, name: str) -> Iterator[Stage]:
        verifier = of(name)
        if verifier.score is None:
            yield from self._perplexities(verifier)
            return
        settings: dict[str, Any] = {"verifier": name, "kind": verifier.name}  # kind: for readers of a manifest
        if verifier.drawn:
            draw = int(name.removeprefix(verifier.name))
            settings["seed"] = self.plan.entropy("chance", self.number, draw)
        yield self._stage(f"score-{name}", "score", settings, 1.0, generate="generate")

    def _perplexities(self, verifier: Verifier) -> Iterator[Stage]:
        """A file of scores from the pieces."""
        generation, name = self.profile.generation, verifier.name
        cost = self.plan.cost(self.plan.parameters_of(name)) if verifier.own else self.own
        pieces = {}
        for part in range(generation.parts):
            settings = self.plan.form | self.plan.decoding | {"batch": generation.scoring_batch, "verifier": name}
            pieces[f"part{part}"] = f"score-{name}-part{part}"
            seconds = cost.scoring(self.plan.pool / generation.parts)
            inputs = {"prepare": "prepare", "model": verifier.model, "generated": f"generate-part{part}"}
            yield self._stage(pieces[f"part{part}"], "score_part", settings, seconds, **inputs)
        settings = {"verifier": name, "kind": "model"}
        yield self._stage(f"score-{name}", "score", settings, 1.0, **pieces)

    def _student(self, name: str, rate: float) -> Iterator[Stage]:
        selected, student = f"select-{name}-{rate:g}", f"retrain-{name}-{rate:g}"
        settings = {"verifier": name, "rate": rate}
        inputs = {"prepare": "prepare", "generate": "generate", "scores": f"score-{name}"}
        yield self._stage(selected, "select", settings, 1.0, **inputs)
        more = {"generate": "generate", "selected": selected}
        yield self._training(
            student, "retrain", self.profile.schedule(self.profile.retraining), rate * self.plan.pool, settings, **more
        )
        yield self._evaluation(student, self.own)

    def _evaluation(self, model: str, cost: Cost) -> Stage:
        generation = self.profile.generation
        settings = self.plan.form | self.plan.decoding | {"batch": generation.batch, "model": model}
        settings |= {"stemmer": self.profile.evaluation.stemmer, "words": WORDS}
        seconds = cost.generation(self.profile.data.test, generation.batch)
        return self._stage(f"evaluate-{model}", "evaluate", settings, seconds, prepare="prepare", model=model)


class _Noisy(_Repetition):
    """Finding 1 alone, with references as noisy as one wants: a generator, and its student on chance's choice.

    The same stories as in the repetition, with the same draws; of the pool only a part.
    """

    def __init__(self, plan: _Plan, seed: int, noisy: float):
        profile = plan.profile
        labelled = plan.taught + max(round(plan.pool * SHARE), 1)
        changed = replace(
            profile,
            stories=replace(profile.stories, noisy=noisy, curve=()),
            data=replace(profile.data, labelled=labelled),
            generator=replace(profile.generator, share=plan.taught / labelled),
            stronger=replace(profile.stronger, fresh=0),
            foreign=replace(profile.foreign, fresh=0),
            generation=replace(profile.generation, parts=1),
        )
        super().__init__(_Plan(changed, plan.device), seed)
        self.noisy = noisy

    @property
    def place(self) -> str:
        return place_of(self.number, self.noisy)

    def stages(self) -> Iterator[Stage]:
        yield self._prepare()
        schedule = self.profile.schedule(self.profile.generator)
        yield self._training("generator", "train_generator", schedule, self.plan.taught)
        yield from self._generation()
        yield self._evaluation("generator", self.own)
        yield from self._scores(CHANCE)
        yield from self._student(CHANCE, 1.0)
