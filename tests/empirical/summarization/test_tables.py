"""Tables over seeds."""

import numpy as np
import pandas as pd

from empirical.summarization.arms import Arms, students
from empirical.summarization.tables import orders


def test_orders_have_ties_and_skip_rates_with_failures():
    groups = {"self": ("self",), "oracle": ("oracle",), "foreign": ("foreign",)}
    names = tuple(next(iter(students(groups[name], rate))) for name in groups for rate in (0.1, 0.2))
    means = np.array([[9.0, 10.0, 11.2], [1, 1, 1], [9.1, 10, 11], [np.nan, 1, 1], [4, 5, 6.1], [9, 9, 9]])
    arms = Arms(names, means, means.mean(1, keepdims=True) + np.zeros(11))
    lines = [(0.1, 0.9, 0.8, 0.95), (0.1, 0.6, 0.5, 0.7), (0.1, 0.55, 0.4, 0.6)]
    stars = pd.DataFrame(lines, columns=["rate", "value", "low", "high"]).assign(verifier=["oracle", "self", "foreign"])
    stars = pd.concat([stars, stars.assign(rate=0.2, value=0.1)])
    found = orders(arms, groups, stars)
    chain = {by: list(zip(part["verifier"], part["above_next"], strict=True)) for by, part in found.groupby("by")}
    assert chain["p*"] == [("oracle", True), ("self", False), ("foreign", False)]
    assert chain["students"] == [("self", False), ("oracle", True), ("foreign", False)]
    arms.means[0] = np.nan
    assert orders(arms, groups, stars).empty
