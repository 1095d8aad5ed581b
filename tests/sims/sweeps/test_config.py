"""What a sweep file may say, and how everything else is refused."""

import datetime
import json
import math
import re
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sims.running.toml import ConfigError
from sims.sweeps.config import TABLES, load, parse
from sims.sweeps.grid import cell_to_json, cells
from tests.sims.helpers import INDEPENDENT, LINEAR, REMOVED, changed

ROOT = Path(__file__).resolve().parents[3]
NAN, INF = float("nan"), float("inf")
PROBABILITIES = "[0, 1]"
POSITIVE = "(0, 1e+06]"

REFUSED_NUMBERS = [
    # base, key, value, what the fault must say besides the key's path
    (INDEPENDENT, "generator.p", 1.5, ("1.5", PROBABILITIES)),
    (INDEPENDENT, "generator.p", 1.0000000001, ("1.0000000001", PROBABILITIES)),
    (INDEPENDENT, "generator.p", -0.1, ("-0.1", PROBABILITIES)),
    (INDEPENDENT, "generator.p", NAN, ("nan", PROBABILITIES)),
    (INDEPENDENT, "generator.p", INF, ("inf", PROBABILITIES)),
    (INDEPENDENT, "generator.p", 10**400, ("1000", PROBABILITIES)),
    (INDEPENDENT, "generator.p", 16**9000, ("a huge integer", PROBABILITIES)),
    (INDEPENDENT, "generator.p", True, ("True", PROBABILITIES)),
    (INDEPENDENT, "generator.p", "0.3", ("'0.3'", PROBABILITIES)),
    (INDEPENDENT, "generator.p", datetime.date(2000, 1, 1), ("2000", PROBABILITIES)),
    (INDEPENDENT, "generator.p", [], ("[]", PROBABILITIES)),
    (INDEPENDENT, "generator.p", [0.1, [0.2, 1.2]], ("p[1][1] = 1.2", PROBABILITIES)),
    (
        INDEPENDENT,
        "generator.p",
        [[0.1, 0.2, 0.3]],
        ("[0.1, 0.2, 0.3]", "[for y = -1, for y = +1]", PROBABILITIES),
    ),
    (INDEPENDENT, "generator.p", [[0.1]], ("[0.1]", "[for y = -1, for y = +1]", PROBABILITIES)),
    (INDEPENDENT, "verifier.phi", -1, ("-1", PROBABILITIES)),
    (INDEPENDENT, "verifier.psi", [0.5, 2], ("psi[1] = 2", PROBABILITIES)),
    (INDEPENDENT, "problem.prior", 1.1, ("1.1", PROBABILITIES)),
    (INDEPENDENT, "problem.prior", [0.5], ("[0.5]", PROBABILITIES)),
    (INDEPENDENT, "problem.signal", 0, ("0", POSITIVE)),
    (INDEPENDENT, "problem.signal", -INF, ("-inf", POSITIVE)),
    (INDEPENDENT, "problem.alpha", -2, ("-2", POSITIVE)),
    (INDEPENDENT, "problem.d", 0, ("0", "an integer in [1, 1000000]")),
    (INDEPENDENT, "problem.d", 2.0, ("2.0", "an integer in [1, 1000000]")),
    (INDEPENDENT, "problem.d", True, ("True", "an integer in [1, 1000000]")),
    (INDEPENDENT, "problem.d", [4, [5]], ("d[1] = [5]", "an integer in [1, 1000000]")),
    (INDEPENDENT, "training.ridge", -0.1, ("-0.1", "[0, 1e+12]")),
    (INDEPENDENT, "training.ridge", [[0.1, 0.2]], ("ridge[0] = [0.1, 0.2]", "[0, 1e+12]")),
    (INDEPENDENT, "run.seeds", 0, ("0", "an integer in [1, 10000000]")),
    (INDEPENDENT, "run.seeds", [3], ("[3]", "an integer in [1, 10000000]")),
    (INDEPENDENT, "run.root_seed", -1, ("-1", "an integer in [0, 2147483647]")),
    (INDEPENDENT, "run.root_seed", 2**31, ("2147483648", "an integer in [0, 2147483647]")),
    (LINEAR, "generator.cos_generator", 1.01, ("1.01", "[-1, 1]")),
    (LINEAR, "verifier.cos_between", [NAN], ("cos_between[0] = nan", "[-1, 1]")),
    (LINEAR, "verifier.cos_verifier", [[0.1, 0.2]], ("cos_verifier[0] = [0.1, 0.2]", "[-1, 1]")),
]

