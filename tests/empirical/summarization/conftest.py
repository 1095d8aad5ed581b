"""What tests of models share."""

import pytest
import torch


@pytest.fixture
def alone(monkeypatch):
    """One thread, and no network."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    yield
    torch.set_num_threads(before)
