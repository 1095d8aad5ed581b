"""One process of a training: what `training.train` calls here, or starts several times by ``accelerate launch``.

Its imports take seconds: import it when a training begins.
"""

import json
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from empirical.order import Order
from empirical.summarization.encode import Example, collate
from empirical.summarization.job import CHECKPOINTS, EXAMPLES, FAULT, WORK, certify, write_about
from empirical.summarization.models import (
    DTYPES,
    load_model,
    load_tokenizer,
    reference_to,
    save_adapter,
    save_model,
    write_reference,
)
from empirical.summarization.quiet import quiet
from empirical.summarization.schedule import Schedule, accumulation
from empirical.tensors import read_arrays
from theory.errors import InputError

RECOMPUTE = next(
    name
    for name in ("activation_checkpointing", "gradient_checkpointing")
    if name in TrainingArguments.__dataclass_fields__
)
"""What this transformers calls it; the second name is that of earlier ones, which a machine with a GPU may have."""


class Examples(Dataset[Example]):
    """Encoded examples in the order in which a training sees them; an example comes as often as there are passes."""

    def __init__(self, path: Path, schedule: Schedule, seed: int):
        """Read the file of `job.write_examples`."""
        arrays = read_arrays(path)
        self.lengths, self.starts = arrays["lengths"], arrays["starts"]
        self.ids = np.split(arrays["ids"], np.cumsum(self.lengths)[:-1])
        self.updates = schedule.updates(len(self.ids))
        self.order = Order(len(self.ids), seed).batch(0, self.updates * schedule.batch)

    def __len__(self) -> int:
        """How many are seen in the whole training."""
        return len(self.order)

    def __getitem__(self, place: int) -> Example:
        """The example at a place of the training."""
        index = self.order[place]
        return Example(self.ids[index].tolist(), int(self.starts[index]))

    def facts(self) -> dict[str, float]:
        """What is seen in the whole training."""
        lossless = np.maximum(self.starts, 1)  # nothing comes before the first token that could predict it
        return {
            "examples": len(self.ids),
            "passes": round(len(self.order) / len(self.ids), 4),
            "tokens": int(self.lengths[self.order].sum()),
            "loss_tokens": int((self.lengths - lossless)[self.order].sum()),
        }


class StopAtNonFinite(TrainerCallback):
    """Ends a training whose loss is not a number any more."""

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **_: Any) -> None:
        """Look at the loss of an update."""
        if logs and not np.isfinite(logs.get("loss", 0.0)):
            control.should_training_stop = True
            control.should_save = False


class Certify(TrainerCallback):
    """Writes the sums of a checkpoint's files beside them; not where other processes may still write theirs."""

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """After a checkpoint."""
        if args.world_size == 1:
            certify(Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}")


def fit(job: Mapping[str, Any]) -> None:
    """Train as a job of `training.train` says, as the only process or as one of several; the first of them saves."""
    schedule, folder = Schedule(**job["schedule"]), Path(job["folder"])
    examples = Examples(folder / WORK / EXAMPLES, schedule, job["seed"])
    arguments = _arguments(schedule, examples.updates, job)
    model = _model(Path(job["base"]), schedule, job["seed"])
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    trainer = Trainer(
        model,
        arguments,
        data_collator=partial(collate, pad=job["pad"]),
        train_dataset=examples,
        callbacks=[StopAtNonFinite(), Certify()],
    )
    trainer.remove_callback(PrinterCallback)
    with quiet():
        trainer.train(resume_from_checkpoint=job["checkpoint"])
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    failure = _failure(losses)
    if not failure:
        failure = _save(trainer, Path(job["base"]), schedule, folder)
    if trainer.is_world_process_zero():
        about = {
            "steps": len(losses),
            "batch": schedule.batch,
            "micro_batch": schedule.micro_batch,
            "accumulation": arguments.gradient_accumulation_steps,
            "world": arguments.world_size,
            "parameters": trained,
            "failure": failure,
        }
        write_about(folder, examples.facts() | about, losses)
    if arguments.world_size > 1:
        trainer.accelerator.free_memory()  # before the processes part


