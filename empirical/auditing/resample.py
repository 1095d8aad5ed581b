"""Intervals of anything that is computed from an audit's rates, whatever the design: one bootstrap of its units.

A unit is what was drawn on its own: a record, or all records of one prompt. Each adds to six sums, in weighted records:

    kept, dropped                       of all records, judged or not
    correct and wrong, kept or dropped  of the judged ones

Three shares of them say everything: of all records the kept (kappa), of the kept judged the correct (pi), of the
dropped judged the correct (omega). Where only some records are judged this is post-stratification by what is kept:

    p = kappa (1 - pi) + (1 - kappa)(1 - omega),   phi = kappa pi/(1 - p),   psi = kappa (1 - pi)/p

The bootstrap is the Bayesian one, units weighted by independent Gamma numbers (rubin1981bayesian). On its own it is
too short where few are wrong, dropped or kept. So each end of an interval gets one more unit per share, at the place
that is worst for that end. For single records this is Clopper-Pearson's interval of a share and the melded one of two
(clopper1934use, fay2015combining); for the mean of units it is Gaffke's bound (learnedmiller2019new). Fewer units
than thirty or so need more: each draw has the scale that Student's t has in the place of the normal law.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
DRAWS = 10_000
LEAST_SHAPE = 0.05
JSON_DRAWS = 1_000
AT_ONCE = 4_000_000
"""Random numbers drawn at a time."""
KEPT, DROPPED, CORRECT_KEPT, CORRECT_DROPPED, WRONG_KEPT, WRONG_DROPPED = range(6)
SHARES = {
    "kept": ((KEPT,), (DROPPED,)),
    "correct_of_kept": ((CORRECT_KEPT,), (WRONG_KEPT,)),
    "correct_of_dropped": ((CORRECT_DROPPED,), (WRONG_DROPPED,)),
    "wrong": ((WRONG_KEPT, WRONG_DROPPED), (CORRECT_KEPT, CORRECT_DROPPED)),
    "kept_of_correct": ((CORRECT_KEPT,), (CORRECT_DROPPED,)),
    "kept_of_wrong": ((WRONG_KEPT,), (WRONG_DROPPED,)),
}
"""Shares of the sums: what is counted, and the rest. The first three serve always, the others where all is judged."""

Function = Callable[[Numbers, Numbers, Numbers], Numbers]
"""Of p, phi and psi, arrays of one shape, which is the shape of what it returns."""


@dataclass(frozen=True)
class Effective:
    """How many independent records of equal weight would leave a share as unsure as it is."""

    records: float
    """share (1 - share)/variance, the variance between units of the linearised ratio."""
    least: float
    """As if each unit were one record: (sum of sizes)^2/(sum of their squares) (kish1965survey)."""
    weighed: bool = False
    """Whether records weigh differently: what is heavy may then be unlike the rest, and it may not be seen."""

    @property
    def further(self) -> float:
        """One further unit, at the place that is worst for an end of an interval, weighs 1/this of all.

        The mean of both, as of groups neither a record more nor a whole group is right; the least with weights.
        """
        return self.least if self.weighed else math.sqrt(self.records * self.least)


@dataclass(frozen=True, eq=False)
class Units:
    """What was drawn on its own, for v verifiers at once; made by `empirical.auditing.design.units`."""

    sums: Numbers
    """(m, v, 6), what one unit of each kind adds to the six sums."""
    number: Numbers
    """(m,) of each kind."""
    effective: tuple[dict[str, Effective], ...]
    """By verifier, of each of `SHARES`."""
    count: float
    """How many there are, which may be more than those that were put together."""
    exact: bool
    """Whether units are single records of equal weight, so that their number alone says how sure a share is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Resampled:
    """Draws of the six sums, and how many independent records each share stands on; see `resample`."""

    sums: Numbers
    """(draws, 6)"""
    observed: Numbers
    """(6,)"""
    effective: dict[str, Effective]
    """Of each of `SHARES`."""
    whole: bool
    """Whether every record is judged."""
    extra: Numbers
    """(draws, 3) independent exponential numbers, weights of the further units."""
    units: float
    """How many units were drawn on their own."""

    def __repr__(self) -> str:
        """What it is; the draws are many."""
        return f"Resampled({len(self.sums):,} draws)"

    def observed_rates(self) -> tuple[Numbers, Numbers, Numbers]:
        """p, phi and psi as estimated, post-stratified by what is kept; NaN where undefined."""
        with np.errstate(invalid="ignore"):
            shares = [
                self.observed[list(counted)].sum() / self.observed[[*counted, *rest]].sum()
                for counted, rest in tuple(SHARES.values())[:3]
            ]
        return rates_of(*shares)

    def as_json(self, most: int = JSON_DRAWS) -> dict[str, Any]:
        """The first ``most`` draws and all else, as JSON values; `from_json` reads them."""
        return {
            "sums": np.round(self.sums[:most], 3).tolist(),
            "observed": self.observed.tolist(),
            "effective": {name: [known.records, known.least, known.weighed] for name, known in self.effective.items()},
            "whole": self.whole,
            "units": self.units,
        }

    def draws(self) -> tuple[Numbers, Numbers, Numbers]:
        """p, phi and psi of the plain bootstrap, each (draws,), without further units."""
        return rates_of(*(self._share(name) for name in tuple(SHARES)[:3]))

    def interval(
        self, function: Function, level: float, bounds: tuple[float, float] | None = None
    ) -> tuple[float, float]:
        """Conservative ends of any function of p, phi and psi that is monotone in each of kappa, pi and omega.

        NaN of the function in a draw, where something is undefined, counts as unknown: as the far end of ``bounds``,
        or as the least and the largest value that occur.
        """
        return self.ends(*self.extremes(function), level, bounds)

    def kept_and_purity(self, side: float | None = None) -> tuple[Numbers, Numbers]:
        """kappa and pi by draw; with one more unit in each that counts (``side`` 1) or does not (0)."""
        return self._share("kept", side, 0), self._share("correct_of_kept", side, 1)

    @cached_property
    def corners(self) -> tuple[Numbers, Numbers, Numbers]:
        """p, phi and psi by draw with one more unit in each share, on either side of each, (8, draws)."""
        names = tuple(SHARES)[:3]
        ends = [[self._share(name, side, place) for side in (0.0, 1.0)] for place, name in enumerate(names)]
        return rates_of(*(np.array(shares) for shares in zip(*product(*ends), strict=True)))

    def extremes(self, function: Function) -> tuple[Numbers, Numbers]:
        """By draw (draws,), the least and the largest value with one more unit in each share: the eight corners."""
        values = function(*self.corners)
        return np.min(values, axis=0), np.max(values, axis=0)

    @cached_property
    def errors(self) -> tuple[Numbers, Numbers]:
        """By draw (draws,), the least and the largest p with one more unit in one share, where that matters most.

        p is a sum, over what is kept and what is dropped, and rare events of a sum need one further unit for all, with
        the largest weight, not one for each (fay1997directly). Where a share is of nothing, all corners.
        """
        if self.whole:
            return self.bounds_of("wrong")
        names = tuple(SHARES)[:3]
        if not all(self.observed[[*counted, *rest]].sum() for counted, rest in (SHARES[name] for name in names)):
            return self.extremes(lambda p, phi, psi: p)
        plain = [self._share(name) for name in names]
        moved = []
        for place, side in product(range(3), (0.0, 1.0)):
            kept, pure, left = (self._share(name, side) if at == place else plain[at] for at, name in enumerate(names))
            moved.append(rates_of(kept, pure, left)[0])
        return np.min(moved, axis=0), np.max(moved, axis=0)

    def share(self, name: str, level: float) -> tuple[float, float]:
        """Ends of one share of `SHARES`."""
        return self.ends(*self.bounds_of(name), level, (0.0, 1.0))

    def bounds_of(self, name: str) -> tuple[Numbers, Numbers]:
        """By draw (draws,), a share with one more unit that does not count, and with one that does."""
        return self._share(name, 0.0), self._share(name, 1.0)

    def ends(
        self, least: Numbers, largest: Numbers, level: float, bounds: tuple[float, float] | None = None
    ) -> tuple[float, float]:
        """The quantile of either tail; NaN is the far end of ``bounds``, or of what occurs."""
        tail = (1 - level) / 2
        if bounds is None:
            occurring = np.concatenate([least[~np.isnan(least)], largest[~np.isnan(largest)]])
            if not occurring.size:
                return np.nan, np.nan
            bounds = float(occurring.min()), float(occurring.max())
        low = np.quantile(np.where(np.isnan(least), bounds[0], least), tail, method="inverted_cdf")
        high = np.quantile(np.where(np.isnan(largest), bounds[1], largest), 1 - tail, method="inverted_cdf")
        return float(low), float(high)

    def p_star(self, level: float) -> tuple[float, float]:
        """Ends of p* = phi/(phi + psi)."""
        if not self.whole:
            least, largest = self.extremes(lambda p, phi, psi: _ratio(phi, psi))
        else:
            names = ("kept_of_correct", "kept_of_wrong")
            least, largest = (
                _ratio(
                    *(
                        self._share(name, side, place)
                        for place, (name, side) in enumerate(zip(names, sides, strict=True))
                    )
                )
                for sides in ((0.0, 1.0), (1.0, 0.0))
            )
        return self.ends(least, largest, level, (0.0, 1.0))

    def _share(self, name: str, side: float | None = None, place: int = 0) -> Numbers:
        """A share, by draw; with one more unit that is counted (``side`` 1) or not (0)."""
        counted, rest = (self.sums[:, list(columns)].sum(-1) for columns in SHARES[name])
        total = counted + rest
        if side is not None:
            size = sum(self.observed[column] for columns in SHARES[name] for column in columns)
            more = self.extra[:, place] * (size / self.effective[name].further if size else 1.0)
            counted, total = counted + side * more, total + more
        with np.errstate(invalid="ignore"):
            return counted / total


