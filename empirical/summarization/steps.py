"""The stages, as `empirical.stages` runs them: (settings, input folders by role, own folder, runtime)."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from empirical.summarization import card, corpus, folders, gates, results, rouge, selection
from empirical.summarization.append import write_table
from empirical.summarization.encode import Encoder, Format
from empirical.summarization.folders import Folders
from empirical.summarization.generate import counts
from empirical.summarization.generate import generate as summarize
from empirical.summarization.job import ABOUT, read_about
from empirical.summarization.made import Beginnings, Shape, WarmUp, learn, make_base, train_tokenizer
from empirical.summarization.models import load_model, load_tokenizer, resolve, save_model, write_reference
from empirical.summarization.perplexity import score_rows
from empirical.summarization.quantised import gguf_of
from empirical.summarization.quantised import load as load_gguf
from empirical.summarization.schedule import Schedule
from empirical.summarization.stories import Recipe, stories
from empirical.summarization.training import train
from empirical.summarization.verifiers import of
from empirical.threads import one_thread
from sims.running.files import write_json
from theory.errors import RunError

Settings = Mapping[str, Any]

FACTS, SOURCE = "facts.json", "source.json"


def source(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """Which data these are: a commit of the hub, or the content of own files."""
    about = corpus.resolve(settings["source"], settings["revision"])
    write_json(folder / SOURCE, about)
    data = {"name": about["source"], "revision": about["revision"], "licence": about["licence"]}
    card.write(folder, "Source of the articles", settings, inputs, {}, data=data)


def prepare(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """The corpus in its parts: generator, pool, test, and fresh stories for verifiers."""
    about, seed = json.loads((inputs["source"] / SOURCE).read_bytes()), settings["seed"]
    parts: dict[str, pd.DataFrame] = {}
    if about["source"] == "stories":
        recipe = Recipe(**settings["recipe"])
        made = {
            name: stories(settings[name], [*seed, number], recipe)
            for number, name in enumerate(("labelled", "test", "fresh"))
            if settings[name]
        }
        labelled = made.pop("labelled")
        parts |= made
    else:
        labelled, test = (corpus.read(about["source"], about["revision"], split) for split in ("train", "test"))
        parts["test"] = test.iloc[: settings["test"]]
        if settings.get("fresh"):
            parts["fresh"] = corpus.set_aside(labelled, settings["fresh"], settings["labelled"], seed)
    parts["generator"], parts["pool"] = corpus.divide(labelled, settings["share"], settings["labelled"], seed)
    for name, rows in parts.items():
        write_table(folder / f"{name}.parquet", rows)
    write_json(folder / FACTS, {"source": about, "corpus": corpus.facts(parts)})
    sizes = {name: len(rows) for name, rows in parts.items()}
    card.write(folder, "Articles with reference summaries", settings, inputs, sizes)


def base(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """A model to start from: one that is made here and warmed up on copying, or the address of another."""
    model = settings["model"]
    about: dict[str, Any] = {"name": model["name"], "revision": model["revision"], "licence": model["licence"]}
    facts: dict[str, Any]
    if model["name"] == "made":
        found, tokenizer, facts = _made(settings, inputs, runtime["device"])
        save_model(found, tokenizer, folder)
        about |= {"licence": "made by this program"}
    elif (file := gguf_of(model["name"])) is not None:
        found, tokenizer = load_gguf(file)
        save_model(found, tokenizer, folder)
        about |= resolve(model["name"], model["revision"])
        facts = {"fingerprint": about["fingerprint"], "weights": "dequantised from GGUF to float32 when loaded"}
        facts |= {"parameters": sum(p.numel() for p in found.parameters())}
    else:
        about |= resolve(model["name"], model["revision"])
        write_reference(folder, about["name"], about["revision"])
        facts = {"fingerprint": about.get("fingerprint", "")}
    card.write(folder, "Base model", settings, inputs, facts, model=about)


def _made(settings: Settings, inputs: Folders, device: str) -> tuple[Any, Any, dict[str, Any]]:
    """Model, tokenizer, and facts.

    It sees labelled articles of the first repetition; of their summaries only the tokenizer sees some.
    """
    form, updates, seed = Format(**settings["format"]), settings.get("beginnings", 0), settings["seed"]
    warm_up = WarmUp(**settings["warm_up"])
    articles, summaries = folders.labelled(inputs, "generator")
    pool = list(folders.rows(inputs, "pool", ["text"])["text"])
    texts = [form.prefix, form.separator, *articles, *summaries, *pool]
    tokenizer = train_tokenizer(texts, settings["tokenizer"], settings["vocabulary"])
    losses: dict[str, np.ndarray] = {}
    with one_thread():
        shape = Shape(**settings["shape"])
        model, losses["copy"] = make_base(tokenizer, form.separator, shape, warm_up, seed, device)
        if updates:
            beginnings = Beginnings(Encoder(tokenizer, form), [*articles, *pool], warm_up.batch, seed)
            losses["beginnings"] = learn(model, beginnings.batch, updates, warm_up.learning_rate)
    facts: dict[str, Any] = {}
    for task, values in losses.items():
        facts |= {f"{task} loss, first": float(values[0]), f"{task} loss, last": float(values[-50:].mean())}
    facts |= {"vocabulary": len(tokenizer), "parameters": sum(p.numel() for p in model.parameters())}
    return model, tokenizer, facts


def train_generator(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """The base model fine-tuned on its share of the labelled articles."""
    _fit("Generator", folders.labelled(inputs, "generator"), settings, inputs, folder, runtime)


def train_part(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """The base model fine-tuned on some of the generator's articles, for its clean learning curve."""
    rows = folders.rows(inputs, "generator", ["id", "text", "summary"])
    part = corpus.some(rows, settings["about"]["share"], [settings["seed"]])
    examples = part["text"].tolist(), part["summary"].tolist()
    _fit("Model trained on a part of the references", examples, settings, inputs, folder, runtime)


