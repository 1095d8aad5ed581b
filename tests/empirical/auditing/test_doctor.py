"""What a file is good for, and the command that follows; small twins of files from the field."""

import json
import shlex

import numpy as np
import pyarrow as pa
import pytest

from empirical.auditing.doctor import examine, looks_like_prompt, report
from empirical.auditing.doctor.look import column
from empirical.auditing.doctor.names import GROUP, known, plain
from empirical.records.logs import Suggestion
from theory.errors import InputError

CORRECT = [1, 1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1]
KEPT = [1, 1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 0]
PLAIN = {"correct": CORRECT, "kept": KEPT}


def typed(columns, **more):
    """The options of the command that is proposed."""
    words = report.as_json(examine(columns, **more), "a.csv")["command"]
    return None if words is None else " ".join(words[3:])


def faults(columns, name=""):
    found = report.as_json(examine(columns), "a.csv")
    if not name:
        return "; ".join(found["faults"])
    return "; ".join(next(one["faults"] for one in found["columns"] if one["name"] == name))


@pytest.mark.parametrize(
    ("columns", "command"),
    [
        (PLAIN, "--correct correct --kept kept"),
        ({"r.isCorrect": CORRECT, "r.Kept": KEPT}, "--correct r.isCorrect --kept r.Kept"),
        ({"gold": ["PASS", "FAIL"] * 6, "judge": ["Y", "n"] * 6}, "--correct gold --kept judge"),
        ({"correct": [1.0, -1] * 6, "accepted": [True, False] * 6}, "--correct correct --kept accepted"),
        ({"correct": CORRECT, "gpt4": KEPT}, "--correct correct --kept gpt4"),
        ({"correct": CORRECT, "judge_a": KEPT, "judge_b": KEPT[::-1]}, "--correct correct --kept judge_a judge_b"),
        ({"correct": CORRECT, "score": np.linspace(0, 1, 12)}, "--correct correct --score score"),
        (
            {"correct": CORRECT, "perplexity": np.linspace(1, 2, 12)},
            "--correct correct --score perplexity --low-is-good",
        ),
        ({"rouge1": np.linspace(0, 0.9, 12), "kept": KEPT}, "--quality rouge1 --kept kept"),
        (PLAIN | {"weight": np.linspace(1, 3, 12)}, "--correct correct --kept kept --weight weight"),
        (PLAIN | {"class": ["a", "b", "c"] * 4}, "--correct correct --kept kept --class class"),
        (PLAIN | {"prompt": [7, 8, 9] * 4}, "--correct correct --kept kept --group prompt"),
        (PLAIN | {"prompt": list(range(12))}, "--correct correct --kept kept"),
        ({"label": [0, 1, 2] * 4, "truth": [0, 2, 2] * 4, "kept": KEPT}, "--label label --truth truth --kept kept"),
        ({"correct": ["ja", "nein"] * 6, "kept": KEPT}, "--correct correct --kept kept"),
        ({"correct": ["A", "B"] * 6, "kept": KEPT}, "--correct correct --kept kept --true A"),
        ({"correct": ["A", "B"] * 6, "kept": ["B", "A"] * 6}, "--correct correct --kept kept --true A"),
        ({"correct": CORRECT, "kept": [None, *KEPT[1:]]}, None),
        ({"correct": CORRECT, "score": [np.nan, *range(11)]}, None),
        (PLAIN | {"sample": [0, 1] * 6, "worker": [0, 1] * 6}, "--correct correct --kept kept"),
        ({"correct": CORRECT}, None),
        ({"kept": KEPT}, None),
        ({"text": ["a", "b"] * 6}, None),
    ],
)
def test_command(columns, command):
    assert typed(columns) == command


