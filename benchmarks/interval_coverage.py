"""How often intervals of the audit hold the truth, by design, beside the naive ones.

    python benchmarks/interval_coverage.py [--repetitions 10000] [--draws 999] [--only WORD ...] [--processes 1]

Records are drawn with known rates (`designs`), audited at 95 %, and each interval is asked whether it holds the truth.
A line of the table is an interval and a design: the least coverage over the rates, and the mean width there; the same
of the naive interval (`naive`). Blocks of repetitions that are done are kept in ``--blocks`` and not done again, as
long as the code of the audit is the same. A share of 10^4 repetitions is known to 0.4 % (twice the standard error).
"""

import argparse
import json
import math
import os
import sys
import time
import zlib
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from hashlib import sha256
from pathlib import Path
from typing import Any

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import chosen  # noqa: E402
import numpy as np  # noqa: E402
from designs import ALONE, Case, Drawn, cases  # noqa: E402
from naive import FUNCTIONS, as_plain, delta, normal  # noqa: E402
from record import TOP, record  # noqa: E402
from scipy.special import ndtri  # noqa: E402

from empirical.auditing.binary import count  # noqa: E402
from empirical.auditing.design import CORRECT, UNJUDGED, Design, units  # noqa: E402
from empirical.auditing.estimates import rates_by  # noqa: E402
from empirical.auditing.rates import Counts, Rates  # noqa: E402
from empirical.auditing.resample import resample  # noqa: E402
from empirical.auditing.value import worth_estimate  # noqa: E402
from empirical.auditing.verifiers import paired  # noqa: E402

LEVEL, LEAST = 0.95, 0.94
BLOCK, OF_TWINS = 250, 50
"""Repetitions in a block; the naive intervals are asked in the first of them alone."""
PAIRED = ("worth", "p_star", "purity")
CLOSE = 1e-9
WIDEST = 10.0
"""Wider intervals count as this; of a ratio (break-even) some have no end."""


def block(case: Case, number: int, repetitions: int, draws: int) -> dict[str, list[float]]:
    """Of each interval: how often it holds the truth and its summed width, then the same of the naive one."""
    rng = np.random.default_rng([zlib.crc32(case.name.encode()), number])
    drawn = [case.draw(rng) for _ in range(repetitions)]
    if len(case.truth) == 1:
        found = [single(one, draws, seed) for seed, one in enumerate(drawn)]
        twin = naive_single(case, drawn[:OF_TWINS])
        truth = {name: float(np.asarray(of(*map(np.array, case.truth[0])))) for name, of in FUNCTIONS.items()}
    else:
        found = [pair(one, draws, seed) for seed, one in enumerate(drawn)]
        twin = naive_pair(case, drawn[:OF_TWINS], draws)
        ends = ({name: float(FUNCTIONS[name](*map(np.array, rates))) for name in PAIRED} for rates in case.truth)
        first, other = ends
        truth = {name: first[name] - other[name] for name in PAIRED}
    ours = {name: tuple(np.array([one[name] for one in found]).T) for name in found[0]}
    if len(case.truth) == 1 and Design.of(drawn[0].judged, drawn[0].by).plain:
        ours |= exact(drawn)
    size = repetitions
    return {name: [*tally(ours[name], truth[name], size), *tally(twin[name], truth[name], size)] for name in ours}


def tally(ends: Any, truth: float, repetitions: int) -> tuple[float, float]:
    """Held, and summed width, as of so many; NaN holds nothing, and is as wide as can be."""
    low, high = ends
    width = np.nan_to_num(np.minimum(high - low, WIDEST), nan=WIDEST)
    held = (low <= truth + CLOSE) & (high >= truth - CLOSE)
    return float(held.mean() * repetitions), float(width.mean() * repetitions)


