"""`pstar eigenvalues`: the experiment with transformers on eigenvalues."""

from shlex import quote
from typing import Annotated

from tyro.conf import Positional, arg

from empirical.eigenvalues.vocabulary import VERBS
from pstar.commands.experiment import need, run_experiment
from pstar.commands.options import Device, DryRun, Json, Out, Workers, choice


def eigenvalues(
    stage: Annotated[Positional[str], choice(VERBS), arg(help="run: everything. Else that stage, and what it needs.")],
    out: Out,
    profile: Annotated[
        str,
        arg(
            metavar="NAME|FILE.toml", help="quick, tiny, crossing, long (two cores), gpu, paper (one GPU), or your own."
        ),
    ],
    workers: Workers = None,
    device: Device = "auto",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Train a transformer on eigenvalues, retrain it on its own verified labels, and compare with the published table.

    Prints the report and writes DIR/report.txt, report.json, tables/*.csv and figures/. Every stage is kept in
    DIR/stages; a killed run continues with the same command, a changed profile computes what depends on the change.
    """
    need("torch", "safetensors")
    import sys

    from empirical.eigenvalues.profile import load
    from empirical.eigenvalues.run import outlook, run

    ahead = outlook(load(profile), out, stage, workers, device, insist=dry_run)
    again = f"pstar eigenvalues run --profile {quote(profile)} --out {{folder}}"
    tell = (lambda line: None) if json else (lambda line: print(line, file=sys.stderr))
    make = lambda on_done: run(ahead, out, again, on_done, tell)
    run_experiment("eigenvalues", again, ahead, out, dry_run, json, make)