def test_answer_first_and_nothing_silent():
    """The command is the first thing, every role in it is named as a guess, and the sampling is said."""
    page = report.text(examine(PLAIN | {"prompt": [7, 8, 9] * 4}), "my records.csv").splitlines()
    assert page[2] == "  pstar audit 'my records.csv' --correct correct --kept kept --group prompt"
    said = "\n".join(page)
    for name in ("correct", "kept", "prompt"):
        assert any(line.split()[:1] == [name] and "by its name" in line for line in page)
    assert "Guessed, nothing is computed yet" in said
    assert "random sample of all that was generated" in said


def test_lacking_is_said_first():
    page = report.text(examine({"correct": CORRECT}), "a.csv").splitlines()
    assert page[0].startswith("Nothing says what the verifier keeps")
    assert "  pstar audit a.csv --correct correct --kept COL" in page


@pytest.mark.parametrize(
    "name", ["is correct?", "it's", 'a "b"', "-correct", "$HOME", "correct\x1b[31m", "richtig; ls"]
)
def test_command_can_be_pasted(name):
    """A shell reads back the words; what a terminal would obey is escaped."""
    columns = {name: CORRECT, "kept": KEPT}
    found = examine(columns, suggested=Suggestion(correct=(name,)))
    line = report.text(found, "-a b.csv").splitlines()[2].strip()
    assert line.isprintable()
    if name.isprintable():
        assert shlex.split(line) == report.as_json(found, "-a b.csv")["command"]
        assert f"--correct={name}" in shlex.split(line) or name in shlex.split(line)
    else:
        assert "$'correct\\x1b[31m'" in line


def test_a_log_goes_before_names():
    suggested = Suggestion(correct=("passed.match",), kept=("passed.judge",), why="one compares")
    columns = {"correct": CORRECT, "passed.match": CORRECT, "passed.judge": KEPT}
    assert typed(columns, log="X", suggested=suggested) == "--correct passed.match --kept passed.judge"
    assert "This is a log of X. One compares." in report.text(examine(columns, "X", suggested), "a.csv")


def test_other_gold_of_a_log_is_no_verifier():
    """Two metrics that compare with the truth: neither judges the other."""
    suggested = Suggestion(correct=("score.acc", "score.acc_norm"))
    assert typed({"score.acc": CORRECT, "score.acc_norm": KEPT}, log="X", suggested=suggested) is None


def test_label_and_truth_with_correct_beside_them():
    """The command takes the classes, the page names the other one too, and the two are compared."""
    label, truth = [0, 1, 2] * 4, [0, 2, 2] * 4
    columns = {"label": label, "truth": truth, "kept": KEPT, "correct": [1, 0, 1] * 4}
    assert typed(columns) == "--label label --truth truth --kept kept"
    assert "--correct correct --kept kept" in report.text(examine(columns), "a.csv")
    assert faults(columns, "correct") == ""
    assert faults(columns | {"correct": [1, 0, 0] * 4}, "correct") == "is not label = truth in 4 records"


def test_kept_and_score_offer_the_curve():
    columns = PLAIN | {"score": np.where(CORRECT, 2.0, 1.0) + np.linspace(0, 0.5, 12)}
    assert typed(columns) == "--correct correct --kept kept"
    assert "pstar audit a.csv --correct correct --score score" in report.text(examine(columns), "a.csv")


def test_partly_judged_is_said():
    columns = {"correct": [1, None, 0, None] * 3, "kept": KEPT}
    assert typed(columns) == "--correct correct --kept kept"
    assert "missing in 6 of 12 records" in report.text(examine(columns), "a.csv")


def test_low_seems_good():
    """80 records whose small score is the good one; the name does not say so."""
    columns = {"correct": [1, 0] * 40, "score": [1 + 0.01 * place + 2 * (place % 2) for place in range(80)]}
    assert typed(columns) == "--correct correct --score score --low-is-good"
    assert "low seems good" in faults(columns, "score")
    other = columns | {"score": [-value for value in columns["score"]]}
    assert typed(other) == "--correct correct --score score"
    assert faults(other, "score") == ""


def test_low_by_name_and_high_by_the_records():
    columns = {"correct": [1, 0] * 40, "ppl": [5 + 0.01 * place - 2 * (place % 2) for place in range(80)]}
    assert typed(columns) == "--correct correct --score ppl"
    assert "the records that high is" in faults(columns, "ppl")


