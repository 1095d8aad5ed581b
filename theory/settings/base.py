"""What a setting says on the predicting road, and what most of them have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from theory import columns, threshold, types
from theory.laws import Law
from theory.types import ClassRates, Problem, Rates, Scalar, Solution


class TrainedOn(NamedTuple):
    """What training sees of the n samples."""

    rate: Scalar
    """kappa, the share of them that is kept."""
    purity: Scalar
    """pi, the share of the kept that is correctly labelled; NaN where nothing is kept."""


class Setting(ABC):
    """One setting: subclasses say its law and its rates, and what differs from the defaults here."""

    name: str
    half_at_threshold = False
    """Whether trained accuracy is 1/2 exactly where half of the kept labels are correct, at any n and d (symmetry)."""
    closed_form: Callable[[Problem, Scalar], Solution] | None = None
    """Squared loss without the engine's linear algebra, where there is a simpler one."""

    @property
    def vocabulary(self) -> columns.Setting:
        """Its columns, and what else is known of it by name."""
        return columns.SETTINGS[self.name]

    @abstractmethod
    def check(self, curation: Any) -> None:
        """Raise ValueError for parameters outside their ranges."""

    @abstractmethod
    def law(self, signal: Scalar, curation: Any) -> tuple[Law, Scalar]:
        """The law of u = y'x on what is kept, fields not yet broadcast, and kappa."""

    @abstractmethod
    def rates(self, signal: Scalar, curation: Any) -> Rates | ClassRates:
        """p, phi and psi of generator and verifier."""

    def trained_on(self, rates: Rates | ClassRates, curation: Any) -> TrainedOn:
        """How much is kept, and how pure it is."""
        correct, wrong = threshold.kept_correct_rate(rates), threshold.kept_wrong_rate(rates)
        return TrainedOn(correct + wrong, correct / (correct + wrong))

    def generated(self, curation: Any) -> Scalar:
        """Share of the n samples that the generator labelled."""
        return 1.0

    def names(self, present: Any) -> tuple[str, ...]:
        """The setting's own columns, as a table that has the columns ``present`` gives them."""
        return self.vocabulary.columns

    def curation(self, numbers: Mapping[str, Any]) -> Any:
        """The parameter object of columns."""
        return getattr(types, self.vocabulary.parameters)(*(numbers[name] for name in self.vocabulary.columns))

    @abstractmethod
    def along(self, table: Mapping[str, Any], share: np.ndarray) -> dict[str, Any]:
        """The columns with the generator moved to ``share`` in [0, 1] of its axis, so that p increases."""

    def threshold(self, table: Mapping[str, Any]) -> np.ndarray | None:
        """p at which half of the kept labels are correct along the curve of each line; None: no closed form."""
        return None
