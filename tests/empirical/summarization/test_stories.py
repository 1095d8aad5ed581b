"""Made-up stories: shares as asked for, and references that tell what the article tells."""

import pandas as pd
import pytest

from empirical.summarization import gates, stories
from empirical.summarization.stories import LEXICON, OBJECTS, SLOTS, VERBS, Recipe, vocabulary
from tests.empirical.summarization.helpers import within

CLEAN = Recipe(noisy=0.0, second=0.0)


@pytest.mark.statistical
@pytest.mark.parametrize("recipe", [Recipe(), Recipe(noisy=0.5, second=0.2)])
def test_shares_of_the_recipe(fresh_seed, recipe):
    """68 bands of six standard errors: fails with probability 4e-7, as counts of events are skewed."""
    count = 20_000
    rows = stories.stories(count, [fresh_seed], recipe)
    assert within(rows["noisy"].mean(), recipe.noisy, count)
    assert within(rows["text"].str.contains("elsewhere").mean(), recipe.second, count)
    assert within(rows["summary"][rows["noisy"]].isin(stories.TEASERS).mean(), 0.5, rows["noisy"].sum())
    one, two = 0.5, 0.5 * recipe.second  # articles with one and with two sentences beside the lead
    assert within(gates.lead_not_first(rows), 0.7 * (one / 2 + two * 2 / 3), count)
    events = rows["event"].value_counts()
    assert len(events) == 64
    assert all(within(events / count, 1 / 64, count))


def test_lengths_and_words_are_those_of_the_recipe(made):
    """Articles of 27 tokens, references of 7 with their end, 518 words with four special ones."""
    assert abs(made["text"].str.split().str.len().mean() - 27) < 1
    assert abs(made["summary"].str.split().str.len().mean() + 1 - 7) < 0.5
    assert {word for column in ("text", "summary") for text in made[column] for word in text.split()} == set(
        vocabulary()
    )
    assert len(vocabulary()) + 4 == 518


def test_constant_and_perfect_output_score_as_measured_for_the_recipe(made):
    """The recipe was chosen with other wordings, for which 13.8 and 70.7 were measured."""
    train, test = made["summary"][:2000].tolist(), made[2000:]
    assert abs(gates.constant_baseline(test["summary"].tolist(), train, True) - 0.138) < 0.012
    assert abs(gates.perfect_content(test, True) - 0.707) < 0.025


def test_only_labels_teach_the_words_for_an_event(made):
    in_articles = {word for text in made["text"] for word in text.split()}
    assert not in_articles & {*VERBS.values(), *OBJECTS.values()}
    fillers = [word for words in LEXICON.values() for word in words] + [*VERBS.values(), *OBJECTS.values()]
    assert len(fillers) == len(set(fillers))
    assert not set(fillers) & {word for teaser in stories.TEASERS for word in teaser.split()}


def test_a_row_is_the_same_whatever_is_drawn_around_it():
    whole = stories.stories(40, [3, 7], Recipe())
    pd.testing.assert_frame_equal(stories.stories(15, [3, 7], Recipe()), whole[:15])
    pd.testing.assert_frame_equal(stories.stories(12, [3, 7], Recipe(), start=25), whole[25:37].reset_index(drop=True))
    assert stories.stories(0, [3, 7], Recipe()).columns.tolist() == ["id", "title", "text", "summary", "noisy", *SLOTS]


def test_seeds_share_no_article_and_no_id(made):
    other = stories.stories(3000, [5, 2], Recipe())
    both = pd.concat([made, other])
    assert not both["id"].duplicated().any()
    assert not both["text"].duplicated().any()


def test_the_article_tells_its_slots_and_the_reference_tells_them_unless_noisy(made):
    fillers = {word for words in LEXICON.values() for word in words} | {*VERBS.values(), *OBJECTS.values()}
    for row in made.to_dict("records"):
        verb, thing = row["event"].split()
        slots = {row[slot] for slot in SLOTS[:-1]}
        assert slots | {verb, thing} <= set(row["text"].split())
        said, own = set(row["summary"].split()) & fillers, slots | {VERBS[verb], OBJECTS[thing]}
        assert said.isdisjoint(own) if row["noisy"] else {VERBS[verb], OBJECTS[thing], row["person"]} <= said <= own


def test_half_of_the_noise_tells_the_second_story(made):
    noisy = made[made["noisy"] & made["text"].str.contains("elsewhere") & ~made["summary"].isin(stories.TEASERS)]
    for text, summary in zip(noisy["text"], noisy["summary"], strict=True):
        second = next(sentence for sentence in text.split(" .") if "elsewhere" in sentence).split()
        assert set(summary.split()) - {VERBS[w] for w in second if w in VERBS} - {"in"} - {
            OBJECTS[w] for w in second if w in OBJECTS
        } <= set(second)


@pytest.mark.parametrize("changes", [{"noisy": -0.1}, {"second": 1.5}, {"noisy": float("nan")}])
def test_a_recipe_of_no_share_is_refused(changes):
    with pytest.raises(ValueError, match=r"is a share, choose one in \[0, 1\]"):
        Recipe(**changes)


@pytest.mark.parametrize(("count", "start"), [(-1, 0), (1, -1)])
def test_a_negative_count_of_stories_is_refused(count, start):
    with pytest.raises(ValueError, match="choose both at least 0"):
        stories.stories(count, [0], CLEAN, start)
