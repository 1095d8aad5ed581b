"""The stages, as `empirical.stages` runs them: (settings, input folders by role, own folder, runtime)."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from empirical.eigenvalues import verifiers
from empirical.eigenvalues.data import Ensemble, eigenvalues, splits
from empirical.eigenvalues.decode import search
from empirical.eigenvalues.encodings import Encoding
from empirical.eigenvalues.metric import correct, distance
from empirical.eigenvalues.model import Architecture, Transformer
from empirical.eigenvalues.training import CHECKPOINT, Runtime, Schedule, train
from empirical.seeds import stream, word
from empirical.tensors import intact, read_arrays, read_tensors, write_arrays, write_tensors
from empirical.threads import one_thread
from sims.running.files import write_json
from sims.running.machine import cores
from theory.errors import RunError

Settings = Mapping[str, Any]
Folders = Mapping[str, Path]

DATA, MODEL, LABELS, LOSSES = "data.safetensors", "model.safetensors", "labels.safetensors", "losses.safetensors"
ANSWERS, DISTANCES, ABOUT, FACTS = "answers", "distances.safetensors", "model.json", "facts.json"
CHUNK = 65_536
"""Matrices per file of answers, which is what a killed stage loses at most; and encoded at a time."""
AT_ONCE = {"cpu": (1024, 1024), "cuda": (65_535, 8192)}
"""How many beams are decoded, and how many matrices encoded, at a time: what fits the cache, or a large GPU.

Attention on a GPU has a row of its grid for each beam, and a grid has no more than 65,535."""
BACKENDS = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
"""Of attention on a GPU in decoding. cuDNN, left out, would plan anew for every length and every number of rows."""
COMPARED = 262_144
"""Answers compared with the truth at a time."""


def data(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """Tokens of disjoint sets of matrices and of their true eigenvalues: generator, synthetic, test."""
    ensemble = Ensemble(**settings["ensemble"])
    write, answer = _encodings(settings)
    arrays: dict[str, np.ndarray] = {}
    exact: dict[str, np.ndarray] = {}
    for name, matrices in splits(ensemble, settings["counts"], settings["seed"]).items():
        exact[name] = eigenvalues(matrices)
        parts = [slice(start, start + CHUNK) for start in range(0, len(matrices), CHUNK)]  # encoding takes much memory
        arrays[f"{name}.inputs"] = np.concatenate([write.write_matrices(matrices[part]) for part in parts])
        arrays[f"{name}.labels"] = answer.write_vectors(exact[name])
    rounding = distance(answer.read_vectors(arrays["test.labels"], ensemble.size), exact["test"])
    facts = {"rounding": {f"{t:g}": float(correct(rounding, t).mean()) for t in settings["tolerances"]}}
    write_arrays(folder / DATA, arrays)
    write_json(folder / FACTS, facts)


def train_generator(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """A model trained on the first ``pairs`` matrices with their true labels."""
    arrays = read_arrays(inputs["data"] / DATA, "generator.inputs", "generator.labels")
    pairs = settings["pairs"]
    _fit(settings, arrays["generator.inputs"][:pairs], arrays["generator.labels"][:pairs], folder, runtime)


def retrain(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """A student trained from scratch on what a verifier left."""
    matrices = read_arrays(inputs["data"] / DATA, "synthetic.inputs")["synthetic.inputs"]
    selected = read_arrays(inputs["selected"] / LABELS)
    kept = selected["kept"].astype(bool)
    _fit(settings, matrices[kept], selected["labels"][kept], folder, runtime)


def synthesize(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """The generator's answers to the synthetic matrices, by a beam of width ``beams`` (1: greedy)."""
    model, about = load(inputs["generator"], runtime)
    if about["failure"]:
        raise RunError(f"the generator is of no use: {about['failure']}")
    matrices = read_arrays(inputs["data"] / DATA, "synthetic.inputs")["synthetic.inputs"]
    (folder / ANSWERS).mkdir(exist_ok=True)
    for number, start in enumerate(range(0, len(matrices), CHUNK)):
        path = folder / ANSWERS / f"{number:05d}.safetensors"
        if not intact(path):
            tokens, scores = _answers(model, matrices[start : start + CHUNK], settings, runtime)
            write_arrays(path, {"tokens": tokens, "scores": scores})


