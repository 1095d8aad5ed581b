"""Calls that are wrong, and the one line that each gets. No verb is run: what is wrong is said before any work."""

import pytest

from pstar.cli import ABOUT, COMMANDS
from pstar.line.dispatch import dispatch

P = "help: pstar predict --help"
RATES = ["--p", ".3", "--phi", ".8", "--psi", ".2"]
WRONG = [
    # words, the line without "error: "
    (["predcit"], "'predcit' is no command. Perhaps you meant pstar predict; help: pstar --help"),
    (["swep", "x.toml"], "'swep' is no command. Perhaps you meant pstar sweep; help: pstar --help"),
    (["plot", "x"], "'plot' is no command. Perhaps you meant pstar figures; help: pstar --help"),
    (["--versoin"], "--versoin is no option. Perhaps you meant pstar --version; help: pstar --help"),
    (["--json", "predict"], "--json stands before the command; type pstar predict first, then options; help: pstar"),
    (["-v"], "-v is no option. Perhaps you meant pstar --version; help: pstar --help"),
    (["--tyro-print-completion", "--out"], "--tyro-print-completion is not for typing; completion is pstar completion"),
    (["predict", "--p", "30%", *RATES[2:]], f"--p '30%' is not a number in [0, 1]; type --p 0.3; {P}"),
    (["predict", "--p", "0,3", *RATES[2:]], f"--p '0,3' is not a number in [0, 1]; type --p 0.3; {P}"),
    (["predict", "--p", "30", *RATES[2:]], "--p = 30 is outside [0, 1] (error rate P(y' != y)); for 30% type --p 0.3"),
    (["predict", "--p", "abc", *RATES[2:]], f"--p 'abc' is not a number in [0, 1]; type one, such as --p 0.3; {P}"),
    (["predict", "--p", "", *RATES[2:]], f"--p '' is not a number in [0, 1]; type one, such as --p 0.3; {P}"),
    (["predict", "--p", "nan", *RATES[2:]], "--p = nan is no finite number in [0, 1]; type one, such as --p 0.3"),
    (["predict", *RATES, "--alpha", "1/2"], f"--alpha '1/2' is not a number in (0, inf); type --alpha 0.5; {P}"),
    (["predict", *RATES, "--alpha", "1/0"], "--alpha '1/0' is not a number in (0, inf); type one, such as --alpha 10"),
    (["predict", *RATES, "--alpha", "1,000"], f"--alpha '1,000' is not a number in (0, inf); type --alpha 1000; {P}"),
    (["predict", *RATES, "--n", "1k"], f"--n '1k' is not a number in (0, inf); type --n 1000; {P}"),
    (["predict", *RATES, "--ridge", "1e-400"], "--ridge = 1e-400 is too small to be told from 0; type --ridge 0"),
    (["predict", *RATES, "--ridge", "-1"], "--ridge = -1 is outside [0, inf) (L2 penalty relative to the mean over"),
    (
        ["predict", *RATES, "--lambda", ".5"],
        f"--lambda is no option of pstar predict. Perhaps you meant --ridge .5; {P}",
    ),
    (
        ["predict", "--accuracy", ".7", *RATES[2:]],
        f"--accuracy is no option of pstar predict; the generator's error rate is 1 - accuracy: --p 0.3; {P}",
    ),
    (["predict", *RATES, "--alpa", "3"], f"--alpa is no option of pstar predict. Perhaps you meant --alpha 3; {P}"),
    (["predict", "-p", ".3"], f"-p is no option of pstar predict. Perhaps you meant --p .3; {P}"),
    (["predict", "p=.3"], f"'p=.3' is a word too many for pstar predict; perhaps you meant --p=.3; {P}"),
    (["predict", *RATES, "--phi", ".9"], f"--phi is given twice ('.8' and '.9'); give it once; {P}"),
    (["predict", *RATES, "--loss", "hing"], "--loss 'hing' is none of squared, logistic and hinge. Perhaps you meant"),
    (["predict", "--p"], f"--p has no value; type --p FLOAT with a number in [0, 1]; {P}"),
    (["predict", "--p", "--json"], f"--p has no value; type --p FLOAT with a number in [0, 1]; {P}"),
    (["predict", "--json=yes"], f"--json takes no value: type --json alone; {P}"),
    (["predict", *RATES, "--classes", "9" * 400], "--classes = 999999999999999999999999999999... (400 characters) is"),
    (["sweep", "a.toml"], "--out DIR is missing: result folder or URL (s3://...); help: pstar sweep --help"),
    (["sweep", "", "--out", "x"], "FILE.toml is empty (''); give one; help: pstar sweep --help"),
    (
        ["sweep", "a.toml", "--out", "x", "--workers", "1.5"],
        "--workers '1.5' is not a whole number of at least 1; type",
    ),
    (
        ["sweep", "a.toml", "--out", "x", "--worker", "2"],
        "--worker is no option of pstar sweep. Perhaps you meant --work",
    ),
    (
        ["sweep", "a.toml", "b.toml", "--out", "x"],
        "'b.toml' is a word too many for pstar sweep; it takes FILE.toml and",
    ),
    (["sweep", "a\0b", "--out", "x"], "FILE.toml 'a\\x00b' has a null character; help: pstar sweep --help"),
    (["audit", "--kept", "a", "r.csv"], "RECORDS is missing: a row per label; 'a' and 'r.csv' belong to --kept: put"),
    (["audit", "r.csv", "--kept", "a", "--kept", "b"], "--kept is given twice ('a' and 'b'); name all after one, as"),
    (["audit", "r.csv", "--level", "95%"], "--level '95%' is not a number in (0, 1); type --level 0.95; help: pstar"),
    (["features", "x.npy", "--n", "1,000"], "--n '1,000' is not a whole number of at least 1; type --n 1000; help:"),
    (["eigenvalues", "rnu", "--out", "x", "--profile", "quick"], "'rnu' is none of run, data, train-generator,"),
    (
        ["completion", "bahs"],
        "'bahs' is none of bash, zsh and fish. Perhaps you meant bash; help: pstar completion --help",
    ),
    (["predict", "--p", "\x1b[31m.3"], "--p '\\x1b[31m.3' is not a number in [0, 1]; type one, such as --p 0.3"),
]


