"""Generation and scoring: independent roads, batches of any size, and nothing lost by a kill."""

import copy
import json
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import GenerationConfig

from empirical.summarization import generate as generation
from empirical.summarization import perplexity
from empirical.summarization.append import collect, finished, longest_first
from empirical.summarization.encode import Encoder, Example, Format, collate
from empirical.summarization.generate import counts, generate
from empirical.summarization.perplexity import nll, score_rows
from tests.empirical.summarization.tokenizers import KINDS, gpt2, llama, sentences
from tests.processes import wait_for

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def setting(kind="word", block=60, room=12, make=llama, **changes):
    tokenizer = KINDS[kind]()
    return make(tokenizer, **changes), Encoder(tokenizer, Format(block, room, separator=" summary"))


def corpus(count=20, seed=0, high=40):
    texts = sentences(count, seed, high=high)
    return pd.DataFrame({"id": [f"r{index}" for index in range(count)], "title": "", "text": texts})


@torch.no_grad()
def token_by_token(model, coder, article):
    """Greedy, one prompt, no cache, no padding."""
    ids, answer = coder.prompt(article), []
    while len(answer) < coder.form.summary_tokens and coder.eos not in answer:
        answer.append(int(model(torch.tensor([ids + answer])).logits[0, -1].argmax()))
    return answer


@torch.no_grad()
def in_double(model, coder, article, summary):
    """-log p of each token of the summary and of eos, one forward pass each, without cache or padding, in float64."""
    double = copy.deepcopy(model).double()
    ids, start = coder.example(article, summary)
    logs = [
        double(torch.tensor([ids[:index]])).logits[0, -1].log_softmax(-1)[ids[index]]
        for index in range(start, len(ids))
    ]
    return -np.array([float(log) for log in logs])


# --- generation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["word", "llama2", "llama3"])
def test_greedy_answers_are_those_of_a_loop_without_batches_cache_or_padding(kind, tmp_path):
    model, coder = setting(kind)
    prompts = coder.prompts(corpus(24)["text"].tolist())
    expected = [token_by_token(model, coder, article) for article in corpus(24)["text"]]
    config = generation._greedy(coder)
    for batch in (1, 8):
        found = [
            answer
            for start in range(0, 24, batch)
            for answer in generation._answers(model, coder, config, prompts[start : start + batch])
        ]
        assert found == expected
    rows = generate(model, coder, corpus(24), tmp_path, batch=8)
    assert rows["id"].tolist() == corpus(24)["id"].tolist()
    assert rows["generated"].tolist() == [coder.text(answer) for answer in expected]
    assert rows["tokens"].tolist() == [len(answer) for answer in expected]
    assert rows["capped"].tolist() == [coder.eos not in answer for answer in expected]
    assert 0 < rows["capped"].sum() < 24  # both kinds are there to be told apart
    assert rows["generated"].nunique() > 12
    assert rows.dtypes.astype(str).to_dict() == {"id": "str"} | generation.TYPES
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "rows.parquet"), rows)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


def test_positions_count_from_the_first_token_and_not_from_the_padding():
    """A model with absolute positions tells."""
    model, coder = setting(make=gpt2)
    articles = corpus(12)["text"].tolist()
    found = generation._answers(model, coder, generation._greedy(coder), coder.prompts(articles))
    assert found == [token_by_token(model, coder, article) for article in articles]


def test_what_a_checkpoint_says_about_generation_is_not_followed(tmp_path):
    """As Llama 2's file on the hub: it samples. Others have penalties and further ends."""
    model, coder = setting()
    expected = generate(model, coder, corpus(), tmp_path, batch=8, name="plain")
    theirs = GenerationConfig(
        do_sample=True,
        temperature=0.6,
        top_p=0.9,
        max_length=4096,
        repetition_penalty=3.0,
        eos_token_id=[3, 7, 8, 9, 10],
    )
    model.generation_config = theirs
    pd.testing.assert_frame_equal(generate(model, coder, corpus(), tmp_path, batch=8, name="other"), expected)
    assert model.generation_config is theirs


