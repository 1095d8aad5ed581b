"""A small sweep file, and a finished sweep of it."""

import pytest

from tests.pstar.command import SWEEP, pstar


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("file") / "sweep.toml"
    path.write_text(SWEEP)
    return path


@pytest.fixture(scope="module")
def swept(file, tmp_path_factory):
    """A finished sweep, and what the command said; colours are asked for where there is no terminal."""
    out = tmp_path_factory.mktemp("swept") / "out"
    return out, pstar("sweep", file, "--out", out, "--workers", "1", FORCE_COLOR="1")