def refused(words, capsys):
    """The line that a wrong call gets."""
    with pytest.raises(SystemExit) as end:
        dispatch(words, COMMANDS, ABOUT)
    said = capsys.readouterr()
    assert (end.value.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert said.err.startswith("error: ")
    return said.err.removeprefix("error: ").rstrip("\n")


@pytest.mark.parametrize(("words", "line"), WRONG, ids=[repr(" ".join(words))[:50] for words, _ in WRONG])
def test_a_wrong_call_gets_one_line(words, line, capsys):
    said = refused(words, capsys)
    assert said.startswith(line)
    assert "; help: pstar " in said


def test_all_that_is_wrong_is_said_at_once(capsys):
    words = ["predict", "--p", "30%", "--lambda", ".4", "--phi", "3", "--loss", "log", "--json", "x", "--alpha=0"]
    said = refused(words, capsys)
    for part in ("--p '30%'", "--lambda is no option", "--phi = 3", "--loss 'log'", "'x' is a word", "--alpha = 0"):
        assert said.count(part) == 1
    assert said.startswith("(1) ")
    assert "(6) " in said
    assert "(7) " not in said


@pytest.mark.parametrize("verb", COMMANDS)
@pytest.mark.parametrize("words", [["--nonsense"], ["--out"], ["\x1b"], ["-"], ["--"], [""], ["\u2603"] * 7])
def test_any_words_end_in_a_call_or_one_line(verb, words, capsys):
    code = 0
    try:
        dispatch([verb, *words], COMMANDS, ABOUT)
    except SystemExit as end:
        code = end.code
    said = capsys.readouterr()
    assert (code, said.out, said.err.count("\n")) in [(0, "", 0), (2, "", 1)]


RIGHT = [
    (["predict", "--cos-generator", "-.21", "--cos_verifier=-1e-3"], {"cos_generator": -0.21, "cos_verifier": -0.001}),
    (["predict", "--n", "1e3", "--d", "1e2", "--classes", "3"], {"n": 1000.0, "d": 100, "classes": (3,)}),
    (["predict", "--classes", "--table", "a b.csv"], {"classes": ()}),
    (["audit", "-", "--kept", "a", "b", "--no-json", "--class", "c"], {"kept": ("a", "b"), "json": False}),
    (["features", "x.npy", "y.npy", "--seed", "9007199254740993"], {"seed": 9007199254740993}),
]


@pytest.mark.parametrize(("words", "values"), RIGHT, ids=[" ".join(words) for words, _ in RIGHT])
def test_what_can_be_run_is_run_with_what_was_said(words, values):
    found = {}
    verb = COMMANDS[words[0]]

    def recorded(**given):
        found.update(given)

    import inspect

    recorded.__signature__ = inspect.signature(verb)
    name, call = dispatch(words, {words[0]: recorded}, ABOUT)
    call()
    assert name == words[0]
    assert {key: found[key] for key in values} == values
    assert set(found) == set(inspect.signature(verb).parameters)
