"""From package lists to a corpus whose near-twins are never parted."""

import bz2
import gzip
import lzma
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from empirical.summarization import corpus, package_lists
from empirical.summarization.descriptions import TEST, build, families, licence_of, pairs, untold
from empirical.summarization.package_lists import Package, files_of, packages, paragraphs
from tests.empirical.experiments import main
from tests.empirical.summarization.helpers import within
from tests.empirical.summarization.lists import INLINE, PACKAGES, TRANSLATED

COMMAND = "pstar summarization corpus debian --out {folder}"


def written(folder, **texts):
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


def many(count, twins):
    """``count`` sources of ``twins`` packages each, whose descriptions are alike, and no others are."""
    words = ["".join(chr(97 + (number // 26**place) % 26) for place in range(4)) for number in range(count)]
    text = lambda word: " ".join(f"{word}{chr(97 + place // 26)}{chr(97 + place % 26)}" for place in range(40))
    return [
        Package(f"{word}-{twin}", f"{word}{twin}", "misc", f"synopsis {word} {twin}", f"{twin} {word} {text(word)}")
        for word in words
        for twin in range(twins)
    ]


def test_paragraphs_are_lines():
    assert paragraphs("One two\nthree.\n.\n  * four\n  * five\n.\n.\nsix\n") == "One two three.\n* four * five\nsix"


@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode()), None])
def test_lists_are_read_however_they_are_packed(tmp_path, pack):
    pack = pack or (lambda text: lzma.compress(text.encode()))
    folder = tmp_path / "lists"
    folder.mkdir()
    for name, text in (("m_Packages", PACKAGES), ("m_i18n_Translation-en", TRANSLATED), ("small_Packages", INLINE)):
        (folder / name).write_bytes(pack(text))
    (folder / "lock").write_text("")
    found = {package.name: package for package in packages(files_of([folder]))}
    assert found["abacus"] == Package(
        "abacus",
        "abacus",
        "education",
        "counts beads on wires",
        "Abacus shows wires with beads on the screen. They are moved by the mouse, and the number that they stand for "
        "is written below. There are nine wires with ten beads each, and every wire has another colour.\n"
        "It is meant for schools.",
    )
    assert found["libabacus2-dev"].source == "libabacus2"
    assert (found["mill"].source, found["mill"].synopsis) == ("mill", "grinds numbers")
    assert found["orphan"].source == ""


def test_what_is_short_repeated_or_of_unknown_source_is_left_out(tmp_path):
    folder = written(tmp_path / "lists", Packages=PACKAGES, **{"Translation-en": TRANSLATED}, small_Packages=INLINE)
    rows, counts = pairs(packages(files_of([folder])))
    # the description of abacus-data begins as that of abacus does, zebra-again has zebra's synopsis
    assert {row["id"] for row in rows} == {"abacus", "kite", "libabacus2-dev", "libabacus3-dev", "mill", "zebra"}
    assert counts == {"short": 1, "unsourced": 1, "repeated": 2}
    family = {row["id"]: row["family"] for row in rows}
    assert family["libabacus2-dev"] == family["libabacus3-dev"] != family["abacus"]


@pytest.mark.statistical
def test_a_family_is_in_one_part_and_a_test_share_of_all_are_for_test(tmp_path, monkeypatch, fresh_seed):
    """Shares by six standard errors: fails with 1e-8. The twin that must fail: each source by itself, where 27 % of
    the families straddle; that fewer than 20 % do has a probability below 1e-11."""
    count, twins = 2000, 3
    found = many(count, twins)
    order = np.random.default_rng(fresh_seed).permutation(len(found))
    monkeypatch.setattr("empirical.summarization.descriptions.packages", lambda files: [found[i] for i in order])
    lists = [written(tmp_path / "lists", Packages=PACKAGES)]

    def parted(out):
        """Words of sources in each part; of one word are those of one family."""
        build(out, lists, COMMAND)
        parts = (pd.read_json(out / f"{name}.jsonl", lines=True) for name in ("train", "test"))
        return [set(part["source"].str.rstrip("0123456789")) for part in parts]

    train, test = parted(tmp_path / "out")
    assert not train & test
    assert len(train) + len(test) == count
    assert within(len(test) / count, TEST, count)
    alone = lambda kept: {package.source: package.source for package in kept}
    monkeypatch.setattr("empirical.summarization.descriptions.families", alone)
    monkeypatch.setattr("empirical.summarization.descriptions.untold", lambda test, train: test)
    train, test = parted(tmp_path / "twin")
    assert len(train & test) > 0.2 * count


def test_of_test_is_left_out_what_has_half_of_its_runs_in_one_text_of_train():
    """Runs of eight words of a text of 27 are 20; two texts of train that have a quarter each are no twin."""
    words = [f"{first}{second}" for first in "abcdefghi" for second in "xyz"]
    row = lambda text: {"text": " ".join(text)}
    halves, other = [row(words[:17]), row(words[10:])], ["else"] * 30
    assert untold([row(words)], [row(words[:17])]) == []  # 10 of 20
    assert untold([row(words)], [row([*other, *words[:17], *other])]) == []
    assert untold([row(words)], [row(words[:16]), row(other)]) == [row(words)]  # 9 of 20
    assert untold([row(words)], [row(words[:12]), row(words[15:])]) == [row(words)]  # 5 and 5
    assert untold([row([w.upper() for w in words])], halves[:1]) == []
    assert untold([row(words[:5])], [row(words)]) == [row(words[:5])]  # no run to judge by


def test_sources_are_one_family_by_their_names_or_by_how_their_descriptions_begin():
    text = "words that a description of some length begins with, sixty letters and more of them"
    found = [
        Package("gcc-11", "gcc-11", "", "a", f"one {text}"),
        Package("gcc-12", "gcc-12", "", "b", f"two {text}"),
        Package("cross", "gcc-cross-ports", "", "c", f"Two, {text}, and others"),
        Package("other", "other", "", "d", f"three {text}"),
    ]
    family = families(found)
    assert family["gcc-11"] == family["gcc-12"] == family["gcc-cross-ports"] == "gcc-11"
    assert family["other"] == "other"


def test_the_command_makes_a_corpus_that_the_experiment_reads(monkeypatch, capsys, tmp_path):
    lines = many(60, 2)
    stanzas = "\n".join(
        f"Package: {p.name}\nVersion: 1\nSource: {p.source}\nDescription: {p.synopsis}\n {p.text}\n" for p in lines
    )
    folder = written(tmp_path / "lists", Packages=stanzas)
    words = ("summarization", "corpus", "debian", "--lists", folder)
    assert main(monkeypatch, *words, "--out", tmp_path / "one") == 0
    assert "120 pairs of a description and its synopsis" in capsys.readouterr().out
    assert main(monkeypatch, *words, "--out", tmp_path / "two") == 0
    for name in ("train.jsonl", "test.jsonl", "README.md", "provenance.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    about = corpus.resolve(str(tmp_path / "one"), "")
    assert "not to be passed on" in about["licence"]
    rows = corpus.read(about["source"], "", "train")
    assert list(rows.columns) == ["id", "title", "text", "summary", "source", "section", "family"]
    assert main(monkeypatch, "verify", tmp_path / "one") == 0
    (tmp_path / "one" / "train.jsonl").write_text("{}\n")
    capsys.readouterr()
    assert main(monkeypatch, "verify", tmp_path / "one") == 1
    assert "summarization corpus debian" in capsys.readouterr().out


def test_a_folder_that_says_no_licence_has_none(tmp_path):
    for content in ("", "[]", '{"licence": 3}'):
        (tmp_path / "provenance.json").write_text(content)
        assert licence_of(tmp_path) is None
    assert licence_of(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({}, "holds no package list"),
        ({"Packages": "nothing of the kind\n"}, "is no package list: it has no stanza with 'Package:'"),
        ({"Packages": PACKAGES}, "no extended descriptions: give Translation-en beside Packages"),
        ({"Translation-en": TRANSLATED}, "no source packages: give the Packages list beside Translation-en"),
        ({"Packages": INLINE}, "1 pairs are too few to be split"),
    ],
)
def test_lists_that_do_not_do_are_refused(tmp_path, texts, message):
    folder = written(tmp_path / "lists", **texts)
    with pytest.raises(ValueError, match=message):
        build(tmp_path / "out", [folder], COMMAND)
    assert not (tmp_path / "out").exists()


def spoilt(packed):
    return packed[:20] + bytes(byte ^ 255 for byte in packed[20:40]) + packed[40:]


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
@pytest.mark.parametrize("spoil", [lambda packed: packed[:-20], spoilt])
def test_a_list_that_cannot_be_unpacked_is_named(tmp_path, pack, spoil):
    (tmp_path / "Packages.gz").write_bytes(spoil(pack(PACKAGES.encode())))
    with pytest.raises(RuntimeError, match=r"Packages\.gz cannot be unpacked"):
        packages([tmp_path / "Packages.gz"])


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress])
def test_no_more_is_unpacked_than_a_list_can_have(tmp_path, monkeypatch, pack):
    (tmp_path / "Packages").write_bytes(pack(PACKAGES.encode() + b" \n" * 100_000))
    assert packages([tmp_path / "Packages"])
    monkeypatch.setattr(package_lists, "MOST", 100_000)
    with pytest.raises(ValueError, match="Packages has more than 0 MiB, more than any package list"):
        packages([tmp_path / "Packages"])


