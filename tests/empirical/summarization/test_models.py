"""Models and tokenizers from folders."""

import dataclasses
import os

import pytest
import torch

from empirical.summarization import models as module
from empirical.summarization.encode import Encoder
from empirical.summarization.models import (
    load_model,
    load_tokenizer,
    read_reference,
    reference_to,
    resolve,
    write_reference,
)
from empirical.summarization.preflight import check
from empirical.summarization.training import train
from tests.empirical.summarization.helpers import FORM, SCHEDULE, llama2_folder
from tests.empirical.summarization.tokenizers import byte_level, llama2_file, llama2_like, sentences

pytestmark = pytest.mark.usefixtures("alone")


@pytest.mark.parametrize("tokenizer", [llama2_like, llama2_file, byte_level])
def test_a_folder_as_the_hub_has_it_is_trained_and_loaded_again(tmp_path, tokenizer):
    """Nothing but weights and data is different on a GPU host."""
    made = llama2_folder(tmp_path / "llama", tokenizer())
    found = resolve(str(tmp_path / "llama"), "")
    base = tmp_path / "base"
    base.mkdir()
    write_reference(base, found["name"], found["revision"])
    model = load_model(base, "float32", "cpu")
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), made.parameters(), strict=True))
    assert model.config._attn_implementation == "sdpa"
    assert not model.generation_config.do_sample
    assert load_model(base, "bfloat16", "cpu").dtype == torch.bfloat16
    texts = sentences(6, seed=1, high=5)
    before = Encoder(load_tokenizer(base), FORM).example(texts[0], texts[1])
    for rank in (0, 2):
        out = tmp_path / f"out{rank}"
        train(base, (texts, texts), FORM, dataclasses.replace(SCHEDULE, lora_rank=rank), 0, out, {"device": "cpu"})
        assert Encoder(load_tokenizer(out), FORM).example(texts[0], texts[1]) == before
        assert load_model(out, "float32", "cpu").num_parameters() == made.num_parameters()
    assert read_reference(tmp_path / "out2") == (found["name"], "")


def test_references(tmp_path):
    base, arm = tmp_path / "base", tmp_path / "seed0" / "arm"
    base.mkdir()
    arm.mkdir(parents=True)
    assert read_reference(base) is None
    write_reference(arm, *reference_to(base, arm))
    assert read_reference(arm) == (str(base.resolve()), "")
    write_reference(base, "owner/name", "0123")
    assert reference_to(base, arm) == ("owner/name", "0123")


def test_fingerprint_follows_the_folder(tmp_path):
    llama2_folder(tmp_path, llama2_like())
    before = resolve(str(tmp_path), "")
    assert before == resolve(str(tmp_path), "")
    assert (before["name"], before["revision"]) == (str(tmp_path.resolve()), "")
    (tmp_path / "config.json").write_text((tmp_path / "config.json").read_text() + " ")
    assert resolve(str(tmp_path), "")["fingerprint"] != before["fingerprint"]


def test_fingerprint_follows_the_weights_themselves(tmp_path, monkeypatch):
    """Not their sizes; and files of many gigabytes are read once."""
    llama2_folder(tmp_path, llama2_like())
    before, path = resolve(str(tmp_path), "")["fingerprint"], tmp_path / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(path, ns=(0, 0))  # another time than before, also where a file system's clock is coarse
    after = resolve(str(tmp_path), "")["fingerprint"]
    assert path.stat().st_size == len(content)
    assert after != before
    with monkeypatch.context() as patch:
        patch.setattr(module.hashlib, "file_digest", None)
        assert resolve(str(tmp_path), "")["fingerprint"] == after
    path.write_bytes(content)
    assert resolve(str(tmp_path), "")["fingerprint"] == before


def test_a_folder_may_be_named_from_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    llama2_folder(tmp_path / "llama", llama2_like())
    found = resolve("~/llama", "")
    assert found == resolve(str(tmp_path / "llama"), "")
    assert found["name"] == str((tmp_path / "llama").resolve())
    here, there = (check([{"name": name}], [SCHEDULE], "cpu", 1, FORM) for name in ("~/llama", found["name"]))
    assert here["parameters"] == there["parameters"]
    (tmp_path / "llama" / "config.json").unlink()
    with pytest.raises(ValueError, match=r"~/llama has no config\.json"):
        check([{"name": "~/llama"}], [SCHEDULE], "cpu", 1, FORM)


def test_pickled_weights_are_refused_with_a_remedy(tmp_path):
    llama2_folder(tmp_path, llama2_like())
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    for use in (lambda: load_model(tmp_path, "float32", "cpu"), lambda: resolve(str(tmp_path), "")):
        with pytest.raises(ValueError, match=r"pytorch_model\.bin; weights must be safetensors.*save_pretrained"):
            use()
    with pytest.raises(ValueError, match="safetensors"):
        check([{"name": str(tmp_path), "revision": ""}], [SCHEDULE], "cpu", 1, FORM)


def test_half_precision_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"float16.*float32 or bfloat16"):
        load_model(tmp_path, "float16", "cpu")
