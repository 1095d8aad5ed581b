"""From which n on a probe beats the generator whose labels it is trained on."""

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


class Verdict(NamedTuple):
    """Accuracy of the probe against that of the generator's labels."""

    answer: Literal["yes", "small n", "maybe", "no", "unknown", "clean"]
    """yes: surely from some n on. small n: predicted at some n, but not at the largest. maybe: predicted from some n
    on, or not excluded, and not surely. no: surely at none of those predicted. unknown: nothing is predicted. clean:
    the generator does not err."""
    from_n: float
    """About where the predicted curve rises above the generator to stay, between two n; NaN where it does not."""
    sure_n: float
    """The smallest n of the table from which on the whole interval is above, to its end; NaN where there is none."""
    best: float
    """The largest accuracy that is predicted."""
    best_n: float


def decide(table: "pd.DataFrame", generator: float) -> Verdict:
    """The verdict of the lines of `empirical.features.curve.Curve.table` that have a prediction."""
    known = table[table["status"] == "ok"]
    if known.empty:
        return Verdict("unknown", np.nan, np.nan, np.nan, np.nan)
    n, accuracy = known["n"].to_numpy(float), known["accuracy"].to_numpy()
    low, high = known["low"].to_numpy(), known["high"].to_numpy()
    best = int(np.argmax(accuracy))
    peak = float(accuracy[best]), float(n[best])
    if generator >= 1:
        return Verdict("clean", np.nan, np.nan, *peak)
    crossing = _last_crossing(n, accuracy - generator)
    not_sure = np.flatnonzero(~(low > generator))
    first = not_sure[-1] + 1 if not_sure.size else 0
    if first < len(n):
        return Verdict("yes", crossing, float(n[first]), *peak)
    if np.any(accuracy > generator) and not accuracy[-1] > generator:
        return Verdict("small n", np.nan, np.nan, *peak)
    return Verdict("no" if np.all(high < generator) else "maybe", crossing, np.nan, *peak)


def _last_crossing(n: np.ndarray, gain: np.ndarray) -> float:
    """Where the curve rises above 0 to stay, linear in log n; the first n where it is never below."""
    below = np.flatnonzero(gain <= 0)
    if not below.size:
        return float(n[0])
    last = below[-1]
    if last + 1 == len(n):
        return np.nan
    share = -gain[last] / (gain[last + 1] - gain[last])
    return float(np.exp(np.log(n[last]) + share * np.log(n[last + 1] / n[last])))