def single(drawn: Drawn, draws: int, seed: int) -> dict[str, tuple[float, float]]:
    """The intervals of one audit, as `empirical.audit` makes them, but for the number of draws."""
    design = Design.of(drawn.judged, drawn.by)
    [found] = resample(units(drawn.judged, drawn.kept, drawn.by, seed), design.whole, draws, seed)
    ends = {name: found.interval(FUNCTIONS[name], LEVEL) for name in ("gain", "saved", "break_even")}
    if design.plain:
        return ends
    value = worth_estimate(found, LEVEL)
    shown = rates_by(found, LEVEL)._asdict() | {"worth": value.verified, "worth_unverified": value.unverified}
    return ends | {name: (float(estimate.low), float(estimate.high)) for name, estimate in shown.items()}


def exact(drawn: list[Drawn]) -> dict[str, Any]:
    """Those that follow from four counts, of all repetitions at once."""
    found = as_plain(tables_of(drawn), LEVEL)
    return {name: found[name] for name in (*Rates._fields, "worth", "worth_unverified")}


def tables_of(drawn: list[Drawn], verifier: int = 0) -> Counts:
    """Counts of the judged, arrays over repetitions."""
    return Counts(*np.array([count(one.judged, one.kept[:, verifier]) for one in drawn], float).T)


def naive_single(case: Case, drawn: list[Drawn]) -> dict[str, Any]:
    tables = tables_of(drawn)
    if case.naive == "normal":
        kept = np.array([one.kept.sum() for one in drawn], float)
        return normal(kept, np.array([one.judged.size for one in drawn]) - kept, tables, LEVEL)
    if case.naive == "weights as counts":
        tables = Counts(*np.array([weighed(one) for one in drawn]).T)
    return as_plain(tables, LEVEL)


def weighed(drawn: Drawn) -> list[float]:
    """The four counts, each record as often as it weighs; whole, as tails are those of counts."""
    kept, correct = drawn.kept[:, 0], drawn.judged == CORRECT
    weight = np.asarray(drawn.by.weight) * (drawn.judged != UNJUDGED)
    cells = (correct & kept, correct & ~kept, ~correct & kept, ~correct & ~kept)
    return [float(np.round(weight @ cell)) for cell in cells]


def pair(drawn: Drawn, draws: int, seed: int) -> dict[str, tuple[float, float]]:
    """Differences of two verifiers, as `empirical.audit_verifiers` makes them."""
    design = Design.of(drawn.judged, drawn.by)
    one, other = resample(units(drawn.judged, drawn.kept, drawn.by, seed), design.whole, draws, seed)
    return {name: paired(one, other, FUNCTIONS[name], LEVEL) for name in PAIRED}


def naive_pair(case: Case, drawn: list[Drawn], draws: int) -> dict[str, Any]:
    """Paired without the groups; or as if of different records, by the delta method."""
    if case.naive == "design":
        found = [pair(one._replace(by=ALONE), draws, seed) for seed, one in enumerate(drawn)]
        return {name: tuple(np.array([one[name] for one in found]).T) for name in PAIRED}
    tables = [tables_of(drawn, verifier) for verifier in (0, 1)]
    twin = {}
    for name in PAIRED:
        (value, error), (rival, other) = (delta(name, one.kept, one.total - one.kept, one) for one in tables)
        reach = ndtri((1 + LEVEL) / 2) * np.hypot(error, other)
        twin[name] = value - rival - reach, value - rival + reach
    return twin


def work(name: str, number: int, repetitions: int, draws: int) -> dict[str, list[float]]:
    """A block by name, in a process of its own."""
    if name in chosen.CASES:
        return chosen.block(name, number, repetitions, draws)
    [case] = [case for case in cases() if case.name == name]
    return block(case, number, repetitions, draws)


def code() -> str:
    """Of the audit and of what is drawn here."""
    files = [*sorted((TOP / "empirical" / "auditing").glob("*.py")), *map(Path(__file__).with_name, OWN)]
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


OWN = ("interval_coverage.py", "designs.py", "naive.py", "chosen.py")


def done(path: Path, key: str) -> dict[tuple[str, int], dict[str, list[float]]]:
    lines = path.read_text().splitlines() if path.is_file() else []
    found = (json.loads(line) for line in lines if line.endswith("}"))  # what a kill cut off is not
    return {(row["case"], row["block"]): row["found"] for row in found if row["key"] == key}


