"""The vocabulary: every column of every table, and the settings that have them, said once.

Options, sweep files, cell ids, schemas, tables and reports derive from it. A new setting is an entry of `SETTINGS` (its
own columns in `COLUMNS`) and one file of that name in ``theory/settings`` and in ``sims/settings``. Needs no JAX.
"""

from collections.abc import Collection, Mapping
from math import inf
from typing import Any, NamedTuple

from theory.errors import InputError


class Column(NamedTuple):
    """A parameter: its name in code, its symbol on paper, what it means and which numbers it can be."""

    name: str
    symbol: str
    meaning: str
    low: float
    high: float
    open_low: bool = False
    table: str = ""
    """Of a sweep file, where it stands."""


def _by_name(*columns: Column) -> dict[str, Column]:
    return {column.name: column for column in columns}


COLUMNS: Mapping[str, Column] = _by_name(
    Column("signal", "r", "r = ||mu||, norm of the class mean", 0, inf, True, "problem"),
    Column("alpha", "n/d", "n/d, samples generated per dimension", 0, inf, True, "problem"),
    Column("ridge", "lambda", "L2 penalty relative to the mean over kept samples", 0, inf, False, "training"),
    Column("prior", "rho", "P(y = +1)", 0, 1, False, "problem"),
    Column("p", "p", "error rate P(y' != y)", 0, 1, False, "generator"),
    Column("phi", "phi", "P(kept | label correct)", 0, 1, False, "verifier"),
    Column("psi", "psi", "P(kept | label wrong)", 0, 1, False, "verifier"),
    Column("cos_generator", "cos(g,mu)", "cos(g, mu)", -1, 1, False, "generator"),
    Column("cos_verifier", "cos(v,mu)", "cos(v, mu)", -1, 1, False, "verifier"),
    Column("cos_between", "cos(g,v)", "cos(g, v)", -1, 1, False, "verifier"),
    Column("margin", "margin", "distance |v.x| that parts easy from hard samples", 1e-6, 1e3, False, "verifier"),
    Column("real", "real", "share of the n samples that is real: correctly labelled, all kept", 0, 1, False, "problem"),
)
"""The parameters of a problem, in the order in which tables have them."""

SHARED = ("signal", "alpha", "ridge")
"""What every problem has beside its setting's own columns and its loss."""

SPECTRUM = ("eigenvalues", "shares", "signals_sq")
"""Lists, which stand in the place of signal where features are coloured; in a table, numbers with ; between them."""
POPULATION = (*SPECTRUM, "intercept")
"""What only the independent setting has: coloured features, and whether an intercept is fitted (0 or 1)."""
POPULATION_MEANINGS: Mapping[str, str] = {
    "eigenvalues": "Eigenvalues of the features' covariance, level by level, as '4;1;0.1'",
    "shares": "Share of the d dimensions on each level, as '0.1;0.3;0.6'",
    "signals_sq": "Squared norm of the class mean on each level, as '2;1;0'",
    "intercept": "Fit an intercept, unpenalised",
}

COSINES = ("cos_generator", "cos_verifier", "cos_between")
RATES = ("p", "phi", "psi")
SIDES = ("negative", "positive")


def by_side(names: Collection[str]) -> tuple[str, ...]:
    """The columns of rates that depend on the class: p_negative, p_positive, phi_negative, ..."""
    return tuple(f"{name}_{side}" for name in names for side in SIDES)


CLASS_RATES = by_side(RATES)
OTHER_NAMES: Mapping[str, str] = {
    **{
        f"{rate}_{other}": f"{rate}_{side}"
        for rate in RATES
        for other, side in zip(("minus", "plus"), SIDES, strict=True)
    },
    "prior_plus": "prior",
}
"""What tables may call a column, and its name here."""

RECORDED = (*RATES, *CLASS_RATES, *COSINES)
"""Columns that the rows of every sweep have, null where they mean nothing; others only come with their setting."""

MOST_CLASSES = 1_000
"""Classes whose equations are solved in minutes, from a table or an option."""
MOST_COUNTED = 10**9
"""Classes of a formula in K alone: p*_K and worth of an audit or a forecast."""
KEEPS_WRONG = (
    "psi > phi: this verifier keeps wrong labels more readily than correct ones; are the two swapped? "
    "(phi = P(kept | label correct), psi = P(kept | label wrong))"
)
SIMULATION, EXACT_LAW, THEORY = "simulation", "exact-law", "theory"


