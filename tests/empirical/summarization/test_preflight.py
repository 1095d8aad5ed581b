"""Refusals before any work: models that cannot be had, too little memory."""

import dataclasses
import json

import pytest
import torch

from empirical.summarization import preflight
from empirical.summarization.encode import Format
from empirical.summarization.preflight import check
from tests.empirical.summarization.helpers import FORM, SCHEDULE

pytestmark = pytest.mark.usefixtures("alone")


def test_every_model_that_cannot_be_had_is_named(monkeypatch):
    models = [{"name": "meta-llama/Llama-2-7b-hf", "revision": ""}, {"name": "meta-llama/Meta-Llama-3-8B"}]
    with pytest.raises(ValueError, match="Llama-2-7b-hf") as caught:
        check(models, [SCHEDULE, SCHEDULE], "cpu", 1, FORM)
    assert "Meta-Llama-3-8B" in str(caught.value)


def seven_billion(folder, **changes):
    """The configuration of Llama-2-7B, and no weights."""
    from transformers import LlamaConfig

    LlamaConfig(num_hidden_layers=32, **changes).save_pretrained(folder)
    (folder / "model.safetensors").write_bytes(b"")
    return {"name": str(folder), "revision": ""}


def test_memory_of_llama_2_7b(tmp_path, monkeypatch):
    """Published: 108 GB for weights, gradients and AdamW. One H200 has 141 GB, one A100 has 80."""
    model = seven_billion(tmp_path)
    form = Format(block=1024, summary_tokens=128)
    full = dataclasses.replace(SCHEDULE, precision="bfloat16", gradient_checkpointing=True, batch=32, micro_batch=2)
    monkeypatch.setattr(preflight, "memory", lambda device, processes: 10**12)
    facts = check([model], [full], "cpu", 1, form)
    assert facts["parameters"] == [6_738_415_616]
    assert 108e9 < facts["bytes"][0] < 118e9
    lora = check([model], [dataclasses.replace(full, lora_rank=16)], "cpu", 1, form)["bytes"][0]
    assert 13.5e9 < lora < 20e9
    shared = check([model], [full], "cpu", 8, form)["bytes"][0]
    assert 13.5e9 < shared < 22e9
    apart = check([model], [full], "cpu", 8, form, sharded=False)["bytes"][0]
    assert apart > facts["bytes"][0]
    kept = check([model], [dataclasses.replace(full, gradient_checkpointing=False)], "cpu", 1, form)["bytes"][0]
    assert kept > facts["bytes"][0] + 20e9


def test_memory_of_answers(tmp_path, monkeypatch):
    """Llama-2-7B, 64 sequences of 1024: 34 GB of keys and values (32 layers, 32 heads of 128) beside 13.5 GB."""
    from transformers import GPT2Config

    monkeypatch.setattr(preflight, "memory", lambda device, processes: 10**12)
    model, form, weights = seven_billion(tmp_path / "7b"), Format(block=1024, summary_tokens=128), 6_738_415_616

    def needs(model=model, **more):
        return check([model], [None], "cpu", 1, form, **more)["bytes"][0]

    cache, logits = 1024 * 2 * 32 * 32 * 128 * 2, 128 * 32_000 * 4
    assert 64 * cache == pytest.approx(34.36e9, rel=1e-3)
    assert needs(rows=64) == 2 * weights + 64 * cache + 64 * logits
    assert needs() == 2 * weights + cache + logits
    assert needs(rows=64, precision="float32") == 4 * weights + 64 * 2 * cache + 64 * logits
    fewer = seven_billion(tmp_path / "gqa", num_key_value_heads=8)
    parameters = check([fewer], [None], "cpu", 1, form)["parameters"][0]
    assert needs(fewer, rows=64) == 2 * parameters + 64 * cache / 4 + 64 * logits
    GPT2Config(n_layer=2, n_head=4, n_embd=32, vocab_size=100).save_pretrained(tmp_path)  # keys for every head
    (tmp_path / "model.safetensors").write_bytes(b"")
    small = {"name": str(tmp_path)}
    parameters = check([small], [None], "cpu", 1, form)["parameters"][0]
    assert needs(small, rows=3) == 2 * parameters + 3 * (1024 * 2 * 2 * 32 * 2 + 128 * 100 * 4)
    with pytest.raises(ValueError, match="float32 or bfloat16"):
        needs(precision="float16")
    monkeypatch.setattr(preflight, "memory", lambda device, processes: 40 * 10**9)
    with pytest.raises(ValueError, match=r"to run it takes about 48\.9 GB.*batch and scoring_batch below 64") as caught:
        needs(rows=64)
    assert "lora_rank" not in str(caught.value)
    with pytest.raises(ValueError, match=r'precision = "bfloat16"'):
        needs(rows=64, precision="float32")


def test_processes_that_cannot_share_the_batch_are_named_beforehand(tmp_path):
    with pytest.raises(ValueError, match="batch = 4 is no multiple of micro_batch = 2 times 3 processes"):
        check([seven_billion(tmp_path)], [SCHEDULE], "cpu", 3, FORM)


def test_too_little_memory_says_what_helps(tmp_path, monkeypatch):
    model = seven_billion(tmp_path)
    monkeypatch.setattr(preflight, "memory", lambda device, processes: 80 * 10**9)
    with pytest.raises(ValueError, match=r"about 1[0-9]{2}\.. GB per process, and 80\.0 GB are free") as caught:
        check([model], [SCHEDULE], "cpu", 1, FORM)
    for remedy in ("lora_rank = 16", "gradient_checkpointing = true", "micro_batch = 1", "another preset"):
        assert remedy in str(caught.value)
    monkeypatch.undo()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="PyTorch sees no GPU"):
            check([model], [None], "cuda", 1, FORM)


def test_a_model_with_code_of_its_own_is_refused(tmp_path):
    config = {"model_type": "mystery", "auto_map": {"AutoConfig": "mystery.Config"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ValueError, match="never run here"):
        check([{"name": str(tmp_path)}], [SCHEDULE], "cpu", 1, FORM)
