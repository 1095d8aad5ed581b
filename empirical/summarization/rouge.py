"""ROUGE of summaries against references, example by example, by the `rouge-score` package (lin2004rouge)."""

from collections.abc import Sequence

import numpy as np

KINDS = ("rouge1", "rouge2", "rougeL")


def scores(generated: Sequence[str], references: Sequence[str], stemmer: bool) -> dict[str, np.ndarray]:
    """F1 of ROUGE-1, ROUGE-2 and ROUGE-L in [0, 1], arrays (examples,); an empty summary scores 0.

    ``stemmer`` (Porter's) moves ROUGE-1 of English news by about a point, so that it belongs beside every number.
    """
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(list(KINDS), use_stemmer=stemmer)
    found = [scorer.score(reference, summary) for summary, reference in zip(generated, references, strict=True)]
    return {kind: np.array([entry[kind].fmeasure for entry in found]) for kind in KINDS}