REFUSED_RANGES = [
    ({"start": 0.1, "stop": 0.9}, "generator.p.num: missing", "{start, stop, num}"),
    ({"start": 0.1, "stop": 0.9, "num": 1}, "generator.p.num = 1", "an integer in [2, 100000]"),
    ({"start": 0.1, "stop": 0.9, "num": 3.0}, "generator.p.num = 3.0", "an integer in [2, 100000]"),
    ({"start": 0.1, "stop": 0.9, "num": 10**9}, "generator.p.num = 1000000000", "an integer in [2, 100000]"),
    ({"start": -0.1, "stop": 0.9, "num": 3}, "generator.p.start = -0.1", PROBABILITIES),
    ({"start": 0.1, "stop": NAN, "num": 3}, "generator.p.stop = nan", PROBABILITIES),
    ({"start": 0.1, "stop": [1], "num": 3}, "generator.p.stop = [1]", PROBABILITIES),
    ({"start": 0.1, "stop": 0.9, "num": 3, "number": 3}, "generator.p.number: unknown", "did you mean 'num'?"),
    (
        {"start": 0.1, "stop": 0.9, "num": 3, "spacing": "cubic"},
        "generator.p.spacing = 'cubic'",
        "'linear' or 'log'",
    ),
    (
        {"start": 0.1, "stop": 0.9, "num": 3, "spacing": ["log"]},
        "generator.p.spacing = ['log']",
        "'linear' or 'log'",
    ),
    ({"start": 0, "stop": 0.9, "num": 3, "spacing": "log"}, "generator.p.start = 0", "above 0"),
]

REFUSED_OTHERWISE = [
    # base, changes, what the one fault must say
    (INDEPENDENT, {"generator.error": 0.1}, ("generator.error: unknown key", "known: p")),
    (INDEPENDENT, {"training.rigde": 0.1}, ("training.rigde: unknown key", "did you mean 'ridge'?")),
    (INDEPENDENT, {"trainig": {}}, ("trainig: unknown table", "did you mean 'training'?")),
    (INDEPENDENT, {"run": 3}, ("run = 3", "must be a table, [run]")),
    (INDEPENDENT, {"problem.alpha": REMOVED}, ("problem.alpha: missing", "n/d")),
    (INDEPENDENT, {"generator.p": REMOVED}, ("generator.p: missing in the independent setting", "error rate")),
    (INDEPENDENT, {"verifier.psi": REMOVED}, ("verifier.psi: missing in the independent setting",)),
    (INDEPENDENT, {"verifier.cos_between": 0.1}, ("verifier.cos_between: has no meaning", "remove it")),
    (LINEAR, {"generator.p": 0.1}, ("generator.p: has no meaning in the linear setting", "remove it")),
    (LINEAR, {"generator.cos_generator": REMOVED}, ("generator.cos_generator: missing in the linear setting",)),
    (LINEAR, {"problem.prior": 0.4}, ("problem.prior = 0.4", "equal classes")),
    (LINEAR, {"problem.d": 2}, ("problem.d = 2", "d >= 3")),
    (INDEPENDENT, {"problem.setting": "liner"}, ("problem.setting = 'liner'", "did you mean 'linear'?")),
    (INDEPENDENT, {"problem.setting": ["linear"]}, ("problem.setting = ['linear']", "known: independent, linear")),
    (INDEPENDENT, {"training.loss": "hinge"}, ("training.loss = 'hinge'", "only squared and logistic are known")),
    (INDEPENDENT, {"training.loss": ["squared", "logstic"]}, ("loss[1] = 'logstic'", "did you mean 'logistic'?")),
    (INDEPENDENT, {"training.loss": [["squared"]]}, ("loss[0] = ['squared']", "known: squared, logistic")),
    (INDEPENDENT, {"training.loss": {"a": 1}}, ("training.loss = {'a': 1}", "known: squared, logistic")),
    (INDEPENDENT, {"training.loss": []}, ("training.loss = []", "choose from squared, logistic")),
    (INDEPENDENT, {"verifier.phi": 0, "verifier.psi": 0}, ("phi = 0", "psi = 0", "make one of them positive")),
    (INDEPENDENT, {"verifier.phi": [[0, 0]], "verifier.psi": 0.0}, ("phi = 0", "psi = 0", "keeps nothing")),
    (INDEPENDENT, {"problem.alpha": 0.1}, ("problem.alpha = 0.1", "problem.d = 4", "n = round(alpha d) < 1")),
    (INDEPENDENT, {"verifier.pairs": [[1, 1]], "verifier.psi": REMOVED}, ("verifier.phi: given beside", "pairs")),
    (LINEAR, {"generator.cos_generator": 0.9, "verifier.cos_verifier": 0.9, "verifier.cos_between": -0.9},
     ("cos_generator = 0.9", "cos_between = -0.9", "cos_between is in [0.62, 1]")),
    (INDEPENDENT, {"generator.p": {"start": 0, "stop": 1, "num": 99_999}, "verifier.phi": [0.7, 0.8],
                   "verifier.psi": {"start": 0, "stop": 1, "num": 99_999}},
     ("the grid has 19,999,600,002 cells", "at most 10,000,000")),
]  # fmt: skip

