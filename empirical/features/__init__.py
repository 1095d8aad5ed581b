"""One's own features: from N labelled embeddings to the accuracy of a probe trained on n verified labels.

    points.py     embeddings and their two classes, or a refusal
    files.py      the same from files
    cells.py      kept samples by class and label: shares, and counts as chance has them
    curve.py      `learning_curve`: predicted accuracy against n, with intervals
    scattered.py  the same where scores are not Gaussian
    probes.py     many probes fitted at once
    check.py      the same by direct experiment on the points
    verdict.py    from which n on the probe beats its generator
    sentences.py  the verdict in words, and the table
    report.py     as text and JSON, and into a folder
    splits.py     nine real splits of small data sets
    study.py      predicted and measured on those

The formulas are those of `theory.estimated` and `theory.scores`, THEORY §27; m samples are kept of n.
"""

LOSSES = ("squared", "logistic")
"""What a probe can be predicted with, and trained."""
