"""The poster's experiment with p*: who beats the generator, and why p < p* does not say so (THEORY §11).

The generator is a ridge classifier of clean samples with the poster's accuracy; students are ridge classifiers of n
labels it gave to fresh x, all correct ones and a share p_noise of the wrong ones: phi = 1, psi = p_noise, p* = 1/(1 +
p_noise). Either its errors are independent of x, as the theorem has it, or a function of x, as a trained model's are.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from scipy.special import ndtri

from sims.running.intervals import mean_over
from sims.running.progress import progress
from sims.trial import make_trials
from theory.crossings import Crossings, crossings, p_star_crossings
from theory.limits import bayes_accuracy, population_accuracy
from theory.table import predict_table
from theory.types import Learned, Problem, Rates

LOSS, ROOT_SEED = "squared", 0
ACCURACY = 0.669
"""Of the poster's generator."""
SETTINGS = ("independent", "learned")
NONE, ORACLE, TRUE = "no verification", "oracle", "true labels"


class Case(NamedTuple):
    """Signal, penalty (generator and students alike), and n over the number of the generator's own samples."""

    signal: float
    ridge: float
    ratio: float


CASES = (
    Case(1.0, 1.0, 2.0),
    Case(1.0, 0.01, 2.0),
    Case(0.8, 0.01, 2.0),
    Case(1.5, 0.1, 5.0),
    Case(1.0, 0.01, 5.0),
    Case(1.0, 0.01, 20.0),
    Case(1.0, 0.01, 100.0),
)
"""The table of THEORY §11."""
SHOWN = (1.0, 0.01)
"""Signal and penalty of what is drawn."""
RATIOS = (2.0, 5.0, 20.0, 100.0)
TOLD = (2.0, 5.0, 100.0)
D, SIMULATED_RATIOS = 100, (2.0, 5.0, 100.0)
"""Dimension and ratios of the simulation; each is compiled, which takes the longest."""
STARS = np.linspace(0.5, 1, 101)
SIMULATED = np.array([0.5, 0.6, 0.7, 0.85, 1.0])
"""p* of theory and of simulation."""
GROWTH = np.geomspace(1, 1000, 61)
"""n over the generator's samples, for the approach to infinite data."""


class Observed(NamedTuple):
    """What an experiment with eigenvalues measured: accuracy of the generator, and gains over it."""

    source: str
    quantity: str
    p_star: float
    """Of the verifier; NaN for true labels, and for the crossing, whose value it is."""
    value: float
    low: float = np.nan
    high: float = np.nan


PUBLISHED, PROJECT, TRIAL = "poster, 5 x 5", "this project, 2 x 2", "trial before it, 2 x 2"
GENERATORS = {PUBLISHED: ACCURACY, PROJECT: 0.648, TRIAL: 0.6457}
"""Accuracy of the generator; the project's is that of three of its six seeds."""
CROSSING, NOISY = "crossing", "noisy verifier"
PREDICTED = {ORACLE: "oracle", CROSSING: "crossing", TRUE: "true", NOISY: "noisy"}
"""What is predicted from a fit, and its name in the columns of ``scores``."""
OBSERVED = (
    Observed(PUBLISHED, NONE, 0.5, -0.064),
    Observed(PUBLISHED, ORACLE, 1.0, 0.052),
    Observed(PUBLISHED, CROSSING, np.nan, 0.65),
    Observed(PROJECT, NONE, 0.5, -0.022, -0.036, -0.007),
    Observed(PROJECT, ORACLE, 1.0, 0.026, 0.005, 0.047),
    Observed(PROJECT, TRUE, np.nan, 0.150, 0.121, 0.179),
    Observed(PROJECT, CROSSING, np.nan, 0.67, 0.54, 0.88),
    Observed(TRIAL, NONE, 0.5, -0.033),
    Observed(TRIAL, NOISY, 1 / 1.54, -0.007),
    Observed(TRIAL, NOISY, 0.8, 0.021),
    Observed(TRIAL, ORACLE, 1.0, 0.035),
    Observed(TRIAL, TRUE, np.nan, 0.112),
    Observed(TRIAL, CROSSING, np.nan, 0.68),
)
"""Poster: feng2024beyond, as in empirical/eigenvalues/published.csv. Project: six seeds, empirical/LOG.md, 2026-11-22,
95 % intervals. Trial: three seeds of the recipe that the log names as the trial before this program and did not
reproduce; its crossing is the mean of .65, .60 and .78."""
FIT_SIGNALS, FIT_RIDGES = (0.8, 1.0, 1.5, 2.0, 3.0), (0.01, 0.1, 1.0)
"""What no experiment tells, held fixed in a fit: every pair of them is one."""
FIT_RANGE = (1e-3, 1e4)
"""n/d that are searched."""
DECISIVE = 0.75
"""Share of fits in which one setting must be nearer to be called better."""


