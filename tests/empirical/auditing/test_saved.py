"""An audit that was saved is read as it was written: damage is refused with its remedy, and rates can be rates."""

import json
import shutil
from pathlib import Path

import pytest

from empirical.auditing.report.plotted import plotted
from empirical.features.files import read_rates
from empirical.forecasting.evidence import evidence
from pstar import verifying
from sims.running.files import StoreError
from tests.pstar.command import in_one_process
from theory.errors import InputError

READERS = [plotted, read_rates, evidence]
RECORDS = "correct,kept\n" + "1,1\n1,1\n1,0\n0,1\n0,0\n" * 8


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    (folder / "r.csv").write_text(RECORDS)
    (folder / "pilot.csv").write_text("n,accuracy\n" + "100,0.7\n400,0.8\n1600,0.85\n" * 3)
    audit = ["audit", f"{folder}/r.csv", "--correct", "correct", "--kept", "kept", "--out", f"{folder}/AU"]
    forecast = ["forecast", "--pilot", f"{folder}/pilot.csv", "--audit", f"{folder}/AU", "--out", f"{folder}/FO"]
    answers = in_one_process([audit, forecast])
    assert [code for code, _, _ in answers] == [0, 0], answers
    return folder


@pytest.fixture
def copy(made, tmp_path):
    return Path(shutil.copytree(made / "AU", tmp_path / "W"))


def edit(folder, **ends):
    whole = json.loads((folder / "audit.json").read_text())
    whole["audit"]["psi"] |= ends
    (folder / "audit.json").write_text(json.dumps(whole, indent=1) + "\n")


@pytest.mark.parametrize("read", READERS)
def test_an_audit_that_was_edited_is_refused_with_its_remedy(copy, read):
    for path in (copy, copy / "audit.json"):
        read(path)
    edit(copy, value=0.34)
    for path in (copy, copy / "audit.json"):
        with pytest.raises(StoreError, match=rf"audit.json is damaged .*; run again: pstar audit .* --out {copy}$"):
            read(path)


@pytest.mark.parametrize("read", READERS)
def test_an_audit_whose_certificate_is_damaged_is_refused(copy, read):
    (copy / "certificates/audit.json").write_text("{}")
    with pytest.raises(StoreError, match="its certificate .* is damaged; run again: pstar audit, as it was typed"):
        read(copy)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("ends", [{"value": 1.5, "high": 2.0}, {"low": -0.1}, {"value": 0.01}, {"high": 0.2}])
def test_rates_that_none_can_have_are_refused(copy, read, ends):
    shutil.rmtree(copy / "certificates")
    read(copy)
    edit(copy, **ends)
    with pytest.raises(InputError, match=r"psi = .* must have 0 <= low <= value <= high <= 1; .* make it again: pstar"):
        read(copy)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("what", ["deep", "long", "text"])
def test_odd_values_are_refused(copy, read, what):
    shutil.rmtree(copy / "certificates")
    if what == "deep":
        (copy / "audit.json").write_text("[" * 100_000)
    else:
        edit(copy, value=10**400 if what == "long" else "much")
    with pytest.raises(InputError, match=r"is no audit|psi = 10"):
        read(copy)


def test_the_remedy_of_a_copy_names_the_copy(made, copy, tmp_path):
    other = Path(shutil.copytree(made / "FO", tmp_path / "V"))
    for folder in (copy, other):
        (folder / "report.txt").write_text("")
        (fault,) = verifying.verify(folder).faults
        assert fault.remedy.endswith(f"--out {folder}")
        assert json.loads(next(folder.glob("certificates/*")).read_text())["command"].endswith("--out {folder}")
