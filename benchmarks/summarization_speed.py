"""Speed and memory of training, generation and scoring at the shapes of a model, with random weights.

    python benchmarks/summarization_speed.py --shape smollm2-135m        # a minute or two on two cores
    python benchmarks/summarization_speed.py --shape llama2-7b           # one GPU of 141 GB, 30 GB of disk

The three steps are those of `pstar summarization`, fully fine-tuned in bfloat16 as in preset llama2, on articles that
fill the block. A step of training is the difference between a training of 1 + STEPS steps and one of 1.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import LlamaConfig, LlamaForCausalLM

sys.path.insert(0, str(Path(__file__).parents[1]))

from empirical.summarization.encode import Encoder, Format
from empirical.summarization.generate import generate
from empirical.summarization.made import train_tokenizer
from empirical.summarization.models import load_model, load_tokenizer, save_model
from empirical.summarization.perplexity import score_rows
from empirical.summarization.schedule import Schedule
from empirical.summarization.training import train

SHAPES = {
    "tiny": dict(hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, vocab_size=500),
    "smollm2-135m": dict(
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        vocab_size=49_152,
        tie_word_embeddings=True,
    ),
    "llama2-7b": dict(
        hidden_size=4096,
        intermediate_size=11_008,
        num_hidden_layers=32,
        num_attention_heads=32,
        vocab_size=32_000,
    ),
}
STEPS = 2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="smollm2-135m")
    parser.add_argument("--block", type=int, default=1024)
    parser.add_argument("--summary-tokens", type=int, default=128)
    parser.add_argument("--batch", type=int, default=32, help="global batch of training, split into --micro-batch")
    parser.add_argument("--micro-batch", type=int, default=2)
    parser.add_argument("--rows", type=int, default=16, help="articles generated from and scored, in one batch")
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    name = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"{options.shape} on {name}, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as scratch:
        measure(options, Path(scratch), device)


def measure(options, scratch, device):
    form = Format(options.block, options.summary_tokens, "", " TL;DR")
    base = scratch / "base"
    words = [f"w{number}" for number in range(SHAPES[options.shape]["vocab_size"] - 4)]
    tokenizer = train_tokenizer([" ".join([*words, "TL;DR"])], "word", 1_000_000)
    config = LlamaConfig(
        **SHAPES[options.shape],
        max_position_embeddings=4096,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.device(device):
        model = LlamaForCausalLM(config).to(torch.bfloat16)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters")
    save_model(model, tokenizer, base)
    (base / "about.json").write_text(json.dumps({"failure": ""}))
    del model

    rng = np.random.default_rng(0)
    text = lambda count: " ".join(rng.choice(words, count))
    rows = pd.DataFrame({"id": [str(i) for i in range(options.rows)]})
    rows["text"] = [text(options.block) for _ in range(options.rows)]
    examples = [text(options.block) for _ in range(options.batch)], [text(options.summary_tokens - 1)] * options.batch

    seconds = []
    for steps in (1, 1 + STEPS):
        schedule = Schedule(
            steps=steps,
            epochs=1,
            batch=options.batch,
            micro_batch=options.micro_batch,
            learning_rate=2e-5,
            scheduler="constant",
            warm_up=0,
            weight_decay=0.0,
            clip=1.0,
            precision="bfloat16",
            gradient_checkpointing=True,
        )
        folder = scratch / f"trained-{steps}"
        folder.mkdir()
        run = lambda schedule=schedule, folder=folder: train(
            base, examples, form, schedule, 0, folder, {"device": device, "accelerate": None}
        )
        seconds.append(timed(run, device)[0])
    step = (seconds[1] - seconds[0]) / STEPS
    say("training, one step", step, options.batch * options.block, device)

    model, encoder = load_model(base, "bfloat16", device), Encoder(load_tokenizer(base), form)
    spent, found = timed(lambda: generate(model, encoder, rows, scratch, batch=options.rows), device)
    say("generation, one batch", spent, int(found["tokens"].sum()), device)
    spent, _ = timed(lambda: score_rows(model, encoder, rows, found, scratch, batch=options.rows), device)
    say("scoring, one batch", spent, options.rows * options.block, device)


def timed(function, device):
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    result = function()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def say(what, seconds, tokens, device):
    memory = f", peak {torch.cuda.max_memory_allocated() / 1e9:.1f} GB" if device == "cuda" else ""
    print(f"{what}: {seconds:.2f} s, {tokens / seconds:,.0f} tokens/s{memory}")


if __name__ == "__main__":
    main()
