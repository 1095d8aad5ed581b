"""What all repetitions of a profile share: its verifiers, base models, random numbers and costs."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from empirical.seeds import word
from empirical.stages.artefact import Stage
from empirical.summarization import corpus, models
from empirical.summarization.cost import Cost
from empirical.summarization.profile import Profile
from empirical.summarization.sections import MADE, SAME, STORIES, ForeignTable
from empirical.summarization.verifiers import OWN, VERIFIERS

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


class Shared:
    """What all repetitions share."""

    def __init__(self, profile: Profile, device: str):
        """Of a profile, for estimates on a device."""
        self.profile, self.device = profile, device
        self.form = {"format": asdict(profile.format)}
        self.decoding = {"precision": profile.generation.precision}
        self.labelled = profile.data.labelled
        self.taught = round(self.labelled * profile.generator.share)
        self.pool = self.labelled - self.taught

    def entropy(self, role: str, *more: int) -> list[int]:
        """What random numbers of a role are made from."""
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
            made = profile.made
            seconds = 2 * self.cost(0).training(made.steps * made.batch)  # stories are shorter than its sequences
            if made.beginnings:
                settings["beginnings"] = made.beginnings
                seconds += self.cost(0).training(made.beginnings * made.batch)
        elif models.here(table.name):
            settings["content"] = models.resolve(table.name, "")["fingerprint"]
        return Stage(stage, "empirical.summarization.steps:base", settings, inputs, seconds)