REFUSED_PAIRS = [
    ([], "verifier.pairs = []"),
    (0.5, "verifier.pairs = 0.5"),
    ([[1, 1], 0.5], "verifier.pairs[1] = 0.5"),
    ([[0.5, 0.5, 0.5]], "verifier.pairs[0] = [0.5, 0.5, 0.5]"),
    ([[0.5, 1.5]], "verifier.pairs[0].psi = 1.5: outside [0, 1]"),
    ([[0.5, 0.5], [[0.1, -1], 1]], "verifier.pairs[1].phi[1] = -1: outside [0, 1]"),
    ([[0.5, "a"]], "verifier.pairs[0].psi = 'a': must be a number in [0, 1]"),
    ([[0.5, {}]], "verifier.pairs[0].psi = {}: must be a number in [0, 1]"),
    ([[0, 0]], "verifier.phi = 0 with verifier.psi = 0"),
]


def faults_of(base, changes):
    with pytest.raises(ConfigError) as refused:
        parse(changed(base, changes))
    return refused.value.faults


def name(value):
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize("base", [INDEPENDENT, LINEAR], ids=["independent", "linear"])
def test_bases_are_valid(base):
    assert len(cells(parse(base))) == 4


@pytest.mark.parametrize(("base", "key", "value", "expected"), REFUSED_NUMBERS, ids=name)
def test_number_is_refused_with_path_value_and_range(base, key, value, expected):
    (fault,) = faults_of(base, {key: value})
    assert fault.startswith(key)
    assert all(text in fault for text in expected), fault
    assert len(fault) < 300


@pytest.mark.parametrize(("value", "named", "allowed"), REFUSED_RANGES, ids=name)
def test_range_is_refused_with_path_value_and_range(value, named, allowed):
    (fault,) = faults_of(INDEPENDENT, {"generator.p": value})
    assert fault.startswith(named)
    assert allowed in fault


@pytest.mark.parametrize(("base", "changes", "expected"), REFUSED_OTHERWISE, ids=name)
def test_key_or_combination_is_refused_with_the_remedy(base, changes, expected):
    (fault,) = faults_of(base, changes)
    assert all(text in fault for text in expected), fault


@pytest.mark.parametrize(("pairs", "expected"), REFUSED_PAIRS, ids=name)
def test_pairs_are_refused(pairs, expected):
    alone = {"verifier.phi": REMOVED, "verifier.psi": REMOVED, "verifier.pairs": pairs}
    (fault,) = faults_of(INDEPENDENT, alone)
    assert fault.startswith(expected)