def rates_of(kept: Any, correct_of_kept: Any, correct_of_dropped: Any) -> tuple[Any, Any, Any]:
    """p, phi and psi from kappa, pi and omega; a share of nothing does not matter, other 0/0 are NaN."""
    kept, pure, left = (np.asarray(share, float) for share in (kept, correct_of_kept, correct_of_dropped))
    part = lambda weight, share: np.where(weight > 0, weight * share, 0.0)
    correct_kept, wrong_kept = part(kept, pure), part(kept, 1 - pure)
    correct, wrong = correct_kept + part(1 - kept, left), wrong_kept + part(1 - kept, 1 - left)
    with np.errstate(invalid="ignore", divide="ignore"):
        return wrong, correct_kept / correct, wrong_kept / wrong


def resample(units: Units, whole: bool, draws: int = DRAWS, seed: int = 0) -> list[Resampled]:
    """The bootstrap of units; as many results as they have verifiers, with the same draws, so that these are paired.

    Args:
        units: at least one. whole: whether every record is judged. draws, seed: of the bootstrap.
    """
    rng = np.random.default_rng(seed)
    number, flat = units.number, units.sums.reshape(len(units.sums), -1)
    drawn = gamma_sums(flat, number, units.exact, draws, rng)
    extra = rng.standard_exponential((draws, 3))
    observed = number @ flat
    verifiers = units.sums.shape[1]
    parts = zip(np.split(drawn, verifiers, -1), np.split(observed, verifiers), units.effective, strict=True)
    return [
        Resampled(sums=part, observed=seen, effective=known, whole=whole, extra=extra, units=units.count)
        for part, seen, known in parts
    ]