def test_dropout_is_off(tmp_path):
    model, coder = setting(attention_dropout=0.5)
    rows = generate(model.train(), coder, corpus(), tmp_path, batch=8)
    pd.testing.assert_frame_equal(generate(model.eval(), coder, corpus(), tmp_path, batch=8, name="again"), rows)
    once = nll(model.train(), coder, corpus()["text"], corpus()["text"].str[:20], batch=4)
    np.testing.assert_array_equal(nll(model.eval(), coder, corpus()["text"], corpus()["text"].str[:20], batch=4), once)


def test_half_precision_works_and_scores_are_single(tmp_path):
    model, coder = setting()
    articles, summaries = corpus()["text"].tolist(), sentences(20, 1, high=9)
    exact = nll(model, coder, articles, summaries, batch=4)
    half = nll(model.bfloat16(), coder, articles, summaries, batch=4)
    np.testing.assert_allclose(half, exact, rtol=0.05)
    with torch.no_grad():
        for (ids, start), score in zip(
            coder.examples(articles, summaries), nll(model, coder, articles, summaries, batch=1), strict=True
        ):
            logs = model(torch.tensor([ids])).logits[0, start - 1 : -1].float().log_softmax(-1)
            assert score == pytest.approx(-float(logs[range(len(ids) - start), ids[start:]].mean()), rel=1e-5)
    assert len(generate(model, coder, corpus(), tmp_path, batch=8)) == 20


def test_one_prompt_for_training_generation_and_scoring(tmp_path, monkeypatch):
    model, coder = setting()
    article, summary = sentences(1, low=60, high=60)[0], "police strike"
    seen = []
    inner = type(model).forward
    monkeypatch.setattr(
        type(model),
        "forward",
        lambda self, *args, **named: seen.append(named["input_ids"]) or inner(self, *args, **named),
    )
    generate(model, coder, pd.DataFrame({"id": ["a"], "text": [article]}), tmp_path, batch=1)
    generated = seen[0][0].tolist()
    seen.clear()
    nll(model, coder, [article], [summary], batch=1)
    scored = seen[0][0].tolist()
    trained = collate([coder.example(article, summary)], coder.pad)
    assert generated == coder.prompt(article)
    assert scored == trained["input_ids"][0].tolist()
    assert scored[: len(generated)] == generated
    assert (trained["labels"][0, : len(generated)] == -100).all()
    assert (trained["labels"][0, len(generated) :] != -100).all()


def test_capped_empty_and_repeated_summaries_are_counted(tmp_path, monkeypatch):
    model, coder = setting()
    answers = [[5, 6, 3], [5, 6, 3], [3], [0, 3], [5] * 12, [9, 3]]
    monkeypatch.setattr(generation, "_answers", lambda *args: answers)
    rows = generate(model, coder, corpus(6, high=3), tmp_path, batch=6)
    assert rows["generated"].tolist() == ["the a", "the a", "", "", " ".join(["the"] * 12), "said"]
    assert rows["tokens"].tolist() == [3, 3, 1, 2, 12, 2]
    assert rows["capped"].tolist() == [False] * 4 + [True, False]
    assert rows["empty"].tolist() == [False, False, True, True, False, False]
    assert counts(rows) == {"rows": 6, "capped": 1, "empty": 2, "duplicates": 2, "distinct": 4 / 6}
    assert np.isnan(counts(rows[:0])["distinct"])


def test_a_model_with_too_few_positions_is_refused(tmp_path):
    model, coder = setting(positions=50)
    longest = max(map(len, coder.prompts(corpus()["text"].tolist())))
    with pytest.raises(
        ValueError, match=rf"up to {longest + 12} tokens, and the model has 50 positions .* block to at"
    ):
        generate(model, coder, corpus(), tmp_path, batch=8)
    with pytest.raises(ValueError, match="the model has 50 positions"):
        nll(model, coder, corpus()["text"], ["police " * 12] * 20, batch=8)
    assert len(generate(model, coder, corpus(high=20), tmp_path, batch=8)) == 20


