"""What Arrow's threads read is theirs."""

import sys

import pyarrow as pa
import pytest

from sims.running.owned import owned


@pytest.mark.parametrize("data", [b"", b"a", bytes(range(256)) * 1000])
def test_the_bytes_are_the_same(data):
    assert owned(data).read() == data


def test_no_reader_holds_memory_of_python():
    data = bytes(1000)
    before = sys.getrefcount(data)
    held = pa.BufferReader(data)
    assert sys.getrefcount(data) == before + 1, "the twin: Arrow's own reader keeps what it was given"
    del held
    reader = owned(data)
    assert sys.getrefcount(data) == before
    assert reader.size() == 1000
