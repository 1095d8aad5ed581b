"""Refusals before any work is done: each names the argument, its value, the range and the remedy.

Only concrete values can be refused. Under ``jit``, ``vmap`` or ``grad`` an argument is a tracer and
passes; there a function outside its domain returns NaN.
"""

import sys
from typing import Any

import numpy as np

from theory.arrays import is_jax, is_traced
from theory.columns import COLUMNS, SETTINGS
from theory.decimals import between, typed
from theory.errors import InputError, KindError, RunError
from theory.types import ClassRates, Cosines, Problem, Rates, Spectrum


def require_x64(*values: Any) -> None:
    """Raise RuntimeError where values are JAX's and it does not compute in float64, naming the line that makes it."""
    if is_jax(values) and not sys.modules["jax"].config.jax_enable_x64:
        raise RunError(
            "theory needs float64, and JAX is in float32. Put this line before any JAX computation:\n"
            '    jax.config.update("jax_enable_x64", True)\n'
            "or set JAX_ENABLE_X64=1 in the environment."
        )


def in_range(
    name: str,
    value: Any,
    low: float,
    high: float,
    *,
    open_low: bool = False,
    remedy: str = "",
) -> None:
    """Raise ValueError unless every entry of ``value`` is a number in [low, high].

    ``open_low`` excludes ``low``; an infinite ``high`` is always excluded. NaN is never in range.
    """
    if is_traced(value):
        return
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} = {value!r} is not a number") from None
    except OverflowError:
        raise InputError(f"{name} has hundreds of digits, more than float64 holds; give a smaller number") from None
    above = array > low if open_low else array >= low
    below = array < high if np.isinf(high) else array <= high
    inside = above & below
    if np.all(inside):
        return
    worst = array if array.ndim == 0 else array[~inside].flat[0]
    raise InputError(outside(name, worst, low, high, open_low=open_low, remedy=remedy))


def outside(name: str, value: Any, low: float, high: float, *, open_low: bool = False, remedy: str = "") -> str:
    """How it is said that a number is not in its range."""
    left = "(" if open_low else "["
    right = ")" if np.isinf(high) else "]"
    message = f"{name} = {typed(value)} is outside {left}{typed(low)}, {typed(high)}{right}"
    return f"{message}; {remedy}" if remedy else message


def check_rates(rates: Rates | ClassRates) -> None:
    """Raise ValueError unless p, phi, psi are probabilities and something can be kept."""
    in_range("p", rates.p, 0, 1, remedy="p is the generator's error rate, a probability")
    in_range("phi", rates.phi, 0, 1, remedy="phi = P(kept | label correct) is a probability")
    in_range("psi", rates.psi, 0, 1, remedy="psi = P(kept | label wrong) is a probability")
    prior = rates.prior if isinstance(rates, ClassRates) else None
    if not is_traced((rates.phi, rates.psi)):
        kept_something = np.asarray(rates.phi) + np.asarray(rates.psi) > 0
        if not np.all(kept_something if prior is None else np.any(kept_something, axis=-1)):
            raise InputError("phi = psi = 0 keeps nothing; make at least one of them positive")
    if prior is not None:
        for side in (1, 0):  # P(y = +1) first, which is what is given
            in_range("prior", prior[..., side], 0, 1, remedy="the prior of a class is a probability")
        if not is_traced(prior):
            total = np.sum(np.asarray(prior), axis=-1)
            if not np.allclose(total, 1.0, atol=1e-12):
                raise InputError(f"prior sums to {typed(np.ravel(total)[0])}; it must sum to 1")


def check_cosines(cosines: Cosines) -> None:
    """Raise ValueError unless the three cosines belong to three unit vectors."""
    for name, value in cosines._asdict().items():
        in_range(name, value, -1, 1, remedy="it is the cosine of an angle")
    if is_traced(cosines):
        return
    g, v, b = (np.asarray(value, dtype=np.float64) for value in cosines)
    determinant = 1 + 2 * g * v * b - g**2 - v**2 - b**2
    if np.any(determinant < -1e-12):
        worst = np.argmin(determinant)
        g, v, b = (np.ravel(np.broadcast_to(value, determinant.shape))[worst] for value in (g, v, b))
        spread = np.sqrt((1 - g**2) * (1 - v**2))
        low, high = g * v - spread, g * v + spread
        raise InputError(
            f"cos_generator = {typed(g)}, cos_verifier = {typed(v)}, cos_between = {typed(b)} belong to no three unit "
            f"vectors (their Gram matrix is not positive semidefinite); with these first two, cos_between lies in "
            f"{between(low, high)}"
        )


