"""The command line. Parsing and printing only: every verb is a function of a package, imported when it is used."""

import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import Positional, arg

from theory.errors import InputError

Json = Annotated[bool, arg(help="Print the result as JSON.")]
Out = Annotated[Path, arg(metavar="DIR", help="Result folder; created, or continued where it left off.")]
Workers = Annotated[
    int | None, arg(metavar="INT", help="Processes, one thread each. Default: one per core; 1 on a GPU.")
]
Device = Annotated[Literal["auto", "cpu", "cuda"], arg(help="auto: the GPU if there is one.")]
DryRun = Annotated[bool, arg(help="Only say what is to be done, how long, and what is already there.")]
Folder = Annotated[Positional[Path], arg(metavar="DIR", help="Result folder of a sweep.")]


def sweep(
    file: Annotated[Positional[Path], arg(metavar="FILE.toml", help="Sweep file, see sweeps/phase_diagram.toml.")],
    out: Annotated[str, arg(metavar="DIR", help="Result folder or URL (s3://...); continued where it left off.")],
    workers: Annotated[
        int | None, arg(metavar="INT", help="Processes, each with one thread. Default: one per core or GPU.")
    ] = None,
    memory: Annotated[
        str | None, arg(metavar="SIZE", help="For all workers together, as 8GB. Default: half of what is free.")
    ] = None,
    device: Annotated[Literal["auto", "cpu", "gpu"], arg(help="auto: gpu where JAX would see one.")] = "auto",
    scheduler: Annotated[
        str | None, arg(metavar="ADDRESS", help="Dask scheduler, tcp://HOST:8786; local starts one with --workers.")
    ] = None,
    dry_run: Annotated[bool, arg(help="Only say how many trials, how long, and what is already there.")] = False,
    json: Json = False,
) -> None:
    """Simulate every cell of a sweep file, or what is missing of it.

    Writes DIR/shards (one file per finished chunk; a killed sweep continues with the same command) and, when
    complete, DIR/rows.parquet with one row per trial.
    """
    from sims.running.machine import Resources, parse_bytes
    from sims.sweeps import run as sweeps
    from sims.sweeps.config import load

    if out.startswith("memory://"):
        raise _Usage(f"--out {out} would end with this command; give a folder, or the URL of a bucket")
    config = load(file)
    resources = Resources(workers, None if memory is None else parse_bytes(memory), device, scheduler)
    outlook = sweeps.plan(config, out)
    crew, fewer = sweeps.hire(outlook, resources)
    warnings = [f"{line}; its trials are computed again" for line in outlook.damaged] + list(outlook.notes)
    for line in (*warnings, *filter(None, [fewer])):
        print(f"warning: {line}", file=sys.stderr)
    seconds = outlook.estimated_seconds(crew.workers)
    result: dict[str, Any] = {"out": out, "cells": len(outlook.cells), "trials": outlook.trials}
    result |= {"present": outlook.trials - outlook.missing, "missing": outlook.missing}
    workers_known = None if resources.remote else crew.workers
    if dry_run:
        result |= {"chunks": len(outlook.chunks), "estimated_seconds": round(seconds), "workers": workers_known}
        _show(result, json, _dry_text)
        return
    if outlook.missing and not json:
        by = "" if workers_known else " on one worker"
        print(f"{outlook.trials} trials, {result['present']} there already; about {seconds:.0f} s{by}", file=sys.stderr)
    outcome = sweeps.run(config, out, resources, outlook)
    aside = [
        f"{job.chunk.trials} trials of {job.chunk.shape.loss} loss, n = {job.chunk.shape.n}, d = {job.chunk.shape.d}: "
        f"{job.reason}"
        for job in outcome.set_aside
    ]
    result |= {"rows": None if aside else outcome.store.rows_path, "set_aside": aside}
    _show(result, json, _sweep_text)
    if aside:
        raise SystemExit(3)