def verify(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """Which label each synthetic matrix gets, and whether it is kept: ``kind`` of selection.

    kind: none, data (noisy verifier of rates phi and psi), closest (of the beam), likely (most likely of the beam),
    true (the control). ``first``: of so many matrices only. ``correct`` says which labels lie within the tolerance.
    """
    true = read_arrays(inputs["data"] / DATA, "synthetic.labels")["synthetic.labels"]
    kind, tolerance = settings["kind"], settings["tolerance"]
    _, answer = _encodings(settings)
    targets = answer.read_vectors(true, settings["size"])
    if kind == "true":
        labels = true
    else:
        labels = np.concatenate(list(_chosen(kind, inputs["answers"], targets, answer, runtime.get("device", "cpu"))))
    good = correct(distance(answer.read_vectors(labels, settings["size"]), targets), tolerance)
    kept = np.ones(len(labels), bool)
    if kind == "data":
        rng = stream(settings["seed"])
        kept = verifiers.noisy(good, settings["phi"], settings["psi"], rng)
    kept[settings.get("first", len(kept)) :] = False
    arrays = {"labels": labels, "kept": kept.astype(np.uint8), "correct": good.astype(np.uint8)}
    write_arrays(folder / LABELS, arrays)


def _chosen(kind: str, answers: Path, targets: np.ndarray, answer: Encoding, device: str) -> Iterator[np.ndarray]:
    """The label of every matrix that has answers, file by file."""
    start = 0
    for path in sorted((answers / ANSWERS).iterdir()):
        beams = read_arrays(path)
        tokens = beams["tokens"]
        part = targets[start : start + len(tokens)]
        start += len(tokens)
        choice = np.zeros(len(tokens), np.int64)
        if kind == "closest":
            choice = verifiers.closest(_distances(tokens, part, answer, device))
        elif kind == "likely":
            choice = verifiers.most_likely(beams["scores"])
        yield tokens[np.arange(len(tokens)), choice]


def evaluate(settings: Settings, inputs: Folders, folder: Path, runtime: Settings) -> None:
    """Distance of every test answer from the truth: of the likeliest, and of the best of a beam of width ``beams``."""
    model, about = load(inputs["model"], runtime)
    arrays = read_arrays(inputs["data"] / DATA, "test.inputs", "test.labels")
    count = len(arrays["test.inputs"])
    if about["failure"]:
        found = {name: np.full(count, np.nan) for name in ("top", "best", "score")}
    else:
        _, answer = _encodings(settings)
        tokens, scores = _answers(model, arrays["test.inputs"], settings, runtime)
        targets = answer.read_vectors(arrays["test.labels"], settings["size"])
        away = _distances(tokens, targets, answer, runtime["device"])
        found = {"top": away[:, 0], "best": away.min(1), "score": scores[:, 0]}
    write_arrays(folder / DISTANCES, found)
    write_json(folder / ABOUT, about)


def build(settings: Settings, seed: int) -> Transformer:
    """An untrained model. Tokens of a grid may start from sines and cosines of their value."""
    torch.manual_seed(seed)
    model = Transformer(Architecture(**settings["architecture"]))
    if settings["waves"]:
        longest = 2.2 * settings["encodings"][1][1]
        tables = (model.input_table, model.output_table)
        for table, fields, per_step in zip(tables, settings["encodings"], (6, 3), strict=True):
            encoding = Encoding(*fields)
            if encoding.name == "grid":
                waves = _waves(encoding.values()[1:], table.embedding_dim, longest, per_step * encoding.step)
                table.weight.data[1:] = torch.from_numpy(settings["waves"] * waves).float()
    return model


def _waves(values: np.ndarray, width: int, longest: float, shortest: float) -> np.ndarray:
    """Sines and cosines of values (k,) at wavelengths in geometric progression, (k, width)."""
    angle = 2 * np.pi * values[:, None] / np.geomspace(longest, shortest, -(-width // 2))
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)[:, :width]


def load(folder: Path, runtime: Settings) -> tuple[Transformer, dict[str, Any]]:
    """A trained model, ready to answer, and how it was made; ``failure`` there says why it is of no use, if so."""
    tensors, about = read_tensors(folder / MODEL)
    model = Transformer(Architecture(**about["architecture"]))
    model.load_state_dict(tensors)
    return model.to(runtime["device"]).eval(), about


def _fit(settings: Settings, matrices: np.ndarray, labels: np.ndarray, folder: Path, runtime: Settings) -> None:
    seed = word(settings["seed"])
    model = build(settings, seed)
    where = Runtime(
        device=runtime["device"],
        bf16=settings["precision"] == "bf16",
        compile=runtime.get("compile", False),
        record=runtime.get("record", False),
        until=runtime.get("until", np.inf),
        checkpoint_seconds=runtime.get("checkpoint_seconds", 60.0),
    )
    with one_thread():
        trained = train(model, matrices, labels, Schedule.of(settings["schedule"]), seed, folder, where)
    write_arrays(folder / LOSSES, {"losses": trained.losses})
    about = {"architecture": settings["architecture"], "failure": trained.failure}
    about |= {"examples": len(matrices), "steps": settings["schedule"]["steps"]}
    write_tensors(folder / MODEL, model.state_dict(), about)
    (folder / CHECKPOINT).unlink(missing_ok=True)


def _answers(
    model: Transformer, matrices: np.ndarray, settings: Settings, runtime: Settings
) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (count, beams, length) and scores (count, beams), most likely first."""
    device, beams = torch.device(runtime["device"]), settings["beams"]
    most_beams, most_matrices = AT_ONCE[device.type]
    rows = max(min(most_beams // beams, most_matrices), 1)
    tokens, scores = [], []
    kernels = sdpa_kernel(BACKENDS) if device.type == "cuda" else nullcontext()
    with one_thread(), kernels, torch.autocast(device.type, torch.bfloat16, enabled=settings["precision"] == "bf16"):
        for start in range(0, len(matrices), rows):
            found = search(model, torch.from_numpy(matrices[start : start + rows]).to(device).long(), beams)
            tokens.append(found.tokens.to("cpu", torch.int16).numpy())
            scores.append(found.scores.cpu().numpy())
    return np.concatenate(tokens), np.concatenate(scores)


def _distances(tokens: np.ndarray, targets: np.ndarray, answer: Encoding, device: str = "cpu") -> np.ndarray:
    """d1 (count, beams) of answers (count, beams, length) from targets (count, n).

    On all cores where a GPU would wait for it; elsewhere there is a worker on each.
    """
    rows = max(COMPARED // tokens.shape[1], 1)
    parts = [slice(start, start + rows) for start in range(0, len(tokens), rows)]
    size = targets.shape[-1]
    with ThreadPoolExecutor(cores() if device == "cuda" else 1) as crew:
        found = crew.map(lambda p: distance(answer.read_vectors(tokens[p], size), targets[p, None]), parts)
        return np.concatenate(list(found))


def _encodings(settings: Settings) -> tuple[Encoding, Encoding]:
    written, answered = settings["encodings"]
    return Encoding(*written), Encoding(*answered)
