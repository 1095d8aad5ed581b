"""What tests of models, and of what is made from stories, share."""

import pytest
import torch

from empirical.summarization import stories


@pytest.fixture
def alone(monkeypatch):
    """One thread, and no network."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def made():
    """3,000 stories."""
    return stories.stories(3000, [5, 1], stories.Recipe())
