"""Eigenvalues by transformer: what verification buys when a model is retrained on its own labels.

A generator learns to write down the eigenvalues of a symmetric matrix; it labels fresh matrices; a verifier keeps,
drops or picks among its answers; students of the same size are trained from scratch on what is left, for the same
number of steps. `plan` lays out the stages, `empirical.stages` runs what is missing of them.
"""
