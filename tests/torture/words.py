"""Inputs that nobody would make on purpose: words of a command line, tables, sweep files, records; good ones spoilt."""

import json
from io import BytesIO

import numpy as np
import pandas as pd

NUMBERS = (
    "0", "1", "-0", ".5", "0.3", "30%", "1e400", "-1e400", "nan", "inf", "-inf", "5e-324", "1e-300", "1e300", "0,3",
    "1/2", "", " ", "x", "0x10", "1_000", "1,000", "9" * 400, "-1", "2", "1e6", "0.9999999999999999", "true", "None",
)  # fmt: skip
TEXTS = (
    "", " ", "x", "é", "漢字", "a\tb", "a\x1b[31mb", "a\x00b", "\u202egnp", "=1+1", "../../x", "/dev/null", "-", "--",
    "a" * 5000, "'", '"', "\\", "%s", "{}", "\ud800", "1", "0", "yes", "no", "NaN", "null", "True", "cat ", "cat",
)  # fmt: skip
OPTIONS = {
    "predict": ("--p", "--phi", "--psi", "--alpha", "--signal", "--ridge", "--loss", "--setting", "--cos-generator",
                "--cos-verifier", "--cos-between", "--prior", "--classes", "--intercept", "--d", "--p-negative",
                "--margin", "--eigenvalues", "--shares", "--signals-sq", "--json", "--lambda", "--n", "--accuracy",
                "--real"),
    "audit": ("--correct", "--kept", "--score", "--label", "--truth", "--class", "--classes", "--group", "--weight",
              "--quality", "--true", "--false", "--level", "--generated", "--seed", "--cost-verify", "--json",
              "--low-is-good"),
    "forecast": ("--pilot", "--p", "--phi", "--psi", "--generated", "--errors", "--learner", "--level", "--json"),
    "features": ("--p", "--phi", "--psi", "--n", "--ridge", "--loss", "--level", "--label", "--json"),
    "sweep": ("--out", "--workers", "--memory", "--device", "--dry-run", "--json"),
    "compare": ("--cells", "--json"),
    "figures": ("--list", "--json"),
    "verify": ("--repair", "--dry-run", "--json"),
    "study": ("--out", "--seeds", "--list", "--json"),
    "eigenvalues": ("--out", "--profile", "--workers", "--device", "--dry-run"),
    "summarization": ("--out", "--preset", "--config", "--shard", "--dry-run"),
}  # fmt: skip
CHOICES = {
    "--loss": ("squared", "logistic", "hinge"),
    "--setting": ("independent", "linear", "learned", "keep-easy", "keep-hard", "mixture"),
    "--errors": ("learned", "spread"),
}


def pick(rng, choices):
    """One of them."""
    return choices[int(rng.integers(len(choices)))]


def number(rng):
    """A number as somebody might write it, mostly a sane one."""
    return f"{rng.random():.4f}" if rng.random() < 0.5 else pick(rng, NUMBERS)


def value(rng, option=""):
    """What follows an option."""
    if option in CHOICES and rng.random() < 0.8:
        return pick(rng, CHOICES[option])
    return number(rng) if rng.random() < 0.7 else pick(rng, TEXTS)


def line(rng, verb):
    """Options of a verb in any order, with and without values, sometimes misspelt or twice."""
    words = [verb]
    for _ in range(int(rng.integers(0, 8))):
        option = pick(rng, OPTIONS[verb])
        if rng.random() < 0.03:
            option = option[:-1] or option
        words.append(option)
        if rng.random() < 0.9:
            words.append(value(rng, option))
    if rng.random() < 0.2:
        words.insert(int(rng.integers(1, len(words) + 1)), pick(rng, TEXTS))
    return words


def rates(rng):
    """A call of predict that could be meant, with numbers at the edges."""
    edge = lambda: float(
        pick(rng, (0.0, 1.0, 5e-324, 1e-300, 1e-12, 1 - 2**-53, rng.random(), rng.random(), rng.random()))
    )
    scale = lambda: float(pick(rng, (1e-12, 1e-3, 1e-300, 1e6, 1e3, 1e300, 10 * rng.random(), 10 * rng.random())))
    words = ["predict", "--p", edge(), "--phi", edge(), "--psi", edge(), "--alpha", scale(), "--signal", scale()]
    words += ["--ridge", scale(), "--loss", pick(rng, ("squared", "squared", "logistic", "hinge"))]
    if rng.random() < 0.2:
        words += ["--prior", edge()]
    if rng.random() < 0.2:
        words += ["--intercept"]
    return [*map(str, words), "--json"]


