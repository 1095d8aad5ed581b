"""The settings on the simulating road: one file each, that labels points and says which are kept.

They share the parameter objects and the vocabulary with `theory.settings`, and no formula.
"""

from importlib import import_module
from typing import Any

from sims.settings.base import Setting
from theory.columns import SETTINGS


def of(curation: Any) -> Setting:
    """The setting of a parameter object."""
    found: Setting = import_module(f"sims.settings.{SETTINGS[curation.setting].module}").SETTING
    return found
