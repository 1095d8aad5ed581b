"""Making a stage in a process, this one or one of its own: ``python -m empirical.stages.worker``."""

import gc
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from empirical.stages.artefact import Stage, StageError, make
from sims.running.workers import serve, told


def run(stage: Stage, folder: Path, inputs: Mapping[str, Path], runtime: Mapping[str, Any]) -> None:
    """As `make`, on the device that ``runtime`` names."""
    (_on_gpu if runtime.get("device") == "cuda" else make)(stage, folder, inputs, runtime)


def _on_gpu(stage: Stage, folder: Path, inputs: Mapping[str, Path], runtime: Mapping[str, Any]) -> None:
    """A GPU's memory is given back after each stage: the next may need all of it, in processes of its own even."""
    import torch

    try:
        make(stage, folder, inputs, runtime)
    except torch.OutOfMemoryError as error:
        raise StageError(f"{stage.name}: {error}; what is finished is kept") from error
    finally:
        release()


def release() -> None:
    """Give back memory of a GPU that nothing refers to, or that only refers to itself, as models under autocast do."""
    import torch

    gc.collect()
    torch.cuda.empty_cache()


def request(stage: Stage, folder: Path, inputs: Mapping[str, Path], runtime: Mapping[str, Any]) -> str:
    """What `run` is given, as a line of JSON; settings are JSON already, and no stage knows how long it takes."""
    read = {role: str(path) for role, path in inputs.items()}
    about = [stage.name, stage.function, stage.settings, stage.inputs]
    return json.dumps([about, str(folder), read, runtime])


def reply(line: str) -> dict[str, Any]:
    """{"error": text}, which is empty where it went well."""
    about, folder, inputs, runtime = json.loads(line)
    try:
        run(Stage(*about), Path(folder), {role: Path(path) for role, path in inputs.items()}, runtime)
    except Exception as error:
        return {"error": told(error)}
    return {"error": ""}


if __name__ == "__main__":
    serve(reply)
