"""The encoder: what is cut, what carries loss, and that all tokenizers agree with it."""

import copy

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from empirical.summarization import encode
from empirical.summarization.encode import IGNORED, Encoder, Example, Format, collate, describe, pad_left, shown
from tests.empirical.summarization.tokenizers import KINDS, WORDS, llama2_like, sentences, word_level

TOKENIZERS = {kind: make() for kind, make in KINDS.items()}
kinds = pytest.mark.parametrize("kind", KINDS)
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=60).map(" ".join)


def encoder(kind, block=40, room=12, **changes):
    return Encoder(copy.deepcopy(TOKENIZERS[kind]), Format(block, room, **({"separator": " summary"} | changes)))


def whole(coder, text):
    return coder.tokenizer(text, add_special_tokens=False)["input_ids"]


@kinds
@given(article=texts, summary=texts)
def test_the_article_gives_way_and_the_summary_never(kind, article, summary):
    coder = encoder(kind, block=250)
    empty = coder.prompt("")
    found = coder.example(article, summary)
    prompt, answer = found.ids[: found.start], found.ids[found.start :]
    assert answer[-1] == coder.eos
    assert coder.eos not in answer[:-1]
    assert coder.text(answer) == summary
    assert len(found.ids) <= 250
    kept = prompt[len(coder._before) : len(prompt) - len(coder._after)]
    assert kept == whole(coder, article)[: len(kept)]
    assert len(kept) == min(len(whole(coder, article)), 250 - len(empty) - max(12, len(answer)))
    if len(answer) <= 12:
        assert prompt == coder.prompt(article)


@kinds
def test_an_article_is_cut_at_its_end_to_its_budget(kind):
    coder = encoder(kind)
    article = sentences(1, low=80, high=80)[0]
    prompt = coder.prompt(article)
    assert prompt == [*coder._before, *whole(coder, article)[: coder.budget], *coder._after]
    assert len(prompt) == 40 - 12
    assert len(coder.example(article, "police")) == 2
    assert coder.example(article, "police").ids[:28] == prompt


@kinds
def test_a_summary_longer_than_its_room_takes_it_from_the_article(kind):
    coder = encoder(kind, block=300)
    article, summary = sentences(1, low=300, high=300)[0], sentences(1, seed=9, low=60, high=60)[0]
    ids, start = coder.example(article, summary)
    assert (len(ids), coder.text(ids[start:])) == (300, summary)
    kept = start - len(coder.prompt(""))
    assert 0 < kept < coder.budget
    assert ids[:start] == [*coder._before, *whole(coder, article)[:kept], *coder._after]


@kinds
def test_many_at_once_are_as_one_by_one(kind, monkeypatch):
    monkeypatch.setattr(encode, "AT_ONCE", 3)
    coder = encoder(kind, block=300, room=40)
    articles, summaries = sentences(10, seed=1), sentences(10, seed=2, high=8)
    assert coder.prompts(articles) == [coder.prompt(article) for article in articles]
    assert coder.examples(articles, summaries) == [
        coder.example(*pair) for pair in zip(articles, summaries, strict=True)
    ]
    assert coder.prompts([]) == coder.examples([], []) == []
    with pytest.raises(ValueError, match="shorter"):
        coder.examples(articles, summaries[:-1])


@kinds
def test_of_a_long_article_only_the_beginning_is_read_and_the_tokens_are_the_same(kind, monkeypatch):
    coder = encoder(kind, block=100)
    articles = [*sentences(4, seed=3, low=3000, high=3000), "the wall . \n\n end  of \n seven .\n" * 500]
    expected = [[*coder._before, *whole(coder, article)[: coder.budget], *coder._after] for article in articles]
    read = []
    inner = coder._ids
    monkeypatch.setattr(coder, "_ids", lambda texts: read.extend(texts) or inner(texts))
    assert coder.prompts(articles) == expected
    assert max(map(len, read)) < 1000 < min(map(len, articles))


def test_a_beginning_with_too_few_tokens_is_read_on():
    coder = encoder("word", block=100)
    article = " ".join(["incomprehensibilities"] * 300 + ["police"] * 300)
    beginning = coder._beginning(article)
    assert len(beginning) < len(article)
    assert len(whole(coder, beginning)) < coder.budget
    assert len(coder.prompt(article)) == 100 - 12


@kinds
def test_summaries_come_back_as_they_went_in(kind):
    coder = encoder(kind, block=200)
    for summary in sentences(20, seed=4, high=10):
        example = coder.example("the vote", f"  {summary}\n")
        assert coder.text(example.ids[example.start :]) == summary
    assert coder.text([]) == coder.text([coder.eos]) == ""
    ids = coder.example("the vote", "police strike").ids[coder.example("the vote", "police strike").start :]
    assert coder.text([*ids, *ids]) == "police strike"


def test_a_tokenizer_that_would_tidy_up_is_not_asked_to():
    coder = encoder("word")
    coder.tokenizer.clean_up_tokenization_spaces = True
    example = coder.example("the vote", "left , rome .")
    assert coder.text(example.ids[example.start :]) == "left , rome ."


@pytest.mark.parametrize("kind", ["llama2", "llama2-file", "llama3", "gpt2"])
def test_anything_written_comes_back_from_pieces_of_bytes(kind):
    coder = encoder(kind, block=200)
    for summary in ["Élan vital: 3,000 läufer – «ja»", "two  spaces , and ' quotes n't", "東京", "a </s> b <|end|> c"]:
        example = coder.example("the vote", summary)
        assert coder.text(example.ids[example.start :]) == summary
        assert example.ids.count(coder.eos) == 1