def compare(
    folder: Folder,
    cells: Annotated[bool, arg(help="Also print every cell.")] = False,
    json: Json = False,
) -> None:
    """Compare a finished sweep with theory: p* and exact accuracy, with intervals and verdicts.

    Prints the report and writes DIR/tables/*.csv (cells, crossings, theory lines and maps) and DIR/summary.json.
    """
    from sims.comparison.tables import read_rows

    rows = read_rows(_local(folder))
    _float64()
    from sims.comparison.compare import STEPS
    from sims.comparison.compare import compare as compare_rows
    from sims.comparison.report import as_json, text
    from sims.comparison.tables import NAMES, write_tables
    from sims.running.files import write_atomic
    from sims.running.progress import progress

    with progress("comparing", STEPS, "steps") as advance:
        found = compare_rows(rows, advance)
    write_tables(folder, {name: getattr(found, name) for name in NAMES})
    write_atomic(folder / "summary.json", _dumps(found.summary).encode())
    report = text(found, all_cells=cells)
    write_atomic(folder / "report.txt", (text(found, all_cells=True) + "\n").encode())
    print(_dumps(as_json(found)) if json else f"{report}\n\nwritten: {folder}/report.txt, summary.json, tables/*.csv")


def figures(
    folder: Folder,
    names: Annotated[Positional[tuple[str, ...]], arg(help="Figures to draw; default all. See --list.")] = (),
    list: Annotated[bool, arg(help="List the figures and what they show.")] = False,
    json: Json = False,
) -> None:
    """Draw the figures of a compared sweep into DIR/figures, as PNG and PDF."""
    import figures as package

    if list:
        about = package.describe()
        _show({name: caption for name, caption in about.items()}, json, _pairs)
        return
    from sims.comparison.tables import read_tables
    from sims.running.progress import progress

    package.check_names(names)
    tables = read_tables(_local(folder))
    paths: Any = []
    absent: Any = []
    with progress("drawing", len(names or package.NAMES), "figures") as advance:
        for name in names or package.NAMES:
            drawn = package.draw(name, tables, folder / "figures")
            absent += [] if drawn else [name]
            paths += drawn
            advance(1)
    for name in absent:
        print(f"{name}: not drawn; the sweep has another setting, or fewer than three psi at one phi", file=sys.stderr)
    result = {"written": [str(path) for path in paths], "not_drawn": absent}
    _show(result, json, lambda result: "\n".join(result["written"]))


def study(
    name: Annotated[Positional[str], arg(help="Which study; see --list.")] = "",
    out: Annotated[Path | None, arg(metavar="DIR", help="Where it goes. Default: out/NAME.")] = None,
    seeds: Annotated[int, arg(help="Independent trials behind every simulated point.")] = 16,
    list: Annotated[bool, arg(help="List the studies and what they show.")] = False,
    json: Json = False,
) -> None:
    """Answer one question by theory and simulation side by side, and draw it.

    Writes DIR/tables/*.csv and DIR/figures/NAME.png and .pdf. Takes one to three minutes.
    """
    import figures as package

    _float64()
    from sims import studies

    if list or not name:
        _show({name: package.caption(name) for name in studies.NAMES}, json, _pairs)
        return
    out = Path("out") / name if out is None else out
    studies.check_name(name)
    print(f"{name}: {package.caption(name)}", file=sys.stderr)
    tables = studies.run(name, out, seeds)
    paths = [out / "tables" / f"{table}.csv" for table in tables] + package.draw(name, tables, out / "figures")
    _show({"written": [str(path) for path in paths]}, json, lambda result: "\n".join(result["written"]))


Rate = Annotated[float | None, arg(metavar="FLOAT")]


