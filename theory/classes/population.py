"""What training sees of K classes: Gram matrix of the means, and the law of the kept pairs (y, y') (THEORY §12)."""

from typing import Any, NamedTuple

import numpy as np

from theory._check import in_range
from theory.arrays import Array, quiet
from theory.classes.threshold import ROUNDED, check_classes, check_confusion, spread_evenly
from theory.columns import MOST_CLASSES
from theory.decimals import typed
from theory.errors import InputError, KindError
from theory.types import ClassesProblem, Confusion, Rates, Scalar

INDEFINITE = 1e-5
"""How negative an eigenvalue of a Gram matrix may be, relative to the largest: six digits of a table."""
ALIKE = 1e-9
"""Relative differences below which classes are treated alike."""


class Population(NamedTuple):
    """Batch axes lead."""

    gram: Array
    """G_kl = mu_k.mu_l, (..., K, K)."""
    prior: Array
    """rho_k = P(y = k), (..., K)."""
    law: Array
    """P_kl = P(y = k, y' = l | kept), (..., K, K); NaN where nothing is kept."""
    kept_rate: Scalar
    """kappa."""
    error_rate: Scalar
    """P(y' != y) before verification."""

    @property
    def classes(self) -> int:
        """K."""
        return int(self.law.shape[-1])

    @property
    def purity(self) -> Array:
        """pi = trace P, the share of the kept that is correct."""
        return np.trace(self.law, axis1=-2, axis2=-1)

    @property
    def gap(self) -> Array:
        """a where G = a I + c 1 1^T: half the squared distance of two means."""
        found: Array = self.gram[..., 0, 0] - self.gram[..., 0, 1]
        return found

    @property
    def alike(self) -> Array:
        """Whether no class differs from another: G = a I + c 1 1^T, a > 0, equal priors, errors spread evenly."""
        even = _symmetric(self.law) & _symmetric(self.gram) & (self.gap > 0)
        found: Array = even & (np.ptp(self.prior, axis=-1) <= ALIKE)
        return found

    def cells(self, batch: tuple[int, ...]) -> "Population":
        """With the batch axes broadcast, and made one."""
        ends = ((self.classes,) * 2, (self.classes,), (self.classes,) * 2, (), ())
        fields = (np.broadcast_to(field, (*batch, *end)) for field, end in zip(self, ends, strict=True))
        return Population(*(field.reshape(-1, *end) for field, end in zip(fields, ends, strict=True)))


@quiet
def population(problem: ClassesProblem, classes: int | None = None) -> Population:
    """Of a problem, whose fields may have batch axes that broadcast; in NumPy.

    Raises:
        ValueError: a number outside its range, tables of different K, or no word of K.
    """
    number = count(problem, classes)
    signal = np.asarray(problem.signal, float)
    in_range("signal", signal, 0, np.inf, open_low=True, remedy="signal multiplies all class means")
    unit = np.eye(number) if problem.gram is None else check_gram(problem.gram)
    prior = np.full(number, 1 / number) if problem.prior is None else check_prior(problem.prior)
    confusion = problem.curation
    if isinstance(confusion, Rates):
        confusion = spread_evenly(confusion, number)
    label, keep = (np.asarray(table, float) for table in confusion)
    check_confusion(Confusion(label, keep))
    joint = prior[..., None] * label * keep
    kept = joint.sum((-2, -1))
    wrong = np.maximum(1 - np.sum(prior * np.diagonal(label, axis1=-2, axis2=-1), -1), 0.0)
    if isinstance(problem.curation, Rates):
        wrong = np.asarray(problem.curation.p, float)
    gram, law = np.broadcast_arrays(signal[..., None, None] ** 2 * unit, joint / kept[..., None, None])
    batch = law.shape[:-2]
    return Population(
        gram,
        np.broadcast_to(prior, law.shape[:-1]),
        law,
        np.broadcast_to(kept, batch),
        np.broadcast_to(wrong, batch),
    )


def count(problem: ClassesProblem, classes: int | None) -> int:
    """K, as the problem or ``classes`` says. Raises ValueError where they differ or neither does."""
    if not isinstance(problem.curation, Rates | Confusion):
        raise KindError(f"curation = {problem.curation!r} must be Rates or Confusion; other settings have two classes")
    said = {} if classes is None else {"classes": classes}
    said |= {name: (0, *np.shape(value))[-1] for name, value in _sized(problem).items()}
    if not said:
        raise InputError("classes is missing: nothing here says how many there are; give classes = K, 2 or more")
    number = next(iter(said.values()))
    check_solvable(number)
    if len(set(said.values())) > 1:
        words = ", ".join(f"{name} of {value}" for name, value in said.items())
        raise InputError(f"numbers of classes that differ: {words}; give all of them the same K")
    return int(next(iter(said.values())))


def check_solvable(classes: Any) -> None:
    """Raise ValueError for a number of classes that no problem has, or whose tables would not fit."""
    if isinstance(classes, int) and classes > MOST_CLASSES:
        shown = str(classes) if classes < 10**9 else "more than 10^9"
        raise InputError(f"classes = {shown} is outside [2, {MOST_CLASSES}]; tables of more are not solved")
    in_range("classes", classes, 2, MOST_CLASSES, remedy="K counts the classes")
    check_classes(classes)


def _sized(problem: ClassesProblem) -> dict[str, Array]:
    """Fields whose last axis is the class."""
    tables = problem.curation._asdict() if isinstance(problem.curation, Confusion) else {}
    more = {"gram": problem.gram, "prior": problem.prior}
    return tables | {name: value for name, value in more.items() if value is not None}


def check_gram(gram: Array) -> Array:
    """As an array. Raises ValueError for what is no Gram matrix of K vectors."""
    array = np.asarray(gram, float)
    if array.ndim < 2 or array.shape[-1] != array.shape[-2]:
        raise InputError(f"gram has shape {array.shape}; it must be (..., K, K), the products mu_k.mu_l")
    in_range("gram", abs(array), 0, np.inf, remedy="gram holds the products mu_k.mu_l")
    size = np.max(abs(array), axis=(-2, -1))
    skew = np.max(abs(array - np.swapaxes(array, -1, -2)), axis=(-2, -1))
    if np.any(skew > INDEFINITE * size):
        raise InputError(f"gram is not symmetric: G_kl and G_lk differ by {np.max(skew):.3g}; mu_k.mu_l is mu_l.mu_k")
    least = np.linalg.eigvalsh(array)[..., 0]
    if np.any(least < -INDEFINITE * size):
        worst = np.ravel(least)[np.argmin(least)]
        raise InputError(f"gram has the eigenvalue {worst:.3g}, so that no vectors have it; all must be 0 or more")
    if np.any(size == 0):
        raise InputError("gram is 0 throughout, so that classes have one mean; give means that differ")
    return array


def check_prior(prior: Array) -> Array:
    """As an array. Raises ValueError unless it holds probabilities that sum to 1."""
    array = np.asarray(prior, float)
    in_range("prior", array, 0, 1, remedy="rho_k = P(y = k) is a probability")
    total = array.sum(-1)
    if np.any(abs(total - 1) > ROUNDED):
        raise InputError(f"prior sums to {typed(np.ravel(total)[0])}; it must sum to 1")
    return array


def _symmetric(table: Array) -> Array:
    """Whether a matrix is a I + c 1 1^T."""
    classes = table.shape[-1]
    same = np.eye(classes, dtype=bool)
    spread = np.ptp(table[..., same], axis=-1) + np.ptp(table[..., ~same], axis=-1)
    return spread <= ALIKE * np.max(abs(table), axis=(-2, -1))