def test_all_faults_are_reported_together():
    changes = {"problem.d": 0, "problem.sginal": 2, "generator.p": 7, "training.ridge": -1, "run.seeds": "many"}
    with pytest.raises(ConfigError) as refused:
        parse(changed(INDEPENDENT, changes), source="my.toml")
    message, faults = str(refused.value), refused.value.faults
    assert message.startswith("my.toml: 5 faults, nothing was run\n")
    for key in changes:
        assert sum(fault.startswith(key) for fault in faults) == 1, key
    assert message.splitlines()[1:] == [f"  - {fault}" for fault in faults]


def test_combinations_are_reported_together():
    changes = {"problem.d": 2, "problem.prior": 0.4, "problem.alpha": 0.1, "generator.cos_generator": 1}
    found = faults_of(LINEAR, changes)
    assert [fault.split(" ")[0] for fault in found] == [
        "problem.prior",
        "problem.d",
        "generator.cos_generator",
        "problem.alpha",
    ]


def test_many_impossible_cosines_are_summed_up():
    grid = {"start": -1, "stop": 1, "num": 20}
    found = faults_of(LINEAR, {"generator.cos_generator": grid, "verifier.cos_verifier": grid})
    assert len(found) == 6
    assert found[-1] == "... and more like it"


def points(value, key="generator.p", base=INDEPENDENT):
    table, _, column = key.partition(".")
    return getattr(getattr(parse(changed(base, {key: value})), table), column)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("generator.p", 0.3, (0.3,)),
        ("generator.p", 0, (0.0,)),
        ("generator.p", [0.3, 0.1, 0.3], (0.3, 0.1)),
        ("generator.p", {"start": 0.1, "stop": 0.3, "num": 3}, (0.1, 0.2, 0.3)),
        ("generator.p", {"start": 0.3, "stop": 0.1, "num": 3}, (0.3, 0.2, 0.1)),
        ("generator.p", {"start": 0.3, "stop": 0.3, "num": 5}, (0.3,)),
        ("generator.p", {"start": 0, "stop": 1, "num": 2}, (0.0, 1.0)),
        ("generator.p", [[0.1, 0.3], 0.2], ((0.1, 0.3), 0.2)),
        (
            "problem.signal",
            {"start": 0.01, "stop": 100, "num": 5, "spacing": "log"},
            (0.01, 0.1, 1.0, 10.0, 100.0),
        ),
        ("problem.signal", {"start": 1e-300, "stop": 1e6, "num": 3, "spacing": "log"}, (1e-300, 1e-147, 1e6)),
        ("problem.d", {"start": 10, "stop": 1000, "num": 5, "spacing": "log"}, (10, 32, 100, 316, 1000)),
        ("problem.d", {"start": 2, "stop": 3, "num": 9}, (2, 3)),
        ("training.loss", "logistic", ("logistic",)),
        ("training.loss", ["logistic", "squared", "logistic"], ("logistic", "squared")),
    ],
    ids=name,
)
def test_values_become_points(key, value, expected):
    found = points(value, key)
    assert found == expected
    assert [type(entry) for entry in found] == [type(entry) for entry in expected]


def test_zero_inside_a_range_is_zero():
    grid = {"start": -0.3, "stop": 0.6, "num": 4}
    assert points(grid, "generator.cos_generator", LINEAR) == (-0.3, 0.0, 0.3, 0.6)


def test_minus_zero_is_the_same_cell_as_zero():
    assert (
        cells(parse(changed(INDEPENDENT, {"generator.p": -0.0}))).keys()
        == cells(parse(changed(INDEPENDENT, {"generator.p": 0}))).keys()
    )


RATES = st.floats(0, 1).map(lambda value: round(value, 6))


@settings(max_examples=300, deadline=None)
@given(
    start=RATES,
    stop=RATES,
    num=st.integers(2, 60),
    factor=st.integers(2, 9),
    log=st.booleans(),
)
def test_refined_range_contains_the_old_points_exactly(start, stop, num, factor, log):
    start, stop = (max(start, 1e-6), max(stop, 1e-6)) if log else (start, stop)
    grid = {"start": start, "stop": stop, "num": num, "spacing": "log" if log else "linear"}
    coarse, fine = points(grid), points(grid | {"num": (num - 1) * factor + 1})
    assert set(coarse) <= set(fine)
    assert (coarse[0], coarse[-1]) == (start, stop)


