"""The verifier on the plane of its rates, beside the line above which it is worth more than no verifier.

Points: ψ and φ as estimated, in the region that holds both at the stated confidence; hollow ones are made of those
given. Solid line: worth as much as keeping all, and less below it (grey); dashed: p = p*, and most of what is kept is
wrong below it; bands: the same lines for every p within its interval. The path is a score, strict to lenient.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import marks

LINES = {
    "p_star": ("--", "p = p*"),
    "p_star_classes": (":", "p = p*, {} classes"),
    "worth": ("-", "worth of keeping all"),
}


def draw(tables: dict[str, pd.DataFrame]) -> Figure | None:
    """One panel from the tables of `empirical.auditing.report.plane`; None where there are none."""
    lines = tables.get("verifier_lines")
    if lines is None:
        return None
    figure, ax = plt.subplots(figsize=(5.0, 6.2))
    _lines(ax, lines)
    if "threshold_curve" in tables:
        curve = tables["threshold_curve"]
        ax.plot(curve["psi"], curve["phi"], color="tab:red", linewidth=1.2, zorder=3, label="thresholds on the score")
        for name in ("best_worth", "best"):
            marks.threshold(ax, curve, name, "psi", "phi")
    settings = f"p = {lines['p'].iloc[0]:.3g}"
    if "verifier" in tables:
        _verifiers(ax, tables["verifier"], tables["verifier_region"])
        settings += f", regions at {100 * tables['verifier']['level'].max():.6g}%"
    ax.set(xlabel="ψ = P(kept | wrong)", ylabel="φ = P(kept | correct)", aspect="equal")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    handles, labels = ax.get_legend_handles_labels()
    marks.legend(figure, handles, labels, columns=2)
    marks.headline(figure, "Is the verifier better than none?", settings)
    return figure


def _lines(ax: Axes, lines: pd.DataFrame) -> None:
    """The lines in their bands; what lies below that of worth is grey."""
    for (name, part), points in lines.groupby(["line", "part"], sort=False):
        look, label = LINES[name]
        if part == "band":
            ax.fill(points["psi"], points["phi"], color="0.5", alpha=0.16, linewidth=0, zorder=1)
            continue
        ax.plot(
            points["psi"],
            points["phi"],
            look,
            color="0.25",
            linewidth=1.2,
            zorder=2,
            label=label.format(points["classes"].iloc[0]),
        )
        if name == "worth":
            ax.fill_between(points["psi"], 0, points["phi"], color="0.94", linewidth=0, zorder=0)


def _verifiers(ax: Axes, verifiers: pd.DataFrame, regions: pd.DataFrame) -> None:
    """Numbered points, each in its region; one alone needs no number."""
    alone = len(verifiers) == 1
    for place, row in enumerate(verifiers.to_dict("records")):
        style = marks.style_of(place, len(verifiers) + 2)
        outline = regions[regions["verifier"] == row["verifier"]]
        if len(outline):
            ax.fill(
                outline["psi"],
                outline["phi"],
                facecolor=(*style["color"][:3], 0.22),
                edgecolor=style["color"],
                zorder=4,
            )
        label = marks.plain(row["verifier"])
        label = f"verifier {label}" if alone else f"{place + 1}  {label}{' (answers)' * row['answers']}"
        fill = style["color"] if row["given"] else "none"
        ax.plot(
            [row["psi"]],
            [row["phi"]],
            style["marker"],
            color=style["color"],
            markerfacecolor=fill,
            markersize=6,
            linestyle="none",
            clip_on=False,
            zorder=6,
            label=label,
        )
        if not alone:
            ax.annotate(
                f"{place + 1}", (row["psi"], row["phi"]), (5, 4), textcoords="offset points", fontsize=8, zorder=8
            )