class Setting(NamedTuple):
    """Where label errors come from, and what is kept: which columns say so."""

    name: str
    meaning: str
    parameters: str
    """Name of its parameter object in `theory.types`, whose fields are ``columns``."""
    generator: str
    """The column along which the generator gets worse: the axis of p."""
    verifier: tuple[str, str]
    """The columns that `verifier.pairs` of a sweep file lists."""
    others: tuple[str, ...] = ()
    """Further columns, each an axis of its own."""
    by_class: bool = False
    """Whether rates may depend on the class, and classes may be unequal: of Rates and ClassRates alone, so far."""
    least_d: int = 1
    """Room for the directions that the law of the kept data bends in."""
    methods: tuple[str, ...] = (SIMULATION, THEORY)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of its own, in the order of the parameter object."""
        return (self.generator, *self.verifier, *self.others)

    @property
    def constants(self) -> tuple[str, ...]:
        """What does not change along a curve, as tables have it: rates by class where they may depend on it."""
        verifier = by_side(self.verifier) if self.by_class else self.verifier
        return (*verifier, *self.others)

    @property
    def recorded(self) -> tuple[str, ...]:
        """Columns of its rows: those of every sweep, then its own that no other has."""
        return (*RECORDED, *(name for name in self.columns if name not in RECORDED))

    @property
    def module(self) -> str:
        """Its file, in ``theory/settings`` and in ``sims/settings``."""
        return self.name.replace("-", "_")


SETTINGS: Mapping[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(
            "independent",
            "errors and verdicts independent of x given the class",
            "Rates",
            "p",
            ("phi", "psi"),
            by_class=True,
            methods=(SIMULATION, EXACT_LAW, THEORY),
        ),
        Setting(
            "linear",
            "y' = sign(g.x), kept iff sign(v.x) = y'",
            "Cosines",
            *("cos_generator", ("cos_verifier", "cos_between")),
            least_d=3,
            methods=(SIMULATION, EXACT_LAW, THEORY),
        ),
        Setting(
            "learned",
            "y' = sign(g.x), kept with probability phi where it is correct and psi where it is wrong",
            "Learned",
            *("cos_generator", ("phi", "psi")),
            least_d=2,
        ),
        Setting(
            "keep-easy",
            "as linear, and only what the verifier is sure of: kept iff y' v.x > margin",
            "KeepEasy",
            *("cos_generator", ("cos_verifier", "cos_between"), ("margin",)),
            least_d=3,
        ),
        Setting(
            "keep-hard",
            "as linear, and only what the verifier is not sure of: kept iff 0 < y' v.x <= margin",
            "KeepHard",
            *("cos_generator", ("cos_verifier", "cos_between"), ("margin",)),
            least_d=3,
        ),
        Setting(
            "mixture",
            "as linear, with a share of real data, correctly labelled and all kept, beside the generated",
            "Mixture",
            *("cos_generator", ("cos_verifier", "cos_between"), ("real",)),
            least_d=3,
        ),
    )
}


def by_our_names(columns: Mapping[str, Any]) -> dict[str, Any]:
    """A table with the names of `OTHER_NAMES` as they are here. Raises InputError for a column under both names."""
    twice = [name for name in columns if OTHER_NAMES.get(name) in columns]
    if twice:
        raise InputError(f"columns {twice[0]} and {OTHER_NAMES[twice[0]]} are the same; give one of them")
    return {OTHER_NAMES.get(name, name): values for name, values in columns.items()}


def settings_with(name: str) -> tuple[Setting, ...]:
    """The settings that a column belongs to; none where it belongs to all problems."""
    return tuple(setting for setting in SETTINGS.values() if name in setting.columns)


class LossName(NamedTuple):
    """A loss by name: its formula in the margin v = y' x.w, and whether trials can be made with it."""

    formula: str
    simulated: bool


LOSSES: Mapping[str, LossName] = {
    "squared": LossName("(1 - v)^2 / 2", True),
    "logistic": LossName("log(1 + exp(-v))", True),
    "hinge": LossName("max(0, 1 - v)", False),
}


def setting_of(names: Collection[str], given: str = "") -> Setting:
    """The setting that the columns of a table belong to: the ``given`` one, else the one that they speak for.

    A column that one setting alone has decides; else cosines mean linear and everything else independent.

    Raises:
        InputError: an unknown setting, or a column that several settings have and none was given.
    """
    if given:
        if given not in SETTINGS:
            raise InputError(f"setting = {given!r} is unknown; choose from {', '.join(SETTINGS)}")
        return SETTINGS[given]
    special = [name for name in COLUMNS if name in names and name not in (*RECORDED, *SHARED, "prior")]
    if special:
        able = [setting for setting in SETTINGS.values() if set(special) <= set(setting.columns)]
        if len(able) != 1:
            which = " or ".join(setting.name for setting in able) or "no setting"
            raise InputError(f"column {special[0]} belongs to {which}; say which in a column setting, or by --setting")
        return able[0]
    return SETTINGS["linear" if any(name in names for name in COSINES) else "independent"]
