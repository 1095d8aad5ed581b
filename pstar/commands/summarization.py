"""`pstar summarization`: the experiment with language models that summarize news."""

import os
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

from tyro.conf import Positional, arg

from empirical.summarization.vocabulary import CORPORA, CORPUS, PRESETS, SHOW, STEPS
from pstar.commands.experiment import need, run_experiment
from pstar.commands.options import Device, DryRun, Json, Out, Workers, choice
from pstar.commands.output import on_disk, show
from theory.errors import InputError


def summarization(
    stage: Annotated[
        Positional[str],
        choice(STEPS),
        arg(
            help="run: everything. corpus: real text for presets that want it. show-batch: which tokens carry loss. "
            "Else that stage, and what it needs."
        ),
    ],
    out: Out,
    kind: Annotated[
        Positional[str], arg(metavar="CORPUS", help="corpus only: debian, descriptions of packages and their synopses.")
    ] = "",
    preset: Annotated[
        str | None,
        choice(PRESETS),
        arg(help="small: made-up stories, two cores. scarce: the same with few summaries. The others want a GPU."),
    ] = None,
    config: Annotated[
        str | None,
        arg(metavar="FILE.toml", help="What differs from the preset (they are in empirical/summarization/presets)."),
    ] = None,
    corpus: Annotated[
        str | None,
        arg(metavar="DIR", help="Folder with train and test files: real text, in the place of the preset's."),
    ] = None,
    seeds: Annotated[
        int | None, arg(metavar="INT", help="Repetitions, in the place of the preset's. More make intervals shorter.")
    ] = None,
    lists: Annotated[
        tuple[Path, ...],
        arg(
            metavar="PATH", help="corpus only: Packages and Translation-en files, or folders. Default: this machine's."
        ),
    ] = (),
    workers: Workers = None,
    device: Device = "auto",
    shard: Annotated[
        str | None, arg(metavar="I/N", help="generate and score only: the I-th of N machines that share DIR.")
    ] = None,
    accelerate: Annotated[
        str | None, arg(metavar="FILE.yaml", help="Train on several GPUs, as `accelerate config` says; fsdp: ours.")
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Fine-tune a language model to summarize, retrain it on its own verified summaries, and compare verifiers.

    Prints the report and writes DIR/report.txt, report.json, tables/*.csv, figures/ and README.md (where everything
    comes from). Every stage is kept in DIR/stages; a killed run continues with the same command.
    """
    if stage == CORPUS:
        others: dict[str, Any] = {"preset": preset, "config": config, "corpus": corpus, "seeds": seeds}
        others |= {"workers": workers, "shard": shard, "accelerate": accelerate, "dry-run": dry_run or None}
        refused = [f"--{name}" for name, value in others.items() if value is not None]
        if refused:
            raise InputError(f"{', '.join(refused)}: not for `pstar summarization corpus`; leave it out")
        _corpus(kind, out, lists, json)
        return
    if kind or lists:
        raise InputError(f"{kind or '--lists'}: for `pstar summarization corpus debian --out DIR` only; leave it out")
    if preset is None:
        raise InputError(f"--preset is missing: one of {', '.join(PRESETS)}")
    need("torch", "transformers", "tokenizers", "datasets", "accelerate", "peft", "safetensors", "rouge_score")
    from empirical.summarization import run as running
    from empirical.summarization.accelerators import quicker
    from empirical.summarization.power import told
    from empirical.summarization.profile import load

    _quiet()
    profile = load(preset, config, corpus, seeds)
    given = {"config": config, "corpus": corpus, "seeds": None if seeds is None else str(seeds)}
    named = "".join(f" --{name} {quote(value)}" for name, value in given.items() if value)
    again = f"pstar summarization run --preset {preset}{named} --out {{folder}}"
    ahead = running.outlook(profile, out, stage, workers, device, _shard(shard), insist=dry_run)
    make = lambda on_done: running.run(ahead, profile, out, again, accelerate, on_done, shared=shard is not None)
    used = (profile.training.precision, profile.generation.precision)
    lines = (*told(profile), quicker(ahead.device, used, profile.base.parameters))
    said = "\n".join(filter(None, lines)) if stage == "run" and ahead.missing else ""
    run_experiment("summarization", again, ahead, out, dry_run, json, make, quiet=stage == SHOW, said=said)
    if stage == SHOW and not dry_run:
        print(running.show_batch(profile, out))


def _corpus(kind: str, out: Path, lists: tuple[Path, ...], as_json: bool) -> None:
    """Make a corpus, and say how large it is."""
    if kind not in CORPORA:
        said = f"corpus {kind}".rstrip()
        raise InputError(f"{said}: name one of {', '.join(CORPORA)}, as in `pstar summarization corpus debian`")
    from empirical.summarization.descriptions import build

    named = f" --lists {' '.join(quote(str(path)) for path in lists)}" if lists else ""
    with on_disk():
        facts = build(out, lists, f"pstar summarization corpus {kind} --out {{folder}}{named}")
    show(facts | {"out": str(out)}, as_json, _made)


def _made(facts: dict[str, Any]) -> str:
    return (
        f"{facts['pairs']:,} pairs of a description and its synopsis: {facts['train']:,} to train on, "
        f"{facts['test']:,} to test on\n"
        f"{facts['families']:,} families of source packages, each in one of the two; left out: {facts['short']:,} too "
        f"short, {facts['repeated']:,} repeated, {facts['unsourced']:,} of unknown source, {facts['twins']:,} for test "
        "that train has nearly as they are\n"
        f"licence: {facts['licence']}\nwritten: {facts['out']}/train.jsonl, test.jsonl, README.md, provenance.json"
    )


def _shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    index, slash, count = text.partition("/")
    if not slash or not index.isdigit() or not count.isdigit():
        raise InputError(f"--shard {text}: must be I/N, such as 1/4")
    return int(index), int(count)


def _quiet() -> None:
    """Keep progress bars and advice of the libraries out of ours, here and in worker processes."""
    os.environ |= {
        "TRANSFORMERS_VERBOSITY": "error",
        "TOKENIZERS_PARALLELISM": "0",
    }
