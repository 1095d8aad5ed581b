"""ROUGE of text in any script: equal texts score 1, English scores as rouge-score has it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rouge_score")

from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer

from empirical.summarization import rouge
from empirical.summarization.words import Words

FIELD = """{"generated": "नदी शहर पानी", "reference": "नदी शहर पानी"}
{"generated": "река город вода", "reference": "река город вода"}
{"generated": "河 城市 水", "reference": "河 城市 水"}
{"generated": "ποτάμι πόλη νερό", "reference": "ποτάμι πόλη νερό"}
{"generated": "fluss straße größe", "reference": "fluss straße größe"}"""
"""FIELD 2: the first four scored 0."""


def test_equal_texts_score_one_in_every_script():
    pairs = [json.loads(line) for line in FIELD.splitlines()]
    for stemmer in (True, False):
        found = rouge.scores(*([pair[name] for pair in pairs] for name in ("generated", "reference")), stemmer)
        assert found["rouge1"].tolist() == found["rouge2"].tolist() == found["rougeL"].tolist() == [1.0] * 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Naïve café, 2 CAFÉS!", ["naïve", "café", "2", "cafés"]),
        ("cafe\u0301", ["café"]),
        ("河城市、水", ["河", "城", "市", "水"]),
        ("カタカナとひらがな", list("カタカナとひらがな")),
        ("ภาษาไทยดี", ["ภ", "า", "ษ", "า", "ไ", "ท", "ย", "ด\u0e35"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("don't e-mail", ["don", "t", "e", "mail"]),
        ("… — ¿?", []),
        ("", []),
    ],
)
def test_words(text, words):
    assert Words(stemmer=False).tokenize(text) == words


@given(st.text(st.characters(max_codepoint=127), max_size=60), st.booleans())
def test_ascii_is_as_rouge_score_has_it(text, stemmer):
    assert Words(stemmer).tokenize(text) == DefaultTokenizer(use_stemmer=stemmer).tokenize(text)


def test_english_scores_are_unchanged():
    pairs = [("The river runs past the city", "A river passed cities running"), ("nothing", "at all"), ("", "empty")]
    scorer = RougeScorer(list(rouge.KINDS), use_stemmer=True)
    found = rouge.scores(*map(list, zip(*pairs, strict=True)), stemmer=True)
    for kind in rouge.KINDS:
        np.testing.assert_array_equal(
            found[kind], [scorer.score(reference, summary)[kind].fmeasure for summary, reference in pairs]
        )


def test_a_reference_without_a_word_is_told(capsys):
    rouge.scores(["a", "b"], ["…", "b"], stemmer=False)
    assert "1 of 2 references have no word" in capsys.readouterr().err
    rouge.scores(["a", "b"], ["水", "b"], stemmer=False)
    assert capsys.readouterr().err == ""