def test_no_rows_are_rows_too(tmp_path):
    model, coder = setting()
    rows = generate(model, coder, corpus()[:0], tmp_path, batch=8)
    assert rows.dtypes.astype(str).to_dict() == {"id": "str"} | generation.TYPES
    assert len(score_rows(model, coder, corpus(), rows, tmp_path, batch=8)) == 0
    assert len(nll(model, coder, [], [], batch=8)) == 0


# --- nothing lost -----------------------------------------------------------------------------------------------------


def test_batches_hold_the_longest_first_and_ties_by_index():
    assert longest_first([3, 5, 3, 9, 5], 2) == [[3, 1], [4, 0], [2]]
    assert longest_first([], 2) == []
    with pytest.raises(ValueError, match="batch = 0 must be at least 1"):
        longest_first([1], 0)


def recorded(tmp_path, run, name):
    """(bytes of the journal before it went, bytes of the result) of a run that nothing stopped."""
    folder = tmp_path / "whole"
    folder.mkdir()
    seen = []
    run(folder, lambda count: seen.append((folder / f"{name}.jsonl").read_bytes() if count else b""))
    return seen[-1], (folder / f"{name}.parquet").read_bytes()


def check_torn(tmp_path, run, name, cuts, batches):
    journal, result = recorded(tmp_path, run, name)
    lines = journal.splitlines(keepends=True)
    assert len(lines) == batches
    folder = tmp_path / "torn"
    folder.mkdir()
    for cut in sorted({*cuts(len(journal), len(lines[-1]) + len(lines[-2])), len(journal)}):
        (folder / f"{name}.jsonl").write_bytes(journal[:cut])
        (folder / f"{name}.parquet").unlink(missing_ok=True)
        made = []
        run(folder, made.append)
        assert (folder / f"{name}.parquet").read_bytes() == result, cut
        assert len(made) == 1 + batches - journal[:cut].count(b"\n"), cut  # whole batches are not made again
        assert not (folder / f"{name}.jsonl").exists()


def rows_of_numbers(folder, on_batch):
    make = lambda chosen: [{"text": f"é {index}", "number": index / 7} for index in chosen]
    ids = [f"r{index}" for index in range(10)]
    return collect(folder, "t", ids, longest_first([1] * 10, 3), make, {"text": "str", "number": "float64"}, on_batch)


def test_a_journal_torn_at_any_byte_gives_the_same_result(tmp_path):
    check_torn(tmp_path, rows_of_numbers, "t", lambda size, tail: range(size - tail, size, 3), 4)


@pytest.mark.parametrize(
    "harm", [b"\0" * 40, b"\0" * 40 + b"\n", b"[]\n", b'{"id": 3}\n', b'[{"id": "r3"}]\n', b'"x"\n', b"7\n"]
)
def test_what_is_no_batch_of_ours_is_made_again(tmp_path, harm):
    journal, result = recorded(tmp_path, rows_of_numbers, "t")
    (tmp_path / "t.jsonl").write_bytes(b"".join(journal.splitlines(keepends=True)[:2]) + harm)
    made = []
    rows_of_numbers(tmp_path, made.append)
    assert made == [6, 9, 10]
    assert (tmp_path / "t.parquet").read_bytes() == result


def test_a_journal_torn_twice_loses_no_whole_batch(tmp_path):
    def stop(count):
        if count == 9:
            raise KeyboardInterrupt

    journal, result = recorded(tmp_path, rows_of_numbers, "t")
    (tmp_path / "t.jsonl").write_bytes(b"".join(journal.splitlines(keepends=True)[:2]) + b'[{"id"')
    with pytest.raises(KeyboardInterrupt):
        rows_of_numbers(tmp_path, stop)
    made = []
    rows_of_numbers(tmp_path, made.append)
    assert made == [9, 10]
    assert (tmp_path / "t.parquet").read_bytes() == result