def _effective(records: float, least: float, weighed: bool = False) -> Effective:
    return Effective(float(records), float(least), bool(weighed))


def gamma_sums(flat: Numbers, number: Numbers, exact: bool, draws: int, rng: np.random.Generator) -> Numbers:
    """Sums (draws, c) of units (m, c), ``number`` (m,) of each kind, weighted by Gamma numbers of mean 1."""
    shape = _shapes(number.sum(), draws, exact, rng)[:, None]
    step = max(1, AT_ONCE // len(flat))
    starts = range(0, draws, step)
    drawn = [rng.standard_gamma(shape[start : start + step] * number) @ flat for start in starts]
    return np.asarray(np.concatenate(drawn) / shape, np.float64)


def from_json(found: Mapping[str, Any], seed: int = 0) -> Resampled:
    """What `Resampled.as_json` wrote, the further units drawn anew. Raises KeyError or TypeError for anything else."""
    sums = np.asarray(found["sums"], float).reshape(-1, 6)
    return Resampled(
        sums=sums,
        observed=np.asarray(found["observed"], float),
        effective={name: _effective(*found["effective"][name]) for name in SHARES},
        whole=bool(found["whole"]),
        extra=np.random.default_rng(seed).standard_exponential((len(sums), 3)),
        units=float(found["units"]),
    )


def _shapes(number: float, draws: int, exact: bool, rng: np.random.Generator) -> Numbers:
    """(draws,) of the Gamma numbers: 1, or less where few units must give Student's t in place of the normal law.

    The variance of a mean with Gamma(a) weights is that of the sample, divided by n a + 1, which is to be chi^2_(n-1).
    """
    if exact or number < 2:
        return np.ones(draws)
    return np.maximum((rng.chisquare(number - 1, draws) - 1) / number, LEAST_SHAPE)


def effective(
    sums: Numbers, number: Numbers, squares: Numbers, factor: float = 1.0, weighed: bool = False
) -> dict[str, Effective]:
    """Of each of `SHARES`, from one verifier's sums (m, 6) by kind of unit; plain records give their number twice.

    Args:
        number, squares: (m,) by kind of unit, how many (or their weights), and their weights squared.
        factor: of the variance, g/(g - 1) for g groups. weighed: whether records weigh differently.
    """
    found = {}
    for name, (counted, rest) in SHARES.items():
        part, size = sums[:, list(counted)].sum(-1), sums[:, [*counted, *rest]].sum(-1)
        total = float(number @ size)
        if not total:
            found[name] = Effective(0.0, 0.0, weighed)
            continue
        share = float(number @ part) / total
        least = total**2 / float(squares @ size**2)
        spread, residual = share * (1 - share), factor * float(squares @ (part - share * size) ** 2)
        known = total if residual <= 1e-12 * total else spread * total**2 / residual  # as units that all agree
        known = known if spread > 0 and number.sum() > 1 else least  # one unit agrees with itself, which says nothing
        found[name] = Effective(max(least, known), least, weighed)
    return found


def _ratio(phi: Numbers, psi: Numbers) -> Numbers:
    with np.errstate(invalid="ignore"):
        return phi / (phi + psi)
