"""Whether a made-up corpus is hard enough to show anything: ROUGE alone can be high for outputs that say nothing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from empirical.summarization import rouge
from empirical.summarization.stories import LEXICON, OBJECTS, SLOTS, VERBS, WORDINGS, reference
from theory.errors import InputError

CANDIDATES = 2000
"""References among which a constant output is sought."""
ASKED = {"person": "who", "place": "where", "number": "how many"}
"""Slots that are gates, and what readers ask for them."""
Gate = dict[str, Any]


def gates(generated: pd.DataFrame, rows: pd.DataFrame, train: pd.DataFrame, stemmer: bool) -> list[Gate]:
    """All gates, each {"gate", "value", "wanted", "passed"}: shares, and ROUGE in points.

    ``value`` is None where it is not defined, ``wanted`` where a gate is for comparison only.
    ``generated`` (id, generated) is what a trained generator says of the test stories ``rows``; ``train`` has the
    references it was trained on.
    """
    right = slot_accuracy(generated, rows)
    constant = constant_baseline(rows["summary"].tolist(), train["summary"].tolist(), stemmer)
    perfect = perfect_content(rows, stemmer)
    return [
        _gate("distinct outputs", distinct_share(generated), 0.5, 1.0),
        *(_gate(f"{asked} is right", right[slot], 0.3, 0.8) for slot, asked in ASKED.items()),
        _gate("ROUGE-1 of the best constant output", 100 * constant, 25, 35),
        {"gate": "ROUGE-1 of perfect content", "value": 100 * perfect, "wanted": None, "passed": None},
        _gate("articles that do not begin with the lead", lead_not_first(rows), 0.2, 0.5),
    ]


def slot_accuracy(generated: pd.DataFrame, rows: pd.DataFrame) -> dict[str, float]:
    """Share of right outputs by slot of SLOTS, among those whose wording calls for the slot; NaN where none does.

    An output calls for a slot if it has a word that fills it; it is right if all such words in it are those of the
    article's own story. For the event these are the verbs and objects of references, and both must be there.
    Raises ValueError for a generated id that ``rows`` lacks.
    """
    stories = _told(generated, rows)
    outputs = [set(text.split()) for text in generated["generated"]]
    found = {}
    for slot in SLOTS:
        fillers = {*VERBS.values(), *OBJECTS.values()} if slot == "event" else set(LEXICON[slot])
        said = [words & fillers for words in outputs]
        true = [_content(value) if slot == "event" else {value} for value in stories[slot]]
        right = [words == wanted for words, wanted in zip(said, true, strict=True) if words]
        found[slot] = float(np.mean(right)) if right else float("nan")
    return found


def distinct_share(generated: pd.DataFrame) -> float:
    """Different outputs per output."""
    return generated["generated"].nunique() / len(generated)


def constant_baseline(references: Sequence[str], train: Sequence[str], stemmer: bool) -> float:
    """ROUGE-1 of the best constant output, one of the ``train`` references.

    It is the one with the highest mean ROUGE-1 (of different words, no stemmer) against the others of the first 2000.
    A bag of words that is no sentence can score more.
    """
    candidates = list(train[:CANDIDATES])
    counts = pd.Series([sorted(set(text.split())) for text in candidates]).explode()
    has = pd.crosstab(counts.index, counts).to_numpy(np.float32)
    length = has.sum(axis=1)
    similarity = 2 * (has @ has.T) / (length[:, None] + length)
    best = candidates[int(similarity.mean(axis=0).argmax())]
    return float(rouge.scores([best] * len(references), references, stemmer)["rouge1"].mean())


def perfect_content(rows: pd.DataFrame, stemmer: bool) -> float:
    """ROUGE-1 of outputs that tell every story rightly, in that wording of references which scores best."""
    stories, references = rows[list(SLOTS)].to_dict("records"), rows["summary"].tolist()
    told = [[reference(story, wording) for story in stories] for wording in WORDINGS]
    return max(float(rouge.scores(outputs, references, stemmer)["rouge1"].mean()) for outputs in told)


def lead_not_first(rows: pd.DataFrame) -> float:
    """Share of articles whose first sentence is of something else: it does not name the story's person."""
    first = [text.split(" .")[0].split() for text in rows["text"]]
    return float(np.mean([person not in words for person, words in zip(rows["person"], first, strict=True)]))


def _gate(name: str, value: float, low: float, high: float) -> Gate:
    """``wanted`` is above ``low`` and at most ``high``."""
    known = not np.isnan(value)
    wanted = f"{low:g} to {high:g}"
    return {"gate": name, "value": value if known else None, "wanted": wanted, "passed": known and low < value <= high}


def _content(event: str) -> set[str]:
    """Words by which references tell an event."""
    verb, thing = event.split()
    return {VERBS[verb], OBJECTS[thing]}


def _told(generated: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The stories of the outputs, in their order."""
    stories = rows.set_index("id")
    missing = generated["id"][~generated["id"].isin(stories.index)]
    if len(missing):
        raise InputError(f"{len(missing)} outputs have no story, such as id {missing.iloc[0]!r}; give their stories")
    return stories.loc[generated["id"]]
