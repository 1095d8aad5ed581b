"""Stages: complete or absent, made once, made again only where something that matters has changed."""

import fcntl
import importlib
import json
import os
import platform
from pathlib import Path

import pytest

from empirical.stages import artefact, experiment, inspect
from empirical.stages.artefact import Stage, StageError, find, folder_of, locked
from empirical.stages.schedule import execute, needed, survey
from sims.running import certificates
from sims.running.certificates import Maker
from sims.running.sealed import digest, seal, unseal
from theory.errors import InputError

CALLS: list[str] = []


def add(settings, inputs, folder, runtime):
    """The sum of the inputs and ``more``; refuses where told so."""
    CALLS.append(settings["name"])
    total = sum(int((path / "value").read_text()) for path in inputs.values()) + settings["more"]
    if (folder / "half").exists():
        (folder / "resumed").write_text("yes")
    (folder / "half").write_text("here")
    if runtime.get("fail") == settings["name"]:
        raise (InputError if runtime.get("explained") else ValueError)("told to fail")
    if runtime.get("die") == settings["name"]:
        os._exit(7)
    (folder / "value").write_text(str(total))


def stage(name, more, **inputs):
    return Stage(name, f"{__name__}:add", {"name": name, "more": more}, inputs)


def chain(first=1, last=100):
    return [stage("x/a", first), stage("x/b", 10, left="x/a"), stage("x/c", last, left="x/a", right="x/b")]


def value(artefact):
    return int((artefact.folder / "value").read_text())


@pytest.fixture(autouse=True)
def fresh():
    CALLS.clear()


def test_each_stage_is_made_once_and_read_by_the_next(tmp_path):
    done = execute(chain(), tmp_path, {})
    assert {name: value(artefact) for name, artefact in done.items()} == {"x/a": 1, "x/b": 11, "x/c": 112}
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in tmp_path.rglob("*")}
    assert execute(chain(), tmp_path, {}) == done
    assert CALLS == ["x/a", "x/b", "x/c"]
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in tmp_path.rglob("*")} == before


def test_a_change_makes_again_what_depends_on_it_beside_the_old(tmp_path):
    execute(chain(), tmp_path, {})
    CALLS.clear()
    assert value(execute(chain(last=200), tmp_path, {})["x/c"]) == 212
    assert CALLS == ["x/c"]
    assert value(execute(chain(first=2), tmp_path, {})["x/c"]) == 114
    CALLS.clear()
    assert value(execute(chain(), tmp_path, {})["x/c"]) == 112
    assert CALLS == []


def test_inputs_count_by_their_content(tmp_path):
    """Another setting with the same result leaves what follows alone."""
    before = execute(chain(), tmp_path, {})
    other = [Stage("x/a", f"{__name__}:add", {"name": "x/a", "more": 1, "idle": True}, {}), *chain()[1:]]
    CALLS.clear()
    after = execute(other, tmp_path, {})
    assert CALLS == ["x/a"]
    assert after["x/c"] == before["x/c"]


@pytest.mark.parametrize("harm", ["flip", "truncate", "remove", "manifest"])
def test_a_damaged_stage_counts_as_absent_and_is_made_again(tmp_path, harm, capsys):
    done = execute(chain(), tmp_path, {})
    path = done["x/b"].folder / ("manifest.json" if harm == "manifest" else "value")
    if harm == "remove":
        path.unlink()
    else:
        data = bytearray(path.read_bytes())
        data[0] ^= 1
        path.write_bytes(data[:-1] if harm == "truncate" else data)
        os.utime(path, ns=(0, 0))  # another time than before, also where a file system's clock is coarse
    assert find(done["x/b"].folder) is None
    assert [entry.name for entry in survey(chain(), tmp_path)[1]] == ["x/b", "x/c"]
    CALLS.clear()
    assert execute(chain(), tmp_path, {}) == done
    assert CALLS == ["x/b"]
    assert "is damaged; it is made again" in capsys.readouterr().err


def test_a_failed_stage_leaves_nothing_finished_and_is_continued(tmp_path):
    with pytest.raises(ValueError, match="told to fail"):
        execute(chain(), tmp_path, {"fail": "x/b"})
    done, missing = survey(chain(), tmp_path)
    assert ([*done], [entry.name for entry in missing]) == (["x/a"], ["x/b", "x/c"])
    assert (execute(chain(), tmp_path, {})["x/b"].folder / "resumed").exists()
    assert CALLS == ["x/a", "x/b", "x/b", "x/c"]


