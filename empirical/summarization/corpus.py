"""Articles with reference summaries: one reader for own files and for data sets of the hub, and what is in them.

A row has id, title, text (the article) and summary (its reference); in own files perhaps family, a name that rows
share which belong together: they are not parted where rows are divided. A source is either
* a folder with train and test (and validation) files: {split}.jsonl, {split}.parquet, {split}-*.parquet,
  {split}/*.jsonl or {split}/*.parquet,
* a .jsonl or .parquet file, which has a train split only, or
* owner/name or owner/name/configuration: a data set of the hub, by its conversion to parquet.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from empirical.summarization.descriptions import licence_of, plain
from empirical.summarization.hub import CONVERTED, FILES_ELSEWHERE, commit_of_data_set
from empirical.summarization.reading import of_files, of_hub
from sims.running.sums import sha256_of
from theory.errors import InputError

COLUMNS = ("id", "text", "summary")
"""What every row must have as text; a missing title is left empty."""
SPLITS = ("train", "validation", "test")
KINDS = (".jsonl", ".parquet")
LICENCES = {"stories": "made by this program, no licence needed", "csebuetnlp/xlsum": "CC BY-NC-SA 4.0"}
UNKNOWN = "unknown: see its source"
A_DATA_SET = re.compile(r"\w[\w.-]*/\w[\w.-]*(/[\w.-]+)?")
A_COMMIT = re.compile("[0-9a-f]{40}")


def resolve(source: str, revision: str) -> dict[str, str]:
    """What a source is now: {"source", "revision", "licence"}; the same again for what it returns.

    The revision of a data set of the hub is the commit that ``revision`` (default: its conversion to parquet) points
    at, that of own files a hash of their content. "stories" stands for the made-up corpus.

    Raises:
        ValueError: there is no such source, revision or access to it.
        RuntimeError: the hub cannot be asked.
    """
    if not source:
        raise InputError(
            "data.source is empty: this preset wants a corpus. Make one by `pstar summarization corpus debian --out "
            "CORPUS`, and name it by --corpus CORPUS"
        )
    if source == "stories":
        return {"source": source, "revision": "", "licence": LICENCES[source]}
    path = _local(source)
    if path is not None:
        return {"source": str(path), "revision": _fingerprint(path), "licence": licence_of(path) or UNKNOWN}
    name, _ = _data_set(source)
    commit = revision if A_COMMIT.fullmatch(revision) else commit_of_data_set(name, revision or CONVERTED)
    return {"source": source, "revision": commit, "licence": LICENCES.get(name, UNKNOWN)}


def read(source: str, revision: str, split: str, cache: Path | str | None = None) -> pd.DataFrame:
    """The rows of a split, in their order: id, title, text, summary, then whatever other columns there are.

    Rows of the hub without a text or a summary, and repeated ids, are left out; ``attrs["dropped"]`` of the table
    counts them. ``cache`` is where `datasets` keeps what it downloads, default its own place.

    Raises:
        ValueError: the source has no such split, lacks columns, or own rows are without text or share an id.
        RuntimeError: the hub or a file cannot be read.
    """
    if split not in SPLITS:
        raise InputError(f"split is {split!r}; choose from {', '.join(SPLITS)}")
    path = _local(source)
    if path is not None:
        rows = of_files(_files(path, split), source, split)
        return _checked(_shaped(rows, source), source, split)
    name, configuration = _data_set(source)
    url = f"hf://datasets/{name}@{revision or CONVERTED}/{configuration}/{split}/*.parquet"
    remedy = f"check the network and that {revision or CONVERTED} of {name} holds these files, {FILES_ELSEWHERE}"
    return _cleaned(_shaped(of_hub(url, source, cache, remedy), source), source)


def divide(rows: pd.DataFrame, share: float, labelled: int, seed: Sequence[int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(what the generator is trained on, what it summarizes): disjoint random parts, each in the order of ``rows``.

    Of at most ``labelled`` rows (0: all) the first gets ``share``. Which rows these are follows from seed and ids
    alone, so that more rows in a source, or another order of them, move few of the others. Rows of one family follow
    each other, so that at most one family is in both parts.
    Raises ValueError where a part would be empty.
    """
    count = min(labelled or len(rows), len(rows))
    first = round(share * count)
    if not 0 < first < count:
        raise InputError(
            f"a share of {share} of {count} labelled articles leaves {first} to the generator and {count - first} to "
            "summarize; choose a share in (0, 1) and enough articles that both are at least 1"
        )
    order = _order(rows, seed)
    generator, pool = (rows.iloc[np.sort(part)].reset_index(drop=True) for part in (order[:first], order[first:count]))
    return generator, pool


def set_aside(rows: pd.DataFrame, count: int, labelled: int, seed: Sequence[int]) -> pd.DataFrame:
    """``count`` rows that `divide` leaves over. Raises ValueError where there are fewer."""
    order = _order(rows, seed)[labelled or len(rows) :]
    if len(order) < count:
        raise InputError(
            f"{count} fresh articles for verifiers are wanted beyond {labelled or len(rows)} labelled ones, and the "
            f"source has {len(order)}; lower data.labelled, or stronger.fresh and foreign.fresh"
        )
    return rows.iloc[np.sort(order[:count])].reset_index(drop=True)


def some(rows: pd.DataFrame, share: float, seed: Sequence[int]) -> pd.DataFrame:
    """A random share of rows, one at least, in their order; which, follows from seed and ids alone."""
    count = max(round(share * len(rows)), 1)
    return rows.iloc[np.sort(_order(rows, seed)[:count])].reset_index(drop=True)