def test_a_range_ends_where_it_is_written_to_end():
    """1 + (1e-6 - 1) is 1.00000000003e-06, a point that nobody wrote; found by the test above."""
    assert points({"start": 1.0, "stop": 1e-6, "num": 2}) == (1.0, 1e-6)


def test_a_range_agrees_with_the_list_a_person_would_write():
    assert points({"start": 0.05, "stop": 0.95, "num": 19}) == tuple(round(0.05 * i, 2) for i in range(1, 20))


def test_rates_per_class():
    config = parse(changed(INDEPENDENT, {"generator.p": [[0.1, 0.3]], "verifier.psi": [0.2, [0, 0.4]]}))
    found = [cell.values for cell in cells(config).values()]
    assert found == [((0.1, 0.3), (0.8, 0.8), (0.2, 0.2)), ((0.1, 0.3), (0.8, 0.8), (0.0, 0.4))]


def test_pairs_replace_the_product():
    pairs = [[1, 1], [0.9, 0.3], [[0.9, 0.7], 0.1], [1, 1]]
    alone = {"verifier.phi": REMOVED, "verifier.psi": REMOVED, "verifier.pairs": pairs}
    assert parse(changed(INDEPENDENT, alone)).verifiers() == ((1.0, 1.0), (0.9, 0.3), ((0.9, 0.7), 0.1))


def test_cosines_on_the_boundary_are_allowed():
    flat = {"generator.cos_generator": 0.6, "verifier.cos_verifier": 0.8, "verifier.cos_between": [0.0, 0.96]}
    assert len(cells(parse(changed(LINEAR, flat)))) == 4


@pytest.mark.parametrize("file", sorted((ROOT / "sweeps").glob("*.toml")), ids=lambda file: file.name)
def test_shipped_sweep_files_load(file):
    assert len(cells(load(file))) > 1


def test_a_sweep_file_may_start_with_comments_and_unicode(tmp_path):
    file = tmp_path / "sweep.toml"
    tables = [f"[{table}]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in keys.items())
              for table, keys in INDEPENDENT.items()]  # fmt: skip
    file.write_text("# λ, ψ\n" + "\n".join(tables), encoding="utf-8")
    assert load(file) == parse(INDEPENDENT)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "no such file"),
        (b"[problem", "not valid TOML"),
        (b"[problem]\nd = 1\nd = 2\n", "not valid TOML"),
        (b"d = " + b"9" * 5000, "not valid TOML"),
        (b"d = " + b"[" * 5000, "not valid TOML"),
        (b"#" * 4_000_001, "longer than 4,000,000 characters"),
        (b"# \xff\xfe", "cannot be read"),
        (b"", "problem.alpha: missing"),
    ],
    ids=["missing", "broken", "twice", "long integer", "deep", "without end", "not UTF-8", "empty"],
)
def test_file_is_refused_by_name(tmp_path, content, expected):
    file = tmp_path / "sweep.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        load(file)
    assert str(refused.value).startswith(f"{file}: ")
    assert expected in str(refused.value)


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


# --- anything else: a usable sweep or a refusal that names a key, never another exception ---

