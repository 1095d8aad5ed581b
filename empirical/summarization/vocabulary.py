"""What the command line offers, by name. Kept apart so that reading it needs no PyTorch."""

PRESETS = ("small", "scarce", "debian-made", "debian", "debian-gpu", "smollm", "llama2")
"""Files of presets/, from the smallest to the largest."""
VERBS = {
    "run": ("report",),
    "prepare": ("prepare", "base"),
    "train-generator": ("train_generator", "train_verifier"),
    "generate": ("generate",),
    "score": ("score",),
    "select": ("select",),
    "retrain": ("retrain", "train_full", "train_part"),
    "evaluate": ("evaluate",),
    "report": ("report",),
}
"""Sub-commands, and the functions whose stages they ask for."""
SHOW = "show-batch"
"""The sub-command that makes nothing: it prints which tokens carry loss."""
CORPUS = "corpus"
"""The sub-command that makes a corpus for presets of real text."""
CORPORA = ("debian",)
"""What it can make."""
STEPS = (*VERBS, CORPUS, SHOW)