def check_alpha(alpha: Any) -> None:
    """Raise ValueError unless alpha = n/d is positive and finite."""
    in_range("alpha", alpha, 0, np.inf, open_low=True, remedy="alpha = n/d is a sample ratio")


def check_shared(problem: Problem) -> None:
    """Raise ValueError unless signal (or spectrum), intercept and ridge are in their ranges and go together."""
    if isinstance(problem.signal, Spectrum):
        check_spectrum(problem.signal)
    else:
        in_column("signal", problem.signal)
    in_column("ridge", problem.ridge)
    check_intercept(problem)


def has_intercept(problem: Problem) -> bool:
    """Whether an intercept is fitted. Raises KindError for what is not one truth for all cells, known beforehand."""
    given: Any = problem.intercept
    if is_traced(given) or np.ndim(given) or given not in (None, False, True):
        raise KindError(f"intercept = {given!r} must be True or False, the same for all cells and known under jit")
    return bool(given)


def check_intercept(problem: Problem) -> None:
    """Raise ValueError for an intercept or a spectrum outside the independent setting, or for classes that are one."""
    coloured, fitted = isinstance(problem.signal, Spectrum), has_intercept(problem)
    setting = getattr(problem.curation, "setting", "independent")
    if setting != "independent" and (coloured or fitted):
        what = "a spectrum" if coloured else "an intercept"
        raise InputError(f"{what} has no theory in the {setting} setting; take Rates or ClassRates, or leave it out")
    prior = getattr(problem.curation, "prior", None)
    if fitted and prior is not None and not is_traced(prior) and np.any(np.asarray(prior) <= 0):
        raise InputError("prior = 0 of a class; with an intercept both classes must occur: prior in (0, 1)")


def check_spectrum(spectrum: Spectrum) -> None:
    """Raise ValueError unless its levels are some (`check_levels`), and the class mean has a length."""
    check_levels(spectrum)
    if is_traced(spectrum):
        return
    s, _, signal = (np.asarray(values, float) for values in spectrum)
    if np.any((s * signal).sum(-1) <= 0):
        raise InputError("signals_sq is 0 on every level; give the class mean a length > 0")


def check_levels(spectrum: Spectrum) -> None:
    """Raise ValueError unless shares sum to 1, nothing is negative, and the class mean lies where features vary."""
    levels = {name: np.shape(values)[-1:] for name, values in spectrum._asdict().items()}
    if len(set(levels.values())) > 1 or levels["shares"] in ((), (0,)):
        counts = ", ".join(f"{shape[0] if shape else 'no list of'} {name}" for name, shape in levels.items())
        raise InputError(f"a spectrum of {counts}; give one of each for every level")
    for name, values in spectrum._asdict().items():
        in_range(name, values, 0, np.inf, remedy=SPECTRUM_MEANINGS[name])
    if is_traced(spectrum):
        return
    s, f, signal = (np.asarray(values, float) for values in spectrum)
    total = f.sum(-1)
    if np.any(np.abs(total - 1) > 1e-9):
        worst = np.ravel(total)[np.argmax(np.abs(np.ravel(total) - 1))]
        raise InputError(f"shares sum to {worst:.12g}; they must sum to 1, being shares of the d dimensions")
    if np.any((s == 0) & (signal > 0)):
        raise InputError(
            "a level has eigenvalue 0 and signals_sq > 0, where classes can be told without error; drop it"
        )


SPECTRUM_MEANINGS = {
    "eigenvalues": "eigenvalues of a covariance",
    "shares": "shares of the d dimensions",
    "signals_sq": "squared norms of the class mean, level by level",
}


def in_column(name: str, value: Any) -> None:
    """Raise ValueError unless every entry of ``value`` is in the range that the vocabulary has for a column."""
    column = COLUMNS[name]
    in_range(name, value, column.low, column.high, open_low=column.open_low, remedy=column.meaning)


def curation_of(problem: Problem, name: str) -> Any:
    """The curation of a problem of one setting. Raises KindError for another, whose kept data have another law."""
    if getattr(problem.curation, "setting", "") != name:
        given = type(problem.curation).__name__
        raise KindError(f"this function is for the {name} setting ({SETTINGS[name].parameters}), not for {given}")
    return problem.curation
