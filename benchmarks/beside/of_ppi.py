"""Numbers of ppi-python: the mean of labels judged, the others predicted by what is kept."""

import numpy as np
from ppi_py import classical_mean_ci, ppi_mean_ci, ppi_mean_pointestimate
from protocol import LEVEL, Numbers, serve, tried

ALPHA = 1 - LEVEL


def numbers(correct, kept, prompt, first) -> Numbers:
    judged = ~np.isnan(correct)
    label, seen, rest = correct[judged], kept[judged].astype(float), kept[~judged].astype(float)
    if not rest.size:
        ends = lambda: (label.mean(), *classical_mean_ci(label, alpha=ALPHA))
        return {
            "accuracy: ppi_mean_ci": "needs records that are not judged",
            "accuracy: classical_mean_ci": tried(ends),
        }
    shares = [np.mean(judged[kept == side]) for side in (False, True)]  # who is judged, by what is kept
    heavy, light = (1 / np.take(shares, seen.astype(int)), 1 / (1 - np.take(shares, rest.astype(int))))

    def estimate(**weights):
        return ppi_mean_pointestimate(label, seen, rest, **weights), *ppi_mean_ci(label, seen, rest, ALPHA, **weights)

    return {
        "accuracy: ppi_mean_ci": tried(estimate),
        "accuracy: ppi_mean_ci, weighted": tried(lambda: estimate(w=heavy, w_unlabeled=light)),
    }


if __name__ == "__main__":
    serve("ppi-python", numbers)
