"""Transformers on a GPU: beams, updates, profile of the eigenvalue experiment; a Llama's steps; preset debian-gpu."""

import dataclasses
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from gpu_jobs import Job, Row, timed

from empirical.eigenvalues import run as experiments
from empirical.eigenvalues.metric import correct
from empirical.eigenvalues.plan import architecture, stages
from empirical.eigenvalues.profile import Profile, load
from empirical.eigenvalues.steps import DISTANCES, _answers, build
from empirical.eigenvalues.training import Runtime, TimeIsOver, train
from empirical.stages.artefact import Stage
from empirical.stages.schedule import survey
from empirical.tensors import read_arrays
from empirical.threads import one_thread

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
UPDATES = 300
BLOCK, WRITTEN, MICRO, ROWS = 1024, 64, 2, 16
"""Of Llama: tokens of an example, tokens that are generated, examples of a step, and of a batch of generation."""
SHARING, REPORTING = 12, 10
"""Processes of the summarization experiment on one GPU, and seconds kept for its report."""


def machine(job: Job) -> Iterator[Row]:
    """What the numbers come from."""
    name = torch.cuda.get_device_name() if DEVICE == "cuda" else platform.machine()
    memory = torch.cuda.get_device_properties(0).total_memory / 1e9 if DEVICE == "cuda" else 0.0
    yield {
        "name": "machine",
        "device": name,
        "memory_GB": memory,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
    }


def beams(job: Job) -> Iterator[Row]:
    """Answers of an untrained model by beams of every width, in the batches of the experiment."""
    profile = _profile(job)
    settings = _settings(profile)
    model = build(settings, 0).to(DEVICE).eval()
    size = profile.problem.encodings[0].vocabulary
    for width in profile.evaluation.beams:
        count = 64 if job.toy else 2 * 65_535 // width
        matrices = np.random.default_rng(0).integers(1, size, (count, model.sizes.input_length), dtype=np.int16)
        answer = lambda m=matrices, w=width: _answers(model, m, settings | {"beams": w}, {"device": DEVICE})  # noqa: B023
        _, first = timed(answer, _wait)
        (tokens, scores), seconds = timed(answer, _wait)
        assert tokens.shape[:2] == (count, width)
        assert (np.diff(scores, axis=1) <= 0).all()
        yield {"name": f"beam {width}", "first_seconds": first, "seconds": seconds, "matrices/s": count / seconds}


