"""A folder of a changed program: continued where its trials come out the same, refused where they do not; told."""

import pytest

from sims.running.files import StoreError
from sims.sweeps import outlook, program, run, worker
from sims.sweeps.config import parse
from sims.sweeps.store import Store
from tests.sims.helpers import changed
from tests.sims.sweeps.processes import SMALL

URL = "memory://{}/out"
"""Computed in this process, where the program can be changed."""


@pytest.fixture
def place(request, monkeypatch):
    pytest.importorskip("fsspec")
    monkeypatch.setattr(worker, "program", lambda: "old", raising=False)
    monkeypatch.setattr(program, "program", lambda: "old")
    for module in (run, outlook):
        monkeypatch.setattr(module, "program", lambda: "old")
    where = URL.format(request.node.name)
    run.run(parse(SMALL), where)
    return where


def renew(monkeypatch, name="new"):
    for module in (program, run, outlook):
        monkeypatch.setattr(module, "program", lambda: name)


GROWN = changed(SMALL, {"generator.p": [0.1, 0.3, 0.4]})


def test_every_receipt_and_the_manifest_name_their_program(place):
    store = Store(place)
    assert {receipt.program for receipt in store.scan()[0]} == {"old"}
    assert store.read_manifest()["program"] == "old"


def test_a_program_that_gives_the_same_continues_and_says_so_once(place, monkeypatch, capsys):
    renew(monkeypatch)
    run.run(parse(GROWN), place)
    said = capsys.readouterr().err
    assert "note: some rows are of an earlier state of the program (old; now new)" in said
    assert "came out the same, so the folder is continued" in said
    assert {receipt.program for receipt in Store(place).scan()[0]} == {"old", "new"}
    assert Store(place).read_manifest()["same"] == ["old"]
    run.run(parse(changed(GROWN, {"generator.p": [0.1, 0.3, 0.4, 0.45]})), place)
    assert "earlier state" not in capsys.readouterr().err


def test_a_program_that_gives_other_rows_is_refused_before_anything_is_computed(place, monkeypatch):
    renew(monkeypatch)
    inner = program.again
    shifted = lambda line: {"rows": [row | {"accuracy": row["accuracy"] + 1e-6} for row in inner(line)["rows"]]}
    monkeypatch.setattr(program, "again", shifted)
    before = Store(place).scan()
    with pytest.raises(StoreError, match=r"another state of the program \(old; now new\).* accuracy is .* now.* --out"):
        run.run(parse(GROWN), place)
    assert Store(place).scan() == before


def test_a_column_that_is_new_is_another_row(place, monkeypatch):
    renew(monkeypatch)
    inner = program.again
    monkeypatch.setattr(program, "again", lambda line: {"rows": [row | {"new": 1} for row in inner(line)["rows"]]})
    with pytest.raises(StoreError, match="new is None in the folder, 1 now"):
        run.run(parse(GROWN), place)


def test_rounding_is_the_same_program(place, monkeypatch):
    renew(monkeypatch)
    inner = program.again
    near = lambda line: {"rows": [row | {"accuracy": row["accuracy"] * (1 + 1e-13)} for row in inner(line)["rows"]]}
    monkeypatch.setattr(program, "again", near)
    run.run(parse(GROWN), place)


def test_nothing_to_compute_is_said_and_not_compared(place, monkeypatch):
    renew(monkeypatch)
    ahead = outlook.plan(parse(SMALL), place)
    assert [line for line in ahead.warnings if "rows are of an earlier state of the program (old; now new)" in line]
