"""What four functions of one's features predict, beside what is measured on them: nine real splits (THEORY §27).

The estimate is from the whole of a split, and the probes are trained on random parts of it: what sampling the points
does to a prediction is not in here.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from empirical.features import LOSSES, check, splits
from empirical.features.cells import Numbers, joint
from empirical.features.curve import average, draw, own_scores
from empirical.features.points import Points, of_points, points
from sims.running.intervals import t_quantile
from sims.running.progress import progress
from theory.coloured import accuracies
from theory.estimated import Estimated
from theory.small_samples import DRAWS, solve_counts
from theory.types import Rates

RATES = (Rates(0.0, 1.0, 1.0), Rates(0.2, 1.0, 1.0), Rates(0.3, 0.9, 0.3), Rates(0.4, 1.0, 1.0))
RIDGES = (0.1, 1.0)
SIZES = (20, 30, 50, 80, 120, 200, 300, 500, 800, 1200)
MOST = 0.7
"""Share of the points that is trained on at most."""
SEEDS = 100
"""Default repetitions for squared loss. Logistic loss has 3/8 of them: 400 and 150 are the published protocol."""
METHODS = {
    "plug_in": "plug-in moments",
    "corrected": "moments without bias",
    "averaged": "averaged over counts as well",
    "scattered": "with own scores for n <= N/2",
}


def tables(seeds: int, names: tuple[str, ...] = splits.NAMES) -> dict[str, pd.DataFrame]:
    """``points``: every prediction beside its measurement; ``summary``: mean absolute and worst error by split, loss;
    ``findings``: the same in words.

    Raises RunError without scikit-learn.
    """
    loaded = {name: points(*splits.load(name)) for name in names}
    parts = []
    with progress("probes on real features", len(names) * len(LOSSES) * len(RATES) * len(RIDGES), "curves") as advance:
        for name, given in loaded.items():
            for loss in LOSSES:
                for rates in RATES:
                    for ridge in RIDGES:
                        parts.append(_curve(given, rates, ridge, loss, seeds).assign(data=name))
                        advance(1)
    table = pd.concat(parts, ignore_index=True)
    errors = summary(table)
    return {"points": table, "summary": errors, "findings": pd.DataFrame({"finding": list(_findings(errors))})}


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Mean absolute error, largest and mean error of every method, by split and loss and over all; and the noise of
    what is measured, its mean standard error."""
    lines = []
    for loss, of_loss in table.groupby("loss", sort=False):
        for name, part in [*of_loss.groupby("data", sort=False), ("all", of_loss)]:
            line = {"data": name, "loss": loss, "points": len(part), "noise": part["error"].mean()}
            for method in METHODS:
                gap = part[method] - part["measured"]
                line |= {method: gap.abs().mean(), f"{method}_worst": gap.abs().max(), f"{method}_bias": gap.mean()}
            lines.append(line)
    return pd.DataFrame(lines)


def _findings(errors: pd.DataFrame) -> Iterator[str]:
    """What came out, a sentence or two per loss."""
    for loss, part in errors.groupby("loss", sort=False):
        whole, splits_of = part.iloc[-1], part.iloc[:-1]
        shown = ", ".join(f"{words} {whole[method]:.4f}" for method, words in METHODS.items())
        worst = splits_of.loc[splits_of["averaged"].idxmax()]
        yield (
            f"{str(loss).capitalize()} loss, {whole['points']} points of curves on {len(splits_of)} splits. Mean error "
            f"in accuracy: {shown}; what is measured has a standard error of {whole['noise']:.4f}. Averaged, "
            f"it is farthest off for {worst['data']}: {worst['averaged_bias']:+.4f} on average, "
            f"{worst['averaged_worst']:.4f} at worst."
        )


def _curve(given: Points, rates: Rates, ridge: float, loss: str, seeds: int) -> pd.DataFrame:
    features = of_points(given)
    total, cells = len(given.x), joint(rates, given.prior)
    sizes = np.array([size for size in SIZES if size <= MOST * total])
    penalty = ridge * features.mean_variance
    repetitions = seeds if loss == "squared" else max(2, -(-3 * seeds // 8))
    measured = [check.measure(given, rates, int(n), penalty, loss, repetitions, 0) for n in sizes]
    accuracy, low, high, done = (np.array(field) for field in zip(*measured, strict=True))
    drawn = draw(features, cells, sizes, penalty, loss, DRAWS)
    averaged = average(features, drawn, given.prior, penalty)
    return pd.DataFrame(
        {
            **{"total": total, "dimension": given.x.shape[1], "prior": given.prior, "loss": loss, "ridge": ridge},
            **rates._asdict(),
            **{"n": sizes, "kept": sizes * cells.sum(), "seeds": done},
            **{"measured": accuracy, "measured_low": low, "measured_high": high},
            "error": (high - low) / (2 * t_quantile(np.maximum(done - 1, 1))),
            "plug_in": plain(plug_in(features), cells, given.prior, sizes, penalty, loss),
            "corrected": plain(features, cells, given.prior, sizes, penalty, loss),
            "averaged": averaged.accuracy,
            "scattered": own_scores(given, drawn, sizes, averaged.status, 0),
        }
    )


def plug_in(features: Estimated) -> Estimated:
    """The same with S and muhat taken for the truth: degrees of freedom without end."""
    return replace(features, freedom=10**15, mean_samples=np.inf)


def plain(features: Estimated, cells: Numbers, prior: float, sizes: Numbers, penalty: float, loss: str) -> Numbers:
    """Accuracy at the expected counts, of the shape of ``sizes``."""
    minus, plus = accuracies(solve_counts(np.outer(sizes, cells), features, penalty, loss))
    return prior * plus + (1 - prior) * minus
