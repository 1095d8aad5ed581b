"""The report as one HTML page: answers first, nothing from elsewhere, whatever the records are called."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from empirical.auditing.files import Asked, Names, audit_file
from empirical.auditing.report import artefacts, as_json, build, html
from empirical.auditing.report.blocks import Answer, Report, Section, Table
from empirical.auditing.report.html import Drawing
from theory.errors import InputError, RunError

NASTY = "<script>alert(\"x\")</script> 'q' &amp; $\\frac$\x07\u202e_"
VOID = {"meta", "link", "img", "br", "hr", "input"}
DRAWN = '<svg width="1pt" viewBox="0 0 1 1"><path id="a"/><use xlink:href="#a" clip-path="url(#a)"/></svg>'


class Page(HTMLParser):
    """Elements in order, with attributes and text; fails where tags do not close each other."""

    def __init__(self, source):
        super().__init__()
        self.open, self.elements = [], []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        element = {"tag": tag, "text": "", **dict(attributes)}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.elements.append({"tag": tag, "text": "", **dict(attributes)})

    def handle_endtag(self, tag):
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag):
        return [element for element in self.elements if element["tag"] == tag]

    def texts(self, tag):
        return [element["text"] for element in self.all(tag)]


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(5)
    correct = rng.random(200) < 0.7
    score = rng.normal(1.5 * correct, 1).round(2)
    kept = {NASTY: score > 0.5, "other": score + rng.normal(size=200) > 0, "third": rng.random(200) < 0.9}
    topic = rng.choice([NASTY, "b"], 200)
    return pd.DataFrame({"correct": correct, "score": score, "topic": topic, **kept}).astype({"correct": int})


@pytest.fixture(scope="module")
def saved(frame, tmp_path_factory):
    """A page of all kinds of sections, and the folder."""
    folder = tmp_path_factory.mktemp("page")
    source = folder / f"{NASTY.replace('/', '')}.parquet"
    frame.to_parquet(source)
    names = Names(correct="correct", kept=(NASTY, "other", "third"), score="score", classes="topic")
    found = audit_file(source, names, Asked(n_classes=3))
    command = f"pstar audit {source} --kept {NASTY}"
    page = folder / "report.html"
    paths = artefacts.write(
        found, build(found), as_json(found), f"Audit of {source.name}", folder / "out", page, command
    )
    return page, paths


@pytest.fixture(scope="module")
def page(saved):
    return Page(saved[0].read_text())


def test_answers_are_the_first_thing(page):
    assert page.texts("h2")[:4] == [
        "Does the right label lead?",
        "Is it better than no verifier?",
        "Is what it keeps worth anything?",
        "Will a student beat its generator?",
    ]
    first = page.all("ol")[0]
    before = page.elements[: page.elements.index(first)]
    assert {element["tag"] for element in before} <= {"html", "head", "meta", "title", "style", "body", "main", "h1"}
    for item, word in zip(page.all("li")[:4], ("Yes", "Yes", "Yes", "Not asked"), strict=True):
        assert re.search(rf"{word}: ", item["text"])
    assert [element["text"] for element in page.elements if element.get("class") == "mark"] == ["✓", "✓", "✓", "–"]


def test_nothing_comes_from_elsewhere(saved, page):
    source = saved[0].read_text()
    assert not re.search(r"https?:|//|@import", re.sub(r"(?s)<pre>.*?</pre>", "", source))
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & {item["tag"] for item in page.elements}
    for element in page.elements:
        assert not {"src", "srcset", "action", "data"} & set(element)
        assert not [name for name in element if name.startswith("on")]
        assert element.get("href", "#").startswith("#") or element["href"] == "report.explorer.html"
    assert len(source.encode()) < 500_000
    policy = [item["content"] for item in page.all("meta") if item.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_names_are_text_and_nothing_else(saved, page):
    shown = NASTY.replace("\x07", "\N{REPLACEMENT CHARACTER}").replace("\u202e", "\N{REPLACEMENT CHARACTER}")
    assert shown in page.texts("th")
    assert shown.replace("/", "") in page.texts("title")[0]
    assert shown in page.texts("code")[0]
    assert any(shown[:20] in words for words in page.texts("text"))  # in a figure's legend
    assert not set("\x07\u202e") & set(saved[0].read_text())
    assert "&amp;amp;" in saved[0].read_text()


def test_names_of_elements_are_unique_and_known(page):
    names = [element["id"] for element in page.elements if "id" in element]
    assert len(names) == len(set(names))
    for element in page.elements:
        links = [link[1:] for link in (element.get("href"),) if link and link.startswith("#")]
        told = [*links, element.get("aria-labelledby"), element.get("aria-describedby")]
        told += re.findall(r"url\(#(.*?)\)", " ".join(filter(None, map(str, element.values()))))
        assert {name for name in told if name} <= set(names)


def test_it_can_be_heard(page):
    assert page.all("html")[0]["lang"] == "en"
    assert [item["tag"] for item in page.elements if re.fullmatch(r"h\d", item["tag"])][0] == "h1"
    tables = page.all("table")
    assert len(tables) >= 5
    assert len(page.all("caption")) == len(tables)
    assert all(item["scope"] in ("col", "row") and item["text"] for item in page.all("th"))
    figures = page.all("svg")
    assert [item["aria-describedby"] for item in figures] == ["verifier-caption", "threshold_curve-caption"]
    assert all(item["role"] == "img" and item["aria-label"] for item in figures)
    assert len(page.all("figcaption")) == 2


def test_the_folder_holds_the_same_page(saved):
    page, paths = saved
    names = [path.name for path in paths]
    assert {"report.txt", "report.md", "report.html", "audit.json", "verifier.csv", "verifier_region.csv"} <= set(names)
    assert names[-4:] == ["verifier.png", "verifier.pdf", "threshold_curve.png", "threshold_curve.pdf"]
    assert set(names[:-4]) <= set(artefacts.OURS)
    assert (page.parent / "out" / "report.html").read_bytes() == page.read_bytes()


def test_the_explorer_lies_beside_the_page_and_shows_the_verifiers(saved, page):
    path, paths = saved
    [link] = page.all("a")
    explorer = path.parent / link["href"]
    assert (link["href"], link["text"]) == ("report.explorer.html", "report.explorer.html")
    assert explorer in paths
    other = Page(explorer.read_text())
    [data] = (element["text"] for element in other.all("script") if element.get("id") == "data")
    shown = json.loads(data)["audit"]
    assert len(shown["verifiers"]) == 3
    assert len(shown["curve"]) > 10
    assert (path.parent / "out" / "report.explorer.html").read_bytes() == explorer.read_bytes()


def test_a_report_of_any_verdicts_and_no_figure():
    answers = tuple(Answer("Well?", verdict, "so") for verdict in ("yes", "no", "undecided", "not asked"))
    table = Table((("", "<"), ("a", ">")), (("x", "1"), ("", "")))
    report = Report(answers, ("beware",), (Section("One", ("b",), table, ("c",), ("verifier",)),), ())
    page = Page(html(report, "T", {}))
    assert [item["class"] for item in page.all("li")] == ["yes", "no", "undecided", "not-asked"]
    assert [item["text"] for item in page.elements if item.get("class") == "mark"] == ["✓", "✗", "?", "–"]
    assert page.all("figure") == []
    drawn = Page(html(report, "T", {"verifier": Drawing("Cap", "what", DRAWN)}))
    assert drawn.all("path")[0]["id"] == "verifier-a"
    assert (drawn.all("use")[0]["href"], drawn.all("use")[0]["clip-path"]) == ("#verifier-a", "url(#verifier-a)")


@pytest.mark.parametrize("names", [Names(correct="correct", score="score"), Names(quality="score", kept=("other",))])
def test_records_without_a_verdict_have_a_page_too(frame, tmp_path, names):
    frame.assign(score=frame["score"].clip(0, 1)).to_parquet(tmp_path / "r.parquet")
    found = audit_file(tmp_path / "r.parquet", names)
    artefacts.write(found, build(found), as_json(found), "T", page=tmp_path / "r.html")
    drawn = {item["aria-describedby"] for item in Page((tmp_path / "r.html").read_text()).all("svg")}
    assert drawn == ({"threshold_curve-caption", "verifier-caption"} if names.score else set())
    assert (tmp_path / "r.explorer.html").exists() == bool(names.score)


def test_nothing_is_overwritten_unasked(saved, tmp_path):
    page, _ = saved
    artefacts.check_page(page, tmp_path / "r.csv")  # ours: it may be made anew
    artefacts.check_page(tmp_path / "new.html", Path("-"))
    other = tmp_path / "other.html"
    other.write_text("<!doctype html><title>Mine</title>")
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "new.explorer.html").write_text("mine")
    for path, source, words in (
        (other, tmp_path / "r.csv", "no audit made it; choose another name"),
        (tmp_path / "folder.html", tmp_path / "r.csv", "no audit made it"),
        (tmp_path / "new.html", tmp_path / "r.csv", "new.explorer.html is there, and no explorer made it"),
        (page, page, "would overwrite the records themselves"),
        (tmp_path / "report.txt", page, "report.txt does not end in .html; name a page, as .*report.html"),
        (tmp_path / "none" / "a.html", page, "is not a folder; make it"),
    ):
        with pytest.raises(InputError, match=words):
            artefacts.check_page(path, source)
    assert other.read_text().endswith("</title>")
    with pytest.raises(InputError, match="would overwrite"):
        artefacts.check_folder(page.parent / "out", [page.parent / "out" / "report.html"])


def test_a_folder_that_cannot_be_made_is_refused(frame, tmp_path):
    frame.to_parquet(tmp_path / "r.parquet")
    found = audit_file(tmp_path / "r.parquet", Names(correct="correct", kept=("other",)))
    with pytest.raises(RunError, match="cannot make the output folder .*; choose another"):
        artefacts.write(found, build(found), as_json(found), "T", tmp_path / "r.parquet")
