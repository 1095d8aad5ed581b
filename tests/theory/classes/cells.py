"""Problems with K classes for tests."""

import csv
from pathlib import Path

import numpy as np

from theory.types import ClassesProblem, Confusion, Rates

REFERENCE = Path(__file__).parents[2] / "reference"


def reference(name):
    """Columns of a reference file, as a reader of CSV has them."""
    lines = list(csv.DictReader((REFERENCE / name).read_text(encoding="utf-8").splitlines()))
    return {key: [line[key] for line in lines] for key in lines[0]}


def numbers(columns, name):
    return np.array([float(value) for value in columns[name]])


def skewed(rng, classes, rank=None, ridge=0.1):
    """Any means (of a given rank), priors and tables."""
    rows = rng.normal(size=(classes, rank or classes)) * rng.uniform(1, 2.5)
    label = rng.dirichlet(np.ones(classes), classes) / 2 + np.eye(classes) / 2
    prior = rng.dirichlet(np.full(classes, 5.0))
    curation = Confusion(label, rng.uniform(0.2, 1, (classes, classes)))
    return ClassesProblem(1.0, curation, ridge, rows @ rows.T, prior)


def chance(problem):
    """The same with kept labels that are uniform in every class, of which unlike shares are kept."""
    classes = len(problem.gram)
    rng = np.random.default_rng(classes)
    keep = np.broadcast_to(rng.uniform(0.2, 1, (classes, 1)), (classes, classes))
    return problem._replace(curation=Confusion(np.full((classes, classes), 1 / classes), keep))


def simplex(classes):
    return (classes * np.eye(classes) - 1) / (classes - 1)


def even(p=0.4, phi=0.9, psi=0.3, signal=2.0, ridge=0.1, **more):
    return ClassesProblem(signal, Rates(p, phi, psi), ridge, **more)
