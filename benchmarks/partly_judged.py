"""The interval of p where some records are judged and of all it is known what is kept, beside PPI++ (ppi-python).

    pip install ppi-python
    python benchmarks/partly_judged.py [--repetitions 200]

Both see the same records: "dropped" is the prediction that a label is wrong. PPI++ is asymptotic (a normal law, one
coefficient that is estimated), ours has exact tails. Width is the mean over repetitions, and so is the ratio's.
"""

import argparse
import sys
import zlib

import numpy as np
from designs import RATES, Drawn, at_random
from record import TOP, record

from empirical.auditing.design import UNJUDGED, WRONG, Design, units
from empirical.auditing.estimates import rates_by
from empirical.auditing.resample import resample

try:
    from ppi_py import ppi_mean_ci
except ModuleNotFoundError:
    sys.exit("ppi_py is not installed, beside which this measures; try: pip install ppi-python")

RECORDS, JUDGED = 2000, (50, 100, 200, 500, 1000)
LEVEL = 0.95


def ours(drawn: Drawn, seed: int) -> tuple[float, float]:
    """As `empirical.audit`."""
    made = units(drawn.judged, drawn.kept, drawn.by, seed)
    [found] = resample(made, Design.of(drawn.judged, drawn.by).whole, seed=seed)
    p = rates_by(found, LEVEL).p
    return p.low, p.high


def theirs(drawn: Drawn) -> tuple[float, float]:
    some, predicted = drawn.judged != UNJUDGED, 1.0 - drawn.kept[:, 0]
    low, high = ppi_mean_ci((drawn.judged[some] == WRONG).astype(float), predicted[some], predicted[~some], 1 - LEVEL)
    return float(low[0]), float(high[0])


def row(rates: tuple[float, float, float], judged: int, repetitions: int) -> dict[str, object]:
    """Widths and coverages at one size."""
    name = f"{judged} of {RECORDS} judged, p phi psi = {' '.join(f'{rate:g}' for rate in rates)}"
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    drawn = [at_random(rng, RECORDS, judged, rates) for _ in range(repetitions)]
    ends = np.array([[ours(one, seed), theirs(one)] for seed, one in enumerate(drawn)])
    width = (ends[..., 1] - ends[..., 0]).mean(0)
    cover = ((ends[..., 0] <= rates[0]) & (ends[..., 1] >= rates[0])).mean(0)
    found = {"width": width[0], "ppi_width": width[1], "width_ratio": width[0] / width[1]}
    found |= {"coverage": cover[0], "ppi_coverage": cover[1]}
    return {"name": name, "repetitions": repetitions} | {key: float(value) for key, value in found.items()}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repetitions", type=int, default=200)
    given = options.parse_args()
    print(f"{'':48}{'width':>8}{'PPI++':>8}{'ratio':>8}{'coverage':>10}{'PPI++':>8}")
    rows = []
    for rates in RATES:
        for judged in JUDGED:
            rows.append(row(rates, judged, given.repetitions))
            values = [rows[-1][key] for key in ("width", "ppi_width", "width_ratio", "coverage", "ppi_coverage")]
            print("{:48}{:8.4f}{:8.4f}{:8.3f}{:10.1%}{:8.1%}".format(rows[-1]["name"], *values), flush=True)
    print(f"recorded: {record('partly_judged', rows).relative_to(TOP)}")


if __name__ == "__main__":
    main()
