"""Profiles: strict TOML into frozen dataclasses, every fault reported at once. `SHIPPED` names those that are there."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from empirical.eigenvalues.data import Ensemble, room
from empirical.eigenvalues.encodings import NAMES, Encoding, Name
from empirical.eigenvalues.muon import Muon
from empirical.eigenvalues.training import Schedule
from sims.running.toml import Range, choices, grid, pairs, read_tables, read_toml, shown, single
from theory.decimals import typed

SHIPPED = ("quick", "tiny", "crossing", "long", "gpu", "paper")
COUNT = Range(1, 100_000_000, integer=True)
MOST_TOKENS = 32_767  # tokens are stored as 16-bit integers
SHARE = Range(0, 1, open_low=True)
POSITIVE = Range(0, 1e6, open_low=True)
BEAM = Range(1, 1000, integer=True)


@dataclass(frozen=True, kw_only=True)
class ProblemTable:
    """[problem]: the matrices and how they are written."""

    size: int = single(Range(2, 20, integer=True), "n of n x n", default=5)
    entries: str = choices(("uniform", "gaussian"), "distribution of the entries", default="uniform", many=False)
    bound: float = single(POSITIVE, "uniform entries lie in [-bound, bound]; Gaussian have that variance", default=10.0)
    input: str = choices(NAMES, "encoding of matrices", default="P1000", many=False)
    input_step: float = single(POSITIVE, "spacing of the grid, input = 'grid'", default=0.1)
    output: str = choices(NAMES, "encoding of eigenvalues", default="P1000", many=False)
    output_step: float = single(POSITIVE, "spacing of the grid, output = 'grid'", default=0.5)

    @property
    def ensemble(self) -> Ensemble:
        """Where matrices come from."""
        step = self.input_step if self.input == "grid" else None
        return Ensemble(self.size, self.entries, self.bound, step)  # type: ignore[arg-type]

    @property
    def encodings(self) -> tuple[Encoding, Encoding]:
        """Of matrices, and of eigenvalues, which are no larger than size * bound."""
        return self._encoding(self.input, self.bound, self.input_step), self._encoding(
            self.output, self.size * self.bound, self.output_step
        )

    @staticmethod
    def _encoding(name: Name | str, reach: float, step: float) -> Encoding:
        return Encoding(name, reach, step) if name == "grid" else Encoding(name)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class ModelTable:
    """[model]: the transformer, the same for generator and students."""

    width: int = single(Range(2, 8192, integer=True), "model dimension, a multiple of heads", default=512)
    heads: int = single(Range(1, 128, integer=True), "attention heads", default=8)
    encoder_layers: int = single(Range(1, 48, integer=True), "layers of the encoder", default=6)
    decoder_layers: int = single(Range(1, 48, integer=True), "layers of the decoder", default=1)
    norm: str = choices(("pre", "post"), "where layers are normalised", default="post", many=False)
    waves: float = single(
        Range(0, 100),
        "amplitude of the sines and cosines of its value that a grid token's embedding starts from; 0: random",
        default=0.0,
    )


@dataclass(frozen=True, kw_only=True)
class TrainingTable:
    """[training]: the same for generator and students, steps included."""

    generator_pairs: int = single(COUNT, "matrices with true labels that the generator is trained on", default=200_000)
    steps: int = single(COUNT, "updates of every model", default=15_625)
    batch: int = single(Range(1, 1_000_000, integer=True), "examples per update", default=512)
    learning_rate: float = single(SHARE, "reached after warm_up steps", default=3e-4)
    warm_up: int = single(Range(0, 1_000_000, integer=True), "steps of linear warm-up", default=1000)
    final_share: float = single(
        Range(0, 1), "the learning rate falls to this share of it, by a half cosine", default=1.0
    )
    weight_decay: float = single(Range(0, 10), "of AdamW", default=0.0)
    clip: float = single(POSITIVE, "largest norm of a gradient", default=5.0)
    precision: str = choices(("fp32", "bf16"), "of products in training and decoding", default="fp32", many=False)


@dataclass(frozen=True, kw_only=True)
class OptimizerTable:
    """[optimizer]: what moves the matrices of the layers. Tables, norms and biases are AdamW's, as [training] says."""

    matrices: str = choices(("adamw", "muon"), "what moves the matrices of the layers", default="adamw", many=False)
    learning_rate: float = single(SHARE, "of Muon, reached after training.warm_up steps", default=0.02)
    momentum: float = single(Range(0, 0.9999), "of Muon", default=0.95)
    weight_decay: float = single(Range(0, 10), "of Muon", default=0.01)

    @property
    def muon(self) -> Muon | None:
        """As training takes it."""
        return Muon(self.learning_rate, self.momentum, self.weight_decay) if self.matrices == "muon" else None


