"""What a run is: strict TOML into frozen dataclasses, every fault at once. A file of your own changes a preset."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from empirical.summarization.encode import Format
from empirical.summarization.findings import MARGIN
from empirical.summarization.made import Shape, WarmUp
from empirical.summarization.schedule import Schedule
from empirical.summarization.stories import Recipe
from empirical.summarization.verifiers import OWN
from empirical.summarization.vocabulary import PRESETS
from sims.running.toml import ConfigError, Range, Tables, choices, flag, grid, read_tables, read_toml, single, text

FOLDER = Path(__file__).parent / "presets"
STORIES, MADE = "stories", "made"
"""Data and models that are made here: nothing is downloaded."""
SAME = "base"
"""The name of a verifier's model that is the base model again, trained longer or on more."""
FITTING = ("micro_batch", "gradient_checkpointing", "checkpoint_steps")
"""Keys of [training] that are no part of what a model is."""
NAMED = (("stories", "curve"), ("generator", "curve"), ("selection", "rates"))
"""Keys whose shares are in the names of stages."""
COUNT = Range(1, 100_000_000, integer=True)
MAYBE = Range(0, 100_000_000, integer=True)
SHARE = Range(0, 1, open_low=True)
POINTS = Range(0, 100, open_low=True)
MODEL = "a folder, a GGUF file or package, or a name on the hub; 'made': a small Llama made here"
VERIFIED_BY = f"{MODEL}; 'base': the base model again; empty: none"
REVISION = "commit of the hub's repository; empty for a folder"
LICENCE = "licence of the model, for the cards of what is made from it"


@dataclass(frozen=True, kw_only=True)
class DataTable:
    """[data]: articles with reference summaries."""

    source: str = text(
        "'stories' (made up here), a folder with train and test files, or a data set; empty: --corpus names a folder",
        default=STORIES,
    )
    revision: str = text("of a data set on the hub; resolved to a commit, which is recorded", default="")
    labelled: int = single(COUNT, "training articles with summaries, at most (per seed, of stories)", default=12_000)
    test: int = single(COUNT, "test articles, at most (per seed, of stories)", default=800)
    tokens: int = single(COUNT, "tokens of an article with its summary, for estimates of the work", default=40)


@dataclass(frozen=True, kw_only=True)
class StoriesTable:
    """[stories]: made-up data."""

    noisy: float = single(Range(0, 1), "share of references that are no summary of their article", default=0.25)
    second: float = single(Range(0, 1), "share of articles that hold a second story", default=0.6)
    curve: tuple[float, ...] = grid(
        Range(0, 1), "further shares of noisy references, at which finding 1 alone is looked at", default=()
    )


@dataclass(frozen=True, kw_only=True)
class BaseTable:
    """[base]: the pre-trained model, from which every training starts."""

    name: str = text(MODEL, default=MADE)
    revision: str = text(REVISION, default="")
    licence: str = text(LICENCE, default="")
    parameters: float = single(Range(0, 1e13), "for estimates where the model is not made here", default=0.0)


@dataclass(frozen=True, kw_only=True)
class MadeTable:
    """[made]: the model that plays the pre-trained one; its warm-up is copying spans of random tokens."""

    width: int = single(Range(2, 8192, integer=True), "model dimension, a multiple of heads", default=128)
    layers: int = single(Range(1, 100, integer=True), "layers", default=3)
    heads: int = single(Range(1, 128, integer=True), "attention heads", default=4)
    vocabulary: int = single(Range(10, 100_000, integer=True), "most words of its tokenizer", default=2000)
    tokenizer: str = choices(("word", "bpe"), "of its base model; real text wants bpe", default="word", many=False)
    steps: int = single(COUNT, "updates of the warm-up", default=300)
    batch: int = single(COUNT, "sequences per update", default=32)
    learning_rate: float = single(SHARE, "its peak", default=1.5e-3)

    @property
    def tokens(self) -> int:
        """About how many its tokenizer has: stories have some 600 words."""
        return self.vocabulary if self.tokenizer == "bpe" else min(600, self.vocabulary)


@dataclass(frozen=True, kw_only=True)
class FormatTable:
    """[format]: how article and summary are laid out, the same in training, generation and scoring."""

    block: int = single(Range(8, 1_000_000, integer=True), "most tokens of an example", default=1024)
    summary_tokens: int = single(Range(2, 100_000, integer=True), "tokens kept free for a summary", default=128)
    prefix: str = text("before the article", default="")
    separator: str = text("between article and summary", default="\nTL;DR:")


@dataclass(frozen=True, kw_only=True)
class TrainingTable:
    """[training]: what all trainings share."""

    batch: int = single(COUNT, "examples per update, over all processes", default=32)
    micro_batch: int = single(COUNT, "examples at a time in a process", default=1)
    weight_decay: float = single(Range(0, 10), "of AdamW", default=0.0)
    clip: float = single(Range(0, 1e6, open_low=True), "largest norm of a gradient", default=1.0)
    lora_rank: int = single(Range(0, 1024, integer=True), "0: all weights; else adapters of that rank", default=0)
    precision: str = choices(("float32", "bfloat16"), "of products", default="float32", many=False)
    gradient_checkpointing: bool = flag("compute activations twice, to save memory", default=False)
    checkpoint_steps: int = single(
        MAYBE, "updates between checkpoints; 0: none, a killed training begins again", default=0
    )


