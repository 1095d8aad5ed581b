"""The whole report."""

from collections.abc import Mapping
from typing import Any

from empirical.summarization.report.beside import beside
from empirical.summarization.report.collapse import collapse
from empirical.summarization.report.details import details
from empirical.summarization.report.gates import gates
from empirical.summarization.report.limits import limits
from empirical.summarization.report.opening import glance, head
from empirical.summarization.report.p_star import p_star
from empirical.summarization.report.students import students
from empirical.summarization.report.words import Tables


def text(tables: Tables, profile: Mapping[str, Any]) -> str:
    """All of it, ready to print; every number is one of the tables'."""
    parts = [head(tables, profile), glance(tables), beside(tables), gates(tables), students(tables["rows"])]
    parts += [collapse(tables), details(tables), p_star(tables), limits(tables, profile)]
    return "\n\n".join(filter(None, ("\n".join(part) for part in parts)))
