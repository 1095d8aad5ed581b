"""Numbers of judgy: the pass rate by Rogan and Gladen, with its bootstrap of the judged records."""

import numpy as np
from judgy import estimate_success_rate
from protocol import LEVEL, Numbers, serve, tried

DRAWS, FEWER = 20_000, 1_000
"""Its default; and of the repetitions, which its loop in Python would make last hours."""


def numbers(correct, kept, prompt, first) -> Numbers:
    judged = ~np.isnan(correct)
    parts = correct[judged].astype(int), kept[judged].astype(int), kept[~judged].astype(int)
    draws = DRAWS if first else FEWER
    return {"accuracy: estimate_success_rate": tried(lambda: estimate_success_rate(*parts, draws, LEVEL))}


if __name__ == "__main__":
    serve("judgy", numbers)
