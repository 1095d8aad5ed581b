"""p* of the verifiers, and what students gain by it."""

from collections.abc import Iterator

import pandas as pd

from empirical.summarization.report.words import Tables, name_of, percent, share, whole
from empirical.summarization.verifiers import of
from sims.running.text import say
from theory.decimals import typed


def p_star(tables: Tables) -> Iterator[str]:
    """The table of p*, its readings, and the rule beside what students gain."""
    rows, points = tables["rows"], tables["p_star"]
    firsts = points.groupby("reading").first()
    clean = "soft-clean" in firsts.index
    cut = firsts.loc["threshold"]
    yield say(
        "p* = phi/(phi + psi) on generated summaries, pooled over seeds, and what is kept; p: share of summaries that "
        f"is wrong. soft: wrong to the degree 1 - ROUGE-1, p = {firsts.loc['soft', 'p']:.3f}; threshold: wrong where "
        f"ROUGE-1 < {typed(cut['threshold'])}, p = {cut['p']:.3f}. Both readings are ours."
    )
    if clean:
        yield say(
            f"clean: without noisy references, p = {firsts.loc['soft-clean', 'p']:.3f} and "
            f"{firsts.loc['threshold-clean', 'p']:.3f}. {percent(round(tables['pool']['noisy'].mean(), 3))} of the "
            "references are noisy; against these a right summary counts as wrong, and the oracle sees which they are."
        )
    cells = {"phi": 5, "psi": 5, "p* soft": 22, "by seed": 11, "p* clean": 22, "thr.": 6, "clean": 6}
    cells |= {"dist.": 6, "8 com": 6, "orac.": 6, "noisy": 6}
    if not clean:
        cells = {name: width for name, width in cells.items() if name not in ("p* clean", "clean", "noisy")}
    yield f"{'':15}" + "".join(f"{name:>{width}}" for name, width in cells.items())
    means = points.assign(group=[of(name).name for name in points["verifier"]])
    means = means[means["reading"] == "soft"].groupby(["group", "rate"])[["phi", "psi"]].mean()
    for _, line in rows[rows["verifier"] != ""].iterrows():
        shown = {name: share(value) for name, value in means.loc[(line["verifier"], line["rate"])].items()}
        shown["p* soft"] = _star(line, "soft")
        shown["by seed"] = f"{share(line['p_star_soft_seed_min'])}-{share(line['p_star_soft_seed_max'])}"
        shown["thr."] = share(line["p_star_threshold"])
        if clean:
            shown |= {"p* clean": _star(line, "soft_clean"), "clean": share(line["p_star_threshold_clean"])}
        kept = {"dist.": "distinct_share", "8 com": "commonest", "orac.": "overlap_with_oracle", "noisy": "noisy"}
        shown |= {name: whole(line[column]) for name, column in kept.items()}
        yield f"{name_of('', line['verifier'], line['rate']):15}" + "".join(
            f"{shown[name]:>{width}}" for name, width in cells.items()
        )
    yield say(
        "by seed: its range over seeds. thr.: threshold. Of what is kept, dist.: distinct; 8 com: the 8 summaries that "
        "the generator writes most often; orac.: also kept by the oracle (chance: the rate)"
        + ("; noisy: with a noisy reference." if clean else ".")
    )
    yield say(_rule(rows[rows["verifier"] != ""]))
    lost = points[points["unscored"] > 0].drop_duplicates("verifier")
    if len(lost):
        counts = ", ".join(f"{name} {count:,}" for name, count in zip(lost["verifier"], lost["unscored"], strict=True))
        yield say(f"Summaries without a score, never kept: {counts} of {int(firsts.loc['soft', 'records']):,}.")


def _star(line: pd.Series, reading: str) -> str:
    low, high = (share(line[f"p_star_{end}_{reading}"], 3) for end in ("low", "high"))
    return f"{share(line[f'p_star_{reading}'], 3)} [{low}, {high}]"


def _rule(part: pd.DataFrame) -> str:
    """On how many lines p < p*, and what students gain there."""
    lines = len(part)
    decided = {word: part[part["rule_soft"] == word] for word in ("below", "above", "undecided")}
    said = [
        f"{sign} on {len(found)} of {lines} lines ({_gains(found)})"
        for sign, found in zip(("p < p*", "p > p*", "undecided"), decided.values(), strict=True)
        if len(found)
    ]
    words = f"The rule, by the interval of soft purity: {'; '.join(said)}."
    if any(len(found) == lines for found in decided.values()) and part["verdict_generator"].nunique() > 1:
        words += " Here the rule does not say who gains."
    return words


def _gains(found: pd.DataFrame) -> str:
    counts = found["verdict_generator"].value_counts()
    shown = [
        f"{counts[verdict]} {verdict}" for verdict in ("better", "worse", "undecided", "failed") if verdict in counts
    ]
    return f"students against the generator: {', '.join(shown)}"
