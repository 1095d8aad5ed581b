"""Sweeps in processes of their own: how they are started and looked at."""

import json
import subprocess
import sys
from pathlib import Path

from sims.sweeps import run as sweeps
from sims.sweeps.config import parse
from sims.sweeps.receipt import done_seeds
from sims.sweeps.store import Store
from tests.processes import PATIENCE
from tests.sims.helpers import INDEPENDENT, changed

ROOT = Path(__file__).resolve().parents[3]

SMALL = INDEPENDENT  # 4 cells of 3 trials, one chunk
LONG = changed(INDEPENDENT, {"verifier.psi": 0.2, "generator.p": [0.1, 0.3, 0.6], "run.seeds": 12_000})  # 9 chunks


def toml(document, path):
    tables = [
        "\n".join([f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())])
        for table, keys in document.items()
    ]
    path.write_text("\n".join(tables))
    return path


def command(file, out, *more):
    return [sys.executable, "-m", "pstar", "sweep", str(file), "--out", str(out), *more]


def run(line, **options):
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, **options)


def pstar(file, out, *more, workers=1):
    return run(command(file, out, *(["--workers", str(workers)] if workers else []), *more))


def receipts(out):
    """Receipt files and their bytes: seconds are part of them, so a recomputed chunk shows."""
    return {path.name: path.read_bytes() for path in (out / "shards").glob("[!.]*.json")}


def table(out):
    return (out / "rows.parquet").read_bytes()


def assert_nothing_twice(out, document):
    """The receipts hold every trial exactly once."""
    config = parse(document)
    found, damaged = Store(out).scan()
    assert damaged == []
    trials = sum(span.count for receipt in found for span in receipt.spans)
    assert trials == sum(map(len, done_seeds(found).values())) == sweeps.plan(config, out).trials
