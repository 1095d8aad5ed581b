"""What a run is: strict TOML into frozen dataclasses, every fault at once. A file of your own changes a preset."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from empirical.summarization.encode import Format
from empirical.summarization.made import Shape, WarmUp
from empirical.summarization.schedule import Schedule
from empirical.summarization.sections import (
    MADE,
    STORIES,
    BaseTable,
    DataTable,
    EvaluationTable,
    ForeignTable,
    FormatTable,
    GenerationTable,
    GeneratorTable,
    MadeTable,
    RetrainingTable,
    RoleTable,
    RunTable,
    SelectionTable,
    StoriesTable,
    StrongerTable,
    TrainingTable,
)
from empirical.summarization.stories import Recipe
from empirical.summarization.verifiers import OWN
from empirical.summarization.vocabulary import PRESETS
from sims.running.toml import ConfigError, Tables, read_tables, read_toml

FOLDER = Path(__file__).parent / "presets"
FITTING = ("micro_batch", "gradient_checkpointing", "checkpoint_steps")
"""Keys of [training] that are no part of what a model is."""
NAMED = (("stories", "curve"), ("generator", "curve"), ("selection", "rates"))
"""Keys whose shares are in the names of stages."""


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
