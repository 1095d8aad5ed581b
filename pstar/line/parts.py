"""What help says beside the options themselves: their parts, in order, and a call to copy."""

from collections.abc import Mapping, Sequence

VERBS: Mapping[str, Sequence[str]] = {
    "start": ("init",),
    "predict": ("predict", "explore", "forecast", "features"),
    "your own records": ("audit",),
    "simulate and compare": ("sweep", "compare", "figures", "study"),
    "experiments with models": ("eigenvalues", "summarization"),
    "folders, and the shell": ("verify", "completion"),
}
"""Under which heading a verb stands in `pstar --help`."""

PARTS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "predict": {
        "the problem": ("setting", "signal", "alpha", "n", "d", "ridge", "loss", "intercept", "classes"),
        "generator and verifier by rates (settings independent and learned)": ("p", "phi", "psi"),
        "by angles (settings linear, learned, keep-easy, keep-hard, mixture)": (
            "cos_generator",
            "cos_verifier",
            "cos_between",
            "margin",
            "real",
        ),
        "classes that differ (independent)": (
            "prior",
            "p_negative",
            "p_positive",
            "phi_negative",
            "phi_positive",
            "psi_negative",
            "psi_positive",
        ),
        "coloured features, in the place of --signal (independent)": ("eigenvalues", "shares", "signals_sq"),
        "a table, and what is printed": ("table", "out", "json"),
    },
    "audit": {
        "columns of the records": (
            "correct",
            "kept",
            "score",
            "low_is_good",
            "label",
            "truth",
            "quality",
            "class_column",
            "group",
            "weight",
            "true",
            "false",
        ),
        "what is asked": ("level", "classes", "generated", "cost_generate", "cost_verify", "pilot", "errors", "seed"),
        "where it goes": ("out", "html", "markdown", "json"),
    },
    "features": {
        "the points": ("label", "names"),
        "generator and verifier": ("p", "phi", "psi", "audit"),
        "what is asked": ("n", "ridge", "loss", "level", "check", "repetitions", "seed"),
        "where it goes": ("out", "json"),
    },
    "forecast": {
        "the learner": ("pilot", "learner", "unverified"),
        "generator and verifier": ("audit", "p", "phi", "psi", "classes", "errors"),
        "what is asked": ("generated", "level", "seed"),
        "where it goes": ("out", "json"),
    },
}
"""Of verbs with many options: headings, and the parameters below each. What is in none comes last."""

EXAMPLES: Mapping[str, Sequence[str]] = {
    "init": ("pstar init first",),
    "sweep": ("pstar init first", "pstar sweep first/sweep.toml --out first/out"),
    "compare": ("pstar compare first/out",),
    "figures": ("pstar figures --list", "pstar figures first/out phase_diagram"),
    "verify": ("pstar verify first/out",),
    "study": ("pstar study --list", "pstar study roc --out out/roc"),
    "predict": (
        "pstar predict --p .3 --phi .8 --psi .2",
        "pstar predict --p .3 --phi .8 --psi .2 --n 1000 --d 100 --ridge 1 --loss logistic",
        "pstar predict --setting linear --cos-generator -.21 --cos-verifier .5 --cos-between .1",
    ),
    "explore": ("pstar explore", "pstar explore --audit audit --out mine.html"),
    "audit": (
        "pstar audit first/records.csv",
        "pstar audit first/records.csv --correct correct --kept kept",
    ),
    "features": ("pstar features embeddings.npz --p .3 --phi .8 --psi .2 --n 100 1000",),
    "forecast": ("pstar forecast --pilot pilot.csv --p .3 --phi .8 --psi .2 --generated 1000,10000",),
    "eigenvalues": ("pstar eigenvalues run --profile quick --out out/eigenvalues --dry-run",),
    "summarization": ("pstar summarization run --preset small --out out/summaries --dry-run",),
    "completion": ("pstar completion bash > ~/.local/share/bash-completion/completions/pstar",),
}