@pytest.mark.parametrize(
    ("columns", "name", "said"),
    [
        ({"correct": CORRECT, "kept": [1] * 12}, "kept", "every record is kept"),
        ({"correct": CORRECT, "kept": [0] * 12}, "kept", "nothing is kept"),
        ({"correct": [1] * 12, "kept": KEPT}, "correct", "every label is correct"),
        ({"correct": CORRECT, "kept": CORRECT}, "kept", "is it a copy?"),
        ({"correct": CORRECT, "kept": [None, *KEPT[1:]]}, "kept", "must be known of every record"),
        (PLAIN | {"weight": [-1.5, *range(2, 13)]}, "weight", "negative weights"),
        (PLAIN | {"weight": [2.0] * 12}, "weight", "change nothing"),
        (PLAIN | {"class": ["cat", "cat ", "dog"] * 4}, "class", "'cat', 'cat ' differ by blanks or case only"),
        (PLAIN | {"class": ["Cat", "cat", "dog"] * 4}, "class", "'Cat', 'cat' differ by blanks or case only"),
        (PLAIN | {"note": ["same"] * 12}, "note", "constant"),
        (PLAIN | {"note": [None] * 12}, "note", "empty"),
        (PLAIN | {"note": [{"a": 1}] * 12}, "note", "objects or lists"),
        (PLAIN | {"Kept ": KEPT}, "", "'kept', 'Kept ' differ by blanks or case only"),
        ({"correct": ["1", "correct", "0", "1"] * 3, "kept": KEPT}, "", "record 2 repeats the header"),
        ({"label": ["a", "b"] * 6, "truth": ["a ", "b"] * 6, "kept": KEPT}, "label", "differ from truth by blanks"),
    ],
)
def test_faults(columns, name, said):
    assert said in faults(columns, name)


def test_no_faults_where_nothing_is_wrong():
    found = report.as_json(examine(PLAIN | {"class": ["a", "b"] * 6, "score": np.linspace(0, 1, 12)}), "a.csv")
    assert [one["faults"] for one in found["columns"]] == [[], [], [], []]
    assert found["faults"] == []


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["yes", "NO ", ""], "flag"),
        ([True, None, False], "flag"),
        (["1.0", "0.0", "1.0"], "flag"),
        ([0, -1, 1, 1], "label"),
        ([0, 1, 2, 2], "label"),
        ([0.5, 1.0, float("nan")], "number"),
        ([30, 7, 1500, 30, 8, 900] + list(range(0, 4000, 97)), "number"),
        (list(range(100)), "id"),
        (["a", "b", "a"], "label"),
        (["a", "b", "c"], "id"),
        (["x" * 60, "y" * 60], "text"),
        (["a", "a"], "constant"),
        ([None, "n/a"], "empty"),
        ([1, "a", None], "id"),
        ([[1], [2]], "nested"),
    ],
)
def test_kinds(values, kind):
    assert column("c", values).kind == kind


def test_arrow_and_python_look_the_same():
    """What the reader of files gives, in chunks, and plain lists."""
    words = ["PASS", None, "FAIL", "PASS"]
    mine, other = column("c", words), column("c", pa.chunked_array([pa.array(words[:2]), pa.array(words[2:])]))
    assert np.array_equal(mine.flags, other.flags, equal_nan=True)
    assert np.array_equal(mine.flags, [1, np.nan, 0, 1], equal_nan=True)
    assert (mine.kind, mine.values, mine.missing) == (other.kind, other.values, other.missing)


def test_numbers_are_printed_as_they_are():
    """Six digits would say 1, which keeps nothing."""
    page = report.text(examine({"correct": CORRECT, "score": np.linspace(0.2, 0.99999991, 12)}), "a.csv")
    assert "0.2 .. 0.99999991" in page