def _order(rows: pd.DataFrame, seed: Sequence[int]) -> np.ndarray:
    """Places in the order of a hash of their family and then of their id, each with the seed."""
    salt = "-".join(map(str, seed))
    hashed = lambda names: np.array([hashlib.sha256(f"{salt}:{name}".encode()).hexdigest() for name in names])
    ids = hashed(rows["id"])
    return np.lexsort((ids, hashed(rows["family"]))) if "family" in rows else np.argsort(ids)


def facts(parts: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Sizes, repetitions within each part and articles shared between parts (apart from case and white space), as JSON.

    Words are what white space separates. What two parts share is counted in rows of the second.
    """
    articles = {name: rows["text"].map(plain) for name, rows in parts.items()}
    found: dict[str, Any] = {
        name: {
            "rows": len(rows),
            "repeated_articles": int(articles[name].duplicated().sum()),
            "repeated_references": int(rows["summary"].map(plain).duplicated().sum()),
            "article_words": _lengths(rows["text"]),
            "reference_words": _lengths(rows["summary"]),
            "dropped_by_reader": dict(rows.attrs.get("dropped", {})),
        }
        for name, rows in parts.items()
    }
    found["shared_articles"] = {
        f"{one} and {other}": int(articles[other].isin(set(articles[one])).sum())
        for one, other in combinations(parts, 2)
    }
    return found


def _local(source: str) -> Path | None:
    """The absolute path of own files, or None for what is not on this machine."""
    path = Path(source).expanduser()
    return path.resolve() if source and path.exists() else None


def _data_set(source: str) -> tuple[str, str]:
    """(owner/name, configuration) of a data set of the hub."""
    if not A_DATA_SET.fullmatch(source):
        raise InputError(f"{source}: no such folder or file, and no data set's name (owner/name/configuration)")
    owner, name, *rest = source.split("/")
    return f"{owner}/{name}", rest[0] if rest else "default"


def _files(path: Path, split: str) -> list[str]:
    """The files of a split."""
    if path.is_file():
        if split != "train" or path.suffix not in KINDS:
            raise InputError(
                f"{path} is a file and has a train split only, as .jsonl or .parquet; {split} is wanted: give a folder "
                f"with train and {split if split != 'train' else 'test'} files"
            )
        return [str(path)]
    patterns = (f"{split}.jsonl", f"{split}.parquet", f"{split}-*.parquet", f"{split}/*.jsonl", f"{split}/*.parquet")
    found = {pattern: sorted(map(str, path.glob(pattern))) for pattern in patterns}
    there = [pattern for pattern, files in found.items() if files]
    if len(there) != 1:
        held = f"holds {' and '.join(there)}" if there else f"has no {split} split"
        raise InputError(f"{path} {held}; it must hold one of {', '.join(patterns)}")
    return found[there[0]]


def _fingerprint(path: Path) -> str:
    """Hash of the names and content of all files that could be read."""
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(file for kind in KINDS for file in path.rglob(f"*{kind}"))
    if not files:
        raise InputError(f"{path} holds no .jsonl or .parquet file; give a folder with train and test files")
    for file in files:
        digest.update(f"{file.relative_to(path.parent)} {sha256_of(file)}\n".encode())
    return f"sha256:{digest.hexdigest()}"


def _shaped(rows: pd.DataFrame, source: str) -> pd.DataFrame:
    """Known columns first. Raises ValueError where some are missing."""
    missing = [name for name in COLUMNS if name not in rows]
    if missing:
        held = ", ".join(map(str, rows))
        raise InputError(f"{source} has no column {' and '.join(missing)}; it has {held}: rename or add columns")
    if "title" not in rows:
        rows = rows.assign(title="")
    first = ["id", "title", "text", "summary"]
    return rows[first + [name for name in rows if name not in first]]


def _checked(rows: pd.DataFrame, source: str, split: str) -> pd.DataFrame:
    """Own rows, which whoever wrote them can put right. Raises ValueError for rows that cannot be used."""
    for name in COLUMNS:
        _refuse(rows, ~_is_text(rows[name]), f"{source}, {split}: {name} is not text", "write it as a string")
        _refuse(rows, _blank(rows[name]), f"{source}, {split}: {name} is empty", "fill it, or leave the rows out")
    _refuse(rows, rows["id"].duplicated(), f"{source}, {split}: id is not unique", "give every row its own")
    return rows


def _cleaned(rows: pd.DataFrame, source: str) -> pd.DataFrame:
    """Rows of the hub that can be used. Raises ValueError where there is none."""
    blank = ~_is_text(rows["id"]) | _blank(rows["text"]) | _blank(rows["summary"])
    kept = rows[~blank]
    repeated = kept["id"].duplicated()
    found = kept[~repeated].reset_index(drop=True)
    if found.empty:
        raise InputError(f"none of the {len(rows)} rows of {source} has id, text and summary; choose another data set")
    found.attrs["dropped"] = {"empty": int(blank.sum()), "repeated_id": int(repeated.sum())}
    return found


def _refuse(rows: pd.DataFrame, faulty: pd.Series, what: str, remedy: str) -> None:
    if faulty.any():
        first = rows.index[faulty][0]
        raise InputError(
            f"{what} in {int(faulty.sum())} rows, first row {first} (id {str(rows['id'][first])!r}); {remedy}"
        )


def _is_text(values: pd.Series) -> pd.Series:
    return values.map(lambda value: isinstance(value, str)).astype(bool)


def _blank(values: pd.Series) -> pd.Series:
    return values.map(lambda value: not isinstance(value, str) or not value.strip()).astype(bool)


def _lengths(texts: pd.Series) -> dict[str, int]:
    """Quantiles of the number of words."""
    counts = texts.map(lambda text: len(text.split()))
    levels = {"5 %": 0.05, "50 %": 0.5, "95 %": 0.95, "most": 1.0}
    return {name: int(counts.quantile(level, interpolation="higher")) for name, level in levels.items()}
