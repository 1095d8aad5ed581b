"""Plain text: columns align, prose is wrapped, and an error of somebody else is one line."""

import pytest

from sims.running.text import WIDTH, layout, one_line, say


def test_layout_aligns():
    assert layout([("name", "<"), ("x", ">")], [["a", "1"], ["long", "22"]]) == "name   x\na      1\nlong  22"


def test_a_line_with_a_cell_too_few_is_a_bug():
    with pytest.raises(ValueError, match="shorter"):
        layout([("name", "<"), ("x", ">")], [["a"]])


def test_prose_is_indented_under_its_mark():
    lines = say("word " * 50, "(a) ").splitlines()
    assert lines[0].startswith("(a) word")
    assert all(line.startswith("    word") for line in lines[1:])
    assert max(map(len, lines)) <= WIDTH


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError(), "KeyError"),
        (ValueError("  first\nsecond"), "ValueError: first"),
        (OSError(2, "gone", "x"), "FileNotFoundError: [Errno 2] gone: 'x'"),
    ],
)
def test_an_error_is_one_line(error, text):
    assert one_line(error) == text


def test_a_long_error_is_cut_where_asked():
    assert one_line(ValueError("a" * 300), 200) == "ValueError: " + "a" * 200
