"""Worker processes: they answer, are seen to die, bear their environment, and end with their driver."""

import json
import os
import signal
import subprocess
import sys

import pytest

from sims.running.workers import Workers, serve, told
from tests.processes import alive, wait_for
from theory.errors import InputError

MODULE = __name__


def answer(line):
    """What a worker of these tests does: a word is an order, a number is doubled."""
    request = json.loads(line)
    if request == "die":
        os._exit(7)
    if request == "cut":
        os.write(REPLIES, b'{"half": ')
        os._exit(0)
    if request == "print":
        print("noise", flush=True)
        os.system("echo more noise")
        return {"read": sys.stdin.read()}
    if request == "about":
        return {"pid": os.getpid(), "session": os.getsid(0), "slot": os.environ.get("SLOT"), "arguments": sys.argv[1:]}
    return {"twice": 2 * request}


def crew(*arguments):
    return Workers(MODULE, arguments, lambda slot: {"SLOT": str(slot), "PATH": os.environ["PATH"]})


def ask(workers, worker, request):
    workers.ask(worker, json.dumps(request), request)
    ((_, job, found),) = workers.wait()
    assert job == request
    return found


def test_workers_answer_and_end_with_the_block():
    with crew("a", "b") as workers:
        hired = [workers.hire(slot) for slot in range(2)]
        assert not workers.busy
        about = [ask(workers, worker, "about") for worker in hired]
        assert [(one["slot"], one["arguments"]) for one in about] == [("0", ["a", "b"]), ("1", ["a", "b"])]
        assert all(one["session"] == one["pid"] for one in about)  # out of reach of the terminal's Ctrl-C
        for number, worker in enumerate(hired):
            workers.ask(worker, json.dumps(number), number)
        found = []
        while workers.busy:
            found += [(job, answer["twice"]) for _, job, answer in workers.wait()]
        assert sorted(found) == [(0, 0), (1, 2)]
    assert not any(alive(one["pid"]) for one in about)


def test_workers_end_with_the_block_when_it_fails():
    pids = []

    def fail():
        with crew() as workers:
            pids.append(ask(workers, workers.hire(0), "about")["pid"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not alive(pids[0])


@pytest.mark.parametrize(("request_", "code"), [("die", 7), ("cut", 0)])
def test_a_death_is_seen_and_costs_nobody_else(request_, code):
    with crew() as workers:
        first, second = workers.hire(0), workers.hire(1)
        assert ask(workers, first, request_) == code
        assert ask(workers, second, 2) == {"twice": 4}
        assert ask(workers, workers.hire(first.slot), 3) == {"twice": 6}


def test_a_worker_that_died_while_idle_is_seen_when_it_is_asked():
    with crew() as workers:
        worker = workers.hire(0)
        os.kill(ask(workers, worker, "about")["pid"], signal.SIGKILL)
        worker.process.wait()
        assert ask(workers, worker, 1) == -signal.SIGKILL


def test_what_libraries_print_or_read_is_no_part_of_the_protocol(capfd):
    with crew() as workers:
        assert ask(workers, workers.hire(0), "print") == {"read": ""}
    out, err = capfd.readouterr()
    assert (out, err.split()) == ("", ["noise", "more", "noise"])


def test_a_worker_ends_when_its_driver_is_killed():
    code = f"""
from {MODULE} import ask, crew
with crew() as workers:
    print(ask(workers, workers.hire(0), "about")["pid"], flush=True)
    input()
"""
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    options |= {"env": os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}}
    with subprocess.Popen([sys.executable, "-c", code], **options) as driver:
        pid = int(driver.stdout.readline())
        assert alive(pid)
        driver.kill()
    wait_for(lambda: not alive(pid), "the end of the worker")


@pytest.mark.parametrize(
    ("error", "shown"),
    [(InputError("p = 2"), False), (OSError(28, "No space left on device"), False), (ValueError("unpack"), True)],
)
def test_a_bug_shows_its_traceback_and_what_is_explained_does_not(capsys, error, shown):
    def fail():
        raise error

    with pytest.raises(type(error)) as caught:
        fail()
    assert told(caught.value) == f"{type(error).__name__}: {error}"
    said = capsys.readouterr().err
    assert ("in fail" in said) == ("Traceback" in said) == shown


if __name__ == "__main__":
    REPLIES = os.dup(1)
    serve(answer)
