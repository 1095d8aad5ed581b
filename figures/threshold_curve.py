"""A scoring verifier on audited records: worth, p* and its rates against the threshold on its score.

Bands are intervals for each threshold on its own; dashed are the guarded low ends, which hold at all of them together.
Star and cross stand where these are highest, for worth and for p*: the first is the threshold to train at, if it is
above the worth of keeping all (grey line); p* alone is highest where next to nothing is kept. It must exceed p (grey).
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import marks

RATES = {
    "kept_rate": "kept rate",
    "phi": "φ = P(kept | correct)",
    "psi": "ψ = P(kept | wrong)",
    "purity": "purity = P(correct | kept)",
}
ABOVE = {"loc": "lower left", "bbox_to_anchor": (-0.02, 0.98), "ncols": 2}


def draw(tables: dict[str, pd.DataFrame]) -> Figure | None:
    """Three panels, one under the other, from the table ``threshold_curve`` of an audit; None where there is none."""
    curve = tables.get("threshold_curve")
    if curve is None:
        return None
    figure, axes = plt.subplots(3, 1, figsize=(5.0, 8.0), sharex=True)
    first = curve.iloc[0]
    _sure(axes[0], curve, "worth", "worth of a generated sample", "best_worth")
    axes[0].axhline(first["unverified"], color="0.3", linewidth=1.1, label="of keeping all")
    axes[0].set_ylabel("clean samples")
    _sure(axes[1], curve, "p_star", "p*", "best")
    axes[1].axhline(first["p"], color="0.3", linewidth=1.1, label="p, the generator's error rate")
    axes[1].axhspan(first["p_low"], first["p_high"], color="0.3", alpha=0.15, linewidth=0)
    axes[1].set(ylim=(-0.02, 1.02), ylabel="error rate")
    for index, (name, label) in enumerate(RATES.items()):
        _line(axes[2], curve, name, marks.style_of(index, len(RATES) + 1), label)
    axes[2].set(ylim=(-0.02, 1.02), ylabel="share")
    for ax in axes:
        for name in ("best_worth", "best"):
            for place in curve["threshold"][curve[name].astype(bool)]:
                ax.axvline(place, color="tab:red", linestyle=":", linewidth=0.9, zorder=1)
        ax.legend(**ABOVE)
    axes[2].set_xlabel(f"threshold: kept where score {'≤' if first['low_is_good'] else '≥'} threshold")
    records = int(curve[["correct_kept", "correct_dropped", "wrong_kept", "wrong_dropped"]].iloc[0].sum())
    settings = f"{records:,} judged records, {100 * first['level']:.6g}% intervals"
    marks.headline(figure, "Where to put the threshold?", settings)
    return figure


def _sure(ax: Axes, curve: pd.DataFrame, name: str, label: str, best: str) -> None:
    """Estimate with band, its guarded low end, and the threshold where that is highest."""
    style = marks.style_of(0, 2)
    _line(ax, curve, name, style, label)
    guarded = f"{name}_guarded_low"
    ax.plot(curve["threshold"], curve[guarded], "--", color=style["color"], linewidth=1, label="guarded low end")
    marks.threshold(ax, curve, best, "threshold", guarded)


def _line(ax: Axes, curve: pd.DataFrame, name: str, style: dict[str, str], label: str) -> None:
    """Estimates at the thresholds, joined, in a band of their intervals."""
    ax.fill_between(
        curve["threshold"], curve[f"{name}_low"], curve[f"{name}_high"], color=style["color"], alpha=0.18, linewidth=0
    )
    size = 3 if len(curve) <= 60 else 0
    ax.plot(curve["threshold"], curve[name], color=style["color"], marker=style["marker"], markersize=size, label=label)
