"""The settings on the predicting road: one file each, with its law, its rates, its axis of p and its threshold.

``of(curation)`` and ``named(name)`` find the setting of a parameter object and of a name; the files are those that the
vocabulary (`theory.columns.SETTINGS`) names, imported when they are first used.
"""

from importlib import import_module
from typing import Any

from theory._check import check_shared
from theory.columns import SETTINGS
from theory.errors import KindError
from theory.settings.base import Setting
from theory.types import Problem


def named(name: str) -> Setting:
    """The setting of that name."""
    found: Setting = import_module(f"theory.settings.{SETTINGS[name].module}").SETTING
    return found


def of(curation: Any) -> Setting:
    """The setting of a parameter object. Raises KindError for an object of no setting."""
    name = getattr(curation, "setting", "")
    if name not in SETTINGS:
        known = ", ".join(setting.parameters for setting in SETTINGS.values())
        raise KindError(f"curation is {type(curation).__name__}, of no setting; give one of {known}")
    return named(name)


def check_problem(problem: Problem) -> None:
    """Raise ValueError unless signal, curation and ridge are in their ranges."""
    check_shared(problem)
    of(problem.curation).check(problem.curation)