def test_processes_make_the_same_and_their_errors_are_named(tmp_path):
    plan = [
        Stage(f"y/{n}", "tests.empirical.stages.test_stages:add", {"name": f"y/{n}", "more": n}, {}) for n in range(4)
    ]
    plan.append(
        Stage("y/sum", plan[0].function, {"name": "y/sum", "more": 0}, {entry.name: entry.name for entry in plan})
    )
    with pytest.raises(StageError, match=r"y/sum: ValueError: told to fail; what is finished is kept in"):
        execute(plan, tmp_path, {"fail": "y/sum"}, workers=2)
    with pytest.raises(StageError, match=r"y/sum: its process died \(exit 7"):
        execute(plan, tmp_path, {"die": "y/sum"}, workers=2)
    assert value(execute(plan, tmp_path, {}, workers=2)["y/sum"]) == 6
    assert CALLS == []


def test_a_bug_in_a_process_shows_its_traceback_and_what_is_explained_does_not(tmp_path, capfd):
    plan = [Stage("y/one", "tests.empirical.stages.test_stages:add", {"name": "y/one", "more": 1}, {})]
    with pytest.raises(StageError, match=r"y/one: InputError: told to fail; what is finished is kept in"):
        execute(plan, tmp_path, {"fail": "y/one", "explained": True}, workers=2)
    assert "Traceback" not in capfd.readouterr().err
    with pytest.raises(StageError, match=r"y/one: ValueError: told to fail; what is finished is kept in"):
        execute(plan, tmp_path, {"fail": "y/one"}, workers=2)
    said = capfd.readouterr().err
    assert "Traceback" in said
    assert "in add" in said


def test_a_folder_has_one_owner_at_a_time(tmp_path):
    with locked(tmp_path):
        with pytest.raises(StageError, match="another process is at work"), locked(tmp_path):
            pass
    with locked(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StageError, match=r"cannot make the output folder .*file: Not a directory"),
        locked(tmp_path / "file"),
    ):
        pass


def test_targets_bring_their_inputs_and_nothing_else():
    assert [entry.name for entry in needed(chain(), ["x/b"])] == ["x/a", "x/b"]


def test_the_manifest_says_what_it_came_from(tmp_path):
    done = execute(chain(), tmp_path, {"device": "cpu"})
    body = json.loads((done["x/c"].folder / "manifest.json").read_bytes())
    assert body["inputs"] == {role: done[name].folder.name for role, name in chain()[2].inputs.items()}
    assert body["settings"] == chain()[2].settings
    assert body["made"]["runtime"] == {"device": "cpu"}
    assert folder_of(tmp_path, chain()[2], done) == done["x/c"].folder
    assert Path(done["x/c"].folder).name.startswith("c-")


def test_leftover_temporary_files_are_no_part_of_a_stage(tmp_path):
    partial = folder_of(tmp_path, chain()[0], {}).with_name(folder_of(tmp_path, chain()[0], {}).name + ".partial")
    partial.mkdir(parents=True)
    (partial / f".value.{platform.node()}.123.tmp").write_text("half")
    (partial / ".mine.tmp").write_text("whole")
    done = execute(chain()[:1], tmp_path, {})
    assert [path.name for path in done["x/a"].folder.glob(".*")] == [".mine.tmp"]
    assert find(done["x/a"].folder) == done["x/a"]
    assert artefact.FORMAT == 1


