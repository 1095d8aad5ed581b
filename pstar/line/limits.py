"""Which numbers an option may have. Those of the vocabulary have theirs in `theory/columns.py`."""

from math import inf
from typing import NamedTuple

from theory.columns import CLASS_RATES, COLUMNS, MOST_COUNTED


class Limits(NamedTuple):
    """An interval; an end that is open or infinite is written with a round bracket."""

    low: float
    high: float
    open_low: bool = False
    open_high: bool = False
    example: str = "0.5"
    """A number that is typical."""
    meaning: str = ""
    """Of the parameter."""

    def __str__(self) -> str:
        """As it is written on paper."""
        ends = f"{self.low:.15g}, {self.high:.15g}"
        return f"{'(' if self.open_low else '['}{ends}{')' if self.open_high or self.high == inf else ']'}"

    def __contains__(self, value: object) -> bool:
        """Whether a number lies in it."""
        assert isinstance(value, (int, float))
        above = value > self.low if self.open_low else value >= self.low
        return above and (value < self.high if self.open_high or self.high == inf else value <= self.high)


EXAMPLES = {"p": "0.3", "phi": "0.8", "psi": "0.2", "signal": "2", "alpha": "10", "ridge": "0.1", "margin": "1"}
OTHERS = {
    "level": Limits(0, 1, True, True, "0.95"),
    "n": Limits(0, inf, True, example="1000"),
    "d": Limits(1, inf, example="100"),
    "classes": Limits(2, MOST_COUNTED, example="10"),
    "generated": Limits(0, inf, True, example="1000"),
    "cost_generate": Limits(0, inf, example="1"),
    "cost_verify": Limits(0, inf, example="0.1"),
    "seed": Limits(0, inf, example="0"),
    "seeds": Limits(1, inf, example="16"),
    "repetitions": Limits(2, inf, example="100"),
    "workers": Limits(1, inf, example="2"),
}
"""By the name of the parameter. Where it means something else in one verb, its annotation there has `Limits`."""


def of(name: str) -> Limits | None:
    """The limits of a parameter that is a number, where it has any."""
    column = COLUMNS.get(name.split("_")[0] if name in CLASS_RATES else name)
    if column is None:
        return OTHERS.get(name)
    return Limits(column.low, column.high, column.open_low, False, EXAMPLES.get(column.name, "0.5"), column.meaning)
