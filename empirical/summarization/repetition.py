"""The stages of one seed, and what each depends on."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from empirical.stages.artefact import Stage
from empirical.summarization.beside import CLEAN
from empirical.summarization.cost import Cost
from empirical.summarization.profile import FITTING
from empirical.summarization.rouge import WORDS
from empirical.summarization.schedule import Schedule
from empirical.summarization.sections import MADE, STORIES, VerifierTable
from empirical.summarization.shared import Shared, others, verifiers
from empirical.summarization.verifiers import OWN, Verifier, of

GENERATOR = ("train_generator", "train_part")
"""Functions of trainings that share the generator's random numbers."""


def learnt(schedule: Schedule) -> dict[str, Any]:
    """A schedule without what only fits it into a machine."""
    return {name: value for name, value in asdict(schedule).items() if name not in FITTING}


class Repetition:
    """The stages of one seed."""

    def __init__(self, plan: Shared, seed: int):
        """Number ``seed``, from 0."""
        self.plan, self.profile, self.number = plan, plan.profile, seed
        self.own = plan.cost(plan.profile.base.parameters)

    def stages(self) -> Iterator[Stage]:
        """All of them, inputs first."""
        yield self.prepare()
        yield self.training(
            "generator", "train_generator", self.profile.schedule(self.profile.generator), self.plan.taught
        )
        for name in others(self.profile):
            yield self._verifier(name)
        yield from self._clean()
        yield from self._full()
        yield from self.generation()
        yield self.evaluation("generator", self.own)
        if self.profile.data.source == STORIES:
            settings = {"stemmer": self.profile.evaluation.stemmer, "words": WORDS}
            yield self._stage("gates", "gate", settings, 2.0, prepare="prepare", evaluated="evaluate-generator")
        for name in verifiers(self.profile):
            yield from self.scores(name)
            for rate in self.profile.selection.rates:
                yield from self.student(name, rate)
        for name in others(self.profile):
            yield self.evaluation(f"verifier-{name}", self.plan.cost(self.plan.parameters_of(name)))

    @property
    def place(self) -> str:
        """Where its stages lie."""
        return f"seed{self.number}"

    def _stage(self, name: str, function: str, settings: dict[str, Any], seconds: float, **inputs: str) -> Stage:
        here = self.place
        own = lambda stage: stage if stage == "source" or stage.startswith("base") else f"{here}/{stage}"
        read = {role: own(stage) for role, stage in inputs.items()}
        return Stage(f"{here}/{name}", f"empirical.summarization.steps:{function}", settings, read, seconds)

    def prepare(self) -> Stage:
        """Its articles."""
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

    def training(
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
            yield self.training(name, "train_part", schedule, share * self.plan.taught, about)
            yield self.evaluation(name, self.own)

    def _full(self) -> Iterator[Stage]:
        """On all references: for as many steps as students, where these are equal; and for an epoch."""
        profile = self.profile
        if profile.retraining.steps:
            yield self.training("full", "train_full", profile.schedule(profile.retraining), self.plan.labelled)
            yield self.evaluation("full", self.own)
        epoch = profile.schedule(profile.generator, steps=0, epochs=1.0)
        yield self.training("full-epoch", "train_full", epoch, self.plan.labelled)
        yield self.evaluation("full-epoch", self.own)

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

    def generation(self) -> Iterator[Stage]:
        """The generator's summaries of the pool, in pieces and together."""
        generation = self.profile.generation
        names = {f"part{part}": f"generate-part{part}" for part in range(generation.parts)}
        seconds = self.own.generation(self.plan.pool / generation.parts, generation.batch)
        for part, name in enumerate(names.values()):
            settings = self.plan.form | self.plan.decoding | {"batch": generation.batch}
            settings |= {"part": part, "parts": generation.parts}
            yield self._stage(name, "generate_part", settings, seconds, prepare="prepare", generator="generator")
        settings = {"stemmer": self.profile.evaluation.stemmer, "words": WORDS}
        yield self._stage("generate", "generate", settings, 1 + self.plan.pool * 3e-4, prepare="prepare", **names)

    def scores(self, name: str) -> Iterator[Stage]:
        """What a verifier says of each summary."""
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

    def student(self, name: str, rate: float) -> Iterator[Stage]:
        """What is kept, the model trained on it, and its evaluation."""
        selected, student = f"select-{name}-{rate:g}", f"retrain-{name}-{rate:g}"
        settings = {"verifier": name, "rate": rate}
        inputs = {"prepare": "prepare", "generate": "generate", "scores": f"score-{name}"}
        yield self._stage(selected, "select", settings, 1.0, **inputs)
        more = {"generate": "generate", "selected": selected}
        yield self.training(
            student, "retrain", self.profile.schedule(self.profile.retraining), rate * self.plan.pool, settings, **more
        )
        yield self.evaluation(student, self.own)

    def evaluation(self, model: str, cost: Cost) -> Stage:
        """ROUGE of a model's summaries of test articles."""
        generation = self.profile.generation
        settings = self.plan.form | self.plan.decoding | {"batch": generation.batch, "model": model}
        settings |= {"stemmer": self.profile.evaluation.stemmer, "words": WORDS}
        seconds = cost.generation(self.profile.data.test, generation.batch)
        return self._stage(f"evaluate-{model}", "evaluate", settings, seconds, prepare="prepare", model=model)
