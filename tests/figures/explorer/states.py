"""Random states of the explorer, as columns of a table for theory and as objects for the page."""

import numpy as np

SETTINGS = ("independent", "linear", "learned")


def random_columns(setting, count, rng):
    """Columns of one setting over more than what the page's sliders reach; a tenth without a penalty."""
    within = lambda low, high: rng.uniform(low, high, count)
    ridge = np.where(rng.random(count) < 0.1, 0.0, 10 ** within(-4, 4))
    columns = {"signal": within(0.05, 6), "alpha": 10 ** within(-1.5, 3), "ridge": ridge}
    if setting == "independent":
        columns["p"] = within(0, 1)
    if setting != "independent":
        columns["cos_generator"] = within(-1, 1)
    if setting != "linear":
        columns |= {"phi": within(0, 1), "psi": within(0, 1)}
    else:
        g, v = columns["cos_generator"], within(-1, 1)
        middle, spread = g * v, np.sqrt((1 - g**2) * (1 - v**2))
        columns |= {"cos_verifier": v, "cos_between": middle + 0.999 * spread * within(-1, 1)}
    words = {"setting": setting, "loss": "squared"}
    return columns | {name: np.full(count, word, dtype=object) for name, word in words.items()}


def as_states(columns):
    """One object for each line."""
    return [
        dict(zip(columns, line, strict=True)) for line in zip(*map(np.ndarray.tolist, columns.values()), strict=True)
    ]


def given(state):
    """What `theory.describe.describe` takes."""
    return state | {"loss": "squared"}
