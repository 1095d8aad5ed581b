"""Bytes for readers that run in threads of Arrow."""

import pyarrow as pa


def owned(data: bytes) -> pa.BufferReader:
    """A reader of a copy in memory of Arrow's own.

    A thread of Arrow may be the last to let go of what it read. Where that is memory of Python's, the thread waits for
    the interpreter's lock, and one that waits while the interpreter ends takes the whole process with it, after the
    work is done ("terminate called without an active exception", apache/arrow#34314 and #45017). A file of Python's
    that is too large for a copy is read without threads.
    """
    buffer = pa.allocate_buffer(len(data))
    memoryview(buffer).cast("B")[:] = data
    return pa.BufferReader(buffer)
