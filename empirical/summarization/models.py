"""Language models and their tokenizers: where they come from, and how they lie in a folder.

A folder holds either a model of our own (`save_model`), or ``reference.json`` alone, which names a base model that is
somebody else's, or an adapter (LoRA) with the ``reference.json`` of the base it belongs to. Weights are safetensors,
and no code that comes with a model is run.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from empirical.summarization.hub import commit_of_model
from empirical.summarization.quantised import gguf_of, identity, missing_package
from empirical.summarization.quiet import quiet
from sims.running.files import write_json
from sims.running.sums import sha256_of
from theory.errors import InputError

REFERENCE = "reference.json"
ADAPTER = "adapter_config.json"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
REMEDY = "convert them: AutoModelForCausalLM.from_pretrained(FOLDER).save_pretrained(NEW_FOLDER)"


def resolve(name: str, revision: str) -> dict[str, str]:
    """What ``name`` stands for now: a local folder (absolute path, fingerprint), GGUF or a hub repository (commit).

    Keys: name, revision (a commit; empty for a folder), fingerprint (of the content of a folder's weights and of its
    small files; empty for the hub). Raises ValueError for what is not there or cannot be used.
    """
    file = gguf_of(name)
    if file is not None:
        return identity(name, file)
    folder = folder_of(name)
    if folder is not None:
        return {"name": str(folder.resolve()), "revision": "", "fingerprint": _fingerprint(folder)}
    return {"name": name, "revision": commit_of_model(name, revision), "fingerprint": ""}


def here(name: str) -> bool:
    """Whether a name stands for files that are on this machine, as those of an installed package are."""
    return missing_package(name) is None and (gguf_of(name) is not None or folder_of(name) is not None)


def folder_of(name: str) -> Path | None:
    """The folder that a model's name stands for (``~`` is the home), or None: then it is a name of the hub."""
    folder = Path(name).expanduser()
    return folder if folder.is_dir() else None


def dtype_of(precision: str) -> torch.dtype:
    """PyTorch's dtype of a precision's name. Raises ValueError for any but float32 and bfloat16."""
    if precision not in DTYPES:
        raise InputError(f"dtype = {precision!r}: must be float32 or bfloat16 (float16 overflows)")
    return DTYPES[precision]


def write_reference(folder: Path, name: str, revision: str) -> None:
    """Say in ``folder`` which model it stands for; a relative ``name`` starts at that folder."""
    write_json(folder / REFERENCE, {"name": name, "revision": revision})


def read_reference(folder: Path) -> tuple[str, str] | None:
    """(name, revision) of the model that a folder stands for or builds upon, or None where it holds a whole model."""
    try:
        found = json.loads((folder / REFERENCE).read_bytes())
    except FileNotFoundError:
        return None
    name = found["name"]
    return str((folder / name).resolve()) if name.startswith(".") else name, found["revision"]


def reference_to(base: Path, folder: Path) -> tuple[str, str]:
    """(name, revision) by which ``folder`` can refer to the model of ``base``, wherever the two are moved together."""
    found = read_reference(base)
    return found if found is not None else (os.path.relpath(base.resolve(), folder.resolve()), "")


@quiet()
def load_model(where: Path, dtype: str, device: str) -> Any:
    """The model of a folder (an adapter is merged into its base), in evaluation mode.

    ``dtype`` is float32 or bfloat16. Raises ValueError for another one, and for weights that are not safetensors.
    """
    wanted = dtype_of(dtype)
    from transformers import AutoModelForCausalLM, GenerationConfig

    name, revision = read_reference(where) or (str(where), "")
    if Path(name) != where and Path(name).is_dir():  # a folder of ours again, or of the user's
        model = load_model(Path(name), dtype, device)
    else:
        refuse_pickles(Path(name))
        found: Any = AutoModelForCausalLM.from_pretrained(
            name,
            revision=revision or "main",
            dtype=wanted,
            use_safetensors=True,
            trust_remote_code=False,
            attn_implementation="sdpa",
        )
        model = found.to(device)
        # Llama 2's own asks for sampling, and is refused when it is saved.
        model.generation_config = GenerationConfig.from_model_config(model.config)
    if (where / ADAPTER).exists():
        from peft import PeftModel

        refuse_pickles(where)
        model = PeftModel.from_pretrained(model, str(where)).merge_and_unload()
    return model.eval()


def load_tokenizer(where: Path) -> Any:
    """The tokenizer of a folder's model."""
    from transformers import AutoTokenizer

    own = (where / ADAPTER).exists()
    name, revision = (None if own else read_reference(where)) or (str(where), "")
    return AutoTokenizer.from_pretrained(name, revision=revision or "main", trust_remote_code=False)


@quiet()
def save_model(model: Any, tokenizer: Any, folder: Path, state: Mapping[str, torch.Tensor] | None = None) -> None:
    """Write a model and its tokenizer: safetensors and JSON. ``state`` replaces its weights, by name."""
    if state is not None:
        tied = model.all_tied_weights_keys  # what is gathered from several processes has them twice
        state = {name: tensor for name, tensor in state.items() if name not in tied}
    model.save_pretrained(folder, state_dict=state)
    tokenizer.save_pretrained(folder)


def save_adapter(model: Any, tokenizer: Any, folder: Path, state: Mapping[str, torch.Tensor]) -> None:
    """Write the adapter (LoRA) of a peft model, as peft does, and the tokenizer; ``state`` has its weights, and more.

    peft's own saving looks for the names of an unwrapped model, and writes an empty file for one that FSDP wrapped.
    """
    name = model.active_adapter
    weights = {key.replace(f".{name}.", "."): tensor.contiguous() for key, tensor in state.items() if ".lora_" in key}
    safetensors.torch.save_file(weights, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config = model.peft_config[name]
    config.inference_mode = True
    config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def refuse_pickles(folder: Path) -> None:
    """Raise ValueError for a local folder without weights as safetensors."""
    if folder.is_dir() and not any(folder.glob("*.safetensors")):
        found = ", ".join(sorted(path.name for path in folder.glob("*.bin"))) or "no weights"
        raise InputError(
            f"{folder} holds {found}; weights must be safetensors, because loading others runs code. {REMEDY}"
        )


def _fingerprint(folder: Path) -> str:
    """Of the content of a folder's weights and of its small files."""
    refuse_pickles(folder)
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".json", ".model", ".txt", ".jinja"):
            digest.update(f"{path.name} {sha256_of(path.resolve())}\n".encode())
    return digest.hexdigest()
