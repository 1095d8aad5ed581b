"""What an experiment's last stage leaves: tables for programs, and the report for a reader."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from sims.running.files import write_atomic, write_json
from sims.running.spreadsheet import csv
from sims.running.text import plain


def write_report(folder: Path, tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any], text: str) -> None:
    """Write tables/*.csv, report.json (the tables, and what they are ``about``) and report.txt."""
    (folder / "tables").mkdir(exist_ok=True)
    for name, table in tables.items():
        write_atomic(folder / "tables" / f"{name}.csv", csv(table).encode())
    body = {name: json.loads(table.to_json(orient="records", double_precision=15)) for name, table in tables.items()}
    write_json(folder / "report.json", body | dict(about))
    write_atomic(folder / "report.txt", f"{plain(text)}\n".encode())
