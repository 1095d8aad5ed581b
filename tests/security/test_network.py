"""Nothing is sent anywhere: commands run where the network is a trap."""

import os
import subprocess
import sys

import pytest

from tests.processes import PATIENCE
from tests.pstar.command import PSTAR, ROOT, SWEEP

HOOK = """
import os, sys

def trap(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        address = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0]
        host = address[0] if isinstance(address, tuple) else address
        if isinstance(address, tuple) or event.startswith("socket.get"):
            if host not in ("127.0.0.1", "::1", "localhost", None, ""):
                with open(os.environ["PSTAR_TEST_TRAP"], "a") as file:
                    file.write(f"{event} {address} by {sys.argv}\\n")
                raise OSError("the network is a trap")

sys.addaudithook(trap)
"""


@pytest.fixture
def trapped(tmp_path):
    """Runs words in a process that may reach this machine alone; returns what was tried."""
    (tmp_path / "trap").mkdir()
    (tmp_path / "trap" / "sitecustomize.py").write_text(HOOK)
    path = os.pathsep.join([str(tmp_path / "trap"), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": path, "PSTAR_TEST_TRAP": str(tmp_path / "tried")}

    def run(*words):
        done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        return done, (tmp_path / "tried").read_text() if (tmp_path / "tried").exists() else ""

    return run


def test_the_trap_springs(trapped):
    done, tried = trapped(sys.executable, "-c", "import urllib.request as u; u.urlopen('http://example.org')")
    assert done.returncode
    assert "example.org" in tried


def test_commands_reach_for_no_network(trapped, tmp_path):
    (tmp_path / "sweep.toml").write_text(SWEEP)
    (tmp_path / "r.csv").write_text("correct,kept\n1,1\n0,0\n1,0\n0,1\n" * 40)
    out = str(tmp_path / "out")
    for words in (
        ["sweep", str(tmp_path / "sweep.toml"), "--out", out, "--workers", "2"],
        ["compare", out],
        ["figures", out],
        ["verify", out],
        ["predict", "--p", "0.3", "--phi", "0.8", "--psi", "0.2"],
        ["audit", str(tmp_path / "r.csv"), "--correct", "correct", "--kept", "kept", "--out", f"{out}2"],
    ):
        done, tried = trapped(*PSTAR, *words)
        assert (done.returncode, tried) == (0, ""), (words, done.stderr)


def test_nor_do_experiments_that_make_their_own_data_and_models(trapped, tmp_path):
    pytest.importorskip("transformers")
    done, tried = trapped(
        *PSTAR, "summarization", "run", "--preset", "small", "--dry-run", "--out", str(tmp_path / "o")
    )
    assert (done.returncode, tried) == (0, ""), done.stderr
    code = "import empirical.summarization.hub\nfrom huggingface_hub import constants as held\n"
    code += "print(held.HF_HUB_DISABLE_TELEMETRY)"
    assert trapped(sys.executable, "-c", code)[0].stdout == "True\n"