KEYS = [f"{table}.{key.name}" for table, kind in TABLES.items() for key in fields(kind)]
NUMBERS = st.one_of(
    st.sampled_from([0, 1, -1, 2, 0.0, -0.0, 0.1, 0.5, 0.9, 1.0, NAN, INF, -INF, 1e308, 5e-324, 10**400]),
    st.floats(),
    st.floats(0, 1),
    st.integers(-2, 12),
    st.integers(),
)
SCALARS = st.one_of(
    NUMBERS,
    st.booleans(),
    st.sampled_from(["squared", "logistic", "linear", "independent", "log", ""]),
    st.text(max_size=5),
    st.dates(),
)
RANGES = st.fixed_dictionaries(
    {"start": st.one_of(RATES, NUMBERS), "stop": st.one_of(RATES, NUMBERS), "num": st.integers(2, 6) | NUMBERS},
    optional={"spacing": st.sampled_from(["log", "linear", "cubic", 3]), "step": NUMBERS},
)  # fmt: skip
VALUES = st.one_of(
    RATES,
    SCALARS,
    RANGES,
    st.lists(RATES, max_size=4),
    st.lists(st.lists(RATES, min_size=2, max_size=2), min_size=1, max_size=3),
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=8,
    ),
)
CHANGES = st.dictionaries(
    st.one_of(st.sampled_from(KEYS), st.sampled_from([*TABLES, "problem.delta", "extra", "run.seed"])),
    st.one_of(VALUES, st.just(REMOVED)),
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(base=st.sampled_from([INDEPENDENT, LINEAR]), changes=CHANGES)
def test_anything_is_a_usable_sweep_or_a_named_refusal(base, changes):
    ordered = dict(sorted(changes.items(), key=lambda item: "." in item[0]))  # tables first, then keys in them
    tables = {path.partition(".")[0] for path in ordered if "." not in path}
    ordered = {path: value for path, value in ordered.items() if "." not in path or path.split(".")[0] not in tables}
    document = changed(base, ordered)
    try:
        config = parse(document)
    except ConfigError as refused:
        named = "|".join(re.escape(table) for table in {*TABLES, *document})
        for fault in refused.faults:
            assert re.match(rf"(?s)({named})[.: ]|the grid has |\.\.\. and ", fault), fault
        return
    for found in cells(config).values():
        numbers = json.loads(json.dumps(cell_to_json(found), allow_nan=False))
        assert found.shape.n >= 1
        assert numbers[2] > 0
    assert 1 <= config.run.seeds <= 10**7
    assert all(math.isfinite(value) for value in (*config.problem.alpha, *config.problem.signal))


@pytest.mark.parametrize("draws", ["float32", "float64"])
def test_a_retired_key_says_what_to_do(draws):
    with pytest.raises(ConfigError, match=r"run.draws is gone, .* remove the line"):
        parse(changed(INDEPENDENT, {"run.draws": draws}))


EXACT_LAW = {"run.method": "exact-law", "training.loss": "squared"}


def test_the_exact_law_has_rows_like_a_simulation():
    config = parse(changed(INDEPENDENT, EXACT_LAW | {"problem.d": 1_000_000, "run.seeds": 7}))
    assert config.trials == 7
    assert config.run.method == "exact-law"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"training.loss": ["squared", "logistic"]}, ["training.loss = 'logistic'", "only squared is known"]),
        ({"training.ridge": [0.1, 1e-7]}, ["training.ridge = 1e-07", "at least 1e-06"]),
        ({"run.method": "exact"}, ["run.method", "exact-law"]),
    ],
)
def test_what_the_exact_law_cannot_do_is_refused(changes, words):
    with pytest.raises(ConfigError) as refusal:
        parse(changed(INDEPENDENT, EXACT_LAW | changes))
    assert all(word in str(refusal.value) for word in words), refusal.value


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"problem.d": 1_000_000, "problem.alpha": 20}, "problem.alpha = 20"),
        ({"problem.signal": 1e4}, "problem.signal = 10000"),
    ],
)
def test_the_exact_law_of_the_linear_setting_is_bounded(changes, word):
    parse(changed(LINEAR, EXACT_LAW))
    with pytest.raises(ConfigError, match=word):
        parse(changed(LINEAR, EXACT_LAW | changes))


def test_a_sweep_file_may_begin_with_a_byte_order_mark(tmp_path):
    text = "[problem]\nalpha = 4\n[generator]\np = 0.1\n[verifier]\nphi = 0.8\npsi = 0.2\n[training]\nridge = 0.1\n"
    for name, start in (("plain", ""), ("marked", "\ufeff")):
        (tmp_path / f"{name}.toml").write_text(start + text, encoding="utf-8")
    assert load(tmp_path / "marked.toml") == load(tmp_path / "plain.toml")
