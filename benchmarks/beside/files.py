"""The five files of `audit_beside`: laws with known rates, drawn by seed; the first draw is the file itself."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

P, PHI, PSI = 0.3, 0.9, 0.3
SEED = 20261127


class Drawn(NamedTuple):
    """Records of one draw."""

    correct: np.ndarray
    """1, 0, NaN where nobody judged."""
    kept: np.ndarray
    prompt: np.ndarray


class File(NamedTuple):
    """A law of files."""

    about: str
    draw: Callable[[np.random.Generator], Drawn]
    truth: dict[str, float]


def _independent(rng: np.random.Generator, size: int, psi: float = PSI) -> Drawn:
    correct = rng.random(size) >= P
    kept = rng.random(size) < np.where(correct, PHI, psi)
    return Drawn(correct.astype(float), kept, np.arange(size))


def _partly(rng: np.random.Generator) -> Drawn:
    drawn = _independent(rng, 2000)
    return _judged(drawn, rng.permutation(2000)[:200])


def _halves(rng: np.random.Generator) -> Drawn:
    drawn = _independent(rng, 2000)
    sides = [rng.permutation(np.flatnonzero(drawn.kept == side))[:100] for side in (True, False)]
    return _judged(drawn, np.concatenate(sides))


def _judged(drawn: Drawn, some: np.ndarray) -> Drawn:
    correct = np.full(len(drawn.kept), np.nan)
    correct[some] = drawn.correct[some]
    return drawn._replace(correct=correct)


def _prompts(rng: np.random.Generator, prompts: int = 75, each: int = 8) -> Drawn:
    """Accuracy, phi and psi vary from prompt to prompt, by Beta laws with the means that the other files have."""
    accuracy, phi, psi = (rng.beta(a, b, prompts) for a, b in ((1.4, 0.6), (18, 2), (1.5, 3.5)))
    prompt = np.repeat(np.arange(prompts), each)
    correct = rng.random(prompt.size) < accuracy[prompt]
    kept = rng.random(prompt.size) < np.where(correct, phi[prompt], psi[prompt])
    return Drawn(correct.astype(float), kept, prompt)


def _truth(psi: float = PSI) -> dict[str, float]:
    right, wrong = (1 - P) * PHI, P * psi
    found = {"accuracy": 1 - P, "phi": PHI, "psi": psi, "purity": right / (right + wrong), "p_star": PHI / (PHI + psi)}
    return found | {"worth": (right - wrong) ** 2 / (right + wrong)}


FILES = {
    "plain": File("1,000 records, all judged", lambda rng: _independent(rng, 1000), _truth()),
    "partly": File("2,000 records, 200 of them judged, drawn at random", _partly, _truth()),
    "prompts": File("75 prompts with 8 records each, all judged; prompts differ", _prompts, _truth()),
    "halves": File("2,000 records, judged are 100 of the kept and 100 of the dropped", _halves, _truth()),
    "psi0": File(
        "120 records, all judged; psi = .01, none wrong is kept", lambda rng: _independent(rng, 120, 0.01), _truth(0.01)
    ),
}


def drawn(name: str, times: int) -> Drawn:
    """The file and ``times`` further draws of its law, (1 + times, n) each."""
    rng = np.random.default_rng([SEED, list(FILES).index(name)])
    draw = FILES[name].draw
    first = draw(rng)
    while name == "psi0" and first.kept[first.correct == 0].any():
        first = draw(rng)
    return Drawn(*map(np.array, zip(first, *(draw(rng) for _ in range(times)), strict=True)))


def write(folder: Path, times: int) -> None:
    """NAME.csv, the files, and NAME.npz, all draws."""
    for name in FILES:
        every = drawn(name, times)
        np.savez(folder / f"{name}.npz", **every._asdict())
        correct, kept, prompt = (column[0] for column in every)
        rows = (
            f"{number},{place},{'' if np.isnan(right) else int(right)},{int(keeps)}"
            for number, (place, right, keeps) in enumerate(zip(prompt, correct, kept, strict=True))
        )
        (folder / f"{name}.csv").write_text("\n".join(["id,prompt,correct,kept", *rows]) + "\n")
