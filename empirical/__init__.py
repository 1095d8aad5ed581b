"""What is measured on real models: p* on one's own records, eigenvalue transformers, news summarizers.

``audit(correct, kept)`` and its kin come with the base install. What trains models needs the extra ``empirical``
(torch, transformers, datasets); the rest of the toolkit is installed and runs without them. Names are imported when
they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from empirical.auditing.binary import Audit as Audit
    from empirical.auditing.binary import audit as audit
    from empirical.auditing.binary import audit_counts as audit_counts
    from empirical.auditing.budget import budget as budget
    from empirical.auditing.budget import cost as cost
    from empirical.auditing.confusion import confusions as confusions
    from empirical.auditing.quality import soft_reading as soft_reading
    from empirical.auditing.quality import threshold_reading as threshold_reading
    from empirical.auditing.rates import Counts as Counts
    from empirical.auditing.rates import Estimate as Estimate
    from empirical.auditing.scores import threshold_curve as threshold_curve
    from empirical.auditing.verifiers import audit_verifiers as audit_verifiers

HOMES = {
    "binary": ("Audit", "audit", "audit_counts"),
    "quality": ("soft_reading", "threshold_reading"),
    "rates": ("Counts", "Estimate"),
    "scores": ("threshold_curve",),
    "verifiers": ("audit_verifiers",),
    "confusion": ("confusions",),
    "budget": ("budget", "cost"),
}
__all__ = [name for names in HOMES.values() for name in names]


def __getattr__(name: str) -> Any:
    for home, names in HOMES.items():
        if name in names:
            return getattr(import_module(f"empirical.auditing.{home}"), name)
    raise AttributeError(f"module 'empirical' has no attribute {name!r}")