@dataclass(frozen=True, kw_only=True)
class SelectionTable:
    """[selection]: what the generator labels, and what verifiers make of it."""

    matrices: int = single(COUNT, "fresh matrices that the generator labels", default=1_000_000)
    tolerance: float = single(SHARE, "a label is correct when its relative distance d1 is below this", default=0.02)
    noisy: tuple[tuple[float, float], ...] = pairs("[P(kept | correct), P(kept | wrong)], one student each")
    label_beams: tuple[int, ...] = grid(
        BEAM, "widths of which the closest answer is trained on, one student each", default=()
    )
    self_beam: int = single(
        Range(0, BEAM.high, integer=True), "width of which the most likely answer is trained on; 0: none", default=5
    )
    published_beam: int = single(BEAM, "published width that stands beside the widest of label_beams", default=50)


@dataclass(frozen=True, kw_only=True)
class EvaluationTable:
    """[evaluation]: fresh matrices, true labels."""

    matrices: int = single(COUNT, "test matrices per seed", default=100_000)
    tolerances: tuple[float, ...] = grid(SHARE, "columns of the table", default=(0.05, 0.02, 0.01, 0.005))
    beams: tuple[int, ...] = grid(BEAM, "widths that the generator's answers are looked at with", default=())


@dataclass(frozen=True, kw_only=True)
class ContrastTable:
    """[contrast]: other generators and their students without selection, to show what collapse hangs on."""

    generator_pairs: int = single(Range(0, COUNT.high, integer=True), "their pairs; 0: no contrast", default=0)
    steps: tuple[int, ...] = grid(
        Range(0, COUNT.high, integer=True),
        "their steps, one pair of models each; 0: training.steps",
        default=(0,),
    )


@dataclass(frozen=True, kw_only=True)
class CurveTable:
    """[curve]: students by the number of their labels, to be read beside theories."""

    true: tuple[int, ...] = grid(COUNT, "numbers of true labels, one student each: the clean curve", default=())
    unverified: tuple[int, ...] = grid(COUNT, "numbers of greedy labels, all kept, one student each", default=())