def _arguments(schedule: Schedule, updates: int, job: Mapping[str, Any]) -> TrainingArguments:
    cpu, bfloat16 = job["device"] == "cpu", schedule.precision == "bfloat16"
    sharded = _told("ACCELERATE_USE_FSDP")
    # A shared adapter does not come back as it was saved; and accelerate may checkpoint activations by itself.
    checkpoints = 0 if sharded and schedule.lora_rank else schedule.checkpoint_steps
    recompute = schedule.gradient_checkpointing and not (sharded and _told("FSDP_ACTIVATION_CHECKPOINTING"))
    recomputing: dict[str, Any] = {RECOMPUTE: recompute, f"{RECOMPUTE}_kwargs": {"use_reentrant": False}}
    arguments = TrainingArguments(
        output_dir=str(Path(job["folder"]) / WORK / CHECKPOINTS),
        max_steps=updates,
        per_device_train_batch_size=schedule.micro_batch,
        learning_rate=schedule.learning_rate,
        lr_scheduler_type="cosine" if schedule.scheduler == "cosine" else "constant_with_warmup",
        warmup_steps=schedule.warm_up,
        weight_decay=schedule.weight_decay,
        max_grad_norm=schedule.clip,
        optim="adamw_torch_fused",
        bf16=bfloat16,
        **recomputing,
        train_sampling_strategy="sequential",
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps" if checkpoints else "no",
        save_steps=max(checkpoints, 1),
        save_total_limit=1,
        seed=job["seed"],
        report_to=[],
        log_level="error",
        disable_tqdm=True,
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,
        dataloader_pin_memory=not cpu,
        use_cpu=cpu,
    )
    if arguments.world_size != job["processes"]:
        raise InputError(
            f"the accelerate configuration asks for {job['processes']} processes, and {arguments.world_size} runs: "
            "accelerate starts several on GPUs only (distributed_type: MULTI_GPU or FSDP)"
        )
    arguments.gradient_accumulation_steps = accumulation(schedule, arguments.world_size)
    arguments.mixed_precision = "bf16" if bfloat16 else "no"  # whatever the environment says
    arguments._n_gpu = min(arguments.n_gpu, 1)  # several GPUs are for accelerate, not for DataParallel
    return arguments


def _told(name: str) -> bool:
    """Whether accelerate has set a switch."""
    return os.environ.get(name, "").lower() in ("1", "true")


def _model(base: Path, schedule: Schedule, seed: int) -> Any:
    """With weights to be trained in float32."""
    if not schedule.lora_rank:
        return load_model(base, "float32", "cpu")
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    config = LoraConfig(
        r=schedule.lora_rank,
        lora_alpha=2 * schedule.lora_rank,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    with quiet():
        return get_peft_model(load_model(base, schedule.precision, "cpu"), config)


def _failure(losses: Sequence[float]) -> str:
    bad = np.flatnonzero(~np.isfinite(losses))
    return f"the loss is not finite at step {bad[0] + 1}; lower training.learning_rate" if len(bad) else ""


def _save(trainer: Trainer, base: Path, schedule: Schedule, folder: Path) -> str:
    """Write the model in the precision of the schedule, or the adapter; returns why not. All processes take part."""
    state = trainer.accelerator.get_state_dict(trainer.model)  # gathers what is spread over processes
    if not trainer.is_world_process_zero():
        return ""
    if not all(tensor.isfinite().all() for tensor in state.values()):
        return "the weights are not finite after the last step; lower training.learning_rate"
    model, tokenizer = trainer.accelerator.unwrap_model(trainer.model), load_tokenizer(base)
    model.config.use_cache = True  # which the Trainer turned off
    if schedule.lora_rank:
        save_adapter(model, tokenizer, folder, state)
        write_reference(folder, *reference_to(base, folder))
    else:
        dtype = DTYPES[schedule.precision]
        save_model(model, tokenizer, folder, {name: tensor.to(dtype) for name, tensor in state.items()})
    return ""


def _follow() -> None:
    """End with the process that started this one."""
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    """Run the job whose file is the first argument, and leave a message in its folder where it cannot be run."""
    job = json.loads(Path(sys.argv[1]).read_bytes())
    threading.Thread(target=_follow, daemon=True).start()
    try:
        fit(job)
    except (ValueError, RuntimeError) as error:
        (Path(job["folder"]) / WORK / FAULT).write_text(f"{type(error).__name__}: {error}")
        raise
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