def updates(job: Job) -> Iterator[Row]:
    """The same updates as they stand and recorded as a CUDA graph: seconds of one, and how far losses are apart."""
    profile = _profile(job)
    count = 20 if job.toy else UPDATES
    plan = dataclasses.replace(profile.schedule, steps=count)
    sizes, rng = architecture(profile), np.random.default_rng(0)
    tokens = [
        rng.integers(1, vocabulary, (5000, length), dtype=np.int16)
        for vocabulary, length in (sizes[:3:2], sizes[1:4:2])
    ]
    losses = []
    for record in (False, True) if DEVICE == "cuda" else (False,):
        marks: list[float] = []

        def mark(step: int, marks: list[float] = marks) -> None:
            if step in (count // 2, count):
                _wait()
                marks.append(time.perf_counter())

        runtime = Runtime(DEVICE, profile.training.precision == "bf16", record=record, on_step=mark)
        with tempfile.TemporaryDirectory() as folder, one_thread():
            found = train(build(_settings(profile), 0), *tokens, plan, 0, Path(folder), runtime)
        losses.append(found.losses)
        each = (marks[1] - marks[0]) / (count - count // 2)
        yield {
            "name": "updates as a CUDA graph" if record else "updates as they stand",
            "milliseconds": 1e3 * each,
            "examples/s": plan.batch / each,
            "last_loss": float(found.losses[-1]),
            "apart": float(np.abs(losses[0] - losses[-1]).max()),
        }


def experiment(job: Job) -> Iterator[Row]:
    """Profile gpu; rows are what is finished of it, with the accuracy in % within each tolerance."""
    profile, out = _profile(job), job.out / "eigenvalues"
    ahead = experiments.outlook(profile, out, "run", 1, DEVICE, insist=True)
    yield {"name": "ahead", "stages": len(ahead.missing), "estimated_seconds": ahead.seconds}
    over = ""
    try:
        again = "pstar eigenvalues run --profile gpu --out {folder}"
        experiments.run(ahead, out, again, _ending(job.until), print, until=job.until)
    except TimeIsOver as error:
        over = str(error)
    done, missing = survey(stages(profile, DEVICE), out)
    for name, artefact in done.items():
        if "/evaluate-" in name:
            away = read_arrays(artefact.folder / DISTANCES, "top", "best")
            row: Row = {"name": name}
            for which, kind in (("top", ""), ("best", "best ")):
                row |= {
                    f"{kind}{100 * t:g} %": 100 * float(correct(away[which], t).mean())
                    for t in profile.evaluation.tolerances
                }
            yield row
    yield {"name": "left", "stages": len(missing), "over": over or "no: the report is in eigenvalues/report.txt"}


def seven_billion(job: Job) -> Iterator[Row]:
    """Random weights of Llama 2 7B in bfloat16: an update of all of them, generation, scoring."""
    from summarization_speed import SHAPES
    from transformers import LlamaConfig, LlamaForCausalLM

    from empirical.summarization.encode import Encoder, Format
    from empirical.summarization.generate import generate
    from empirical.summarization.made import train_tokenizer
    from empirical.summarization.perplexity import score_rows

    shape, block, written = ("tiny", 64, 8) if job.toy else ("llama2-7b", BLOCK, WRITTEN)
    words = [f"w{number}" for number in range(SHAPES[shape]["vocab_size"] - 4)]
    tokenizer = train_tokenizer([" ".join([*words, "TL;DR"])], "word", 1_000_000)
    config = LlamaConfig(**SHAPES[shape], max_position_embeddings=4096)
    config.bos_token_id, config.eos_token_id = tokenizer.bos_token_id, tokenizer.eos_token_id
    torch.set_default_dtype(torch.bfloat16)
    with torch.device(DEVICE):
        model, made = timed(lambda: LlamaForCausalLM(config), _wait)
    torch.set_default_dtype(torch.float32)
    yield {"name": shape, "parameters": sum(p.numel() for p in model.parameters()), "seconds": made, **_peak()}

    first, seconds = _update(model, block)
    yield _speed("training, one step", first, seconds, MICRO * block)
    form, rng = Format(block, written, "", " TL;DR"), np.random.default_rng(0)
    encoder = Encoder(tokenizer, form)
    rows = pd.DataFrame({"id": [str(i) for i in range(ROWS)]})
    rows["text"] = [" ".join(rng.choice(words, block)) for _ in range(ROWS)]
    with tempfile.TemporaryDirectory() as folder:
        found, seconds = timed(lambda: generate(model, encoder, rows, Path(folder), batch=ROWS), _wait)
        yield _speed("generation, one batch", seconds, seconds, int(found["tokens"].sum()))
        _, seconds = timed(lambda: score_rows(model, encoder, rows, found, Path(folder), batch=ROWS), _wait)
        yield _speed("scoring, one batch", seconds, seconds, ROWS * block)


def _update(model: Any, block: int) -> tuple[float, float]:
    """Seconds of the first and of the second update of all weights; the optimiser's memory is given back."""
    model.train()
    model.gradient_checkpointing_enable()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    ids = torch.randint(10, model.config.vocab_size, (MICRO, block), device=DEVICE)

    def once() -> None:
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        optimiser.step()
        optimiser.zero_grad()

    seconds = timed(once, _wait)[1], timed(once, _wait)[1]
    model.gradient_checkpointing_disable()
    return seconds


def summaries(job: Job) -> Iterator[Row]:
    """Preset debian-gpu on a corpus that was carried along; the report is of the seeds that are whole in time.

    Some processes share the GPU, as each alone waits for Python most of the time.
    """
    from empirical.summarization import run as running

    profile, out = _summaries(job), job.out / "debian"
    again = "pstar summarization run --preset debian-gpu --corpus DIR --out {folder}"
    ahead = running.outlook(profile, out, "run", SHARING, DEVICE, insist=True)
    yield {"name": "ahead", "stages": len(ahead.missing), "estimated_seconds": ahead.seconds}
    over = ""
    try:
        running.run(ahead, profile, out, again, on_done=_ending(job.until - REPORTING))
    except TimeIsOver as error:
        over = str(error)
    left = len(survey(ahead.stages, out)[1])
    seeds = profile.run.seeds if not left else 0
    for fewer in range(profile.run.seeds, 0, -1) if left else ():
        part = dataclasses.replace(profile, run=dataclasses.replace(profile.run, seeds=fewer))
        ready = running.outlook(part, out, "run", 1, DEVICE, insist=True)
        if [stage.name for stage in ready.missing] == ["report"]:
            running.run(ready, part, out, again)
            seeds = fewer
            break
    report = (out / "report.txt").read_text() if seeds else "none: no seed is whole"
    yield {"name": "left", "stages": left, "over": over or "no", "seeds": seeds, "report": f"\n{report}"}


def _ending(until: float) -> Callable[[Stage], None]:
    """What is to be called after every stage, and ends a run whose time is over."""

    def on_done(stage: Stage) -> None:
        if time.monotonic() > until:
            raise TimeIsOver(f"time is over after {stage.name}; the same command continues")

    return on_done


def _profile(job: Job) -> Profile:
    """Profile gpu; for a toy its shape on small numbers."""
    profile = load("gpu")
    if not job.toy:
        return profile
    change = dataclasses.replace
    return change(
        profile,
        problem=change(profile.problem, size=2, input_step=1.0, output_step=4.0),
        model=change(profile.model, width=16, heads=2, encoder_layers=1),
        training=change(profile.training, generator_pairs=300, steps=20, batch=32, warm_up=5),
        selection=change(profile.selection, matrices=300, noisy=((1.0, 0.5),), label_beams=(5,), self_beam=5),
        evaluation=change(profile.evaluation, matrices=100, beams=(5, 10)),
    )


def _summaries(job: Job) -> Any:
    """Preset debian-gpu; for a toy its shape on made-up stories, with a base that is made here."""
    from empirical.summarization.profile import load as preset

    profile = preset("debian-gpu", corpus=job.corpus or None)
    if not job.toy:
        return profile
    change, few = dataclasses.replace, {"steps": 2, "warm_up": 1}
    return change(
        profile,
        data=change(profile.data, source="stories", labelled=40, test=8),
        base=change(profile.base, name="made"),
        made=change(profile.made, width=16, layers=1, heads=2, steps=2, batch=2),
        training=change(profile.training, batch=4, micro_batch=2, precision="float32"),
        generator=change(profile.generator, **few),
        retraining=change(profile.retraining, **few),
        stronger=change(profile.stronger, fresh=10, **few),
        foreign=change(profile.foreign, fresh=20, vocabulary=300, **few),
        generation=change(profile.generation, batch=8, scoring_batch=8, precision="float32"),
        run=change(profile.run, seeds=2),
    )


def _settings(profile: Profile) -> dict[str, Any]:
    """Those of the stages that make a model and let it answer."""
    encodings = [[e.name, e.reach, e.step] for e in profile.problem.encodings]
    about = {"architecture": architecture(profile)._asdict(), "waves": profile.model.waves, "encodings": encodings}
    return about | {"precision": profile.training.precision}


def _wait() -> None:
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def _speed(name: str, first: float, seconds: float, tokens: int) -> Row:
    return {"name": name, "first_seconds": first, "seconds": seconds, "tokens/s": tokens / seconds, **_peak()}


def _peak() -> Row:
    return {"peak_GB": torch.cuda.max_memory_allocated() / 1e9} if DEVICE == "cuda" else {}
