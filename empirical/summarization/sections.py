"""The tables of a profile: each key with its range, what it means, and what it is where nothing is said."""

from dataclasses import dataclass

from empirical.summarization.findings import MARGIN
from sims.running.toml import Range, choices, flag, grid, single, text

STORIES, MADE = "stories", "made"
"""Data and models that are made here: nothing is downloaded."""
SAME = "base"
"""The name of a verifier's model that is the base model again, trained longer or on more."""
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
    """[made]: the model that plays the pre-trained one; it is warmed up on copying: random tokens, then real text."""

    width: int = single(Range(2, 8192, integer=True), "model dimension, a multiple of heads", default=128)
    layers: int = single(Range(1, 100, integer=True), "layers", default=3)
    heads: int = single(Range(1, 128, integer=True), "attention heads", default=4)
    vocabulary: int = single(Range(10, 100_000, integer=True), "most words of its tokenizer", default=2000)
    tokenizer: str = choices(("word", "bpe"), "of its base model; real text wants bpe", default="word", many=False)
    steps: int = single(COUNT, "updates on spans of random tokens", default=300)
    beginnings: int = single(MAYBE, "updates on the first words of the articles, after these", default=0)
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
