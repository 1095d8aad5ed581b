"""`pstar explore`: one page, which overwrites nothing but a page of its own; what is refused before any work."""

import json
import webbrowser

import pytest

from pstar.commands.explore import explore
from tests.pstar.command import in_one_process
from theory.errors import InputError, RunError


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    (folder / "r.csv").write_text("correct,kept\n" + "1,1\n" * 60 + "1,0\n" * 10 + "0,1\n" * 8 + "0,0\n" * 22)
    (folder / "mine.html").write_text("<p>mine</p>")
    (folder / "folder.html").mkdir()
    return folder


@pytest.fixture(scope="module")
def answers(saved):
    lines = {
        "audit": ["audit", f"{saved}/r.csv", "--correct", "correct", "--kept", "kept", "--out", f"{saved}/a"],
        "page": ["explore", "--out", f"{saved}/page.html"],
        "again": ["explore", "--out", f"{saved}/page.html", "--audit", f"{saved}/a/audit.json", "--json"],
    }
    return dict(zip(lines, in_one_process(list(lines.values())), strict=True))


def test_it_says_what_was_made(answers, saved):
    code, out, err = answers["page"]
    assert (code, err) == (0, "")
    first, second = out.splitlines()
    assert first.startswith("a page of ")
    assert second == f"written: {saved}/page.html"


def test_a_page_of_ours_is_made_anew_with_the_audit(answers, saved):
    code, out, _ = answers["again"]
    assert code == 0
    page = (saved / "page.html").read_bytes()
    assert json.loads(out) == {"written": [f"{saved}/page.html"], "bytes": len(page), "verifiers": ["kept"]}
    assert b'"region": [[' in page


def test_a_page_is_small_and_asks_for_nothing(answers, saved):
    page = (saved / "page.html").read_text()
    assert len(page.encode()) < 1_500_000
    assert "default-src 'none'" in page
    assert "http://" not in page
    assert "https://" not in page


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("mine.html", "is there, and is no explorer page"),
        ("page.txt", "does not end in .html; name a page, as "),
        ("none/page.html", "is not a folder"),
        ("folder.html", "is a folder; name a page in it"),
    ],
)
def test_what_is_not_ours_stays(saved, name, why):
    with pytest.raises(InputError, match=why):
        explore(saved / name)
    assert (saved / "mine.html").read_text() == "<p>mine</p>"


def test_nothing_is_written_for_what_is_no_audit(saved, tmp_path):
    with pytest.raises(InputError, match="is no audit"):
        explore(tmp_path / "page.html", audit=saved / "r.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", [True, False])
def test_it_is_opened_where_there_is_a_browser(tmp_path, monkeypatch, there):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or there)
    page = tmp_path / "page.html"
    if there:
        explore(page, open=True)
    else:
        with pytest.raises(RunError, match="found no browser on this machine; open file://"):
            explore(page, open=True)
    assert opened == [page.as_uri()]
    assert page.exists()