@dataclass(frozen=True, kw_only=True)
class RoleTable:
    """How long and how fast one kind of model is trained."""

    steps: int = single(MAYBE, "updates; 0: as many as `epochs` takes", default=0)
    epochs: float = single(Range(0, 1000, open_low=True), "passes over its examples, where steps = 0", default=1.0)
    learning_rate: float = single(SHARE, "its peak", default=5e-5)
    scheduler: str = choices(("cosine", "constant"), "of the learning rate after warm-up", default="cosine", many=False)
    warm_up: int = single(MAYBE, "updates of linear warm-up", default=0)


@dataclass(frozen=True, kw_only=True)
class GeneratorTable(RoleTable):
    """[generator]: and the model trained on one epoch of all references."""

    share: float = single(
        SHARE, "share of the labelled articles it is trained on; it summarizes the rest", default=0.25
    )
    curve: tuple[float, ...] = grid(
        SHARE, "shares of its own articles on which models are trained too, for a clean learning curve", default=()
    )


@dataclass(frozen=True, kw_only=True)
class RetrainingTable(RoleTable):
    """[retraining]: students, and with steps > 0 a model trained on all references for as many."""


@dataclass(frozen=True, kw_only=True)
class VerifierTable(RoleTable):
    """A model whose perplexity is a verifier."""

    name: str = text(VERIFIED_BY, default="")
    revision: str = text(REVISION, default="")
    licence: str = text(LICENCE, default="")
    parameters: float = single(Range(0, 1e13), "for estimates where the model is not made here", default=0.0)
    fresh: int = single(MAYBE, "fresh articles it is trained on; 0: the generator's articles", default=0)


@dataclass(frozen=True, kw_only=True)
class StrongerTable(VerifierTable):
    """[stronger]: the better model; made here, it is the base model's twin."""


@dataclass(frozen=True, kw_only=True)
class ForeignTable(VerifierTable):
    """[foreign]: a verifier of another family: its own tokenizer, and loss on the article too."""

    vocabulary: int = single(Range(300, 100_000, integer=True), "tokens of its tokenizer, if made here", default=600)
    style: str = choices(("summary", "everything"), "tokens that carry loss", default="everything", many=False)


@dataclass(frozen=True, kw_only=True)
class SelectionTable:
    """[selection]: how much of the generator's summaries is kept."""

    rates: tuple[float, ...] = grid(SHARE, "shares that are kept, one student each", default=(0.125, 0.25, 0.5))
    random_draws: int = single(Range(1, 100, integer=True), "random selections per seed", default=1)


@dataclass(frozen=True, kw_only=True)
class GenerationTable:
    """[generation]: greedy decoding and scoring."""

    batch: int = single(COUNT, "articles at a time", default=64)
    scoring_batch: int = single(COUNT, "summaries at a time", default=64)
    parts: int = single(Range(1, 10_000, integer=True), "pieces of the pool; --shard i/n takes every n-th", default=2)
    precision: str = choices(("float32", "bfloat16"), "of the models that answer", default="float32", many=False)


@dataclass(frozen=True, kw_only=True)
class EvaluationTable:
    """[evaluation]: ROUGE."""

    stemmer: bool = flag("Porter's stemmer; it moves ROUGE-1 of English by about a point", default=True)
    correct_at: float = single(SHARE, "ROUGE-1 from which a summary is called correct (threshold reading)", default=0.5)
    margin: float = single(POINTS, "points of ROUGE-1 within which two arms count as equal", default=MARGIN)
    spread: float = single(
        POINTS,
        "how two models differ from article to article (standard deviation), for what is said of power",
        default=25.0,
    )
    noise: float = single(POINTS, "how models differ from run to run (standard deviation), likewise", default=1.5)


