"""What came out on digits, in words."""

from collections.abc import Iterator

import pandas as pd


def findings(hits: pd.DataFrame) -> Iterator[str]:
    """From the pooled lines of `empirical.worth.hits.hit_rates`: who wins, why p* errs, how accurate, and where not."""
    lines = {(line["errors"], line["learner"]): line for _, line in hits.iterrows()}
    spread, pair, learned = (lines[errors, "all tuned"] for errors in ("spread", "pair", "learned"))
    fitted = [lines[errors, "all interpolating"] for errors in ("spread", "pair")]
    both = [spread, pair]
    yield (
        "Does a student beat the generator of its labels? Where wrong labels are independent of the picture and the "
        "learner is tuned on held-out data, its own clean learning curve, read at n W digits, says so rightly in "
        f"{_share(both, 'wins')} of the {_count(both)} cells in which the answer is beyond noise. The rule p < p* is "
        f"right in {_share(both, 'below')}, saying yes always in {_share(both, 'yes')}, and a > 0, that the right "
        f"label leads among the kept, in {_share(both, 'leads')}."
    )
    yield (
        "p* asks whether most of the kept labels are right. Wrong ones spread over nine other digits disagree with "
        f"each other and are outvoted long after that: p < p* is right in {spread['below']:.0%} there, the forecast in "
        f"{spread['wins']:.0%}, yes always in {spread['yes']:.0%}. In pairs (3 for 8, 8 for 3) they agree: "
        f"{pair['below']:.0%}, {pair['wins']:.0%} and {pair['yes']:.0%}."
    )
    yield (
        f"The forecast accuracy is off by {spread['error']:.3f} on average, in pairs by {pair['error']:.3f}: "
        f"n generated digits did as well as {spread['ratio']:.2f} n W and {pair['ratio']:.2f} n W clean ones (medians)."
    )
    yield (
        "It ends where a learner fits wrong labels too (1-NN, logistic with C = 1000): right in "
        f"{_share(fitted, 'wins')}, yes always in {_share(fitted, 'yes')}, off by {_error(fitted):.2f}. And where a "
        "weak model of the student's own family made the labels, whose errors can be learned: it promises gains of "
        f"{learned['said']:+.3f}, students gain {learned['gain']:+.3f}, as with {learned['ratio']:.2f} n W clean "
        "digits."
    )
    failed = int(hits.loc[~hits["learner"].str.startswith("all "), "failed"].sum())
    if failed:
        yield f"In {failed} cells a fit failed; they count nowhere."


def _count(lines: list[pd.Series]) -> int:
    return int(sum(line["decided"] for line in lines))


def _share(lines: list[pd.Series], rule: str) -> str:
    """Of hits in all cells of these lines; a line without a decided cell has none."""
    hits = sum(line[rule] * line["decided"] for line in lines if line["decided"])
    return f"{hits / _count(lines):.0%}" if _count(lines) else "none"


def _error(lines: list[pd.Series]) -> float:
    return float(sum(line["error"] * line["cells"] for line in lines) / sum(line["cells"] for line in lines))
