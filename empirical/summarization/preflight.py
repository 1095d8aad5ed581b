"""What would stop an experiment hours after its start, found at once: models not to be had, too little memory.

Bytes per process, counted from a model's configuration alone. ``p`` is its number of parameters:

    all weights   16 p (float32 weights, gradients, two moments of AdamW), and 2 p for their bfloat16 copies where
                  activations are kept; divided by the processes where they share the model (FSDP), or
                  4 p more for the buckets of gradients where each has its own
    LoRA          p in the schedule's precision, and 16 per parameter of the adapters
    activations   per token of a micro-batch: the input of every layer, and what one layer keeps (all layers without
                  gradient checkpointing), and the logits three times in float32

A model that only answers or scores takes p in its precision, and for each sequence at once

    KV cache      block * 2 * layers * heads of keys and values * their width, in that precision
    logits        summary_tokens * vocabulary, in float32

An estimate: it is right to about a tenth for the weights, and worse for activations.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from empirical.summarization.accelerators import memory
from empirical.summarization.encode import Format
from empirical.summarization.hub import commit_of_model
from empirical.summarization.models import DTYPES, dtype_of, folder_of, refuse_pickles
from empirical.summarization.quantised import config_of, gguf_of
from empirical.summarization.schedule import Schedule, accumulation
from sims.running.text import one_line
from theory.errors import InputError

GB = 1_000_000_000


def check(
    models: Sequence[Mapping[str, str]],
    schedules: Sequence[Schedule | None],
    device: str,
    processes: int,
    form: Format,
    sharded: bool = True,
    rows: int = 1,
    precision: str = "bfloat16",
) -> dict[str, Any]:
    """Whether each model (name, revision) can be had, and trained by the schedule at its place.

    Schedule None: the model only answers and scores, in one process, ``rows`` sequences at once (the larger of the
    two batches), in ``precision`` (float32 or bfloat16). Several ``processes`` share a model that is trained and what
    belongs to it if ``sharded``, else each has its own; they must be able to share the batch. Returns ``parameters``
    and ``bytes`` (each a list by model, bytes needed by one process) and ``available`` (None if unknown). Raises
    ValueError that names every fault and what to do about it.
    """
    faults, counts, needs = [], [], []
    available = memory(device, processes)
    for model, schedule in zip(models, schedules, strict=True):
        try:
            config = _config(model["name"], model.get("revision", ""))
            skeleton = _skeleton(config)
            if schedule is None:
                need = _answering(config, skeleton, form, rows, precision)
            else:
                accumulation(schedule, processes)
                need = _training(config, skeleton, schedule, processes if sharded else 1, processes, form)
        except ValueError as error:
            faults.append(str(error))
            continue
        counts.append(skeleton.num_parameters())
        needs.append(need)
        if available is not None and need > available:
            remedies = (
                _answering_remedies(rows, precision) if schedule is None else _training_remedies(schedule, device)
            )
            faults.append(_too_large(model["name"], schedule is None, need, available, device, remedies))
    if device == "cuda" and not torch.cuda.is_available():
        faults.append("--device cuda: PyTorch sees no GPU; use another machine, or --device cpu with a small preset")
    if faults:
        raise InputError("\n".join(dict.fromkeys(faults)))
    return {"parameters": counts, "bytes": needs, "available": available}


def _config(name: str, revision: str) -> Any:
    from transformers import AutoConfig

    file = gguf_of(name)
    if file is not None:
        return config_of(file)
    folder = folder_of(name)
    if folder is not None:
        refuse_pickles(folder)
        if not (folder / "config.json").exists():
            raise InputError(f"{name} has no config.json, so that it is no model that transformers can load")
    else:
        revision = commit_of_model(name, revision)
        _refuse_pickles_of_hub(name, revision)
    try:
        return AutoConfig.from_pretrained(folder or name, revision=revision or "main", trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{name}: its configuration cannot be read ({one_line(error)}); choose a model that transformers knows "
            "without code of the model's own, which is never run here"
        ) from None


def _refuse_pickles_of_hub(name: str, revision: str) -> None:
    from huggingface_hub import HfApi

    try:
        names = [file.rfilename for file in HfApi().model_info(name, revision=revision).siblings or []]
    except Exception:  # the HTTP library's own, which differs between versions of huggingface_hub, is no OSError
        return  # its configuration is in the cache, and loading will say whether the weights are
    if not any(file.endswith(".safetensors") for file in names):
        raise InputError(
            f"{name} has no weights as safetensors, and loading others runs code: choose another revision or model, or "
            "convert a copy (AutoModelForCausalLM.from_pretrained(...).save_pretrained(FOLDER)) and give its folder"
        )


def _skeleton(config: Any) -> Any:
    """The model without memory for its weights."""
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config)


def _training(config: Any, model: Any, schedule: Schedule, shards: int, processes: int, form: Format) -> int:
    """Bytes that one process needs."""
    count = model.num_parameters()
    width = DTYPES[schedule.precision].itemsize
    if schedule.lora_rank:
        linear = (layer for layer in model.modules() if isinstance(layer, torch.nn.Linear))
        adapters = sum(schedule.lora_rank * (layer.in_features + layer.out_features) for layer in linear)
        weights = width * count + 16 * adapters
    else:
        copies = 2 if width == 2 and not schedule.gradient_checkpointing else 0
        buckets = 4 if processes > 1 and shards == 1 else 0
        weights = (16 + copies + buckets) * count
    return int(weights // shards + _activations(config, schedule, width, form))


def _answering(config: Any, model: Any, form: Format, rows: int, precision: str) -> int:
    """Bytes that generation or scoring needs."""
    width = dtype_of(precision).itemsize
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    cache = form.block * 2 * config.num_hidden_layers * heads * head * width
    logits = form.summary_tokens * config.vocab_size * 4
    return int(model.num_parameters() * width + rows * (cache + logits))


def _activations(config: Any, schedule: Schedule, width: int, form: Format) -> int:
    layers, hidden = config.num_hidden_layers, config.hidden_size
    kept_in_layer = width * (10 * hidden + 4 * (getattr(config, "intermediate_size", None) or 4 * hidden))
    at_once = 1 if schedule.gradient_checkpointing else layers
    per_token = width * hidden * layers + kept_in_layer * at_once + 3 * 4 * config.vocab_size
    return int(schedule.micro_batch * form.block * per_token)


def _training_remedies(schedule: Schedule, device: str) -> list[str]:
    remedies = ["--accelerate with presets/fsdp.yaml on several GPUs"] if device == "cuda" else []
    if not schedule.lora_rank:
        remedies.append("[training] lora_rank = 16 (with about ten times the learning rate)")
    if not schedule.gradient_checkpointing:
        remedies.append("[training] gradient_checkpointing = true")
    if schedule.micro_batch > 1:
        remedies.append("[training] micro_batch = 1")
    return remedies


def _answering_remedies(rows: int, precision: str) -> list[str]:
    remedies = [f"[generation] batch and scoring_batch below {rows}"] if rows > 1 else []
    if precision == "float32":
        remedies.append('[generation] precision = "bfloat16"')
    return remedies


def _too_large(name: str, answers: bool, need: int, available: int, device: str, remedies: Sequence[str]) -> str:
    machine = "a larger GPU" if device == "cuda" else "a machine with more memory"
    verb = "run" if answers else "train"
    return (
        f"{name}: to {verb} it takes about {need / GB:.1f} GB per process, and {available / GB:.1f} GB are free; "
        f"what helps: {', '.join([*remedies, machine])}, or another preset"
    )
