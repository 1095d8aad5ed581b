"""Small sweeps as dictionaries: valid bases, and copies of them with some keys changed."""

import copy

INDEPENDENT = {
    "problem": {"d": 4, "alpha": 2},
    "generator": {"p": [0.1, 0.3]},
    "verifier": {"phi": 0.8, "psi": [0.2, 0.8]},
    "training": {"loss": "squared", "ridge": 0.1},
    "run": {"seeds": 3},
}

LINEAR = {
    "problem": {"setting": "linear", "d": 8, "alpha": 2},
    "generator": {"cos_generator": [0.5, 0.7]},
    "verifier": {"cos_verifier": 0.6, "cos_between": 0.3},
    "training": {"ridge": 0.1},
}

REMOVED = object()


def changed(base, changes):
    """A copy of a sweep with {"table.key": value} applied; a name without dot is a table, REMOVED drops it."""
    made = copy.deepcopy(base)
    for path, value in changes.items():
        table, _, key = path.partition(".")
        owner = made.setdefault(table, {}) if key else made
        owner.pop(key or table, None)
        if value is not REMOVED:
            owner[key or table] = value
    return made