def searched(rng):
    """A call of predict that is legal or nearly, of a family whose solver searches, with numbers at the edges."""
    edge = lambda: float(
        pick(rng, (0.0, 1.0, 5e-324, 1e-300, 1e-12, 1 - 2**-53, 0.5, rng.random(), rng.random(), rng.random()))
    )
    scale = lambda: float(
        pick(rng, (5e-324, 1e-300, 1e-12, 1e-3, 1.0, 1e3, 5e6, 1e300, *(10 ** rng.uniform(-4, 4) for _ in range(8))))
    )
    ridge = lambda: float(pick(rng, (0.0, 0.0, 1e-12, 1e-3, scale(), 10 ** rng.uniform(-9, 2))))
    cosine = lambda: float(pick(rng, (-1.0, 1.0, 0.0, 1 - 2**-53, 1e-300, *rng.uniform(-1, 1, 6))))
    given = {"signal": scale(), "alpha": scale(), "ridge": ridge(), "loss": pick(rng, ("logistic", "hinge"))}
    bare = []
    kind = pick(rng, ("classes", "cosines", "cosines", "cosines", "intercept", "spectrum"))
    if kind == "cosines":
        given["setting"] = pick(rng, ("linear", "learned", "keep-easy", "keep-hard", "mixture"))
        given["cos-generator"] = g = cosine()
        if given["setting"] == "learned":
            given |= {"phi": edge(), "psi": edge()}
        else:
            v = cosine()
            between = g * v + ((1 - g * g) * (1 - v * v)) ** 0.5 * pick(rng, (-1.0, 1.0, rng.uniform(-1, 1), 0.0))
            given |= {"cos-verifier": v, "cos-between": pick(rng, (between, min(1.0, max(-1.0, between))))}
        if given["setting"].startswith("keep"):
            given["margin"] = float(pick(rng, (1e-6, 1e3, 10 ** rng.uniform(-3, 1))))
        if given["setting"] == "mixture":
            given["real"] = edge()
    else:
        given |= {"p": edge(), "phi": edge(), "psi": edge()}
    if kind == "classes":
        given["loss"] = pick(rng, ("logistic", "logistic", "squared"))
        most = 30 if given["loss"] == "logistic" else 1000
        given["classes"] = int(pick(rng, (2, 3, 4, 5, 8, 20, rng.integers(2, most + 1))))
    if kind == "intercept" or (kind in ("classes", "spectrum") and rng.random() < 0.4):
        bare = ["intercept"]
    if kind == "intercept":
        given |= {"prior": edge()} if rng.random() < 0.5 else {}
        given |= {"n": int(10 ** rng.uniform(0, 4)), "d": int(10 ** rng.uniform(0, 3))} if rng.random() < 0.4 else {}
        if "n" in given:
            given.pop("alpha")
    if kind == "spectrum":
        given.pop("signal")
        levels = int(rng.integers(1, 5))
        listed = lambda numbers: ";".join(f"{each!r}" for each in numbers)
        shares = rng.dirichlet(np.ones(levels)).tolist()
        given |= {"eigenvalues": listed([scale() for _ in range(levels)]), "shares": listed(shares)}
        given |= {"signals-sq": listed([scale() for _ in range(levels)])}
    return [
        "predict",
        *(f"--{name}={value}" for name, value in given.items()),
        *(f"--{name}" for name in bare),
        "--json",
    ]


def spoil(rng, data):
    """Bytes with some of them changed, cut, doubled or moved."""
    data = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        place = int(rng.integers(len(data) + 1))
        how = int(rng.integers(5))
        if how == 0 and data:
            data[min(place, len(data) - 1)] = int(rng.integers(256))
        elif how == 1:
            del data[place : place + int(rng.integers(1, 20))]
        elif how == 2:
            data[place:place] = pick(rng, TEXTS).encode("utf-8", "surrogatepass")
        elif how == 3:
            data[place:place] = pick(rng, NUMBERS).encode()
        else:
            data[place:place] = data[: int(rng.integers(1, 40))]
    return bytes(data)


