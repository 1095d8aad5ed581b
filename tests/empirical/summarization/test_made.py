"""The made base model and its tokenizers."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from empirical.summarization.encode import Encoder, Format
from empirical.summarization.made import Beginnings, Copies, Shape, WarmUp, learn, make_base, train_tokenizer
from empirical.summarization.models import load_model, load_tokenizer, save_model
from empirical.summarization.training import train
from tests.empirical.summarization.helpers import SCHEDULE

pytestmark = pytest.mark.usefixtures("alone")


def words(count=60):
    return [f"w{number}" for number in range(count)]


def test_tokenizers_decode_what_they_encode(tmp_path):
    text = "anna ross , head of acme , sold 12 ships ."
    for kind in ("word", "bpe"):
        tokenizer = train_tokenizer([text, " TL;DR "], kind, 400)
        tokenizer.save_pretrained(tmp_path / kind)
        again = load_tokenizer_of(tmp_path / kind)
        ids = again(text)["input_ids"]
        assert ids == tokenizer(text)["input_ids"]
        assert ids[0] == again.bos_token_id
        assert again.decode(ids[1:]) == text
        assert again.pad_token is None
    assert len(tokenizer) <= 400
    assert tokenizer.decode(tokenizer("Zürich!", add_special_tokens=False)["input_ids"]) == "Zürich!"
    with pytest.raises(ValueError, match="word or bpe"):
        train_tokenizer([text], "char", 10)


def load_tokenizer_of(folder):
    return load_tokenizer(Path(folder))


@pytest.mark.parametrize("step", [0, 5, 9])
def test_copies_are_copies(step):
    """A span of different tokens, the separator, the span; its first token carries no loss, the others do."""
    tokenizer = train_tokenizer([" ".join([*words(), "=>"])], "word", 100)
    batch = Copies(tokenizer, " =>", 128, WarmUp(steps=10, batch=5), seed=1).batch(step)
    ids, labels = batch["input_ids"], batch["labels"]
    sign = tokenizer("=>", add_special_tokens=False)["input_ids"]
    length = (ids.shape[1] - 2) // 2
    assert length == 12 if step < 5 else 8 <= length <= 16
    for row, kept in zip(ids.tolist(), labels.tolist(), strict=True):
        span = row[1 : 1 + length]
        assert row == [tokenizer.bos_token_id, *span, *sign, *span]
        assert len(set(span)) == length
        assert not {*tokenizer.all_special_ids, *sign} & set(span)
        assert kept == [-100] * (3 + length) + span[1:]


def test_the_made_model_is_the_same_again_and_saved_as_any_other(tmp_path):
    tokenizer = train_tokenizer([" ".join([*words(), "=>"])], "word", 100)
    shape, warm_up = Shape(width=32, layers=1, heads=2, intermediate=48, positions=64), WarmUp(steps=4, batch=4)
    model, losses = make_base(tokenizer, " =>", shape, warm_up, 3)
    again, others = make_base(tokenizer, " =>", shape, warm_up, 3)
    assert np.array_equal(losses, others)
    assert losses[0] == pytest.approx(np.log(len(tokenizer)), rel=0.2)
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), again.parameters(), strict=True))
    assert make_base(tokenizer, " =>", shape, warm_up, 4)[1][0] != losses[0]
    save_model(model, tokenizer, tmp_path)
    loaded = load_model(tmp_path, "float32", "cpu")
    ids = torch.tensor([[1, 5, 6, 7]])
    assert torch.equal(loaded(ids).logits, model(ids).logits)
    assert loaded.config.max_position_embeddings == 64
    assert not list(tmp_path.glob("*.bin"))


def test_too_little_room_for_copies_is_refused():
    small = Shape(width=32, layers=1, heads=2, positions=30)
    with pytest.raises(ValueError, match=r"3 words.*raise made\.vocabulary"):
        make_base(train_tokenizer(["a b c =>"], "word", 100), " =>", Shape(width=32, layers=1, heads=2), WarmUp(), 0)
    with pytest.raises(ValueError, match=r"room for 14.*format\.block"):
        make_base(train_tokenizer([" ".join(words())], "word", 100), "w1", small, WarmUp(), 0)


def test_beginnings_stand_for_summaries():
    """Every text once in a pass, and its first eight words, or all that it has, with the end, as what carries loss."""
    texts = [" ".join(words()[start : start + 20]) for start in range(11)] + ["w58 w59"]
    encoder = Encoder(train_tokenizer([" ".join([*words(), "=>"])], "word", 100), Format(40, 12, separator=" =>"))
    beginnings = Beginnings(encoder, texts, size=4, seed=3)
    seen = []
    for step in range(3):
        batch = beginnings.batch(step)
        for ids, labels in zip(batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True):
            answer = [label for label in labels if label != -100]
            text, _, told = encoder.tokenizer.decode(ids, skip_special_tokens=True).partition(" =>")
            assert answer[-1] == encoder.eos
            assert encoder.text(answer) == " ".join(text.split()[:8])
            assert told.strip() == encoder.text(answer)
            seen.append(text)
    assert sorted(seen) == sorted(texts)
    assert torch.equal(Beginnings(encoder, texts, size=4, seed=3).batch(2)["input_ids"], batch["input_ids"])
    assert not torch.equal(Beginnings(encoder, texts, size=4, seed=4).batch(2)["input_ids"], batch["input_ids"])


@pytest.mark.parametrize("text", ["ä" * 300, "สวัสดี" * 60, " ".join(["https://example.org/a/long/way"] * 9)])
def test_a_long_beginning_is_cut_to_what_fits(text):
    """Text without blanks, and words that are long."""
    encoder = Encoder(train_tokenizer(["a b =>"], "bpe", 300), Format(60, 4, separator=" =>"))
    batch = Beginnings(encoder, [text], 1, 0).batch(0)
    answer = [label for label in batch["labels"][0].tolist() if label != -100]
    assert text.startswith(encoder.text(answer))
    assert encoder.budget - 4 <= len(answer) <= encoder.budget + 2  # a space before, and the end
    assert batch["input_ids"].shape[1] <= 60


def test_a_model_learns_beginnings():
    """Two texts by heart; before it knows nothing of either."""
    tokenizer = train_tokenizer([" ".join([*words(), "=>"])], "word", 100)
    texts = [" ".join(words()[:20]), " ".join(words()[30:50])]
    encoder = Encoder(tokenizer, Format(40, 12, separator=" =>"))
    shape = Shape(width=32, layers=1, heads=2, intermediate=48, positions=64)
    model, _ = make_base(tokenizer, " =>", shape, WarmUp(steps=1, batch=1), 0)
    losses = learn(model, Beginnings(encoder, texts, 2, 0).batch, 60, 1e-2)
    assert losses[0] > np.log(len(tokenizer)) / 2
    assert losses[-1] < 0.5
    prompt = torch.tensor([encoder.prompt(texts[1])])
    told = model.generate(prompt, max_new_tokens=12, do_sample=False, pad_token_id=encoder.pad)[0, prompt.shape[1] :]
    assert encoder.text(told.tolist()) == " ".join(words()[30:38])


@pytest.mark.slow
def test_fine_tuning_after_the_warm_up_learns_to_copy(tmp_path):
    """Without it the same fine-tuning copies next to nothing."""
    rng = np.random.default_rng(0)
    tokenizer = train_tokenizer([" ".join([*words(300), "=>"])], "word", 1000)
    texts = [" ".join(rng.permutation(words(300))[:12]) for _ in range(1000)]
    data, form = (texts, [" ".join(text.split()[3:6]) for text in texts]), Format(32, 8, separator=" =>")
    schedule = dataclasses.replace(SCHEDULE, steps=150, batch=16, micro_batch=16, learning_rate=2e-3)
    losses = []
    for name, warm_up in (("plain", WarmUp(steps=1)), ("warm", WarmUp())):
        model, copying = make_base(tokenizer, form.separator, Shape(positions=64), warm_up, 0)
        base = tmp_path / name
        save_model(model, tokenizer, base)
        train(base, data, form, schedule, 0, tmp_path / f"{name}-tuned", {"device": "cpu"})
        losses.append(np.mean(json.loads((tmp_path / f"{name}-tuned" / "losses.json").read_text())[-10:]))
    assert copying[0] > 6
    assert copying[-50:].mean() < 5.5
    assert losses[1] < losses[0] - 1
