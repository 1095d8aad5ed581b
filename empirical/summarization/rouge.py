"""ROUGE of summaries against references, example by example, by the `rouge-score` package (lin2004rouge)."""

import sys
from collections.abc import Sequence

import numpy as np

KINDS = ("rouge1", "rouge2", "rougeL")
WORDS = "unicode words"
"""What is compared (`empirical.summarization.words`); written beside every number, as it changes all of them."""


def scores(generated: Sequence[str], references: Sequence[str], stemmer: bool) -> dict[str, np.ndarray]:
    """F1 of ROUGE-1, ROUGE-2 and ROUGE-L in [0, 1], arrays (examples,); an empty summary scores 0.

    Words are those of any script. A reference without a word scores 0 whatever the summary says: how many there are is
    told on standard error. ``stemmer`` (Porter's) moves ROUGE-1 of English news by about a point, so that it belongs
    beside every number.
    """
    from rouge_score.rouge_scorer import RougeScorer

    from empirical.summarization.words import Words

    words = Words(stemmer)
    scorer = RougeScorer(list(KINDS), tokenizer=words)
    silent = sum(not words.tokenize(reference) for reference in references)
    if silent:
        which = f"{silent} of {len(references)} references have no word, neither letter nor digit"
        print(f"warning: {which}: their ROUGE is 0 whatever the summary says", file=sys.stderr)
    found = [scorer.score(reference, summary) for summary, reference in zip(generated, references, strict=True)]
    return {kind: np.array([entry[kind].fmeasure for entry in found]) for kind in KINDS}