@pytest.mark.parametrize("separator", ["\nTL;DR:", " TL;DR ", "\nTL;DR:\n"])
@pytest.mark.parametrize("kind", ["llama2", "llama2-file", "llama3", "gpt2"])
def test_the_first_word_of_a_summary_is_a_word_within_a_text(kind, separator):
    """The token of a word after a space: what the article has for it, and what a trained model expects."""
    coder = encoder(kind, separator=separator)
    example = coder.example("police", "seven seven")
    summary = example.ids[example.start : -1]
    same = summary[: len(summary) // 2] == summary[len(summary) // 2 :]
    assert coder.prompt("police") == encoder(kind, separator=separator.rstrip(" ")).prompt("police")
    assert same == (kind in ("llama2", "llama2-file") or not separator.endswith("\n"))


@kinds
def test_bos_comes_where_the_tokenizer_adds_one(kind):
    coder = encoder(kind)
    assert (coder.prompt("the vote")[0] == coder.tokenizer.bos_token_id) == (kind not in ("word", "gpt2"))
    assert coder.pad == (0 if kind == "word" else coder.eos)


def test_special_tokens_are_what_the_layout_says_and_not_what_an_article_says():
    tokenizer = TOKENIZERS["llama3"]
    coder = Encoder(tokenizer, Format(60, 12, prefix="<|end|>", separator="<|begin|>"))
    prompt = coder.prompt("a <|end|> b <|begin|> c")
    assert [index for index, token in enumerate(prompt) if token < 2] == [0, 1, len(prompt) - 1]


@kinds
def test_labels_come_from_lengths_so_that_eos_carries_loss(kind):
    coder = encoder(kind, block=200)
    examples = coder.examples(["the vote", "police strike in rome"], ["fire", "nine teams win"])
    batch = collate([*examples, Example([5, 6, 7], 0)], coder.pad)
    for row, example in enumerate([*examples, Example([5, 6, 7], 0)]):
        length = len(example.ids)
        assert batch["input_ids"][row].tolist() == example.ids + [coder.pad] * (batch["input_ids"].shape[1] - length)
        assert batch["attention_mask"][row].sum() == length
        assert batch["attention_mask"][row, :length].all()
        labels = batch["labels"][row].tolist()
        assert labels[example.start : length] == example.ids[example.start :]
        assert set(labels[: example.start] + labels[length:]) <= {IGNORED}
    assert all(batch["labels"][row, len(example.ids) - 1] == coder.eos for row, example in enumerate(examples))
    assert {tensor.dtype for tensor in batch.values()} == {torch.int64}


def test_padding_at_the_left_keeps_everything_at_the_right_edge():
    found = pad_left([[5, 6, 7], [8]], 9, torch.device("cpu"))
    assert found["input_ids"].tolist() == [[5, 6, 7], [9, 9, 8]]
    assert found["attention_mask"].tolist() == [[1, 1, 1], [0, 0, 1]]


@kinds
def test_the_table_says_which_tokens_carry_loss(kind):
    coder = encoder(kind)
    example = coder.example("the vote", "police strike")
    table = describe(coder, example)
    assert [number for _, number, _ in table] == example.ids
    assert [loss for _, _, loss in table] == [False] * example.start + [True] * (len(example.ids) - example.start)
    assert table[-1][0] == coder.tokenizer.eos_token


def test_an_example_is_shown_with_what_was_cut():
    coder = encoder("word", block=16, room=5)
    article = " ".join(WORDS[:14])
    assert shown(coder, article, "police strike") == (
        "article: 14 tokens, the last 4 cut\n"
        "prompt:  11 tokens, no loss\n"
        "summary: 3 tokens with eos, all with loss (room for 5)\n"
        "total:   14 of block = 16\n"
        "\n"
        "the a man woman said told left in of to summary\n"
        "[police] [strike] [</s>]"
    )
    assert "2 tokens, none cut" in shown(coder, "the vote", "police strike")
    long = shown(encoder("llama3", block=300), sentences(1, low=60, high=60)[0], "é\n")
    assert max(map(len, long.splitlines())) <= 118
    assert "[▁] [Ã] [©] [<|end|>]" in long


def test_refusals_name_the_number_and_the_remedy():
    for room in (1, 40, 41):
        with pytest.raises(ValueError, match=rf"summary_tokens = {room} must be between 2 .* block - 1 = 39"):
            Format(40, room)
    with pytest.raises(ValueError, match=r"block = 13 leaves no room for an article: .* need 13; raise block"):
        encoder("word", block=13)
    assert encoder("word", block=14).budget == 1
    with pytest.raises(ValueError, match=r"summary 1 has 41 tokens with eos and does not fit into block = 40; raise"):
        encoder("word").examples(["the", "the"], ["police", "police " * 40])
    with pytest.raises(ValueError, match=r"separator = ' ' has no token"):
        encoder("word", separator=" ")
    tokenizer = word_level()
    tokenizer.eos_token = None
    with pytest.raises(ValueError, match="no eos token"):
        Encoder(tokenizer, Format(40, 12))


def test_tokenizers_that_add_eos_do_not_add_it_to_a_prompt():
    tokenizer = llama2_like()
    tokenizer.add_eos_token = True
    tokenizer.update_post_processor()
    assert tokenizer("police")["input_ids"][-1] == tokenizer.eos_token_id
    form = Format(60, 12)
    assert Encoder(tokenizer, form).prompt("police") == Encoder(TOKENIZERS["llama2"], form).prompt("police")


def test_columns_are_texts_too():
    coder = encoder("llama3", block=100)
    assert coder.prompts(pd.Series(["the vote", "fire"], index=[7, 0])[[7]]) == [coder.prompt("the vote")]