def table(rng):
    """A table for predict --table, cells good or not."""
    names = ["p", "phi", "psi", "alpha", "ridge", "signal", "loss", "classes", "lambda", "setting", " ridge", "p", "id"]
    columns = ["p", "phi", "psi"] + [pick(rng, names) for _ in range(int(rng.integers(0, 4)))]
    cells = [[number(rng) if rng.random() < 0.2 else f"{rng.random():.3f}" for _ in columns] for _ in range(4)]
    text = "\n".join([",".join(columns), *(",".join(row) for row in cells)])
    return spoil(rng, text.encode()) if rng.random() < 0.3 else text.encode()


def records(rng):
    """Records of an audit: (bytes, ending)."""
    count = int(rng.integers(0, 40))
    words = pick(rng, (("0", "1"), ("yes", "no"), ("PASS", "FAIL"), ("1", ""), ("1.0", "0.0"), ("-1", "1"), TEXTS))
    rows = [{"correct": pick(rng, words), "kept": pick(rng, words), "score": number(rng)} for _ in range(count)]
    ending = pick(rng, (".csv", ".csv", ".json", ".jsonl", ".tsv", ".parquet"))
    if ending in (".csv", ".tsv"):
        cut = "\t" if ending == ".tsv" else ","
        text = "\n".join([cut.join(("correct", "kept", "score")), *(cut.join(row.values()) for row in rows)])
        data = text.encode("utf-8", "surrogatepass")
    elif ending == ".parquet":
        buffer = BytesIO()
        sound = [{name: cell.encode("utf-8", "replace").decode() for name, cell in row.items()} for row in rows]
        pd.DataFrame(sound, columns=["correct", "kept", "score"]).astype(str).to_parquet(buffer)
        data = buffer.getvalue()
    else:
        text = json.dumps(rows) if ending == ".json" else "\n".join(map(json.dumps, rows))
        data = text.encode()
    return (spoil(rng, data) if rng.random() < 0.4 else data), ending


SWEEP = """[problem]
d = {d}
alpha = {alpha}
signal = {signal}
[generator]
p = [{p}, {q}]
[verifier]
phi = {phi}
psi = {psi}
[training]
loss = "{loss}"
ridge = {ridge}
[run]
seeds = {seeds}
method = "{method}"
"""


def sweep(rng):
    """A sweep file, good, at the edges, or spoilt; its cells are few where it can be read."""
    sane = rng.random() < 0.5
    entry = lambda: f"{rng.random():.3f}" if sane else number(rng)
    text = SWEEP.format(
        d=pick(rng, ("1", "2", "5")) if sane else number(rng),
        alpha=pick(rng, ("1", "2.5")) if sane else number(rng),
        signal="1.5" if sane else number(rng),
        p=entry(), q=entry(), phi=entry(), psi=entry(),
        loss=pick(rng, ("squared", "logistic")),
        ridge=pick(rng, ("0.1", "1e-300", "5e-324", "1e300", "0")),
        seeds="2",
        method=pick(rng, ("theory", "theory", "simulation", "exact-law")),
    )  # fmt: skip
    return spoil(rng, text.encode()) if rng.random() < 0.3 else text.encode()


def pilot(rng):
    """A learning curve."""
    lines = [f"{int(10 ** (1 + place))},{0.5 + 0.1 * place + 0.02 * rng.random():.3f}" for place in range(4)]
    text = "\n".join(["n,accuracy", *lines])
    return spoil(rng, text.encode()) if rng.random() < 0.6 else text.encode()


def points(rng):
    """Embeddings with labels, as CSV."""
    x = rng.normal(size=(30, 2))
    y = (x[:, 0] + rng.normal(size=30) > 0).astype(int)
    lines = [f"{a:.4f},{b:.4f},{label}" for (a, b), label in zip(x, y, strict=True)]
    text = "\n".join(["x0,x1,label", *lines])
    return spoil(rng, text.encode()) if rng.random() < 0.7 else text.encode()


def finite(number):
    """Whether it is a number that means something."""
    return isinstance(number, int) or bool(np.isfinite(number))
