"""What the hub says of models, and what a user is told."""

from pathlib import Path

import httpx2 as httpx
import pytest
from huggingface_hub import errors

from empirical.summarization import preflight
from empirical.summarization.hub import OF_MODELS, commit_of_model, explained
from empirical.summarization.models import resolve

pytestmark = pytest.mark.usefixtures("alone")


def answer(status=401):
    return httpx.Response(status, request=httpx.Request("GET", "https://huggingface.co"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.GatedRepoError("gated", response=answer(403)), r"accept its licence at https://huggingface\.co/o/n"),
        (errors.RepositoryNotFoundError("no", response=answer(401)), "not on the hub, or private"),
        (errors.RevisionNotFoundError("no", response=answer(404)), "no revision 'v9'"),
        (errors.RemoteEntryNotFoundError("no", response=answer(404)), "no config.json"),
        (errors.HfHubHTTPError("503 Service Unavailable", response=answer(503)), "try again later"),
        (errors.LocalEntryNotFoundError("offline"), "hub cannot be reached"),
        (errors.OfflineModeIsEnabled("offline"), "hub cannot be reached"),
    ],
)
def test_errors_of_the_hub_say_what_to_do(error, said, monkeypatch):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fail)
    with pytest.raises(ValueError, match=said) as caught:
        commit_of_model("o/n", "v9")
    assert "\n" not in str(caught.value)
    assert explained(error, OF_MODELS, "o/n", "v9") == str(caught.value)


def test_offline_and_misspelt_folders(tmp_path):
    with pytest.raises(
        ValueError, match=r"neither a folder nor in the cache.*HF_HUB_OFFLINE.*give its folder as the model's name"
    ):
        resolve("meta-llama/Llama-2-7b-hf", "")
    with pytest.raises(ValueError, match="no such folder"):
        resolve(str(tmp_path / "missing"), "")


def test_the_commit_of_a_revision_comes_from_the_cache_it_was_put_into(monkeypatch):
    place = "/cache/models--o--n/snapshots/0123456789abcdef0123456789abcdef01234567/config.json"
    asked = []

    def fetch(name, file, revision):
        asked.append((name, file, revision))
        return place

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    assert resolve("o/n", "") == {"name": "o/n", "revision": Path(place).parent.name, "fingerprint": ""}
    assert asked == [("o/n", "config.json", None)]


def test_a_model_in_the_cache_needs_no_network(tmp_path, monkeypatch):
    """Nothing answers at port 9; the error is the HTTP library's own, and no OSError."""
    from huggingface_hub import HfApi
    from transformers import LlamaConfig

    place = tmp_path / "models--o--n"
    LlamaConfig(num_hidden_layers=1).save_pretrained(place / "snapshots" / ("0" * 40))
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("0" * 40)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(httpx.ConnectError):
        HfApi().model_info("o/n")
    assert commit_of_model("o/n", "") == "0" * 40
    assert preflight._config("o/n", "").num_hidden_layers == 1
