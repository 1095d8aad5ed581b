"""A scoring verifier on audited records: p*, purity, phi, psi and the kept rate against the threshold on its score.

Left: p* with its interval at each threshold (band), and the guarded low end, which holds at all thresholds together
(dashed); the star is where that is highest. The verifier is good enough where p* is above p. Right: the rates.
"""

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


def draw(tables: dict[str, pd.DataFrame]) -> Figure | None:
    """Two panels from the table ``threshold_curve`` of an audit; None where there is none."""
    curve = tables.get("threshold_curve")
    if curve is None:
        return None
    figure, axes = marks.grid(2, width=4.4, height=3.9)
    first = curve.iloc[0]
    _threshold(axes[0], curve)
    for index, (name, label) in enumerate(RATES.items()):
        _line(axes[1], curve, name, marks.style_of(index, len(RATES)), label)
    axes[0].set(ylim=(-0.02, 1.02), title="the threshold p*, and p")
    axes[1].set_title("what is kept")
    for ax in axes:
        ax.set_xlabel("threshold: kept where score ≥ threshold")
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    records = int(curve[["correct_kept", "correct_dropped", "wrong_kept", "wrong_dropped"]].iloc[0].sum())
    settings = f"{records:,} records, {100 * first['level']:g}% intervals"
    marks.headline(figure, "p* against the threshold of a verifier's score", settings)
    return figure


def _threshold(ax: Axes, curve: pd.DataFrame) -> None:
    """p* with band and guarded low end, the chosen threshold, and p."""
    style = marks.style_of(0, 2)
    _line(ax, curve, "p_star", style, "p*")
    guarded = curve["p_star_guarded_low"]
    ax.plot(curve["threshold"], guarded, "--", color=style["color"], linewidth=1, label="p*, guarded low end")
    best = curve[curve["best"].astype(bool)].iloc[0]
    place = (best["threshold"], best["p_star_guarded_low"])
    ax.plot(
        *place,
        "*",
        color="tab:red",
        markersize=12,
        markeredgecolor="black",
        zorder=5,
        label="surest: highest guarded low end",
    )
    p = curve.iloc[0]
    ax.axhline(p["p"], color="0.3", linewidth=1.1, label="p, the generator's error rate")
    ax.axhspan(p["p_low"], p["p_high"], color="0.3", alpha=0.15, linewidth=0)


def _line(ax: Axes, curve: pd.DataFrame, name: str, style: dict[str, str], label: str) -> None:
    """Estimates at the thresholds, joined, in a band of their intervals."""
    ax.fill_between(
        curve["threshold"], curve[f"{name}_low"], curve[f"{name}_high"], color=style["color"], alpha=0.18, linewidth=0
    )
    size = 3 if len(curve) <= 60 else 0
    ax.plot(curve["threshold"], curve[name], color=style["color"], marker=style["marker"], markersize=size, label=label)
