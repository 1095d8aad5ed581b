"""Which columns a table of problems may have: what is read, what is a result, and what is said of all others."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache

from theory.columns import CLASS_RATES, COLUMNS, OTHER_NAMES, POPULATION, RATES

TWO_CLASSES = (*COLUMNS, *CLASS_RATES, *OTHER_NAMES, *POPULATION, "loss", "setting")
"""Columns that predictions read."""
SYMBOLS: Mapping[str, str] = {
    **{column.symbol: name for name, column in COLUMNS.items()},
    **{"lam": "ridge", "l2": "ridge", "λ": "ridge", "penalty": "ridge", "φ": "phi", "ψ": "psi", "ρ": "prior"},
    **{"mu": "signal", "norm_mu": "signal", "μ": "signal", "snr": "signal", "α": "alpha", "n_over_d": "alpha"},
    **{"tpr": "phi", "fpr": "psi", "error_rate": "p", "k": "classes", "n_classes": "classes"},
}
"""How papers and other programs call them."""
OF_SIZES = ("n", "d", "delta")
"""Sizes and ratios that tables have beside alpha = n/d, and which do not stand for it."""
OF_SWEEPS = frozenset(
    "cell curve method seed seeds draws failed kept kept_purity kept_wrong kept_positive wrong m steps error low high "
    "overlap norm gradient_norm z outcome rule exact predicted measured rule_right exact_right p_star_along target "
    "rising coarse in_grid verdict ratio gain infinite infinite_data partial threshold case verified round point runs "
    "start_cos_generator start_cos_verifier start_cos_between measurement_error p_star_classes".split()
)
"""What rows and tables of sweeps and studies have beside a problem: results, or the names of lines."""
OF_REFERENCES = frozenset(
    "gram_kind confusion_kind bulk_norm cos_trained_mean cos_trained_verifier se balanced_se balanced_sim "
    "balanced_theory".split()
)
"""What tables of reference values have."""
SHARES = ("accuracy", "purity", "kept_rate", "p_star", "generator_accuracy", "bayes_accuracy", "balanced_accuracy")
"""Results that are shares, in [0, 1]."""
ENDS = ("_low", "_high", "_error", "_se", "_sim", "_theory", "_each_class", "_direction")
STARTS = ("given_", "exact_")


@cache
def results() -> frozenset[str]:
    """Names of what predictions and measurements say."""
    from theory.classes.prediction import ClassesPrediction
    from theory.prediction import Prediction

    return OF_SWEEPS | OF_REFERENCES | {*Prediction._fields, *ClassesPrediction._fields} - {*RATES}


def inputs(classes: bool) -> tuple[str, ...]:
    """Names of the columns that are read: of two classes, or of a table of K."""
    if not classes:
        return (*TWO_CLASSES, "classes")
    from theory.classes.table import COLUMN_NAMES

    return COLUMN_NAMES


def is_result(name: str) -> bool:
    """Whether a column holds what an earlier prediction, a sweep or a comparison found."""
    stems = {name}
    for start in STARTS:
        stems |= {stem.removeprefix(start) for stem in stems}
    for end in ENDS:
        stems |= {stem.removesuffix(end) for stem in stems}
    return bool(stems & results()) or (name not in RATES and bool(stems & set(RATES)))


def unknown(
    names: Iterable[str], classes: bool, carried: Collection[str], option: Callable[[list[str]], str]
) -> list[str]:
    """What is wrong with the names of a table: columns that are not read, nor results, nor ``carried``.

    ``option`` says what names the columns that are carried along.
    """
    from empirical.records.faults import listed, shown
    from empirical.records.names import nearest

    names = list(names)
    read = inputs(classes)
    found, others = [], []
    free = [name for name in read if name not in names]
    also = {word: meant for word, meant in SYMBOLS.items() if meant in free}
    for name in names:
        if name in carried or name in read:
            continue
        if name in OF_SIZES:
            if "alpha" not in names:
                found.append(f"column {name!r} is not read, and there is no alpha = n/d; {_remedy([name], option)}")
        elif is_result(name):
            continue
        elif (near := nearest(name, free, also)) is not None:
            meant = f"did you mean {near!r}? Rename it, or else {_remedy([name], option)}"
            found.append(f"column {shown(name)} is not known; {meant}")
        elif name.isprintable():  # what has a control character in its name is refused for that
            others.append(name)
    if others:
        what = f"column {shown(others[0])} is" if len(others) == 1 else f"columns {listed(others)} are"
        found.append(f"{what} not known; {_remedy(others, option)}")
    missing = [name for name in carried if name not in names]
    return found + [f"has no column {shown(name)}, which {option([name])} names" for name in missing]


def _remedy(names: list[str], option: Callable[[list[str]], str]) -> str:
    it = "it" if len(names) == 1 else "them"
    return f"leave {it} out, or carry {it} along unread: {option(names)}"
