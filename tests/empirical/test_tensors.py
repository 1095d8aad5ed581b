"""Files of a training on its way carry a sum of their own."""

import numpy as np
import pytest
import torch

from empirical.tensors import intact, read_arrays, read_tensors, write_arrays, write_tensors


@pytest.fixture(params=["arrays", "tensors"])
def file(request, tmp_path):
    path = tmp_path / "x.safetensors"
    if request.param == "arrays":
        write_arrays(path, {"a": np.arange(12.0).reshape(3, 4), "b": np.array([1, 2], np.int32)})
    else:
        write_tensors(path, {"a": torch.arange(12.0), "b": torch.ones(2, dtype=torch.bfloat16)}, {"step": 3})
    return path


def test_round_trip(file):
    assert intact(file)
    if "about" in file.read_bytes()[:200].decode(errors="ignore"):
        tensors, about = read_tensors(file)
        assert about == {"step": 3}
        assert torch.equal(tensors["a"], torch.arange(12.0))
        assert tensors["b"].dtype == torch.bfloat16
    else:
        assert np.array_equal(read_arrays(file)["a"], np.arange(12.0).reshape(3, 4))


def test_every_bit_counts(file):
    """But for spaces in the header, every single one, and every length."""
    data = file.read_bytes()
    for place in range(len(data)):
        for bit in range(8):
            broken = bytearray(data)
            broken[place] ^= 1 << bit
            if data[place : place + 1] != b" ":
                file.write_bytes(broken)
                assert not intact(file), (place, bit)
    for length in range(0, len(data), 7):
        file.write_bytes(data[:length])
        assert not intact(file)


def test_a_file_of_elsewhere_is_not_ours(tmp_path):
    from safetensors.numpy import save_file

    save_file({"a": np.ones(3)}, tmp_path / "x.safetensors")
    assert not intact(tmp_path / "x.safetensors")
    assert not intact(tmp_path / "none")
