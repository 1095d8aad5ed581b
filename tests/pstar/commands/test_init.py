"""`pstar init`, `--version` and `completion`: what a newcomer types first."""

import json
import shlex
import subprocess

import pytest

from sims.running.files import REMEDIES, remedy
from tests.pstar.command import ROOT, in_one_process, pstar, snapshot


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """A folder whose name has a blank, and what was said of it."""
    folder = tmp_path_factory.mktemp("new") / "my folder"
    return folder, pstar("init", folder)


def test_what_it_says_to_type_can_be_typed(started):
    folder, done = started
    assert (done.returncode, done.stderr) == (0, "")
    steps = [line.partition("next:")[2].strip() for line in done.stdout.splitlines() if line.startswith("next:")]
    assert len(steps) == 2
    lines = [shlex.split(step)[1:] for step in steps]
    out = str(folder / "out")
    swept, audited, compared = in_one_process([[*lines[0], "--workers", "1"], lines[1], ["compare", out]])
    assert swept[0] == 0, swept
    assert f"next:    pstar compare {shlex.quote(out)}\n" in swept[1]
    assert audited[0] == 0, audited
    assert "5 of 12" in audited[1]
    assert compared[0] == 0, compared


def test_nothing_is_overwritten(started, tmp_path):
    folder, _ = started
    before = {path.name: path.read_bytes() for path in folder.glob("*.*")}
    done = pstar("init", folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "there already" in done.stderr
    assert {path.name: path.read_bytes() for path in folder.glob("*.*")} == before
    (tmp_path / "records.csv").write_text("mine")
    done = pstar("init", tmp_path, "--json")
    assert done.returncode == 2
    assert {path.name: data for path, data in snapshot(tmp_path).items()} == {"records.csv": b"mine"}


def test_a_file_is_no_folder(started):
    folder, _ = started
    done = pstar("init", folder / "sweep.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {folder}/sweep.toml is a file; name a folder\n"


def test_a_folder_that_cannot_be_made_is_said_with_what_to_do(started):
    folder, _ = started
    within, long = folder / "sweep.toml" / "x", "x" * 300
    answers = in_one_process([["init", str(within)], ["init", long], ["study", "poster", "--out", str(within)]])
    assert answers[0] == [
        2, "", f"error: {within} cannot be made, as {folder}/sweep.toml is a file; name another folder\n"
    ]  # fmt: skip
    assert answers[1] == [1, "", f"error: [Errno 36] File name too long: '{long}'; name a shorter one\n"]
    assert answers[2][:2] == [2, ""]  # before any work
    assert answers[2][2] == answers[0][2]


def test_what_cannot_be_looked_at_or_written_has_a_remedy():
    for number in REMEDIES:
        assert remedy(OSError(number, "what")) == f"; {REMEDIES[number]}"
    assert remedy(OSError("of a library, in its own words")) == ""


def test_twelve_records():
    from pstar.starting import RECORDS

    assert len(RECORDS.splitlines()) == 13
    assert json.dumps(RECORDS.isascii()) == "true"


def test_version_names_what_results_depend_on():
    done = pstar("--version")
    assert (done.returncode, done.stderr) == (0, "")
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert names[:5] == ["pstar", "python", "jax", "jaxlib", "numpy"]
    assert "not installed" not in "".join(done.stdout.splitlines()[1:5])


def test_completion_is_a_script_that_a_shell_can_read():
    for shell in ("bash", "zsh", "fish"):
        done = pstar("completion", shell)
        assert (done.returncode, done.stderr) == (0, "")
        assert all(word in done.stdout for word in ("pstar", "sweep", "dry-run"))
        if shell == "bash":
            check = subprocess.run(["bash", "-n"], input=done.stdout, text=True, cwd=ROOT, capture_output=True)
            assert (check.returncode, check.stderr) == (0, "")