def tables(seeds: int) -> dict[str, pd.DataFrame]:
    """Theory, simulation, and what was measured.

    ``rows``: the table of THEORY §11, gains over the generator; ``lines``: gain along p*; ``growth``: gain along the
    sample size; ``cells``: simulated; ``observed``; ``fits``: n/d from the run without verification, the rest
    predicted; ``scores``: their errors by source and setting; ``findings``: what came out, in words.
    """
    with progress("theory", 5, "tables") as advance:
        found = {"rows": _rows()}
        for name, block in (("lines", _lines), ("growth", _growth)):
            advance(1)
            found[name] = block()
        found["observed"] = pd.DataFrame(OBSERVED).assign(generator=[GENERATORS[line.source] for line in OBSERVED])
        advance(1)
        found["fits"] = _fits(found["observed"])
        advance(1)
        found["scores"] = _scores(found["fits"])
        advance(1)
    found["findings"] = pd.DataFrame({"finding": findings(found)})
    return found | {"cells": _cells(seeds)}


def findings(tables: dict[str, pd.DataFrame]) -> list[str]:
    """Three sentences: what the number of samples does, where the settings part, and which of them predicts better."""
    rows = tables["rows"]
    shown = rows[(rows["signal"] == SHOWN[0]) & (rows["ridge"] == SHOWN[1])].set_index(["ratio", "setting"])
    few, more, many = (shown.loc[ratio] for ratio in TOLD)
    learned, independent = many.loc["learned"], many.loc["independent"]
    wins = "the student wins even unverified" if many["none"].min() > 0 else "the student may still lose"
    ties = [_star(part.loc["independent", "crossing"]) for part in (few, more)]
    return [
        f"p < p* holds in every run here (the generator errs on {1 - ACCURACY:.1%} of its labels, p* is .5 to 1), and "
        "yet it does not say who wins, as p* knows nothing of the number of samples: with "
        f"{TOLD[0]:g} times the generator's samples its student {_change(few.loc['learned', 'none'])} without "
        f"verification and {_change(few.loc['learned', 'oracle'])} with an oracle, and they tie at p* = "
        f"{_star(few.loc['learned', 'crossing'])}; with {TOLD[1]:g} times they tie at "
        f"{_star(more.loc['learned', 'crossing'])}, and with {TOLD[2]:g} times {wins}. (With errors independent of x "
        f"the student {_change(few.loc['independent', 'none'])}, {_change(few.loc['independent', 'oracle'])}, and they "
        f"tie at {' and '.join(ties)}.)",
        f"With so many samples it counts where the errors come from: unverified, a student of independent errors "
        f"{_change(independent['none'])} of the {100 * independent['bayes']:.1f} that there are, one of learned errors "
        f"{_change(learned['none'])}, as it only learns its generator again; and an oracle, which never shows it what "
        f"the generator gets wrong, leaves it at {100 * learned['oracle']:.1f} where true labels give "
        f"{100 * learned['true']:.1f}.",
        "Which errors predict real runs better, with n/d fitted to the run without verification? First the oracle's "
        "gain, then the tie, and how far predictions are off with learned (independent) errors: "
        f"{'; '.join(_judged(line) for _, line in _pairs(tables['scores']))}. These are means over signals and "
        "penalties, which no run tells and which matter most.",
    ]


def _both(part: pd.Series, form: Callable[[float], str]) -> str:
    """A number of the learned setting, and that of the independent one in brackets."""
    return f"{form(part['learned'])} ({form(part['independent'])})"