@dataclass(frozen=True, kw_only=True)
class RunTable:
    """[run]: repetitions."""

    seeds: int = single(Range(1, 1000, integer=True), "independent repetitions of everything", default=3)
    root_seed: int = single(Range(0, 2**31 - 1, integer=True), "root of all random numbers", default=0)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A whole profile. `load` and `parse` are the ways to make a checked one."""

    name: str
    problem: ProblemTable
    model: ModelTable
    training: TrainingTable
    optimizer: OptimizerTable
    selection: SelectionTable
    evaluation: EvaluationTable
    contrast: ContrastTable
    curve: CurveTable
    run: RunTable

    @property
    def schedule(self) -> Schedule:
        """As training takes it."""
        values = asdict(self.training) | {"muon": self.optimizer.muon}
        return Schedule(**{name: values[name] for name in Schedule.__dataclass_fields__})


TABLES: dict[str, type] = {"problem": ProblemTable, "model": ModelTable, "training": TrainingTable}
TABLES |= {"optimizer": OptimizerTable, "selection": SelectionTable, "evaluation": EvaluationTable}
TABLES |= {"contrast": ContrastTable, "curve": CurveTable, "run": RunTable}


def load(profile: str) -> Profile:
    """A shipped profile by name, or a file.

    Raises:
        ConfigError: there is none, it is not TOML, or it is refused; all faults are listed.
    """
    shipped = Path(__file__).parent / "profiles"
    path = shipped / f"{profile}.toml" if profile in SHIPPED else Path(profile)
    remedy = f", and no profile ({', '.join(SHIPPED)}); {shipped}/quick.toml is one to start from"
    return parse(read_toml(path, profile, remedy), profile, profile)


def parse(document: dict[str, Any], name: str = "profile", source: str = "profile") -> Profile:
    """Check a profile given as nested dictionaries (the content of a TOML file).

    Raises:
        ConfigError: with every fault at once.
    """
    return Profile(name=name, **read_tables(document, TABLES, source, _cross_faults))


def _cross_faults(read: dict[str, dict[str, Any]]) -> list[str]:
    """Faults that only show across keys."""
    faults = []
    problem, model, training, selection = read["problem"], read["model"], read["training"], read["selection"]
    if model["width"] % model["heads"]:
        faults.append(f"model.width = {model['width']}: must be a multiple of model.heads = {model['heads']}")
    if problem["input"] == "grid" and problem["entries"] != "uniform":
        faults.append("problem.entries = 'gaussian': entries on a grid are uniform; choose another problem.input")
    if problem["output"] == "grid" and problem["entries"] != "uniform":
        faults.append("problem.entries = 'gaussian': eigenvalues may leave the grid; choose another problem.output")
    if model["waves"] and "grid" not in (problem["input"], problem["output"]):
        faults.append(f"model.waves = {typed(model['waves'])}: only tokens of a grid have a value; set it to 0")
    table = ProblemTable(**problem)
    wanted = training["generator_pairs"] + selection["matrices"] + read["evaluation"]["matrices"]
    if wanted > room(table.ensemble):
        faults.append(
            f"training.generator_pairs, selection.matrices, evaluation.matrices: {wanted} different matrices, but at "
            f"most {room(table.ensemble)} are taken from this grid; lower them, or problem.input_step"
        )
    for side, encoding in zip(("input", "output"), table.encodings, strict=True):
        if encoding.vocabulary > MOST_TOKENS:
            faults.append(
                f"problem.{side}_step = {typed(problem[f'{side}_step'])}: the grid would have {encoding.vocabulary} "
                f"tokens, at most {MOST_TOKENS}; raise it, or lower problem.bound"
            )
    if read["contrast"]["generator_pairs"] > training["generator_pairs"]:
        faults.append(
            f"contrast.generator_pairs = {read['contrast']['generator_pairs']}: more than training.generator_pairs = "
            f"{training['generator_pairs']}, from which they are taken"
        )
    for name, counts in read["curve"].items():
        faults += [
            f"curve.{name} = {count}: more than selection.matrices = {selection['matrices']}, from which they are taken"
            for count in counts
            if count > selection["matrices"]
        ]
    selection["noisy"] = selection["noisy"] or ()
    for index, rates in enumerate(selection["noisy"]):
        if any(
            isinstance(rate, bool) or not isinstance(rate, int | float) or rate not in Range(0, 1) for rate in rates
        ):
            faults.append(f"selection.noisy[{index}] = {shown(rates)}: both must be numbers in [0, 1]: (phi, psi)")
        elif not any(rates):
            faults.append(f"selection.noisy[{index}] = {shown(rates)}: nothing would be kept; raise one of the rates")
    if not faults:
        selection["noisy"] = tuple(dict.fromkeys(selection["noisy"]))
    return faults
