"""An audit as JSON values: every estimate as value, low, high; all that was asked is echoed; unknown is null."""

import math
from dataclasses import is_dataclass
from typing import Any

from empirical.auditing.binary import Audit
from empirical.auditing.confusion import Confusions
from empirical.auditing.files import FileAudit
from empirical.auditing.report.answers import answers
from empirical.auditing.scores import ThresholdCurve
from empirical.forecasting.report import as_json as forecast_json


def as_json(found: FileAudit) -> dict[str, Any]:
    """The whole audit."""
    result: dict[str, Any] = {
        "file": str(found.path),
        "records": found.records,
        "columns": {role: name for role, name in vars(found.names).items() if name},
        "asked": vars(found.asked),
        "level": found.asked.level,
        "answers": [answer._asdict() for answer in answers(found)],
        "notes": found.notes,
    }
    if found.binary is not None:
        result["audit"] = _audit(found.binary)
    parts = {
        "budget": found.budget,
        "cost": found.cost,
        "quality_soft": found.soft,
        "quality_thresholds": found.graded,
        "forecast": None if found.forecast is None else forecast_json(found.forecast),
    }
    result |= {name: part for name, part in parts.items() if part is not None}
    if found.confusions is not None:
        result["confusions"] = _confusions(found.confusions)
    if found.verifiers is not None:
        several = found.verifiers
        audits = {name: _audit(part) | {"resampled": None} for name, part in several.audits.items()}
        result["verifiers"] = vars(several) | {"audits": audits}
    if found.curve is not None:
        result["threshold_curve"] = _curve(found.curve)
    return plain(result)


def _audit(found: Audit) -> dict[str, Any]:
    return vars(found) | {
        "notes": found.notes,
        "resampled": found.resampled.as_json(),
        "by_class": {str(name): vars(part) for name, part in found.by_class.items()},
    }


def _confusions(found: Confusions) -> dict[str, Any]:
    """Without tables where there are very many classes: they have K^2 cells."""
    hidden = {"table", "kept"} if len(found.classes) > 100 else set()
    return {name: value for name, value in vars(found).items() if name not in hidden}


def _curve(found: ThresholdCurve) -> dict[str, Any]:
    curve = {name: value for name, value in vars(found).items() if name != "rates"}
    chosen = {"best": found.best, "best_worth": found.best_worth, "most_lenient_below": found.most_lenient_below}
    return chosen | curve | found.rates._asdict()


def plain(value: Any) -> Any:
    """JSON values of named tuples, dataclasses and arrays."""
    if hasattr(value, "as_json"):
        return plain(value.as_json())
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if is_dataclass(value):
        return plain(vars(value))
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (tuple, list)):
        return [plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, bool, int, float, type(None))) else str(value)