def summary(blocks: Iterable[tuple[tuple[str, int], dict[str, list[float]]]]) -> list[dict[str, Any]]:
    """A row per design and interval, at the rates where coverage is least."""
    sums: dict[tuple[str, str], Any] = defaultdict(lambda: np.zeros(5))
    for (name, _), found in blocks:
        for what, values in found.items():
            sums[name, what] += [BLOCK, *values]
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    naive: dict[tuple[str, str], float] = defaultdict(lambda: math.inf)
    for (name, what), (total, held, width, twin, twin_width) in sums.items():
        design, _, at = name.partition("; ")
        key = design, what
        naive[key] = min(naive[key], twin / total)
        if key not in rows or held / total < rows[key]["coverage"]:
            rows[key] = {"name": f"{design}: {what}", "coverage": held / total, "at": at, "width": width / total}
            rows[key] |= {"naive_width": twin_width / total, "repetitions": int(total)}
    return [row | {"naive": naive[key]} for key, row in rows.items()]


def text(rows: list[dict[str, Any]]) -> str:
    """The answer, then a line per row."""
    least = min(rows, key=lambda row: row["coverage"])
    short = [row for row in rows if row["coverage"] < LEAST]
    fail = sum(row["naive"] < LEAST for row in rows)
    lines = [
        f"{len(rows)} intervals at {LEVEL:.0%}, least coverage {least['coverage']:.2%} ({least['name']}, "
        f"{least['at']}); {len(short)} below {LEAST:.0%}, of the naive ones {fail}",
        f"{'design: interval':58}{'least at (p phi psi)':>22}{'coverage':>10}{'width':>9}{'naive':>9}{'width':>9}",
    ]
    for row in rows:
        numbers = f"{row['coverage']:10.2%}{row['width']:9.4f}{row['naive']:9.2%}{row['naive_width']:9.4f}"
        lines.append(f"{row['name']:58}{row['at']:>22}{numbers}{'  <' if row['coverage'] < LEAST else ''}")
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repetitions", type=int, default=10_000, help=f"of each case, in blocks of {BLOCK}")
    options.add_argument("--draws", type=int, default=999, help="of the bootstrap; best if 40 divides it but for one")
    options.add_argument("--only", nargs="*", default=[], help="words, one of which must be in a case's name")
    options.add_argument("--processes", type=int, default=1)
    options.add_argument("--blocks", type=Path, default=TOP / ".cache" / "coverage.jsonl", help="what is done")
    options.add_argument("--show", action="store_true", help="what is done so far; computes and records nothing")
    given = options.parse_args()
    names = [*(case.name for case in cases()), *chosen.CASES]
    names = [name for name in names if not given.only or any(word in name for word in given.only)]
    key = f"{code()}-{given.draws}"
    kept = done(given.blocks, key)
    wanted = [(name, number) for number in range(math.ceil(given.repetitions / BLOCK)) for name in names]
    missing = [entry for entry in wanted if entry not in kept]
    if not given.show:
        given.blocks.parent.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        with ProcessPoolExecutor(given.processes) as pool, given.blocks.open("a") as file:
            running = {pool.submit(work, *entry, BLOCK, given.draws): entry for entry in missing}
            for number, future in enumerate(as_completed(running), 1):
                entry = running[future]
                kept[entry] = future.result()
                file.write(json.dumps({"key": key, "case": entry[0], "block": entry[1], "found": kept[entry]}) + "\n")
                file.flush()
                left = (time.monotonic() - started) / number * (len(missing) - number) / 60
                print(f"\r{number} of {len(missing)} blocks, {left:.0f} min left ", end="", file=sys.stderr, flush=True)
    rows = summary((entry, kept[entry]) for entry in wanted if entry in kept)
    if not rows:
        sys.exit(f"nothing is done yet with this code; leave out --show, or --only {' '.join(given.only)}")
    print(text(rows))
    if not given.show:
        print(f"recorded: {record('interval_coverage', rows).relative_to(TOP)}")


if __name__ == "__main__":
    main()