def _change(gain: float) -> str:
    """A difference of accuracies in words."""
    return f"{'gains' if gain > 0 else 'loses'} {abs(100 * gain):.1f} points"


def _star(p_star: float) -> str:
    return f"{p_star:.2f}".removeprefix("0")


def _pairs(scores: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The scores of each source by setting."""
    return ((str(source), part.set_index("setting")) for source, part in scores.groupby("source", sort=False))


def _judged(part: pd.DataFrame) -> str:
    """The two verdicts on a source, with the mean errors that they are about."""
    points = _both(part["oracle_error"], lambda off: f"{100 * off:.1f}")
    first = part.iloc[0]
    tie = _both(part["crossing_error"], _star)
    return f"{first['source']}: {first['verdict_oracle']}, {points} points, and {first['verdict_crossing']}, {tie}"


def _accuracy(lines: pd.DataFrame) -> np.ndarray:
    """Exact accuracy of lines with setting, signal, ridge, alpha, p and psi; phi = 1."""
    found: np.ndarray = predict_table(_columns(lines))["accuracy"]
    return found


def _columns(lines: pd.DataFrame) -> dict[str, Any]:
    """A generator of error rate p in either setting, as `predict_table` takes it."""
    own = {name: lines[name].to_numpy() for name in ("setting", "signal", "ridge", "alpha", "p", "psi")}
    aligned = np.clip(ndtri(1 - own["p"]) / own["signal"], -1, 1)  # of p = 0 too, where it is not read
    constant = np.ones(len(lines))
    return own | {"loss": np.full(len(lines), LOSS, object), "phi": constant, "cos_generator": aligned}


def generator_alpha(table: pd.DataFrame, accuracy: np.ndarray) -> np.ndarray:
    """The fewest clean samples per dimension with which ridge has that accuracy; NaN where none in FIT_RANGE do."""

    def excess(log_alpha: np.ndarray, which: np.ndarray) -> np.ndarray:
        at = which.ravel()
        lines = table.iloc[at].assign(setting="independent", p=0.0, psi=1.0, alpha=np.exp(log_alpha.ravel()))
        return (_accuracy(lines) - accuracy[at]).reshape(which.shape)

    return np.exp(_first(crossings(excess, len(table), *np.log(FIT_RANGE)), len(table))[0])


def _generated(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines with signal, ridge and ratio, once for each setting, with the poster's generator and n/d."""
    own = generator_alpha(lines, np.full(len(lines), ACCURACY))
    lines = lines.assign(alpha_generator=own, alpha=own * lines["ratio"], p=1 - ACCURACY)
    return pd.concat([lines.assign(setting=setting) for setting in SETTINGS], ignore_index=True)


def _first(found: Crossings, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The lowest crossing of each curve, NaN where there is none; and how many it has."""
    first = np.full(count, np.nan)
    first[found.curve[::-1]] = found.x[::-1]
    return first, np.bincount(found.curve, minlength=count)


def _rows() -> pd.DataFrame:
    """Gains over the generator by kind of student, their limits for endless data, and the crossing in p*."""
    lines = _generated(pd.DataFrame(CASES)).assign(psi=1.0)
    lines["none"] = _accuracy(lines) - ACCURACY
    lines["oracle"] = _accuracy(lines.assign(psi=0.0)) - ACCURACY
    lines["true"] = _accuracy(lines.assign(setting="independent", p=0.0)) - ACCURACY
    lines["crossing"], lines["crossings"] = _first(p_star_crossings(_columns(lines)), len(lines))
    for name, psi in (("none", 1.0), ("oracle", 0.0)):
        lines[f"{name}_infinite"] = _infinite(lines.assign(psi=psi)) - ACCURACY
    return lines.assign(bayes=bayes_accuracy(lines["signal"].to_numpy()) - ACCURACY).drop(columns="psi")


def _infinite(lines: pd.DataFrame) -> np.ndarray:
    """Accuracy for endless data."""
    found = np.empty(len(lines))
    for setting in SETTINGS:
        at = np.flatnonzero(lines["setting"] == setting)
        part = {name: value[at] for name, value in _columns(lines).items()}
        first = part["cos_generator"] if setting == "learned" else part["p"]
        curation = (Learned if setting == "learned" else Rates)(first, part["phi"], part["psi"])
        found[at] = population_accuracy(Problem(part["signal"], curation, part["ridge"]))
    return found


def _shown(ratios: Any) -> pd.DataFrame:
    return _generated(pd.DataFrame({"ratio": ratios}).assign(signal=SHOWN[0], ridge=SHOWN[1]))


def _along(lines: pd.DataFrame, stars: np.ndarray) -> pd.DataFrame:
    """Every line at every p*."""
    return lines.merge(pd.DataFrame({"p_star": stars, "psi": 1 / stars - 1}), how="cross")


def _lines() -> pd.DataFrame:
    """Exact gain along p*, at each ratio and for endless data (ratio infinite)."""
    lines = _along(_shown(RATIOS), STARS)
    endless = lines[lines["ratio"] == RATIOS[0]].assign(ratio=np.inf, alpha=np.inf)
    accuracy = np.concatenate([_accuracy(lines), _infinite(endless)])
    return pd.concat([lines, endless], ignore_index=True).assign(gain=accuracy - ACCURACY)


def _growth() -> pd.DataFrame:
    """Exact gain of each kind of student along the sample size, and its limit."""
    lines = _shown(GROWTH)
    best = float(bayes_accuracy(SHOWN[0]))
    parts = []
    for student, psi in ((NONE, 1.0), (ORACLE, 0.0)):
        part = lines.assign(student=student, psi=psi)
        parts.append(part.assign(gain=_accuracy(part) - ACCURACY, infinite=_infinite(part) - ACCURACY))
    part = lines[lines["setting"] == "independent"].assign(student=TRUE, psi=1.0, p=0.0)
    parts.append(part.assign(gain=_accuracy(part) - ACCURACY, infinite=best - ACCURACY))
    return pd.concat(parts, ignore_index=True)


def _cells(seeds: int) -> pd.DataFrame:
    """Simulation at every p* and ratio, and of true labels, beside the exact gain; NaN where any trial failed."""
    lines = _along(_shown(SIMULATED_RATIOS), SIMULATED).assign(
        student=lambda table: table["p_star"].map({0.5: NONE, 1.0: ORACLE})
    )
    clean = (
        _shown(SIMULATED_RATIOS).query("setting == 'independent'").assign(student=TRUE, p=0.0, psi=1.0, p_star=np.nan)
    )
    lines = pd.concat([lines, clean], ignore_index=True)
    lines["n"] = (lines["alpha"] * D).round().astype(int)
    lines = lines.assign(d=D, alpha=lines["n"] / D, seeds=seeds)
    measured = []
    with progress("simulation", len(lines) * seeds, "trials") as advance:
        for index, line in enumerate(lines.itertuples()):
            accuracy = _simulate(line, index, seeds)
            measured.append((int(np.isnan(accuracy).sum()), *mean_over(accuracy - ACCURACY)))
            advance(seeds)
    found = pd.DataFrame(measured, columns=["failed", "accuracy", "error", "low", "high"])
    return lines.assign(exact=_accuracy(lines) - ACCURACY, **found.rename(columns={"accuracy": "gain"}))


def _simulate(line: Any, index: int, seeds: int) -> np.ndarray:
    """Accuracy of every trial of a line."""
    if line.setting == "learned":
        curation = Learned(ndtri(1 - line.p) / line.signal, 1.0, line.psi)
    else:
        curation = Rates(line.p, 1.0, line.psi)
    words = np.stack([np.full(seeds, line.n), np.full(seeds, index), np.arange(seeds)], axis=1).astype(np.uint32)
    problem = jax.tree.map(lambda field: jnp.full(seeds, float(field)), Problem(line.signal, curation, line.ridge))
    return np.asarray(make_trials(line.n, D, LOSS)(jnp.asarray(ROOT_SEED), words, problem).accuracy)


def _fits(observed: pd.DataFrame) -> pd.DataFrame:
    """n/d such that the student of unverified labels is as measured; everything else measured, predicted with it.

    One line per setting, signal, ridge and measured quantity. Where several n/d do, the largest: from there on more
    samples only help. A crossing that is not there counts as p* = 1, an oracle.
    """
    grid = pd.DataFrame({"setting": SETTINGS}).merge(pd.DataFrame({"signal": FIT_SIGNALS}), how="cross")
    grid = grid.merge(pd.DataFrame({"ridge": FIT_RIDGES}), how="cross")
    lines = observed[observed["quantity"] == NONE][["source", "generator", "value"]].merge(grid, how="cross")
    lines = lines.assign(p=1 - lines["generator"], psi=1.0)

    def excess(log_alpha: np.ndarray, which: np.ndarray) -> np.ndarray:
        part = lines.iloc[which.ravel()].assign(alpha=np.exp(log_alpha.ravel()))
        return (_accuracy(part) - (part["generator"] + part["value"]).to_numpy()).reshape(which.shape)

    found = crossings(excess, len(lines), *np.log(FIT_RANGE))
    lines["alpha"] = np.nan
    lines.loc[found.curve, "alpha"] = np.exp(found.x)
    lines["roots"] = np.bincount(found.curve, minlength=len(lines))
    lines["ratio"] = lines["alpha"] / generator_alpha(lines, lines["generator"].to_numpy())
    lines = lines[lines["roots"] > 0].drop(columns="value").reset_index(drop=True)
    crossing, lines["crossings"] = _first(p_star_crossings(_columns(lines)), len(lines))
    lines["crossing"] = np.where(lines["crossings"] > 0, crossing, 1.0)
    quantities = observed[observed["quantity"] != NONE].drop(columns="generator")
    return _predicted(lines.drop(columns="psi").merge(quantities, on="source"))


def _predicted(lines: pd.DataFrame) -> pd.DataFrame:
    """What the fit says of each measured quantity."""
    true, crosses = lines["quantity"] == TRUE, lines["quantity"] == CROSSING
    student = lines.assign(psi=np.where(lines["p_star"].isna(), 1.0, 1 / lines["p_star"] - 1))
    student = student.assign(p=lines["p"].mask(true, 0.0), setting=lines["setting"].mask(true, "independent"))
    gain = _accuracy(student) - lines["generator"]
    predicted = gain.mask(crosses, lines["crossing"])
    return lines.assign(predicted=predicted, off=(predicted - lines["value"]).abs()).drop(columns=["p", "crossing"])


def _scores(fits: pd.DataFrame) -> pd.DataFrame:
    """By source and setting: range of its predictions, mean absolute error, share of fits in which it is nearer."""
    keys = ["source", "signal", "ridge"]
    lines = []
    for source, part in fits.groupby("source", sort=False):
        for setting in SETTINGS:
            mine = part[part["setting"] == setting]
            line: dict[str, Any] = {"source": source, "setting": setting, "fits": len(mine.groupby(keys))}
            for quantity, name in PREDICTED.items():
                chosen = mine[mine["quantity"] == quantity]
                line |= {f"{name}_low": chosen["predicted"].min(), f"{name}_high": chosen["predicted"].max()}
                line[f"{name}_error"] = chosen["off"].mean()
            line["without_crossing"] = int(((mine["quantity"] == CROSSING) & (mine["crossings"] == 0)).sum())
            for quantity in (ORACLE, CROSSING):
                name, chosen = PREDICTED[quantity], part[part["quantity"] == quantity]
                off = chosen.pivot(index=keys, columns="setting", values="off").dropna()
                share = float((off["learned"] < off["independent"]).mean())
                line[f"nearer_{name}"] = share if setting == "learned" else 1 - share
                line[f"verdict_{name}"] = _verdict(share)
                within = chosen["predicted"].between(chosen["low"], chosen["high"]) & (chosen["setting"] == setting)
                line[f"within_{name}"] = int(within.sum()) if chosen["low"].notna().all() else pd.NA
            lines.append(line)
    return pd.DataFrame(lines)


def _verdict(share: float) -> str:
    """Which errors predict better, where learned ones are nearer in this share of the fits."""
    if share >= DECISIVE:
        return "learned"
    return "independent" if share <= 1 - DECISIVE else "undecided"
