"""Article and summary as tokens: one encoder for training, generation and scoring.

    [bos] prefix article separator | summary eos
    prompt, carries no loss        | carries loss

A long article is cut at its end; a summary never is. The four pieces are tokenised one by one, so that the boundary
between prompt and summary is the same everywhere, whatever the tokenizer would merge across it.
"""

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

from theory.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

IGNORED = -100
"""Label of a token that carries no loss (of torch's cross entropy)."""
AT_ONCE = 1000
"""Texts tokenised together."""
LONG = 8
"""Characters per token up to which an article is read before it is known that more are needed."""
WORD_ENDS = re.compile(r"(?<=[A-Za-z]) (?=[A-Za-z])")
"""Where a text can be cut without changing the tokens before: no tokenizer of ours joins words."""


@dataclass(frozen=True)
class Format:
    """How an example is laid out. Raises ValueError for numbers that leave no room."""

    block: int
    """Most tokens of prompt, summary and eos together."""
    summary_tokens: int
    """Tokens kept free for the summary with its eos: what a generation may use."""
    prefix: str = ""
    """Text before the article."""
    separator: str = "\nTL;DR:"
    """Text after the article. Spaces at its end change nothing; after the end of a line a summary begins as a text."""

    def __post_init__(self) -> None:
        """Check the room."""
        if not 2 <= self.summary_tokens < self.block:
            raise InputError(
                f"summary_tokens = {self.summary_tokens} must be between 2 (a token and eos) and block - 1 = "
                f"{self.block - 1}; change one of the two"
            )


class Example(NamedTuple):
    """Tokens of an example."""

    ids: list[int]
    start: int
    """First token that carries loss; from here on all do."""


