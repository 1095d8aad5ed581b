"""Records drawn as audits find them, with rates that are known: the cases of `interval_coverage`.

A case is a design with one of four triples (p, phi, psi), corners of what verifiers do among them. Groups have rates of
their own, Beta with an intraclass correlation, independent of each other and of the group's size but where it says so.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from empirical.auditing.design import UNJUDGED, Grouping

RATES = ((0.3, 0.8, 0.3), (0.1, 0.95, 0.05), (0.6, 0.5, 0.02), (0.02, 0.9, 0.9))
ALONE = Grouping(None, None)
GROUP_SIZE = 5
GROUPED = (
    (20, 0.3, "equal"),
    (20, 0.7, "geometric"),
    (75, 0.3, "geometric"),
    (75, 0.7, "equal"),
    (500, 0.3, "geometric"),
)
"""How many, intraclass correlation, sizes."""
KINDS_OF_GROUP = ((3, (0.1, 0.9, 0.2)), (12, (0.4, 0.6, 0.3)))
"""Size and rates, where these go together; half of the groups each."""

Rng = np.random.Generator
Triple = tuple[float, float, float]


class Drawn(NamedTuple):
    """Records of one repetition."""

    judged: NDArray[np.int8]
    kept: NDArray[np.bool_]
    """(n, v)"""
    by: Grouping


class Case(NamedTuple):
    """A design with its true rates."""

    design: str
    truth: tuple[Triple, ...]
    """(p, phi, psi) of each verifier."""
    draw: Callable[[Rng], Drawn]
    naive: str
    """What the twin leaves out: "normal" (the delta method in the place of exact tails), "design" (groups, weights,
    strata), "weights as counts", "pairs" (two intervals as if of different records)."""

    @property
    def name(self) -> str:
        return f"{self.design}; {' '.join(f'{rate:g}' for rate in self.truth[0])}"


def cases() -> Iterator[Case]:
    """All of one verifier, then those of two."""
    for rates in RATES:
        for size in (30, 300):
            yield Case(f"plain, {size}", (rates,), lambda rng, r=rates, n=size: plain(rng, n, r), "normal")
        for some, size in ((60, 400), (200, 2000)):
            draw = lambda rng, r=rates, n=size, m=some: at_random(rng, n, m, r)
            yield Case(f"judged {some} of {size}", (rates,), draw, "normal")
            draw = lambda rng, r=rates, n=size, m=some: half_and_half(rng, n, m, r)
            yield Case(f"judged {some} of {size}, half of them kept", (rates,), draw, "design")
        yield Case("weights, inverse rates, 200", (rates,), lambda rng, r=rates: inverse(rng, 2000, 200, r), "design")
        yield Case("weights, wild, 300", (rates,), lambda rng, r=rates: wild(rng, 300, r), "weights as counts")
        for count, icc, sizes in GROUPED:
            draw = lambda rng, r=rates, g=count, i=icc, s=sizes: groups(rng, g, i, s, r)
            yield Case(f"{count} groups, {sizes}, ICC {icc:g}", (rates,), draw, "design")
        for count in (75, 300):
            draw = lambda rng, r=rates, g=count: partly(groups(rng, g, 0.5, "geometric", r), rng, 0.3)
            yield Case(f"{count} groups, 30 % judged", (rates,), draw, "design")
    for count in (20, 75):
        yield Case(f"{count} groups, size by quality", (mixed(),), lambda rng, g=count: by_quality(rng, g), "design")
    yield from pairs()


def pairs() -> Iterator[Case]:
    """Two verifiers: nearly the same, independent given what is correct, and opposed."""
    for rates in RATES[:3]:
        p, phi, psi = rates
        for share, name in ((0.02, "nearly equal"), (0.2, "akin"), (0.98, "opposed")):
            truth = rates, (p, turned(phi, share), turned(psi, share))
            draw = lambda rng, r=rates, q=share: second(plain(rng, 300, r), rng, q)
            yield Case(f"pairs, {name}, 300", truth, draw, "pairs")
            if share < 0.9:
                draw = lambda rng, r=rates, q=share: second(groups(rng, 75, 0.7, "equal", r), rng, q)
                yield Case(f"pairs, {name}, 75 groups", truth, draw, "design")


def labels(rng: Rng, p: Any, phi: Any, psi: Any, size: int) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Judgements (2 correct, 1 wrong) and what is kept."""
    correct = rng.random(size) >= p
    return 1 + correct.astype(np.int8), rng.random(size) < np.where(correct, phi, psi)


