"""`pstar audit --html`: one page, which says how it was made; what is refused before any work."""

import json
import shlex

import pytest

from tests.pstar.command import in_one_process

ROWS = "correct,kept\n" + "1,1\n" * 60 + "1,0\n" * 10 + "0,1\n" * 8 + "0,0\n" * 22


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("my records")
    (folder / "r.csv").write_text(ROWS)
    (folder / "mine.html").write_text("<p>mine</p>")
    return folder


@pytest.fixture(scope="module")
def answers(saved):
    whole = ["audit", f"{saved}/r.csv", "--correct", "correct", "--kept", "kept"]
    lines = {
        "page": [*whole, "--html", f"{saved}/page.html"],
        "again": [*whole, "--html", f"{saved}/page.html", "--json"],
        "both": [*whole, "--html", f"{saved}/out/report.html", "--out", f"{saved}/out"],
        "mine": [*whole, "--html", f"{saved}/mine.html"],
        "absent": ["audit", f"{saved}/nothing.csv", *whole[2:], "--html", f"{saved}/mine.html"],
    }
    return lines, dict(zip(lines, in_one_process(list(lines.values())), strict=True))


def test_the_page_says_how_it_was_made(answers, saved):
    lines, found = answers
    code, out, err = found["page"]
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("1. Is most of what it keeps correct?")
    assert out.splitlines()[-2:] == [f"written: {saved}/page.html", f"written: {saved}/page.explorer.html"]
    page = (saved / "page.html").read_text()
    assert page.index("Is most of what it keeps correct?") < page.index("Rates of generator and verifier")
    made = page.partition("<pre><code>")[2].partition("</code>")[0].replace("&#x27;", "'")
    assert shlex.split(made) == ["pstar", *lines["again"][:-1], "--json"]


def test_a_page_of_ours_is_made_anew(answers, saved):
    code, out, _ = answers[1]["again"]
    assert code == 0
    assert json.loads(out)["written"] == [f"{saved}/page.html", f"{saved}/page.explorer.html"]


def test_a_page_needs_a_folder_that_is_there(answers, saved):
    code, out, err = answers[1]["both"]
    assert (code, out) == (2, "")
    assert f"{saved}/out is not a folder" in err


@pytest.mark.parametrize("name", ["mine", "absent"])
def test_what_is_not_ours_stays(answers, saved, name):
    code, out, err = answers[1][name]
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"error: --html {saved}/mine.html: {saved}/mine.html is there, and no audit made it")
    assert (saved / "mine.html").read_text() == "<p>mine</p>"
