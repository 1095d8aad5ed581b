"""The fingerprint of the program: what it says, not how it is written."""

import pytest

from sims.running import fingerprint as module
from sims.running.fingerprint import fingerprint

CODE = '"""About."""\nfrom sims.b import x\n\n\ndef f(a):\n    """Of a."""\n    return a + x\n'


@pytest.fixture
def tree(tmp_path, monkeypatch):
    room = tmp_path / "sims"
    (room / "settings").mkdir(parents=True)
    for name, text in {"__init__": "", "a": CODE, "b": "x = 1\n", "c": "y = 1\n", "settings/__init__": ""}.items():
        (room / f"{name}.py").write_text(text)
    monkeypatch.setattr(module, "_room", lambda package: room if package == "sims" else None)
    fingerprint.cache_clear()
    yield room
    fingerprint.cache_clear()


def changed(room, name, text):
    (room / f"{name}.py").write_text(text)
    fingerprint.cache_clear()
    return fingerprint("sims.a")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a", CODE.replace('"""Of a."""', '"""Of another."""')),
        ("a", "# a comment\n" + CODE.replace("a + x", "(a +\n        x)")),
        ("c", "y = 2\n"),
    ],
)
def test_words_and_strangers_do_not_count(tree, name, text):
    before = fingerprint("sims.a")
    assert changed(tree, name, text) == before


@pytest.mark.parametrize(
    ("name", "text"), [("a", CODE.replace("a + x", "a - x")), ("b", "x = 1.5\n"), ("__init__", "import sims.c\n")]
)
def test_what_is_computed_counts_also_where_it_is_imported(tree, name, text):
    before = fingerprint("sims.a")
    assert changed(tree, name, text) != before


def test_modules_that_are_named_in_part_count(tree):
    changed(tree, "a", CODE + "import importlib\nm = importlib.import_module(f'sims.settings.{f}')\n")
    before = fingerprint("sims.a")
    assert changed(tree, "settings/new", "z = 1\n") != before


def test_ours_has_every_setting_and_no_report():
    seen = []
    inner = module._content
    fingerprint.cache_clear()
    try:
        module._content = lambda tree: seen.append(tree) or inner(tree)
        assert fingerprint("sims.sweeps.rows") == fingerprint("sims.sweeps.rows")
    finally:
        module._content = inner
    assert 40 < len(seen) < 120
    assert len(fingerprint("sims.sweeps.rows")) == module.DIGITS
    assert fingerprint("sims.sweeps.rows") != fingerprint("sims.comparison.compare")
