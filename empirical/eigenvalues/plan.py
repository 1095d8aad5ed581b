"""What a profile asks for: its students, and its stages with what each depends on."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any, NamedTuple

from empirical.eigenvalues.cost import Cost
from empirical.eigenvalues.model import Architecture
from empirical.eigenvalues.profile import Profile
from empirical.eigenvalues.vocabulary import VERBS
from empirical.stages.artefact import Stage

ROLES = {"data": 0, "generator": 1, "student": 2, "verifier": 3}
"""Streams of random numbers of a repetition. Students share theirs, so that they differ by their labels alone."""


class Student(NamedTuple):
    """What a retrained model is trained on."""

    name: str
    kind: str
    """As `steps.verify` knows it."""
    beams: int = 1
    phi: float = 1.0
    psi: float = 1.0
    first: int = 0
    """How many of the labels, those of the first matrices; 0: all."""


def students(profile: Profile) -> list[Student]:
    """Those of the table's rows, then the noisy verifiers of the p* experiment, then those of the curves.

    What says most comes first, for runs that end when their time is over.
    """
    selection = profile.selection
    rows = [Student("none", "none"), Student("data", "data", phi=1.0, psi=0.0)]
    closest = [Student(f"label-beam{beams}", "closest", beams) for beams in selection.label_beams]
    rows += [*closest[:1], Student("true", "true")]
    if selection.self_beam:
        rows.append(Student(f"likely-beam{selection.self_beam}", "likely", selection.self_beam))
    rows += closest[1:]
    rows += [noisy(phi, psi) for phi, psi in selection.noisy]
    rows += [some("true", count) for count in profile.curve.true]
    return rows + [some("none", count) for count in profile.curve.unverified]


def noisy(phi: float, psi: float) -> Student:
    """The student of a noisy verifier."""
    return Student(f"noisy-{phi:.12g}-{psi:.12g}", "data", 1, phi, psi)


def some(kind: str, count: int) -> Student:
    """The student of the first ``count`` labels, true ones or (kind none) greedy ones."""
    return Student(f"{kind}-{count}", kind, first=count)


def contrasts(steps: tuple[int, ...], otherwise: int) -> dict[str, int]:
    """Steps of each contrast by the prefix of its stages; ``otherwise`` stands for 0."""
    several = len(steps) > 1
    return {f"contrast{count or otherwise}-" if several else "contrast-": count or otherwise for count in steps}


def stages(profile: Profile, device: str = "cpu") -> list[Stage]:
    """All stages, inputs before what reads them; the report comes last."""
    found = [stage for seed in range(profile.run.seeds) for stage in _Repetition(profile, seed, device).stages()]
    read = [
        stage.name for stage in found if not stage.function.endswith((":train_generator", ":synthesize", ":retrain"))
    ]
    settings = {"profile": asdict(profile)}
    inputs = {name: name for name in read}
    return [*found, Stage("report", "empirical.eigenvalues.results:report", settings, inputs, 2.0)]


def targets(plan: list[Stage], verb: str) -> list[str]:
    """Names of the stages that a sub-command asks for."""
    return [stage.name for stage in plan if stage.function.endswith(f":{VERBS[verb]}")]


def architecture(profile: Profile) -> Architecture:
    """Sizes of the model."""
    matrix, vector = profile.problem.encodings
    size, model = profile.problem.size, profile.model
    return Architecture(
        input_vocabulary=matrix.vocabulary,
        output_vocabulary=vector.vocabulary,
        input_length=matrix.matrix_length(size),
        output_length=vector.vector_length(size),
        width=model.width,
        heads=model.heads,
        encoder_layers=model.encoder_layers,
        decoder_layers=model.decoder_layers,
        norm=model.norm,  # type: ignore[arg-type]
    )


class _Repetition:
    """The stages of one seed."""

    def __init__(self, profile: Profile, seed: int, device: str):
        self.profile, self.seed = profile, seed
        self.sizes = architecture(profile)
        self.cost = Cost(self.sizes, device)
        encodings = [[e.name, e.reach, e.step] for e in profile.problem.encodings]
        self.written = {"encodings": encodings, "size": profile.problem.size}
        self.model = {"precision": profile.training.precision, "architecture": self.sizes._asdict()}

    def stages(self) -> Iterator[Stage]:
        selection, evaluation = self.profile.selection, self.profile.evaluation
        yield self._data()
        yield self._generator("generator", self.profile)
        yield from self._contrast()  # here because it is long: what is long should not be last
        for beams in sorted({1, selection.self_beam or 1, *selection.label_beams}, reverse=True):
            yield self._synthesis("", beams)
        for beams in sorted({1, *evaluation.beams}):
            yield self._evaluation("generator", beams)
        for student in students(self.profile):
            yield self._verification("", student)
            yield self._student("", student, self.profile)
            yield self._evaluation(f"retrain-{student.name}", 1)

    def _contrast(self) -> Iterator[Stage]:
        """Other generators, each with its student without selection, where the profile asks for them."""
        contrast, training = self.profile.contrast, self.profile.training
        for prefix, steps in contrasts(contrast.steps, training.steps).items() if contrast.generator_pairs else ():
            changed = replace(training, generator_pairs=contrast.generator_pairs, steps=steps)
            other, none = replace(self.profile, training=changed), Student("none", "none")
            yield self._generator(f"{prefix}generator", other)
            yield self._synthesis(prefix, 1)
            yield self._verification(prefix, none)
            yield self._student(prefix, none, other)
            yield self._evaluation(f"{prefix}generator", 1)
            yield self._evaluation(f"{prefix}retrain-none", 1)

    def _stage(self, name: str, function: str, settings: dict[str, Any], seconds: float, **inputs: str) -> Stage:
        here = f"seed{self.seed}"
        read = {role: f"{here}/{source}" for role, source in inputs.items()}
        return Stage(f"{here}/{name}", f"empirical.eigenvalues.steps:{function}", settings, read, seconds)

    def _entropy(self, role: str) -> list[int]:
        return [self.profile.run.root_seed, self.seed, ROLES[role]]

    def _data(self) -> Stage:
        profile = self.profile
        counts = {
            "generator": profile.training.generator_pairs,
            "synthetic": profile.selection.matrices,
            "test": profile.evaluation.matrices,
        }
        settings = self.written | {
            "ensemble": profile.problem.ensemble._asdict(),
            "counts": counts,
            "seed": self._entropy("data"),
            "tolerances": list(profile.evaluation.tolerances),
        }
        return self._stage("data", "data", settings, sum(counts.values()) * self.sizes.input_length * 1e-7)

    def _training(self, profile: Profile, role: str) -> tuple[dict[str, Any], float]:
        training = profile.training
        settings = self.written | self.model | {"waves": profile.model.waves, "seed": self._entropy(role)}
        seconds = self.cost.training(training.steps, training.batch, profile.optimizer.muon is not None)
        schedule = {name: value for name, value in asdict(profile.schedule).items() if value is not None}
        return settings | {"schedule": schedule}, seconds

    def _generator(self, name: str, profile: Profile) -> Stage:
        settings, seconds = self._training(profile, "generator")
        pairs = {"pairs": profile.training.generator_pairs}
        return self._stage(name, "train_generator", settings | pairs, seconds, data="data")

    def _synthesis(self, prefix: str, beams: int) -> Stage:
        settings = {"beams": beams, "precision": self.profile.training.precision}
        seconds = self.cost.decoding(self.profile.selection.matrices, beams)
        name, generator = f"{prefix}synthesize-beam{beams}", f"{prefix}generator"
        return self._stage(name, "synthesize", settings, seconds, data="data", generator=generator)

    def _verification(self, prefix: str, student: Student) -> Stage:
        selection = self.profile.selection
        settings = self.written | {"kind": student.kind, "tolerance": selection.tolerance}
        inputs = {"data": "data"}
        if student.kind != "true":
            inputs["answers"] = f"{prefix}synthesize-beam{student.beams}"
        if student.first:
            settings |= {"first": student.first}
        if student.kind == "data":
            settings |= {"phi": student.phi, "psi": student.psi, "seed": self._entropy("verifier")}
        seconds = selection.matrices * student.beams * 1e-7
        return self._stage(f"{prefix}verify-{student.name}", "verify", settings, seconds, **inputs)

    def _student(self, prefix: str, student: Student, profile: Profile) -> Stage:
        settings, seconds = self._training(profile, "student")
        name, selected = f"{prefix}retrain-{student.name}", f"{prefix}verify-{student.name}"
        return self._stage(name, "retrain", settings, seconds, data="data", selected=selected)

    def _evaluation(self, model: str, beams: int) -> Stage:
        settings = self.written | {"beams": beams, "precision": self.profile.training.precision}
        seconds = self.cost.decoding(self.profile.evaluation.matrices, beams)
        name = f"evaluate-{model}-beam{beams}"
        return self._stage(name, "evaluate", settings, seconds, data="data", model=model)
