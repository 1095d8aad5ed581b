"""Usual names of columns, by role, the likeliest first."""

import re
from collections.abc import Sequence
from typing import Literal

Role = Literal["correct", "kept", "score", "quality", "classes", "label", "truth", "group", "weight"]

CORRECT = (
    *("correct", "is_correct", "label_correct", "label_ok", "gold_correct", "human_correct", "correctness"),
    *("gold", "gold_label", "human", "human_label", "truth", "ground_truth", "is_right", "right", "is_true"),
    *("exact_match", "acc", "accuracy", "match", "passed", "passes", "pass", "success", "resolved", "solved"),
)
KEPT = (
    *("kept", "keep", "is_kept", "accepted", "accept", "selected", "select", "retained", "verified", "verifier"),
    *("verdict", "judge", "judge_verdict", "judged", "approved", "approve", "chosen", "filter_pass", "filtered_in"),
    *("keep_row", "pass", "passed", "prediction", "predicted", "flag"),
)
SCORE = (
    *("score", "reward", "verifier_score", "judge_score", "judge_rating", "rm_score", "prob", "probability", "p_yes"),
    *("confidence", "logprob", "log_prob", "logp", "logprobs", "loglikelihood", "log_likelihood", "logit", "margin"),
    *("rating", "grade", "points", "perplexity", "ppl", "nll", "loss", "entropy", "uncertainty", "distance", "energy"),
)
LOW_IS_GOOD = ("perplexity", "ppl", "nll", "loss", "entropy", "uncertainty", "distance", "energy", "error")
"""Scores of which a small one is good, by their usual meaning."""
QUALITY = (
    *("quality", "rouge", "rouge1", "rouge2", "rouge_l", "rougel", "bleu", "meteor", "chrf", "f1", "similarity"),
    *("bertscore", "bleurt", "comet", "grade", "partial_credit"),
)
CLASS = ("class", "classes", "cls", "true_class", "label_class", "gold_class", "truth")
PARTS = ("category", "subject", "topic", "source", "domain", "dataset", "task", "model", "language", "worker", "split")
"""Of what records are put together: within them outcomes are alike, and they are no prompts."""
LABEL = (
    *("label", "predicted_label", "model_label", "generated_label", "prediction", "predicted", "pred", "y_hat"),
    *("answer", "output_label", "generated", "response_label"),
)
TRUTH = (
    *("truth", "true_label", "gold_label", "gold", "ground_truth", "reference", "target", "y_true", "true_class"),
    *("expected", "human_label", "human", "y", "class"),
)
GROUP = (
    *("prompt", "prompt_id", "question", "question_id", "qid", "doc_id", "task_id", "problem", "problem_id", "group"),
    *("group_id", "item", "item_id", "example", "example_id", "instance", "instance_id", "instruction", "query"),
    *("query_id", "cluster", "cluster_id", "input", "input_id", "source_id", "conversation_id", "pair", "pair_id"),
    *("document_id", "article_id", "story_id", "image_id", "sample_id", "user_id"),
)
INDEX = (
    "sample",
    "epoch",
    "index",
    "idx",
    "turn",
    "step",
    "seed",
    "fold",
    "row",
    "order",
    "attempt",
    "trial",
    "worker",
)
"""Numbers that count, and judge nothing."""
WEIGHT = ("weight", "weights", "sample_weight", "sampling_weight", "importance", "importance_weight", "w")


def plain(name: str) -> str:
    """A name in small letters, words joined by _: isCorrect, Is Correct and is-correct are is_correct."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^0-9a-z]+", "_", parted.lower()).strip("_")


def known(name: str, usual: Sequence[str]) -> float:
    """How well a name fits a list: 3 where it is in it, 2 where its last part after a dot is, 1 where a word is.

    Less a little for every earlier entry, so that of two the likelier wins; 0 where nothing fits.
    """
    whole, last = plain(name), plain(name.rpartition(".")[2])
    padded = f"_{whole}_"
    for strength, fits in ((3.0, lambda entry: entry == whole), (2.0, lambda entry: entry == last)):
        place = next((place for place, entry in enumerate(usual) if fits(entry)), None)
        if place is not None:
            return strength - place / 1000
    place = next((place for place, entry in enumerate(usual) if len(entry) > 2 and f"_{entry}_" in padded), None)
    return 0.0 if place is None else 1.0 - place / 1000
