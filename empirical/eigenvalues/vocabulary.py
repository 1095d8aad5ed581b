"""What the command line offers, by name. Kept apart so that reading it needs no PyTorch."""

VERBS = {
    "run": "report",
    "data": "data",
    "train-generator": "train_generator",
    "synthesize": "synthesize",
    "verify": "verify",
    "retrain": "retrain",
    "evaluate": "evaluate",
    "report": "report",
}
"""Sub-commands, and the function whose stages they ask for."""
