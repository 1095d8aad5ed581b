"""Numbers, intervals and arms in words."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

NAMES = {"full": "full data", "full-epoch": "full, one epoch*"}
WANTED = {"above": "above", "below": "below", "no better": "no better than"}
Tables = Mapping[str, pd.DataFrame]


def name_of(arm: str, verifier: str = "", rate: float = np.nan) -> str:
    """An arm in words."""
    name = verifier or NAMES.get(arm, arm)
    if name.startswith("verifier-"):
        name = f"{name.removeprefix('verifier-')} itself"
    return name if np.isnan(rate) else f"{name} {percent(rate)}"


def percent(rate: float) -> str:
    """A rate of selection."""
    return f"{100 * rate:g} %"


def number(value: float, sign: str = "", form: str = ".1f") -> str:
    """Points, or another number by its format."""
    return "NaN" if np.isnan(value) else f"{value:{sign}{form}}"


def share(value: float, digits: int = 2) -> str:
    """A number in [0, 1]."""
    return "NaN" if np.isnan(value) else f"{value:.{digits}f}"


def whole(value: float) -> str:
    """A share in per cent."""
    return "-" if np.isnan(value) else f"{100 * value:.0f} %"


def interval(line: pd.Series, low: str, high: str) -> str:
    """Without decimals where numbers are long."""
    ends = [float(line[low]), float(line[high])]
    if np.isnan(ends[0]):
        return "-"
    digits = 0 if max(map(abs, ends)) >= 100 else 1
    return f"[{ends[0]:.{digits}f}, {ends[1]:.{digits}f}]"


def gain(line: pd.Series, suffix: str = "") -> str:
    """A difference with its interval."""
    value = line.get(f"difference{suffix}", np.nan)
    verdict = line.get(f"verdict{suffix}", "")
    if pd.isna(value):
        return "NaN" if verdict == "failed" else ""
    return f"{number(value, '+')} {interval(line, f'low{suffix}', f'high{suffix}')}"
