"""The hub: which commit a revision stands for now, and what its errors mean to a user, in one line."""

from collections.abc import Mapping
from pathlib import Path

from sims.running.text import one_line
from theory.errors import InputError, RunError

CONVERTED = "refs/convert/parquet"
"""The branch of every data set that holds {configuration}/{split}/*.parquet."""
FILES_ELSEWHERE = "or download the parquet files elsewhere and give their folder as the source"
MODEL_ELSEWHERE = "or download the repository elsewhere and give its folder as the model's name"
PATIENCE = 30.0
"""Seconds that the hub has to answer about a data set."""
LONGEST = 200
"""Characters of an error about a data set that are passed on."""
OF_MODELS = {
    "HFValidationError": "{name}: no such folder, and no name of a hub repository (owner/name) either",
    "GatedRepoError": (
        "{name} is gated: accept its licence at https://huggingface.co/{name} and log in by `hf auth login`, "
        f"{MODEL_ELSEWHERE}"
    ),
    "RevisionNotFoundError": (
        "{name} has no revision {revision!r}: see https://huggingface.co/{name}/commits/main, or leave the revision out"
    ),
    "RepositoryNotFoundError": "{name} is not on the hub, or private: check the name, or log in by `hf auth login`",
    "RemoteEntryNotFoundError": "{name} has no config.json, so that it is no model that transformers can load",
    "HfHubHTTPError": f"{{name}}: the hub answered with an error ({{error}}); try again later, {MODEL_ELSEWHERE}",
    "Exception": (
        "{name} is neither a folder nor in the cache, and the hub cannot be reached ({error}): check the network and "
        f"HF_HUB_OFFLINE, {MODEL_ELSEWHERE}"
    ),
}
"""What to do about an error, by the name of its class or of the nearest one above it."""
OF_DATA_SETS = {
    "GatedRepoError": (
        "data set {name} is gated: accept its conditions on https://huggingface.co/datasets/{name}, then run "
        f"`hf auth login` here, {FILES_ELSEWHERE}"
    ),
    "RepositoryNotFoundError": (
        "{name}: no such folder here, and no such data set on the hub (or a private one); correct the name, or run "
        "`hf auth login`"
    ),
    "RevisionNotFoundError": (
        f"data set {{name}} has no revision {{revision}}; leave it out for {CONVERTED}, or give a commit of that branch"
    ),
    "Exception": (
        "{name}: no such folder here, and the hub cannot be asked for a data set ({error}); check the network and "
        f"HF_HUB_OFFLINE, {FILES_ELSEWHERE}"
    ),
}


def commit_of_model(name: str, revision: str) -> str:
    """The commit that a revision (empty: main) of a model points at; fetches its config.json.

    Raises ValueError, with what to do, where that is impossible.
    """
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(name, "config.json", revision=revision or None)).parent.name
    except (OSError, ValueError) as error:
        raise InputError(explained(error, OF_MODELS, name, revision)) from None


def commit_of_data_set(name: str, revision: str) -> str:
    """The commit that a revision of a data set points at.

    Raises ValueError for what is not there or not open to the user, RuntimeError where the hub cannot be asked.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        commit = HfApi().dataset_info(name, revision=revision, timeout=PATIENCE).sha
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise InputError(explained(error, OF_DATA_SETS, name, revision)) from None
    except Exception as error:
        raise RunError(explained(error, OF_DATA_SETS, name, revision, LONGEST)) from None
    if commit is None:
        raise RunError(f"the hub names no commit for {revision} of data set {name}; give a commit as the revision")
    return commit


def explained(error: Exception, words: Mapping[str, str], name: str, revision: str, most: int | None = None) -> str:
    """What an error means by a table of ``words``, which may show ``most`` characters of it."""
    nearest = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in words)
    return words[nearest].format(name=name, revision=revision, error=one_line(error, most))