def test_a_shared_folder_keeps_out_who_wants_it_alone_and_a_stage_has_one_maker(tmp_path):
    with locked(tmp_path, shared=True), locked(tmp_path, shared=True):
        with pytest.raises(StageError, match="another process"), locked(tmp_path):
            pass
    folder = folder_of(tmp_path, stage("x/a", 1), {})
    folder.parent.mkdir()
    with open(folder.with_name(f"{folder.name}.lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(StageError, match=r"another process is at work on x/a; wait for it"):
            artefact.make(stage("x/a", 1), folder, {}, {})
    artefact.make(stage("x/a", 1), folder, {}, {})
    assert sorted(path.name for path in folder.iterdir()) == ["half", "manifest.json", "value"]
    assert [*folder.parent.iterdir()] == [folder]


def test_who_comes_late_to_a_stage_finds_it_made(tmp_path):
    folder = folder_of(tmp_path, stage("x/a", 1), {})
    artefact.make(stage("x/a", 1), folder, {}, {})
    before, calls = folder.stat().st_ino, len(CALLS)
    artefact.make(stage("x/a", 1), folder, {}, {})
    assert (folder.stat().st_ino, len(CALLS)) == (before, calls)


def test_remarks_change_nothing_that_is_made_from_a_stage(tmp_path):
    def remark(words):
        folder = folder_of(tmp_path / words, stage("x/a", 1), {})
        artefact.make(stage("x/a", 1), folder, {}, {})
        (folder / "manifest.json").unlink()
        (folder / "README.md").write_text(words)
        os.replace(folder, folder.with_name(f"{folder.name}.partial"))
        artefact.make(stage("x/a", 1), folder, {}, {})
        return find(folder).digest

    assert remark("one") == remark("two")


def test_who_finishes_while_another_begins_is_no_error(tmp_path, monkeypatch):
    folder, held = folder_of(tmp_path, stage("x/a", 1), {}), artefact._held

    def other_first(path, where, shared=False):
        monkeypatch.setattr(artefact, "_held", held)
        artefact.make(stage("x/a", 1), folder, {}, {})
        return held(path, where, shared)

    monkeypatch.setattr(artefact, "_held", other_first)
    artefact.make(stage("x/a", 1), folder, {}, {})
    assert CALLS == ["x/a"]
    assert [*folder.parent.iterdir()] == [folder]


@pytest.mark.parametrize("what", ["pipe", "deep"])
def test_an_odd_manifest_is_damaged_and_not_waited_for(tmp_path, what):
    folder = execute(chain()[:1], tmp_path, {})["x/a"].folder
    (folder / "manifest.json").unlink()
    if what == "pipe":
        os.mkfifo(folder / "manifest.json")
    else:
        (folder / "manifest.json").write_bytes(b"[" * 100_000)
    assert find(folder) is None
    assert [fault.path for fault in inspect.check(tmp_path, "again").faults] == [folder / "manifest.json"]


def test_links_that_lead_back_are_not_followed(tmp_path):
    execute(chain(), tmp_path, {})
    links = [tmp_path / "stages" / name for name in ("l", "m")]
    before = inspect.check(tmp_path, "again")
    for link in links:
        link.symlink_to(".")
    found = inspect.check(tmp_path, "again")
    assert (found.files, found.faults, found.foreign) == (before.files, (), tuple(links))


# --- whose a folder is ---


def swap(one, other):
    for source, target in ((one, "aside"), (other, one), (one.with_name("aside"), other)):
        os.replace(source, one.with_name(target) if target == "aside" else target)


def earlier(folder):
    """A manifest as earlier versions wrote them, which do not say what the inputs held."""
    body = unseal((folder / "manifest.json").read_bytes())
    del body["digests"]
    (folder / "manifest.json").write_bytes(seal(body))


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("name", ["x/a", "x/c"])
def test_folders_that_were_swapped_are_named_and_made_again(tmp_path, name, old, capsys):
    plans = (chain(), chain(first=2, last=200))
    done = [execute(plan, tmp_path, {}) for plan in plans]
    before = [{key: value(found) for key, found in each.items()} for each in done]
    folders = [each[name].folder for each in done]
    if old:
        for folder in {found.folder for each in done for found in each.values()}:
            earlier(folder)
        assert [survey(plan, tmp_path)[1] for plan in plans] == [[], []]  # they are read
        assert inspect.check(tmp_path, "again").faults == ()
    swap(*folders)
    if not old or name == "x/a":
        faults = inspect.check(tmp_path, "again").faults
        assert {fault.path.parent for fault in faults} == set(folders)
        where = {str(fault.path.parent): f"that of x/{folder.name}; rename" for fault, folder in
                 zip(sorted(faults), sorted(folders)[::-1], strict=True)}  # fmt: skip
        assert all(fault.remedy == "again" and where[str(fault.path.parent)] in fault.what for fault in faults)
    after = [{key: value(found) for key, found in execute(plan, tmp_path, {}).items()} for plan in plans]
    assert after == before
    assert capsys.readouterr().err.count("is damaged; it is made again") == 2
    assert inspect.check(tmp_path, "again").faults == ()


def test_a_stage_with_the_same_settings_and_other_inputs_is_not_taken_for_it(tmp_path):
    """The key, and no setting, tells them apart."""
    plans = (chain(), chain(first=2))
    folders = [execute(plan, tmp_path, {})["x/b"].folder for plan in plans]
    swap(*folders)
    assert [find(folder, plan[1]) for folder, plan in zip(folders, plans, strict=True)] == [None, None]
    assert len(inspect.check(tmp_path, "again").faults) == 2


def test_a_stage_under_the_name_of_another_is_not_taken_for_it(tmp_path):
    done = execute(chain(), tmp_path, {})
    folder = done["x/b"].folder
    os.replace(folder, folder.with_name(folder.name.replace("b-", "d-")))
    assert find(folder.with_name(folder.name.replace("b-", "d-"))) is None
    assert len(inspect.check(tmp_path, "again").faults) == 1


@pytest.mark.parametrize(
    ("kind", "name"), [("eigenvalues", "quick"), ("eigenvalues", "paper"), ("summarization", "small")]
)
def test_keys_of_shipped_plans_are_those_of_their_json(kind, name):
    """What is read from a manifest has the key that its stage had: JSON knows no keys but texts."""
    plan, profile = (importlib.import_module(f"empirical.{kind}.{part}") for part in ("plan", "profile"))
    for entry in plan.stages(profile.load(name)):
        assert digest(json.loads(json.dumps(entry.settings))) == digest(entry.settings)


# --- the program ---


@pytest.fixture
def programs(monkeypatch):
    """What the program is, to be changed."""
    state = {"now": "old"}
    monkeypatch.setattr(artefact, "fingerprint", lambda module: state["now"])
    return state


def test_a_stage_of_another_program_is_made_again_where_that_is_cheap(tmp_path, programs, capsys):
    before = execute(chain(), tmp_path, {})
    programs["now"] = "new"
    assert [entry.name for entry in survey(chain(), tmp_path)[1]] == ["x/a", "x/b", "x/c"]
    CALLS.clear()
    after = execute(chain(), tmp_path, {})
    assert CALLS == ["x/a", "x/b", "x/c"]
    assert [found.digest for found in after.values()] == [found.digest for found in before.values()]
    assert {found.program for found in after.values()} == {"new"}
    assert capsys.readouterr().err.count("is of an earlier state of the program; it is made again") == 3


def test_a_dear_stage_of_another_program_is_kept_and_named(tmp_path, programs, capsys):
    dear = [entry.__class__(entry.name, entry.function, entry.settings, entry.inputs, 3600.0) for entry in chain()]
    execute(dear, tmp_path, {})
    programs["now"] = "new"
    ahead = experiment.outlook(dear, ["x/c"], tmp_path, 1, "cpu")
    assert (ahead.missing, ahead.other) == ([], ["x/a", "x/b", "x/c"])
    CALLS.clear()
    experiment.run(ahead, tmp_path, {}, (), Maker("trial", "trial {folder}", mark="stages"))
    assert CALLS == []
    assert (
        "3 finished stages are of an earlier state of the program and kept (x/a, x/b, x/c)" in capsys.readouterr().err
    )


# --- what is published ---


def report(settings, inputs, folder, runtime):
    """A report with a table."""
    (folder / "tables").mkdir(exist_ok=True)
    (folder / "tables" / "sums.csv").write_text("x\n1\n")
    (folder / "report.txt").write_text("one")
    (folder / "report.json").write_text("{}")


REPORT = [Stage("report", f"{__name__}:report", {}, {})]
MAKER = Maker("trial", "trial {folder}", mark="stages")


def publish(out):
    return experiment.run(experiment.outlook(REPORT, ["report"], out, 1, "cpu"), out, {}, (), MAKER)


@pytest.mark.parametrize("harm", ["flip", "cut", "remove", "empty"])
@pytest.mark.parametrize("name", ["report.txt", "tables/sums.csv"])
def test_a_published_file_that_was_damaged_is_written_again_and_said(tmp_path, harm, name, capsys):
    """FAULTS F2."""
    assert {path.relative_to(tmp_path).as_posix() for path in publish(tmp_path)} == {
        "report.txt", "report.json", "tables/sums.csv"
    }  # fmt: skip
    path = tmp_path / name
    good = path.read_bytes()
    before = (tmp_path / "report.json").stat().st_ino
    publish(tmp_path)
    assert (tmp_path / "report.json").stat().st_ino == before  # nothing was wrong, nothing is written
    if harm == "remove":
        path.unlink()
    else:
        path.write_bytes({"flip": bytes([good[0] ^ 1]) + good[1:], "cut": good[:1], "empty": b""}[harm])
    publish(tmp_path)
    assert path.read_bytes() == good
    what = "missing" if harm == "remove" else "damaged"
    assert f"warning: {path} is {what}; it is written again" in capsys.readouterr().err


def test_a_folder_of_another_command_is_refused_before_any_work(tmp_path):
    certificates.write(tmp_path, Maker("audit", "pstar audit"), {"audit.json": b"{}"})
    with pytest.raises(InputError, match="was made by `pstar audit`"):
        publish(tmp_path)
    assert CALLS == []


def test_every_file_is_looked_at(tmp_path):
    publish(tmp_path)
    assert inspect.check(tmp_path, "again")[2:] == ((), (), ())
    (folder,) = (tmp_path / "stages").glob("report-*")
    (folder / "copy.csv").write_text("")
    (tmp_path / "stages" / "notes.txt").write_text("")
    (folder / "report.txt").write_text("two")
    folder.with_name(f"{folder.name}.partial").mkdir()
    found = inspect.check(tmp_path, "again")
    assert [(fault.path.name, fault.what, fault.remedy) for fault in found.faults] == [
        ("report.txt", "damaged", "again")
    ]
    assert [path.name for path in found.foreign] == ["notes.txt", "copy.csv"]
    assert len(found.unfinished) == 1
    (folder / "manifest.json").write_bytes(b"")
    assert [fault.path.name for fault in inspect.check(tmp_path, "again").faults] == ["manifest.json"]
