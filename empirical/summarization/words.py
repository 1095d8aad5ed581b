"""What ROUGE compares: words of any script, or characters where a script puts no blanks between words.

`rouge-score` itself keeps [a-z0-9] alone: text in another script has no words and scores 0 whatever it says, and
accents split words. For English without accents the words here are the same.
"""

import unicodedata
from itertools import groupby

from rouge_score.tokenizers import Tokenizer

WITHOUT_BLANKS = ("CJK ", "HIRAGANA", "KATAKANA", "THAI ", "LAO ", "KHMER ", "MYANMAR ", "TIBETAN ", "YI SYLLABLE")
"""How names of letters begin of which each is a word of its own."""


class Words(Tokenizer):
    """Lower-case words: letters, marks and digits in a row; with Porter's stemmer for those of a-z and 0-9."""

    def __init__(self, stemmer: bool) -> None:
        """``stemmer``: whether words of more than three letters are stemmed."""
        from nltk.stem.porter import PorterStemmer  # type: ignore[import-untyped, import-not-found, unused-ignore]

        self._stem = PorterStemmer().stem if stemmer else None

    def tokenize(self, text: str) -> list[str]:
        """The words of a text; none where it has no letter and no digit."""
        found: list[str] = []
        for kind, run in groupby(unicodedata.normalize("NFC", text.lower()), _kind):
            if kind == "word":
                found.append("".join(run))
            elif kind == "alone":
                found += _alone("".join(run))
        return [self._stemmed(word) for word in found]

    def _stemmed(self, word: str) -> str:
        return str(self._stem(word)) if self._stem and len(word) > 3 and word.isascii() else word


def _kind(letter: str) -> str:
    """Whether a letter is part of a word, a word alone, or between words."""
    if letter.isascii():
        return "word" if letter.isalnum() else ""
    if unicodedata.category(letter)[0] not in "LMN":
        return ""
    return "alone" if unicodedata.name(letter, "").startswith(WITHOUT_BLANKS) else "word"


def _alone(run: str) -> list[str]:
    """Letters of a script without blanks, each with its marks."""
    found: list[str] = []
    for letter in run:
        if found and unicodedata.category(letter)[0] == "M":
            found[-1] += letter
        else:
            found.append(letter)
    return found
