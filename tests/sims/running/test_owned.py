"""What Arrow's threads read is theirs."""

import re
import sys
from pathlib import Path

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
    held_by_arrow = pa.total_allocated_bytes()
    reader = owned(data)
    assert sys.getrefcount(data) == before
    assert pa.total_allocated_bytes() >= held_by_arrow + reader.size() == held_by_arrow + 1000


def test_no_module_lends_memory_of_python_to_arrow():
    """But to pandas' own reader of CSV, which has no threads."""
    top = Path(__file__).resolve().parents[3]
    lent = re.compile(r"BufferReader\(|(pq|pa|pc|pj|ipc)\.\w+\(\s*(io\.)?BytesIO|read_parquet\(\s*(io\.)?BytesIO")
    assert lent.search("pd.read_parquet(BytesIO(data))")
    found = [
        str(path.relative_to(top))
        for package in ("theory", "sims", "empirical", "figures", "pstar")
        for path in (top / package).rglob("*.py")
        if lent.search(path.read_text())
    ]
    assert found == ["sims/running/owned.py"]