def test_rows_of_another_corpus_are_not_taken_over(tmp_path):
    model, coder = setting()
    generate(model, coder, corpus(), tmp_path, batch=8)
    other = corpus().assign(id=[f"s{index}" for index in range(20)])
    assert finished(tmp_path, "rows", other["id"].tolist()) is None
    assert generate(model, coder, other, tmp_path, batch=8)["id"].tolist() == other["id"].tolist()
    with pytest.raises(ValueError, match="id 's0' comes more than once"):
        generate(model, coder, other.assign(id="s0"), tmp_path, batch=8)


def test_generation_goes_on_where_it_was_torn(tmp_path):
    model, coder = setting()
    run = lambda folder, on_batch: generate(model, coder, corpus(), folder, batch=6, on_batch=on_batch)
    check_torn(tmp_path, run, "rows", lambda size, tail: range(size - tail, size, max(1, tail // 9)), 4)


def test_scoring_goes_on_where_it_was_torn(tmp_path):
    model, coder = setting()
    rows = pd.DataFrame({"id": corpus()["id"], "generated": sentences(20, 1, high=9)})
    rows.loc[4, "generated"] = ""
    run = lambda folder, on_batch: score_rows(model, coder, corpus(), rows, folder, batch=6, on_batch=on_batch)
    check_torn(tmp_path, run, "scores", lambda size, tail: range(size - tail, size, max(1, tail // 9)), 4)


def test_what_is_finished_is_not_made_again(tmp_path):
    model, coder = setting()
    rows = generate(model, coder, corpus(), tmp_path, batch=6)
    scores = score_rows(model, coder, corpus(), rows, tmp_path, batch=6)
    pd.testing.assert_frame_equal(generate(None, coder, corpus(), tmp_path, batch=6), rows)
    pd.testing.assert_frame_equal(score_rows(None, coder, corpus(), rows, tmp_path, batch=6), scores)


def unfinished_generation(folder):
    """Run by the process that is killed below: it stops before the last of ten batches."""
    torch.set_num_threads(1)
    model, coder = setting()
    generate(model, coder, corpus(), Path(folder), batch=2, on_batch=lambda count: count == 18 and signal.pause())


def test_a_killed_process_loses_no_row(tmp_path):
    model, coder = setting()
    run = lambda folder, on_batch: generate(model, coder, corpus(), folder, batch=2, on_batch=on_batch)
    _, result = recorded(tmp_path, run, "rows")
    call = f"from tests.empirical.summarization.test_generate import *; unfinished_generation({str(tmp_path)!r})"
    process = subprocess.Popen([sys.executable, "-c", call], cwd=ROOT)
    journal = tmp_path / "rows.jsonl"
    try:
        wait_for(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= 3, "three batches")
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL
    there = sum(
        len(json.loads(line)) for line in journal.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")
    )
    assert 6 <= there < 20
    made = []
    run(tmp_path, made.append)
    assert made == list(range(there, 21, 2))
    assert (tmp_path / "rows.parquet").read_bytes() == result


# --- perplexity -------------------------------------------------------------------------------------------------------


ARTICLES, SUMMARIES = corpus(16)["text"].tolist(), sentences(16, 1, low=1, high=9)


def by_hand(model, coder):
    return [in_double(model, coder, *pair).mean() for pair in zip(ARTICLES, SUMMARIES, strict=True)]


def agrees(expected, model, coder, batch):
    """To 1e-5, the requirement."""
    found = nll(model, coder, ARTICLES, SUMMARIES, batch=batch)
    assert found.dtype == np.float64
    return bool(np.abs(found - expected).max() < 1e-5)


@pytest.mark.parametrize(("kind", "make"), [("word", llama), ("llama2", llama), ("llama3", llama), ("gpt2", gpt2)])
def test_a_summary_has_one_likelihood_whatever_stands_beside_it(kind, make):
    model, coder = setting(kind, block=100, make=make)
    expected = by_hand(model, coder)
    assert all(agrees(expected, model, coder, batch) for batch in (1, 5, 16))


@pytest.mark.parametrize(
    "fault", ["no eos", "mean over the batch", "padding is seen", "positions of the padding", "one off"]
)
def test_the_test_above_would_see(fault, monkeypatch):
    model, coder = setting(make=gpt2)
    expected = by_hand(model, coder)
    assert agrees(expected, model, coder, 16)
    padded, means, forward, examples = perplexity.pad_left, perplexity._means, model.forward, coder.examples
    if fault == "no eos":
        shorter = lambda *texts: [Example(ids[:-1], start) for ids, start in examples(*texts)]
        monkeypatch.setattr(coder, "examples", shorter)
    elif fault == "mean over the batch":
        monkeypatch.setattr(perplexity, "_means", lambda *args: np.full(len(args[2]), means(*args).mean()))
    elif fault == "padding is seen":
        seen = lambda *args: padded(*args) | {"attention_mask": torch.ones_like(padded(*args)["attention_mask"])}
        monkeypatch.setattr(perplexity, "pad_left", seen)
    elif fault == "positions of the padding":
        monkeypatch.setattr(model, "forward", lambda position_ids, **named: forward(**named))
    else:
        shift = lambda **named: SimpleNamespace(logits=forward(**named).logits.roll(1, 1))
        monkeypatch.setattr(model, "forward", shift)
    assert not agrees(expected, model, coder, 16)


def test_scoring_is_the_loss_of_training():
    """Token-weighted, the scores of a batch are the model's own loss on the labels of the collator."""
    model, coder = setting("llama3", block=100)
    examples = coder.examples(ARTICLES, SUMMARIES)
    weights = [len(ids) - start for ids, start in examples]
    with torch.no_grad():
        loss = float(model(**collate(examples, coder.pad)).loss)
    assert np.average(nll(model, coder, ARTICLES, SUMMARIES, batch=4), weights=weights) == pytest.approx(loss, rel=1e-5)


def test_only_logits_of_summaries_are_made():
    model, coder = setting(block=100)
    longest = max(len(ids) - start for ids, start in coder.examples(ARTICLES, SUMMARIES))
    shapes = []
    model.lm_head.register_forward_hook(lambda module, args, output: shapes.append(output.shape))
    nll(model, coder, ARTICLES, SUMMARIES, batch=16)
    assert shapes == [(16, longest + 1, len(coder.tokenizer))]


def test_scores_are_high_for_what_is_likely_and_missing_for_what_is_empty(tmp_path):
    model, coder = setting()
    rows = generate(model, coder, corpus(), tmp_path, batch=8)
    rows.loc[[3, 7], "generated"] = ["", " "]
    scores = score_rows(model, coder, corpus().sample(frac=1, random_state=0), rows[::-1], tmp_path, batch=8)
    assert scores["id"].tolist() == rows["id"].tolist()[::-1]
    filled = rows["generated"].str.strip() != ""
    assert 0 < filled.sum() <= 18
    assert scores["id"][scores["score"].isna()].tolist() == rows["id"][~filled].tolist()[::-1]
    scored = rows[filled]
    articles = corpus().set_index("id")["text"][scored["id"]]
    expected = -nll(model, coder, articles.tolist(), scored["generated"].tolist(), batch=1)
    found = scores.set_index("id")["score"][scored["id"]]
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, atol=1e-5)
    random = sentences(20, 5, low=8, high=8)
    assert found.mean() > -nll(model, coder, corpus()["text"].tolist(), random, batch=8).mean() + 0.5
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "scores.parquet"), scores)


def test_a_row_without_its_article_is_refused(tmp_path):
    model, coder = setting()
    rows = pd.DataFrame({"id": ["r1", "x7", "x3"], "generated": "police"})
    with pytest.raises(ValueError, match="2 rows have no article, such as id 'x3'; give their corpus"):
        score_rows(model, coder, corpus(), rows, tmp_path, batch=8)