class Encoder:
    """Encodes articles and summaries by one tokenizer.

    Raises ValueError for a tokenizer without an eos token, a layout without any token of its own, and a block in which
    no article has room.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", form: Format) -> None:
        """Tokenise what is the same in every example."""
        if tokenizer.eos_token_id is None:
            raise InputError("the tokenizer has no eos token, so that no summary could end; set its eos_token")
        self.tokenizer, self.form = tokenizer, form
        self.eos: int = tokenizer.eos_token_id
        self.pad: int = self.eos if tokenizer.pad_token_id is None else tokenizer.pad_token_id
        bos = [tokenizer.bos_token_id]
        adds_bos = tokenizer("x")["input_ids"][:1] == bos
        self._before = (bos if adds_bos else []) + self._ids([form.prefix], special=True)[0]
        separator = form.separator.rstrip(" ")  # the space before a word belongs to the word
        self._after = self._ids([separator], special=True)[0]
        if not self._before + self._after:
            raise InputError(
                f"separator = {form.separator!r} has no token, nor has what comes before the article; give one that "
                "tells where the summary begins"
            )
        self._gap = "" if separator[-1:].isspace() or self._marks_words() else " "
        self.budget = form.block - len(self._before) - len(self._after) - form.summary_tokens
        """Most tokens of an article beside a summary of usual length."""
        if self.budget < 1:
            raise InputError(
                f"block = {form.block} leaves no room for an article: prefix, separator and summary_tokens need "
                f"{form.block - self.budget}; raise block, or lower summary_tokens"
            )

    def prompt(self, article: str) -> list[int]:
        """What comes before a summary."""
        return self.prompts([article])[0]

    def prompts(self, articles: Sequence[str]) -> list[list[int]]:
        """What comes before each summary."""
        return [[*self._before, *ids, *self._after] for ids in self._articles(articles)]

    def example(self, article: str, summary: str) -> Example:
        """Prompt, summary and eos; see `examples`."""
        return self.examples([article], [summary])[0]

    def examples(self, articles: Sequence[str], summaries: Sequence[str]) -> list[Example]:
        """Prompts with their summaries and eos; a summary that needs more than its room takes it from the article.

        Raises ValueError for a summary that does not fit beside an empty article.
        """
        pairs = zip(self._articles(articles), self._summaries(summaries), strict=True)
        return [self._joined(article, summary, index) for index, (article, summary) in enumerate(pairs)]

    def text(self, ids: Sequence[int]) -> str:
        """A generated summary: what stands before eos, stripped, without special tokens."""
        kept = list(ids)
        if self.eos in kept:
            kept = kept[: kept.index(self.eos)]
        found = self.tokenizer.decode(kept, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        assert isinstance(found, str)
        return found.strip()

    def openings(self, texts: Sequence[str], words: int) -> list[str]:
        """The first ``words`` of each text; of what is longer than an article may be, as many tokens as that."""
        first = [" ".join(text.split()[:words]) for text in texts]
        pairs = zip(first, self._ids(first), strict=True)
        # A character that is cut decodes to \ufffd.
        return [
            text if len(ids) <= self.budget else self.text(ids[: self.budget]).rstrip("\ufffd") for text, ids in pairs
        ]

    def article_tokens(self, article: str) -> int:
        """Length of an article that nothing was cut from."""
        return len(self._ids([article])[0])

    def _joined(self, article: list[int], summary: list[int], index: int) -> Example:
        fixed = len(self._before) + len(self._after) + len(summary)
        if fixed > self.form.block:
            raise InputError(
                f"summary {index} has {len(summary)} tokens with eos and does not fit into block = {self.form.block}; "
                "raise block, or leave this row out"
            )
        prompt = [*self._before, *article[: self.form.block - fixed], *self._after]
        return Example([*prompt, *summary], len(prompt))

    def _summaries(self, summaries: Sequence[str]) -> list[list[int]]:
        """With eos. A tokenizer that marks the beginnings of words meets the first one as it meets the others."""
        return [[*ids, self.eos] for ids in self._ids([self._gap + summary.strip() for summary in summaries])]

    def _articles(self, articles: Sequence[str]) -> list[list[int]]:
        """At most `budget` tokens each. Of a very long text the beginning is read, unless it proves too short."""
        beginnings = [self._beginning(article) for article in articles]
        ids = self._ids(beginnings)
        short = [
            index
            for index, article in enumerate(articles)
            if len(ids[index]) < self.budget and len(beginnings[index]) < len(article)
        ]
        for index, whole in zip(short, self._ids([articles[index] for index in short]), strict=True):
            ids[index] = whole
        return [article[: self.budget] for article in ids]

    def _beginning(self, article: str) -> str:
        end = WORD_ENDS.search(article, LONG * self.budget)
        return article if end is None else article[: end.start()]

    def _marks_words(self) -> bool:
        """Whether a text begins as a word within a text does, so that it needs no space before it."""
        return "".join(self.tokenizer.convert_ids_to_tokens(self._ids(["x"])[0])).startswith(("▁", "Ġ"))

    def _ids(self, texts: Sequence[str], special: bool = False) -> list[list[int]]:
        """Nothing added. The name of a special token in a text is text like any other, unless ``special``."""
        found: list[list[int]] = []
        for start in range(0, len(texts), AT_ONCE):
            chunk = list(texts[start : start + AT_ONCE])
            found += self.tokenizer(
                chunk,
                add_special_tokens=False,
                split_special_tokens=not special,
                return_attention_mask=False,
                return_token_type_ids=False,
                verbose=False,
            )["input_ids"]
        return found


def pad_left(sequences: Sequence[list[int]], pad: int, device: torch.device) -> dict[str, torch.Tensor]:
    """input_ids and attention_mask (sequences, longest), every sequence at the right edge."""
    longest = max(map(len, sequences))
    ids = [[pad] * (longest - len(sequence)) + sequence for sequence in sequences]
    mask = [[0] * (longest - len(sequence)) + [1] * len(sequence) for sequence in sequences]
    return {"input_ids": torch.tensor(ids, device=device), "attention_mask": torch.tensor(mask, device=device)}


def collate(examples: Sequence[Example], pad: int) -> dict[str, torch.Tensor]:
    """input_ids, attention_mask and labels (examples, longest), padded at the right.

    Labels come from lengths, never from a comparison with ``pad``, which may be eos: its loss would be lost.
    """
    longest = max(len(example.ids) for example in examples)
    rows = [(*example, longest - len(example.ids)) for example in examples]
    return {
        "input_ids": torch.tensor([ids + [pad] * missing for ids, _, missing in rows]),
        "attention_mask": torch.tensor([[1] * len(ids) + [0] * missing for ids, _, missing in rows]),
        "labels": torch.tensor([[IGNORED] * start + ids[start:] + [IGNORED] * missing for ids, start, missing in rows]),
    }


def check_room(model: "PreTrainedModel", tokens: int) -> None:
    """Raise ValueError where a sequence of so many tokens is longer than what the model was made for."""
    most = getattr(model.config, "max_position_embeddings", None)
    if most is not None and tokens > most:
        raise InputError(
            f"prompt and summary need up to {tokens} tokens, and the model has {most} positions "
            f"(max_position_embeddings); set block to at most {most}"
        )


def describe(encoder: Encoder, example: Example) -> list[tuple[str, int, bool]]:
    """(token, id, whether it carries loss), token by token."""
    tokens = encoder.tokenizer.convert_ids_to_tokens(example.ids)
    return [
        (token, number, index >= example.start)
        for index, (token, number) in enumerate(zip(tokens, example.ids, strict=True))
    ]


def shown(encoder: Encoder, article: str, summary: str) -> str:
    """An example for the eye: tokens that carry loss in [brackets], lengths, and what was cut."""
    example = encoder.example(article, summary)
    table = describe(encoder, example)
    fixed = len(encoder.prompt(""))
    total, kept = encoder.article_tokens(article), example.start - fixed
    cut = f"the last {total - kept} cut" if total > kept else "none cut"
    lines = [
        f"article: {total} tokens, {cut}",
        f"prompt:  {example.start} tokens, no loss",
        f"summary: {len(example.ids) - example.start} tokens with eos, all with loss (room for "
        f"{encoder.form.summary_tokens})",
        f"total:   {len(example.ids)} of block = {encoder.form.block}",
        "",
        *_wrapped(_visible(token) for token, _, loss in table if not loss),
        *_wrapped(f"[{_visible(token)}]" for token, _, loss in table if loss),
    ]
    return "\n".join(lines)


def _visible(token: str) -> str:
    """A token as both families of tokenizers could have written it: ▁ for a space, \\n for the end of a line."""
    return token.replace("Ġ", "▁").replace("Ċ", "\\n").replace("<0x0A>", "\\n")


def _wrapped(tokens: Iterable[str]) -> list[str]:
    return textwrap.wrap(" ".join(tokens), 110, break_long_words=False, break_on_hyphens=False)