def predict(
    setting: Annotated[Literal["independent", "linear"], arg(help="Where label errors come from.")] = "independent",
    p: Annotated[Rate, arg(help="Generator error rate P(y' != y), in [0, 1].")] = None,
    phi: Annotated[Rate, arg(help="P(kept | label correct), in [0, 1].")] = None,
    psi: Annotated[Rate, arg(help="P(kept | label wrong), in [0, 1].")] = None,
    cos_generator: Annotated[Rate, arg(help="cos(g, mu), linear setting.")] = None,
    cos_verifier: Annotated[Rate, arg(help="cos(v, mu), linear setting.")] = None,
    cos_between: Annotated[Rate, arg(help="cos(g, v), linear setting.")] = None,
    signal: Annotated[float, arg(help="r, norm of the class mean.")] = 2.0,
    alpha: Annotated[float, arg(help="n/d, samples generated per dimension.")] = 10.0,
    ridge: Annotated[float, arg(help="L2 penalty relative to the mean loss over kept samples.")] = 0.1,
    loss: Annotated[Literal["squared", "logistic", "hinge"], arg(help="Loss of the trained classifier.")] = "squared",
    table: Annotated[Path | None, arg(metavar="CSV", help="Predict every line of a table instead.")] = None,
    out: Annotated[Path | None, arg(metavar="CSV", help="Where the table goes, with the predictions appended.")] = None,
    json: Json = False,
) -> None:
    """Predict p*, the kept data, and the accuracy of the classifier trained on it.

    One problem from the options, or a table: its columns carry the names of the options (with underscores), any
    subset of them; what is no column is taken from the options.
    """
    _float64()
    given: dict[str, Any] = {"signal": signal, "alpha": alpha, "ridge": ridge, "loss": loss}
    rates = {"p": p, "phi": phi, "psi": psi}
    cosines = {"cos_generator": cos_generator, "cos_verifier": cos_verifier, "cos_between": cos_between}
    mine, foreign = (cosines, rates) if setting == "linear" else (rates, cosines)
    for name, value in foreign.items():
        if value is not None:
            raise _Usage(f"--{name.replace('_', '-')} has no meaning in the {setting} setting; see --setting")
    given |= {name: value for name, value in mine.items() if value is not None}
    if table is not None:
        _predict_file(table, out, given, tuple(mine), json)
        return
    if out is not None:
        raise _Usage("--out goes with --table")
    missing = [f"--{name.replace('_', '-')}" for name in mine if name not in given]
    if missing:
        raise _Usage(f"{', '.join(missing)} missing; the {setting} setting needs all three")
    from theory.describe import describe, text

    _show(describe(given), json, text)


def _predict_file(table: Path, out: Path | None, given: dict[str, Any], names: tuple[str, ...], json: bool) -> None:
    """Append predictions to a CSV, in one call."""
    import pandas as pd

    from sims.running.files import write_atomic
    from theory.table import predict_table

    if out is None:
        raise _Usage("--table needs --out, where the predictions go")
    try:
        lines = pd.read_csv(table)
    except (OSError, ValueError) as error:
        raise _Usage(f"{table} cannot be read as CSV: {error}") from None
    if lines.empty:
        raise _Usage(f"{table} has no lines below its header")
    columns = _table_columns(lines, given, names)
    found = predict_table(columns)
    added = {name: values for name, values in found.items() if name not in columns}
    result = lines.assign(**{name if name not in lines else f"predicted_{name}": v for name, v in added.items()})
    write_atomic(out, result.to_csv(index=False).encode())
    failed = int((~found["converged"]).sum())
    summary = {"written": str(out), "lines": len(lines), "not_converged": failed}
    _show(summary, json, lambda r: f"{r['lines']} lines, {failed} without solution\nwritten: {r['written']}")


