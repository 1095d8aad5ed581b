"""Numbers of truescore: what its `audit` and `agreement` print, and further estimates of its library."""

import numpy as np
from protocol import LEVEL, Numbers, serve, tried
from truescore.agreement import judge_agreement
from truescore.correct import gold_only_estimate, ppi_estimate, rogan_gladen_estimate
from truescore.weighting import eval_composition, post_stratified_estimate

ALPHA = 1 - LEVEL


def numbers(correct, kept, prompt, first) -> Numbers:
    judge = kept.astype(float)
    index = np.flatnonzero(~np.isnan(correct))
    gold = correct[index]
    ends = lambda estimate: (estimate.point, estimate.low, estimate.high)
    within = None if prompt is None else prompt[index]
    rows: Numbers = {
        "accuracy: audit (ppi++)": tried(lambda: ends(ppi_estimate(judge, gold, index, alpha=ALPHA, clusters=prompt))),
        "accuracy: gold_only": tried(lambda: ends(gold_only_estimate(gold, alpha=ALPHA, clusters=within))),
        "accuracy: rogan_gladen": tried(lambda: ends(rogan_gladen_estimate(judge, gold, index, alpha=ALPHA))),
    }
    if len(index) < len(judge):
        strata = kept.astype(str)
        by_kept = lambda: ends(
            post_stratified_estimate(judge, gold, index, strata, eval_composition(strata), alpha=ALPHA)
        )
        rows["accuracy: post_stratified by kept"] = tried(by_kept)
    agreed = judge_agreement(judge[index].astype(int), gold.astype(int), alpha=ALPHA, n_bootstrap=2)  # of kappa alone
    rows["phi: agreement (sensitivity)"] = ends(agreed.sensitivity)
    rest = agreed.specificity
    rows["psi: agreement (1 - specificity)"] = (1 - rest.point, 1 - rest.high, 1 - rest.low)
    return rows | {"purity: agreement (precision)": ends(agreed.precision)}


if __name__ == "__main__":
    serve("truescore", numbers)
