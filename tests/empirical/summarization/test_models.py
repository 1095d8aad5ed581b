"""Models and tokenizers from folders and from the hub, the made base model, and refusals before any work."""

import dataclasses
import json
import os
from pathlib import Path

import httpx2 as httpx
import numpy as np
import pytest
import torch
from huggingface_hub import errors

from empirical.summarization import models as module
from empirical.summarization import preflight, training
from empirical.summarization.encode import Encoder, Format
from empirical.summarization.made import Copies, Shape, WarmUp, make_base, train_tokenizer
from empirical.summarization.models import (
    load_model,
    load_tokenizer,
    read_reference,
    reference_to,
    resolve,
    save_model,
    write_reference,
)
from empirical.summarization.preflight import check, commit, explain
from empirical.summarization.training import Schedule, check_accelerate, processes, train
from tests.empirical.summarization.tokenizers import byte_level, llama, llama2_file, llama2_like, sentences

FORM = Format(block=64, summary_tokens=16)
SCHEDULE = Schedule(
    steps=3,
    epochs=0,
    batch=4,
    micro_batch=2,
    learning_rate=1e-3,
    scheduler="constant",
    warm_up=0,
    weight_decay=0.0,
    clip=1.0,
)


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """One thread, and no network."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    yield
    torch.set_num_threads(before)


def llama2_folder(folder, tokenizer):
    """As Llama 2 lies on the hub: safetensors, no pad token, a generation configuration that samples."""
    model = llama(tokenizer)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    sampling = {"do_sample": True, "temperature": 0.6, "top_p": 0.9, "bos_token_id": 1, "eos_token_id": 2}
    (folder / "generation_config.json").write_text(json.dumps(sampling))
    return model


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


# The made model


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
    ids, labels = Copies(tokenizer, " =>", 128, WarmUp(steps=10, batch=5), seed=1).batch(step)
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


# Refusals


def answer(status=401):
    return httpx.Response(status, request=httpx.Request("GET", "https://huggingface.co"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.GatedRepoError("gated", response=answer(403)), r"accept its licence at https://huggingface\.co/o/n"),
        (errors.RepositoryNotFoundError("no", response=answer(401)), "not on the hub, or private"),
        (errors.RevisionNotFoundError("no", response=answer(404)), "no revision 'v9'"),
        (errors.RemoteEntryNotFoundError("no", response=answer(404)), "no config.json"),
        (errors.HfHubHTTPError("503 Service Unavailable", response=answer(503)), "try again later"),
        (errors.LocalEntryNotFoundError("offline"), "hub cannot be reached"),
        (errors.OfflineModeIsEnabled("offline"), "hub cannot be reached"),
    ],
)
def test_errors_of_the_hub_say_what_to_do(error, said, monkeypatch):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fail)
    with pytest.raises(ValueError, match=said) as caught:
        commit("o/n", "v9")
    assert "\n" not in str(caught.value)
    assert explain("o/n", "v9", error) == str(caught.value)


def test_offline_and_misspelt_folders(tmp_path):
    with pytest.raises(
        ValueError, match=r"neither a folder nor in the cache.*HF_HUB_OFFLINE.*give its folder as the model's name"
    ):
        resolve("meta-llama/Llama-2-7b-hf", "")
    with pytest.raises(ValueError, match="no such folder"):
        resolve(str(tmp_path / "missing"), "")


def test_the_commit_of_a_revision_comes_from_the_cache_it_was_put_into(monkeypatch):
    place = "/cache/models--o--n/snapshots/0123456789abcdef0123456789abcdef01234567/config.json"
    asked = []

    def fetch(name, file, revision):
        asked.append((name, file, revision))
        return place

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    assert resolve("o/n", "") == {"name": "o/n", "revision": Path(place).parent.name, "fingerprint": ""}
    assert asked == [("o/n", "config.json", None)]


def test_a_model_in_the_cache_needs_no_network(tmp_path, monkeypatch):
    """Nothing answers at port 9; the error is the HTTP library's own, and no OSError."""
    from huggingface_hub import HfApi
    from transformers import LlamaConfig

    place = tmp_path / "models--o--n"
    LlamaConfig(num_hidden_layers=1).save_pretrained(place / "snapshots" / ("0" * 40))
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("0" * 40)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(httpx.ConnectError):
        HfApi().model_info("o/n")
    assert commit("o/n", "") == "0" * 40
    assert preflight._config("o/n", "").num_hidden_layers == 1


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
    monkeypatch.setattr(preflight, "_available", lambda device, processes: 10**12)
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

    monkeypatch.setattr(preflight, "_available", lambda device, processes: 10**12)
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
    monkeypatch.setattr(preflight, "_available", lambda device, processes: 40 * 10**9)
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
    monkeypatch.setattr(preflight, "_available", lambda device, processes: 80 * 10**9)
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