@dataclass(frozen=True, kw_only=True)
class RunTable:
    """[run]: repetitions."""

    seeds: int = single(
        Range(1, 1000, integer=True), "repetitions of everything but a base model that is made here", default=3
    )
    root_seed: int = single(Range(0, 2**31 - 1, integer=True), "root of all random numbers", default=0)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A whole configuration. `load` and `parse` are the ways to make a checked one."""

    name: str
    data: DataTable
    stories: StoriesTable
    base: BaseTable
    made: MadeTable
    format: FormatTable
    training: TrainingTable
    generator: GeneratorTable
    retraining: RetrainingTable
    stronger: StrongerTable
    foreign: ForeignTable
    selection: SelectionTable
    generation: GenerationTable
    evaluation: EvaluationTable
    run: RunTable

    @property
    def layout(self) -> Format:
        """As the encoder takes it."""
        return Format(**asdict(self.format))

    @property
    def recipe(self) -> Recipe:
        """As stories take it."""
        return Recipe(self.stories.noisy, self.stories.second)

    @property
    def shape(self) -> Shape:
        """Of a model that is made here."""
        made = self.made
        return Shape(made.width, made.layers, made.heads, positions=self.format.block)

    @property
    def warm_up(self) -> WarmUp:
        """Of a model that is made here."""
        return WarmUp(self.made.steps, self.made.batch, self.made.learning_rate)

    @property
    def fitting(self) -> dict[str, Any]:
        """How a training is fitted into a machine; it changes no more than the order of sums."""
        return {name: getattr(self.training, name) for name in FITTING}

    def schedule(self, role: RoleTable, **changes: Any) -> Schedule:
        """How a model of one kind is trained."""
        values = asdict(self.training) | asdict(role) | changes
        return Schedule(**{name: values[name] for name in Schedule.__dataclass_fields__ if name in values})


KINDS: dict[str, type] = {name: kind for name, kind in Profile.__annotations__.items() if name != "name"}


def load(preset: str, changes: str | None = None, corpus: str | None = None, seeds: int | None = None) -> Profile:
    """A preset, with the keys that the file ``changes`` gives, and the folder of its data and its number of seeds.

    Raises:
        ConfigError: there is no such preset or file, it is not TOML, or it is refused; all faults are listed.
    """
    if preset not in PRESETS:
        raise ConfigError(
            f"--preset {preset}", [f"unknown; choose from {', '.join(PRESETS)}, and change it by --config"]
        )
    document = read_toml(FOLDER / f"{preset}.toml", preset, "")
    own = (
        {} if changes is None else read_toml(Path(changes), changes, f"; it holds what differs from --preset {preset}")
    )
    for table, key, value in (("data", "source", corpus), ("run", "seeds", seeds)):
        if value is not None and isinstance(own.setdefault(table, {}), dict):
            own[table][key] = value
    if not own:
        return parse(document, preset, preset)
    made_up = document.get("data", {}).get("source", STORIES) == STORIES
    if made_up and isinstance(own.get("data"), dict) and own["data"].get("source", STORIES) != STORIES:
        document.get("stories", {}).pop("curve", None)
        for role in OWN:
            document.get(role, {}).pop("fresh", None)  # there are more of stories than of anything else
    for table, values in own.items():
        if isinstance(values, dict):
            document[table] = _without(document.get(table, {}), values) | values
        else:
            document[table] = values
    return parse(document, preset if changes is None else f"{preset} with {changes}", changes or preset)


def _without(table: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A table without what its preset says of another model or other data than the one that is now named.

    The number of parameters stays, for estimates: a folder mostly holds the model that the preset names.
    """
    named = [key for key in ("name", "source") if key in changes and changes[key] != table.get(key)]
    return {key: value for key, value in table.items() if not (named and key in ("revision", "licence"))}


def parse(document: dict[str, Any], name: str = "profile", source: str = "profile") -> Profile:
    """Check a profile given as nested dictionaries (the content of a TOML file).

    Raises:
        ConfigError: with every fault at once.
    """
    return Profile(name=name, **read_tables(document, KINDS, source, _across))


def _across(read: Tables) -> list[str]:
    """Faults that only show across keys."""
    faults = []
    training, layout, made = read["training"], read["format"], read["made"]
    if training["batch"] % training["micro_batch"]:
        faults.append(
            f"training.micro_batch = {training['micro_batch']}: training.batch = {training['batch']} must be a "
            "multiple of it"
        )
    if layout["summary_tokens"] >= layout["block"]:
        faults.append(
            f"format.summary_tokens = {layout['summary_tokens']}: must be below format.block = {layout['block']}"
        )
    if made["width"] % made["heads"] or made["width"] // made["heads"] % 2:
        faults.append(f"made.width = {made['width']}: must be an even multiple of made.heads = {made['heads']}")
    for role in OWN:
        if role == "stronger" and read[role]["name"] == MADE and read["base"]["name"] != MADE:
            faults.append(f"{role}.name = 'made': beside base.name = {read['base']['name']!r}; name a model, or 'base'")
    for table, key in NAMED:
        if len({f"{share:g}" for share in read[table][key]}) < len(read[table][key]):
            faults.append(f"{table}.{key}: shares must differ in their first six digits, by which stages are named")
    if read["stories"]["curve"] and read["data"]["source"] != STORIES:
        faults.append("stories.curve: only references of stories are as noisy as one wants; leave it out")
    if read["run"]["seeds"] * read["selection"]["random_draws"] < 3:
        faults.append(
            f"selection.random_draws = {read['selection']['random_draws']}: with run.seeds = {read['run']['seeds']} "
            "there would be fewer than 3 random selections to compare with; raise one of the two"
        )
    if not faults:
        read["selection"]["rates"] = tuple(sorted(read["selection"]["rates"]))
    return faults