def train_full(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """The base model fine-tuned on all references."""
    articles, summaries = folders.labelled(inputs, "generator")
    more_articles, more_summaries = folders.labelled(inputs, "pool")
    examples = [*articles, *more_articles], [*summaries, *more_summaries]
    _fit("Model trained on all references", examples, settings, inputs, folder, runtime)


def train_verifier(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """A model whose perplexity will be a verifier: on fresh stories, or on the generator's articles."""
    fresh = settings["fresh"]
    articles, summaries = folders.labelled(inputs, "fresh" if fresh else "generator")
    examples = (articles[:fresh], summaries[:fresh]) if fresh else (articles, summaries)
    _fit(f"Verifier: the {settings['verifier']} model", examples, settings, inputs, folder, runtime)


def generate_part(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """The generator's greedy summaries of one piece of the pool."""
    rows = folders.piece(folders.rows(inputs, "pool", ["id", "text"]), settings["part"], settings["parts"])
    _summarize(settings, inputs["generator"], rows, folder, runtime)
    card.write(folder, "Summaries by the generator (a part)", settings, inputs, {"rows": len(rows)})


def generate(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """All summaries of the pool, and how good they are."""
    generated = folders.joined(inputs, "rows")
    pool = folders.rows(inputs, "pool", ["id", "summary"])
    write_table(folder / "rows.parquet", generated)
    found = rouge.scores(generated["generated"], pool["summary"], settings["stemmer"])
    write_table(folder / "rouge.parquet", pool[["id"]].assign(**found))
    facts = counts(generated) | {kind: float(values.mean()) for kind, values in found.items()}
    write_json(folder / FACTS, facts)
    card.write(folder, "Summaries of the pool by the generator", settings, inputs, facts)


def score_part(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """Scores by a model's perplexity of one piece of the summaries."""
    generated = pd.read_parquet(inputs["generated"] / "rows.parquet")
    model, encoder = _model(inputs["model"], settings, runtime)
    articles = folders.rows(inputs, "pool", ["id", "text"])
    with one_thread():
        score_rows(model, encoder, articles, generated, folder, batch=settings["batch"])
    facts = {"verifier": settings["verifier"], "rows": len(generated)}
    card.write(folder, "Scores of summaries (a part)", settings, inputs, facts)


def score(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """The scores of one verifier: its own, or a model's from their pieces."""
    own = of(settings["verifier"]).score
    scores = own(inputs["generate"], settings) if own else folders.joined(inputs, "scores")
    write_table(folder / "scores.parquet", scores)
    facts = {"verifier": settings["verifier"], "rows": len(scores), "without score": int(scores["score"].isna().sum())}
    card.write(folder, "Scores of summaries", settings, inputs, facts)


def select(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """The share of summaries that one verifier keeps; the rest stays in the file, with kept = false."""
    pool = folders.rows(inputs, "pool")
    generated = folders.aligned(inputs["generate"] / "rows.parquet", pool)
    quality = folders.aligned(inputs["generate"] / "rouge.parquet", pool)["rouge1"].to_numpy()
    scores = folders.aligned(inputs["scores"] / "scores.parquet", pool)["score"].to_numpy()
    scores = np.where(generated["empty"], np.nan, scores)  # nothing is no summary, whoever likes it
    flags = selection.kept(generated["id"], scores, settings["rate"])
    best = selection.kept(generated["id"], quality, settings["rate"])
    write_table(folder / "selection.parquet", generated[["id"]].assign(kept=flags, score=scores))
    part = generated[flags]
    facts = counts(part) | {
        "kept": len(part),
        "distinct": part["generated"].nunique(),
        "rouge1": float(quality[flags].mean()) if len(part) else None,
        "overlap_with_oracle": float(best[flags].mean()) if len(part) else None,
        "mean_length": float(part["tokens"].mean()) if len(part) else None,
        "noisy": float(pool["noisy"][flags].mean()) if "noisy" in pool and len(part) else None,
    }
    write_json(folder / FACTS, facts)
    about = {"verifier": settings["verifier"], "rate": settings["rate"]}
    card.write(folder, "What a verifier keeps", settings, inputs, about | facts)


def retrain(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """The base model fine-tuned afresh on the summaries that were kept."""
    pool = folders.rows(inputs, "pool", ["id", "text"])
    flags = folders.aligned(inputs["selected"] / "selection.parquet", pool)["kept"].to_numpy()
    articles = pool["text"][flags].tolist()
    summaries = folders.aligned(inputs["generate"] / "rows.parquet", pool)["generated"][flags].tolist()
    _fit("Model retrained on kept summaries", (articles, summaries), settings, inputs, folder, runtime)


def evaluate(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """Greedy summaries of the test articles and their ROUGE."""
    about = read_about(inputs["model"])
    test = folders.rows(inputs, "test", ["id", "text", "summary"])
    if about["failure"]:
        found = {kind: np.full(len(test), np.nan) for kind in rouge.KINDS}
        generated = test[["id"]].assign(generated="", capped=False, empty=True)
    else:
        generated = _summarize(settings, inputs["model"], test, folder, runtime)
        found = rouge.scores(generated["generated"], test["summary"], settings["stemmer"])
    table = generated[["id", "generated", "capped", "empty"]].assign(**found)
    write_table(folder / "evaluation.parquet", table)
    (folder / "rows.parquet").unlink(missing_ok=True)
    write_json(folder / ABOUT, about)
    facts = {kind: float(values.mean()) for kind, values in found.items()}
    facts |= {"stemmer": settings["stemmer"], "words": settings["words"]}
    card.write(folder, f"Test of {settings['model']}", settings, inputs, facts)


def gate(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """Whether made-up data are hard enough to show anything."""
    generated = pd.read_parquet(inputs["evaluated"] / "evaluation.parquet", columns=["id", "generated"])
    found = gates.gates(generated, folders.rows(inputs, "test"), folders.rows(inputs, "generator"), settings["stemmer"])
    write_json(folder / "gates.json", found)
    facts = {entry["gate"]: entry["value"] for entry in found}
    card.write(folder, "Whether made-up data are a fair test", settings, inputs, facts)


def report(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """Tables, report and the card of the whole."""
    results.report(settings, inputs, folder, runtime)
    facts = {"preset": settings["profile"]["name"], "report": "report.txt", "tables": "tables/*.csv"}
    card.write(folder, "What verification buys: summarization", settings, inputs, facts)


def _fit(
    title: str,
    examples: tuple[Sequence[str], Sequence[str]],
    settings: Settings,
    inputs: Folders,
    folder: Path,
    runtime: Settings,
) -> None:
    form, schedule = Format(**settings["format"]), Schedule(**settings["schedule"], **runtime["fitting"])
    with one_thread():
        train(inputs["base"], examples, form, schedule, settings["seed"], folder, runtime)
    about = read_about(folder)
    facts = {name: about.get(name) for name in ("examples", "steps", "failure")}
    card.write(folder, title, settings, inputs, facts | settings.get("about", {}))


def _model(where: Path, settings: Settings, runtime: Settings) -> tuple[Any, Encoder]:
    """A trained model, ready to answer, and its encoder. Raises RuntimeError for one that is of no use."""
    failure = read_about(where)["failure"]
    if failure:
        raise RunError(f"{where.name} is of no use: {failure}")
    encoder = Encoder(load_tokenizer(where), Format(**settings["format"]))
    return load_model(where, settings["precision"], runtime["device"]), encoder


def _summarize(settings: Settings, where: Path, rows: pd.DataFrame, folder: Path, runtime: Settings) -> pd.DataFrame:
    model, encoder = _model(where, settings, runtime)
    with one_thread():
        return summarize(model, encoder, rows, folder, batch=settings["batch"])
