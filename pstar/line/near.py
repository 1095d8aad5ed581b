"""Which verb or option was meant by a word that is none."""

from collections.abc import Iterable
from difflib import get_close_matches

from pstar.line.options import Option

VERBS = {
    "simulate": "sweep",
    "run": "sweep",
    "plot": "figures",
    "draw": "figures",
    "figure": "figures",
    "check": "verify",
    "repair": "verify",
    "report": "compare",
    "theory": "predict",
    "start": "init",
    "new": "init",
    "probe": "features",
    "embeddings": "features",
    "evaluate": "audit",
    "doctor": "audit",
    "studies": "study",
    "completions": "completion",
}
"""What other programs call it."""
OPTIONS = {
    "ridge": ("lambda", "lam", "lmbda", "l2", "penalty", "regularization", "reg", "weight-decay", "gamma"),
    "p": ("error", "error-rate", "noise", "label-noise", "p-error"),
    "phi": ("tpr", "recall", "sensitivity", "true-positive-rate", "keep-correct"),
    "psi": ("fpr", "false-positive-rate", "keep-wrong"),
    "alpha": ("n-over-d", "ratio", "aspect-ratio"),
    "signal": ("r", "mu", "norm", "snr", "signal-to-noise"),
    "classes": ("k", "n-classes", "num-classes"),
    "prior": ("rho", "class-prior", "balance"),
    "out": ("o", "output", "out-dir", "output-dir", "outdir", "folder", "dir"),
    "workers": ("j", "jobs", "n-jobs", "threads", "processes", "cores"),
    "seed": ("random-seed", "random-state", "rng"),
    "level": ("confidence", "ci", "conf", "confidence-level"),
    "dry-run": ("dry", "n", "plan", "simulate"),
    "correct": ("is-correct", "right"),
    "kept": ("keep", "selected", "accepted", "verdict"),
    "table": ("csv", "file", "input", "i"),
    "generated": ("n", "samples", "n-samples", "sizes"),
    "device": ("gpu", "cuda"),
    "repair": ("fix", "mend"),
}
"""An option, and what others call it."""
COMPLEMENTS = ("accuracy", "acc", "generator-accuracy", "quality")
"""Of the generator's error rate."""


def near_verb(word: str, verbs: Iterable[str]) -> str | None:
    """The verb that was meant."""
    known = list(verbs)
    if VERBS.get(word.lower()) in known:
        return VERBS[word.lower()]
    found = get_close_matches(word.lower().lstrip("-"), known, 1, 0.6)
    found = found or [verb for verb in known if len(word) > 2 and verb.startswith(word.lower())][:1]
    return found[0] if found else None


def near_option(word: str, options: Iterable[Option]) -> Option | None:
    """The option that was meant by a word that begins with a minus."""
    flags = {option.flag: option for option in options if not option.positional}
    bare = word.lstrip("-").replace("_", "-").lower()
    for name in (bare, *(name for name, others in OPTIONS.items() if bare in others)):
        if f"--{name}" in flags:
            return flags[f"--{name}"]
    found = get_close_matches(f"--{bare}", [flag for flag in flags if len(flag) > 3], 1, 0.7)
    if not found and len(bare) > 2:
        found = [flag for flag in flags if flag.startswith(f"--{bare}")]
    return flags[found[0]] if found else None