def _table_columns(lines: Any, given: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """What is predicted from: the table's own columns (cosines before rates per class before rates), else options."""
    from theory.columns import CLASS_RATES, COSINES, RATES, SHARED

    present = [group for group in (COSINES, CLASS_RATES, RATES) if any(name in lines for name in group)]
    if present and names == COSINES and present[0] != COSINES:
        raise _Usage("--setting linear, but the table has columns of the independent setting (p, phi, psi)")
    group = present[0] if present else names
    wanted = (*SHARED, "loss", *group, *(("prior",) if group == CLASS_RATES else ()))
    return {name: lines[name] if name in lines else given[name] for name in wanted if name in lines or name in given}


def audit(
    records: Annotated[Positional[Path], arg(metavar="RECORDS", help="A .csv, .jsonl or .parquet, a row per label.")],
    correct: Annotated[str | None, arg(metavar="COL", help="Column: is the generated label correct?")] = None,
    kept: Annotated[str | None, arg(metavar="COL", help="Column: does the verifier keep it?")] = None,
    score: Annotated[str | None, arg(metavar="COL", help="Column: the verifier's score, high is kept.")] = None,
    class_column: Annotated[str | None, arg(name="class", metavar="COL", help="Column: the true class.")] = None,
    quality: Annotated[str | None, arg(metavar="COL", help="Column: quality in [0, 1], as ROUGE.")] = None,
    classes: Annotated[int | None, arg(metavar="K", help="Number of classes: adds p*_K.")] = None,
    level: Annotated[float, arg(help="Confidence of the intervals and the decision.")] = 0.95,
    seed: Annotated[int, arg(help="Of the bootstrap, which only --quality uses.")] = 0,
    out: Annotated[Path | None, arg(metavar="DIR", help="Folder for report, JSON, curves and figure.")] = None,
    json: Json = False,
) -> None:
    """Is my verifier good enough? p, phi, psi, p* and the decision p < p* from your own records, with intervals.

    Judge a random sample of all that your generator made, kept or not: is the label correct, does the verifier keep it
    (0/1, true/false or yes/no)? --correct with --kept is the usual audit; --correct with --score looks at every
    threshold on a score; --quality with --kept takes a graded quality instead of correct or wrong.
    """
    from empirical.auditing import files
    from empirical.auditing.report import as_json, text

    names = files.Names(correct=correct, kept=kept, score=score, classes=class_column, quality=quality)
    found = files.audit_file(records, names, level, classes, seed)
    report, summary = text(found), as_json(found)
    paths: Any = []
    if out is not None:
        paths = files.write(found, report, summary, out)
        if found.curve is not None:
            import figures as package

            paths += package.draw("threshold_curve", files.tables(found), out / "figures")
        summary |= {"written": [str(path) for path in paths]}
    _show(summary, json, lambda _: "\n".join([report, *(f"written: {path}" for path in paths)]))


Verb = Literal["run", "data", "train-generator", "synthesize", "verify", "retrain", "evaluate", "report"]


def eigenvalues(
    stage: Annotated[Positional[Verb], arg(help="run: everything. Else that stage, and what it needs.")],
    out: Out,
    profile: Annotated[str, arg(metavar="NAME|FILE.toml", help="quick (two cores), paper (one GPU), or your own.")],
    workers: Workers = None,
    device: Device = "auto",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Train a transformer on eigenvalues, retrain it on its own verified labels, and compare with the published table.

    Prints the report and writes DIR/report.txt, report.json, tables/*.csv and figures/. Every stage is kept in
    DIR/stages; a killed run continues with the same command, a changed profile computes what depends on the change.
    """
    _need("torch", "safetensors")
    from empirical.eigenvalues.profile import load
    from empirical.eigenvalues.run import outlook, run

    ahead = outlook(load(profile), out, stage, workers, device, insist=dry_run)
    again = f"pstar eigenvalues run --profile {profile} --out {out}"
    _experiment("eigenvalues", again, ahead, out, dry_run, json, lambda on_done: run(ahead, out, on_done))


Step = Literal[
    "run",
    "prepare",
    "train-generator",
    "generate",
    "score",
    "select",
    "retrain",
    "evaluate",
    "report",
    "show-batch",
]


def summarization(
    stage: Annotated[
        Positional[Step],
        arg(help="run: everything. show-batch: which tokens carry loss. Else that stage, and what it needs."),
    ],
    out: Out,
    preset: Annotated[
        Literal["small", "scarce", "smollm", "llama2"],
        arg(help="small: made-up stories, two cores. scarce: the same with few summaries. The others want a GPU."),
    ],
    config: Annotated[
        str | None,
        arg(metavar="FILE.toml", help="What differs from the preset (they are in empirical/summarization/presets)."),
    ] = None,
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
    _need("torch", "transformers", "tokenizers", "datasets", "accelerate", "peft", "safetensors", "rouge_score")
    from empirical.summarization import run as running
    from empirical.summarization.profile import load

    _quiet()
    profile = load(preset, config)
    again = f"pstar summarization run --preset {preset}{f' --config {config}' if config else ''} --out {out}"
    ahead = running.outlook(profile, out, stage, workers, device, _shard(shard), insist=dry_run)
    make = lambda on_done: running.run(ahead, profile, out, accelerate, on_done, shared=shard is not None)
    _experiment("summarization", again, ahead, out, dry_run, json, make, quiet=stage == "show-batch")
    if stage == "show-batch" and not dry_run:
        print(running.show_batch(profile, out))


def _shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    index, slash, count = text.partition("/")
    if not slash or not index.isdigit() or not count.isdigit():
        raise _Usage(f"--shard {text}: must be I/N, such as 1/4")
    return int(index), int(count)


def _quiet() -> None:
    """Keep progress bars and advice of the libraries out of ours, here and in worker processes."""
    os.environ |= {
        "TRANSFORMERS_VERBOSITY": "error",
        "TOKENIZERS_PARALLELISM": "0",
    }


def _experiment(
    name: str, again: str, ahead: Any, out: Path, dry_run: bool, json: bool, make: Any, quiet: bool = False
) -> None:
    """Say what is ahead, make it by ``make(on_done)``, show the report if that was asked for, or what is next."""
    from sims.running.progress import progress

    about: dict[str, Any] = {"out": str(out), "stages": len(ahead.stages), "missing": len(ahead.missing)}
    about |= {"device": ahead.device, "workers": ahead.workers, "estimated_seconds": round(ahead.seconds)}
    if dry_run:
        slowest = sorted(ahead.missing, key=lambda stage: -stage.seconds)[:5]
        about["slowest"] = {entry.name: round(entry.seconds) for entry in slowest}
        _show(about, json, _stages_text)
        return
    if ahead.missing and not json:
        print(_stages_text(about), file=sys.stderr)
    work = lambda stage: max(round(stage.seconds), 1)
    with progress(name, sum(map(work, ahead.missing)), "s of work, as estimated") as advance:
        paths = make(lambda stage: advance(work(stage)))
    report = out / "report.txt"
    about |= {"written": [str(path) for path in paths]}
    if json and report in paths:
        about |= {"report": _read_json(out / "report.json")}
    if not quiet:
        _show(about, json, lambda _: _experiment_text(out, again, report if report in paths else None))


def _read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _stages_text(about: dict[str, Any]) -> str:
    line = (
        f"{about['stages']} stages, {about['stages'] - about['missing']} there already; "
        f"about {_duration(about['estimated_seconds'])} "
        f"on {about['workers']} x {about['device']} (a cost model, good to a factor of two on an idle machine)"
    )
    slow = [f"  {name}: {_duration(seconds)}" for name, seconds in about.get("slowest", {}).items()]
    return "\n".join([line, *(["longest:", *slow] if slow else [])])


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _experiment_text(out: Path, again: str, report: Path | None) -> str:
    if report is None:
        return f"written: {out}/stages\nnext:    {again}"
    written = f"written: {out}/report.txt, report.json, tables/*.csv, figures/"
    return f"{report.read_text(encoding='utf-8')}\n{written}"


def _need(*packages: str) -> None:
    """Refuse where packages of the extra are not installed."""
    from importlib.util import find_spec

    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise _Usage(f"{', '.join(missing)} not installed; this command needs the extra: pip install -e '.[empirical]'")


def _local(folder: Path) -> Path:
    """The folder, unless it is the URL of one."""
    if folder.parts and ":" in folder.parts[0]:
        url = f"{folder.parts[0]}//{Path(*folder.parts[1:])}"
        raise _Usage(f"{url} is a URL; copy {url}/rows.parquet and rows.sha256 into a folder and name that")
    return folder


class _Usage(InputError):
    """Options that do not go together."""


def _float64() -> None:
    os.environ["JAX_ENABLE_X64"] = "1"


def _dumps(result: Any) -> str:
    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(entry) for key, entry in value.items()}
        if isinstance(value, (tuple, type([]))):
            return [clean(entry) for entry in value]
        return None if isinstance(value, float) and (value != value or abs(value) == float("inf")) else value

    return json.dumps(clean(result), indent=1)


def _show(result: dict[str, Any], as_json: bool, text: Any) -> None:
    print(_dumps(result) if as_json else text(result))


def _pairs(result: dict[str, Any]) -> str:
    width = max(map(len, result))
    return "\n".join(f"{key:{width}}  {value}" for key, value in result.items())


def _dry_text(result: dict[str, Any]) -> str:
    seconds = result["estimated_seconds"]
    by = "" if result["workers"] else " on one worker"
    return (
        f"{result['cells']} cells, {result['trials']} trials\n"
        f"already in {result['out']}: {result['present']}\n"
        f"to compute: {result['missing']} trials in {result['chunks']} chunks, about {seconds} s{by} "
        "(a cost model, good to a factor of three; nothing was run)"
    )


def _sweep_text(result: dict[str, Any]) -> str:
    if result["set_aside"]:
        aside = "\n".join(f"  {line}" for line in result["set_aside"])
        return f"set aside after three failures each (the rest is kept; run the same command again):\n{aside}"
    done = f"{result['trials']} trials ({result['missing']} computed, {result['present']} there already)"
    compare = f"pstar compare {result['out']}"
    if "://" in result["out"]:
        compare = f"copy rows.parquet and rows.sha256 from {result['out']} into a folder, then pstar compare FOLDER"
    return f"{done}\nwritten: {result['rows']}\nnext:    {compare}"


COMMANDS: dict[str, Any] = {
    "sweep": sweep,
    "compare": compare,
    "figures": figures,
    "study": study,
    "predict": predict,
    "audit": audit,
    "eigenvalues": eigenvalues,
    "summarization": summarization,
}

ABOUT = """When does training on verified synthetic data help? Predicted, simulated, compared.

p is the generator's error rate; a verifier keeps correct labels with probability phi and wrong ones with psi;
training succeeds, with infinite data, while p < p* = phi/(phi + psi)."""


def _terminate(number: int, frame: FrameType | None) -> None:
    print("stopped; what was finished is kept, the same command continues", file=sys.stderr)
    raise SystemExit(128 + number)


def main() -> None:
    """Run the command line: exit 0 on success, 1 or 2 with a message on standard error otherwise."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        try:
            tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="pstar", description=ABOUT)
        finally:
            sys.stdout.flush()  # here, where a reader that is gone is still answered quietly
    except KeyboardInterrupt:
        print("interrupted; what was finished is kept, the same command continues", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except (ValueError, RuntimeError) as error:
        if not _is_ours(error):
            raise
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2 if isinstance(error, ValueError) else 1) from None


def _is_ours(error: BaseException) -> bool:
    """Whether an error was raised on purpose by this project, and so explains itself."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    raiser = trace.tb_frame.f_globals.get("__name__", "") if trace else ""
    return isinstance(error, _Usage) or raiser.split(".")[0] in ("theory", "sims", "figures", "empirical")


if __name__ == "__main__":
    main()
