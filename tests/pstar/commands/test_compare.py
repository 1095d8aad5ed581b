"""`pstar compare`: what it writes, and folders that cannot be used."""

import json

import pytest

from tests.pstar.command import pstar


def test_compare_reports_and_writes_tables(swept):
    out, _ = swept
    done = pstar("compare", out, "--json")
    assert done.returncode == 0
    assert all(line.startswith("comparing: ") for line in done.stderr.splitlines())
    json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert {path.name for path in (out / "tables").iterdir()} >= {
        "cells.csv",
        "crossings.csv",
        "lines.csv",
        "maps.csv",
    }


@pytest.mark.parametrize("name", ["rows.parquet", "rows.sha256"])
def test_compare_refuses_damaged_rows(swept, tmp_path, name):
    for path in ("rows.parquet", "rows.sha256"):
        (tmp_path / path).write_bytes((swept[0] / path).read_bytes())
    data = bytearray((tmp_path / name).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / name).write_bytes(data)
    done = pstar("compare", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {tmp_path}/rows.parquet is damaged")
    assert "Traceback" not in done.stderr


def test_compare_that_cannot_write_says_where(swept, tmp_path):
    for path in ("rows.parquet", "rows.sha256"):
        (tmp_path / path).write_bytes((swept[0] / path).read_bytes())
    (tmp_path / "tables").write_text("")
    done = pstar("compare", tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert f"{tmp_path}/tables" in done.stderr
    assert "Traceback" not in done.stderr
