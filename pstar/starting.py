"""The files that `pstar init` writes: small ones that run as they are, with comments on what to change."""

from pathlib import Path

SWEEP = """\
# A small sweep: does training on verified synthetic data help, and does p* predict it?
#
#   pstar sweep sweep.toml --out out      seconds
#   pstar compare out                     theory beside it
#   pstar figures out                     the same, drawn
#
# Every number may be one value, a list, or a range { start, stop, num } with both ends included. The grid is the
# product of all of them. Unknown keys, and values outside their range, are refused before anything runs.

[problem]
setting = "independent"   # label errors independent of x given y
d = 50                    # dimension
signal = 2.0              # r = ||mu||; the best possible accuracy is Phi(r) = 0.977
alpha = 4                 # n/d: samples generated per dimension, before the verifier

[generator]
p = { start = 0.1, stop = 0.9, num = 9 }   # error rate P(y' != y)

[verifier]
phi = 0.8                 # P(kept | label correct)
psi = [0.1, 0.4]          # P(kept | label wrong): p* = phi/(phi + psi) = 0.889, 0.667

[training]
loss = "squared"          # or "logistic", or a list of both
ridge = 0.1               # penalty relative to the mean loss over the kept samples

[run]
seeds = 16                # independent trials per cell: more of them narrow the intervals
root_seed = 0
"""
RECORDS = """\
item,correct,kept
1,yes,yes
2,yes,yes
3,no,no
4,yes,yes
5,no,yes
6,yes,no
7,yes,yes
8,no,no
9,yes,yes
10,no,no
11,yes,no
12,no,no
"""
"""A row per label that the generator made: is it correct, did the verifier keep it?"""

FILES = {"sweep.toml": SWEEP, "records.csv": RECORDS}


def write(folder: Path) -> list[Path]:
    """Write both into a folder, which is made; nothing that is there is replaced (FileExistsError)."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in FILES.items():
        with open(folder / name, "x", encoding="utf-8") as file:
            file.write(text)
        paths.append(folder / name)
    return paths
