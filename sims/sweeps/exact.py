"""The exact theory in the place of trials, for sweep files with ``method = "theory"``: same columns, one row a cell.

With `sims.comparison.compare` and `sims.studies` one of the places where sims reads more of theory than its types.
"""

import numpy as np

from sims.sweeps.grid import Shape
from theory import status
from theory.engine import solve
from theory.prediction import of_solution
from theory.settings import of
from theory.threshold import per_class
from theory.types import Problem


def exact_columns(problem: Problem, shape: Shape) -> dict[str, np.ndarray]:
    """Measured columns of the rows, as d -> inf at n/d. m, wrong and kept_wrong are expected counts, rounded.

    gradient_norm holds the residual of the equations, and steps is 0.
    """
    alpha = shape.n / shape.d
    problem = problem._replace(intercept=shape.intercept)
    solution = solve(problem, alpha, shape.loss)
    found = of_solution(problem, solution)
    kept, wrong = np.asarray(found.kept_rate), np.asarray(of(problem.curation).generated(problem.curation) * found.p)
    purity = np.where(np.isnan(found.purity), 1.0, np.asarray(found.purity))  # nothing is kept
    counts = {"m": kept, "wrong": wrong, "kept_wrong": kept * (1 - purity)}
    columns = {name: np.rint(shape.n * share).astype(np.int64) for name, share in counts.items()}
    columns |= {name: np.asarray(getattr(solution, name)) for name in ("overlap", "norm")}
    columns["accuracy"] = np.asarray(found.accuracy)
    if shape.told:
        names = ("balanced_accuracy", "mean_score", "offset", "score_sd")
        columns |= {name: np.asarray(getattr(found, name)) for name in names}
        columns["kept_positive"] = np.rint(shape.n * _kept_positive(problem)).astype(np.int64)
    columns |= {"gradient_norm": np.asarray(solution.residual), "steps": np.zeros(len(kept), np.int64)}
    return columns | {"converged": np.asarray(found.converged), "status": status.name(found.status)}


def _kept_positive(problem: Problem) -> np.ndarray:
    """Share of the n samples that is kept with y' = +1: the right of one class, and the wrong of the other."""
    p, phi, psi, prior = per_class(problem.curation)
    shares = [prior[..., 1] * (1 - p[..., 1]) * phi[..., 1], prior[..., 0] * p[..., 0] * psi[..., 0]]
    return np.asarray(sum(shares))