def plain(rng: Rng, size: int, rates: Triple) -> Drawn:
    judged, kept = labels(rng, *rates, size)
    return Drawn(judged, kept[:, None], ALONE)


def at_random(rng: Rng, size: int, some: int, rates: Triple) -> Drawn:
    """The first ``some`` judged."""
    drawn = plain(rng, size, rates)
    return drawn._replace(judged=np.where(np.arange(size) < some, drawn.judged, UNJUDGED).astype(np.int8))


def half_and_half(rng: Rng, size: int, some: int, rates: Triple) -> Drawn:
    """Half of the judged from what is kept, half from what is dropped, or all there are."""
    drawn = plain(rng, size, rates)
    places = [np.flatnonzero(drawn.kept[:, 0] == side)[: some // 2] for side in (True, False)]
    judged = np.zeros_like(drawn.judged)
    for place in places:
        judged[place] = drawn.judged[place]
    return drawn._replace(judged=judged)


def inverse(rng: Rng, size: int, some: int, rates: Triple) -> Drawn:
    """The same without the records that nobody judged: each of the others weighs what it stands for."""
    drawn = half_and_half(rng, size, some, rates)
    there = drawn.judged != UNJUDGED
    kept = drawn.kept[:, 0]
    weight = np.where(kept, kept.sum() / max((there & kept).sum(), 1), (~kept).sum() / max((there & ~kept).sum(), 1))
    return Drawn(drawn.judged[there], drawn.kept[there], Grouping(weight[there] / weight[there].mean(), None))


def wild(rng: Rng, size: int, rates: Triple) -> Drawn:
    """Log-normal weights that have to do with nothing."""
    weight = np.exp(rng.standard_normal(size))
    return plain(rng, size, rates)._replace(by=Grouping(weight / weight.mean(), None))


def groups(rng: Rng, count: int, icc: float, sizes: str, rates: Triple) -> Drawn:
    size = np.full(count, GROUP_SIZE) if sizes == "equal" else rng.geometric(1 / GROUP_SIZE, count)
    group = np.repeat(np.arange(count), size)
    own = [rng.beta(rate * (1 / icc - 1), (1 - rate) * (1 / icc - 1), count)[group] for rate in rates]
    judged, kept = labels(rng, *own, group.size)
    return Drawn(judged, kept[:, None], Grouping(None, group))


def partly(drawn: Drawn, rng: Rng, share: float) -> Drawn:
    """Each record judged with probability ``share``, the first for certain, as none would be refused."""
    some = rng.random(drawn.judged.size) < share
    some[0] = True
    return drawn._replace(judged=np.where(some, drawn.judged, UNJUDGED).astype(np.int8))


def by_quality(rng: Rng, count: int) -> Drawn:
    """Large groups are of another quality than small ones."""
    first = rng.random(count) < 0.5
    size, rates = zip(*KINDS_OF_GROUP, strict=True)
    group = np.repeat(np.arange(count), np.where(first, *size))
    judged, kept = labels(rng, *(np.where(first, *pair)[group] for pair in zip(*rates, strict=True)), group.size)
    return Drawn(judged, kept[:, None], Grouping(None, group))


def mixed() -> Triple:
    """The rates of `by_quality`."""
    (small, (p, phi, psi)), (large, (q, phi_other, psi_other)) = KINDS_OF_GROUP
    correct = small * (1 - p), large * (1 - q)
    wrong = small * p, large * q
    return (
        sum(wrong) / (small + large),
        (correct[0] * phi + correct[1] * phi_other) / sum(correct),
        (wrong[0] * psi + wrong[1] * psi_other) / sum(wrong),
    )


def second(drawn: Drawn, rng: Rng, share: float) -> Drawn:
    """A second verifier, which turns over a share of the first one's verdicts."""
    kept = drawn.kept[:, 0]
    return drawn._replace(kept=np.column_stack([kept, kept ^ (rng.random(kept.size) < share)]))


def turned(rate: float, share: float) -> float:
    """Its rate."""
    return rate * (1 - share) + (1 - rate) * share