def test_json_is_json():
    """Also where nothing is known."""
    for columns in (PLAIN, {"a": [1.5, None, np.nan]}, {"a": [None]}):
        json.dumps(report.as_json(examine(columns), "a.csv"), allow_nan=False)


def test_no_records():
    with pytest.raises(InputError, match="no records"):
        examine({"correct": []})


def grouped(rng, groups=200, size=5, alike=True):
    """Outcomes of samples by prompt: each prompt with an error rate of its own, or all with the same."""
    rate = np.repeat(rng.choice([0.05, 0.95], groups) if alike else np.full(groups, 0.5), size)
    return np.repeat(np.arange(groups), size), (rng.random(groups * size) < rate).astype(float)


@pytest.mark.statistical
def test_a_prompt_without_a_usual_name(fresh_seed):
    """Alike within prompts: found, shuffled or not. False failures: below 1e-9, as the F statistic is beyond 20."""
    rng = np.random.default_rng(fresh_seed)
    group, outcome = grouped(rng)
    order = rng.permutation(len(group))
    for place in (np.arange(len(group)), order):
        found = looks_like_prompt({"q": [f"q{value}" for value in group[place]]}, outcome[place])
        assert (found.name, found.values, found.per_value, found.by_name) == ("q", 200, 5.0, False)
        assert 0.6 < found.alike < 1


@pytest.mark.statistical
def test_a_prompt_is_not_seen_in_noise(fresh_seed):
    """The twin: no likeness. Fails falsely with about 1e-3^3 = 1e-9: three draws must all be called alike."""
    rng = np.random.default_rng(fresh_seed)
    found = []
    for _ in range(3):
        group, outcome = grouped(rng, alike=False)
        found.append(looks_like_prompt({"q": [f"q{value}" for value in group]}, outcome))
    assert None in found
    named = looks_like_prompt({"prompt": group}, outcome)
    assert (named.name, named.by_name) == ("prompt", True)


def test_what_is_no_prompt():
    """Flags, all different, taken, a class, a source that holds thousands, and a score, though outcomes are alike."""
    outcome = np.repeat([0.0, 1.0], 2000)
    columns = {
        "flag": outcome,
        "row": np.arange(4000),
        "kept": np.repeat(np.arange(40), 100),
        "class": np.repeat(np.arange(40), 100),
        "site": np.repeat(np.arange(8), 500),
        "level": [f"v{value}" for value in np.repeat(np.arange(2), 2000)],
    }
    assert looks_like_prompt(columns, outcome, taken=("kept",)) is None
    assert looks_like_prompt(columns, outcome).name == "kept"


def test_pairs_within_prompts():
    """What is drawn has to be independent, so that the wider one is it."""
    columns = {"pair": np.repeat(np.arange(60), 2), "prompt": np.repeat(np.arange(20), 6)}
    assert looks_like_prompt(columns).name == "prompt"
    assert looks_like_prompt({"pair": columns["pair"]}).name == "pair"
    assert looks_like_prompt({"prompt": columns["pair"], "question": columns["prompt"]}).name == "question"


def test_intraclass_correlation():
    """By hand: two prompts, 1 1 and 0 1: between 0.25, within 0.25, so 0."""
    found = looks_like_prompt({"prompt": ["a", "a", "b", "b"]}, np.array([1.0, 1, 0, 1]))
    assert found.alike == pytest.approx(0, abs=1e-12)
    same = looks_like_prompt({"prompt": ["a", "a", "b", "b"]}, np.array([1.0, 1, 0, 0]))
    assert same.alike == 1
    gaps = looks_like_prompt({"prompt": ["a", "a", "a", "b", "b"]}, np.array([1.0, 1, np.nan, 0, 0]))
    assert gaps.alike == 1


def test_names():
    assert [plain(name) for name in ("isCorrect", "Is Correct", "is-correct", " ID ")] == ["is_correct"] * 3 + ["id"]
    assert known("prompt", GROUP) == 3
    assert known("r.promptId", GROUP) > known("my_prompt", GROUP) > 0
    assert known("promptness", GROUP) == 0