def test_the_preset_for_fsdp_is_an_accelerate_configuration(tmp_path, monkeypatch):
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils import FullyShardedDataParallelPlugin
    from accelerate.utils.launch import prepare_multi_gpu_env

    path = Path(preflight.__file__).parent / "presets" / "fsdp.yaml"
    config = load_config_from_file(str(path))
    assert config.mixed_precision == "bf16"
    assert processes(str(path)) == (config.num_processes, True) == (8, True)
    with monkeypatch.context() as patch:
        command = ["--config_file", str(path), "-m", "empirical.summarization.launch", "job.json"]
        arguments, _, _ = _validate_launch_command(launch_command_parser().parse_args(command))
        environment = prepare_multi_gpu_env(arguments)
        assert environment["ACCELERATE_USE_FSDP"] == "true"
        for name, value in environment.items():
            if name.startswith(("FSDP_", "ACCELERATE_")):
                patch.setenv(name, value)
        plugin = FullyShardedDataParallelPlugin()
    assert plugin.fsdp_version == 2
    assert plugin.reshard_after_forward is True
    assert plugin.activation_checkpointing is True
    assert plugin.cpu_ram_efficient_loading is True
    assert plugin.transformer_cls_names_to_wrap == ["LlamaDecoderLayer"]
    assert "SHARDED" in str(plugin.state_dict_type)
    (tmp_path / "wrong.yaml").write_text("compute: nowhere")
    with pytest.raises(ValueError, match="not a configuration of accelerate"):
        processes(str(tmp_path / "wrong.yaml"))


def test_our_accelerate_configuration_fits_the_host(monkeypatch):
    ours = str(training.FSDP)
    for gpus in (1, 4, 16):
        monkeypatch.setattr("torch.cuda.device_count", lambda gpus=gpus: gpus)
        assert processes(ours) == (gpus, True)
        check_accelerate(ours, gpus)


@pytest.mark.parametrize("machines", [1, 2])
def test_more_processes_than_gpus_are_refused(tmp_path, machines, monkeypatch):
    """On a CPU the configuration is read all the same."""
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)  # of no account for a configuration of the user's
    path = tmp_path / "own.yaml"
    count = 4 * machines
    path.write_text(f"distributed_type: MULTI_GPU\nnum_processes: {count}\nnum_machines: {machines}\n")
    assert processes(str(path)) == (count, False)
    check_accelerate(str(path), 4)
    check_accelerate(str(path), 0)
    with pytest.raises(ValueError, match=r"4 processes on this machine, which has 3 GPUs; set num_processes.*config`"):
        check_accelerate(str(path), 3)
    for broken in ("distributed_type: MULTI_GPU\nnum_processes: -1\n", "distributed_type: MULTI_GPU\n", "- 1"):
        path.write_text(broken)
        with pytest.raises(ValueError, match="not a configuration of accelerate"):
            check_accelerate(str(path), 0)
    with pytest.raises(ValueError, match=r"missing\.yaml.*accelerate config"):
        check_accelerate(str(tmp_path / "missing.yaml"), 0)