STREAM = '#!/bin/sh\nprintf "%s\\n" "$@" > "$0.words"\nexec cat "$2"\n'


def test_apts_helper_unpacks_by_an_absolute_name_and_no_more_than_a_list_can_have(tmp_path, monkeypatch):
    """Lists of a hostile folder have names that begin as options do."""
    helper = tmp_path / "helper"
    helper.write_text(STREAM)
    helper.chmod(0o755)
    name = "-oDir::Etc=x_Packages"
    (tmp_path / name).write_bytes(package_lists.BY_APT[0] + b"\n\n" + PACKAGES.encode() + b" \n" * 100_000)
    monkeypatch.setattr(package_lists, "HELPER", str(helper))
    monkeypatch.chdir(tmp_path)
    found = files_of([Path()])
    assert [str(path) for path in found] == [name]
    assert "kite" in {package.name for package in packages(found)}
    assert (tmp_path / "helper.words").read_text().splitlines() == ["cat-file", str(tmp_path / name)]
    monkeypatch.setattr(package_lists, "MOST", 100_000)
    with pytest.raises(ValueError, match="has more than 0 MiB"):
        packages(found)
    helper.write_text("#!/bin/sh\nexit 100\n")
    with pytest.raises(RuntimeError, match=r"cannot be unpacked \(.*ended with 100"):
        packages(found)


def test_lines_may_end_as_on_windows(tmp_path):
    (tmp_path / "Packages").write_bytes(PACKAGES.replace("\n", "\r\n").encode())
    (tmp_path / "plain_Packages").write_bytes(PACKAGES.encode())
    assert packages([tmp_path / "Packages"]) == packages([tmp_path / "plain_Packages"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("corpus",), "name one of debian"),
        (("corpus", "debian", "--dry-run", "--seeds", 3), "--seeds, --dry-run: not for `pstar summarization corpus`"),
        (("corpus", "fedora"), "corpus fedora: name one of debian"),
        (("run", "debian", "--preset", "small"), "debian: for `pstar summarization corpus debian --out DIR` only"),
        (("run",), "--preset is missing: one of small"),
    ],
)
def test_wrong_calls_of_the_command(monkeypatch, capsys, tmp_path, words, message):
    assert main(monkeypatch, "summarization", *words, "--out", tmp_path / "out") == 2
    assert message in capsys.readouterr().err
