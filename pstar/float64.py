"""The scope in which our numbers are computed: JAX in float64 inside, whatever it is set to outside."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def float64() -> Iterator[None]:
    """JAX in float64 for the block, in this thread; no global flag is touched."""
    import jax

    with jax.enable_x64(True):
        yield
