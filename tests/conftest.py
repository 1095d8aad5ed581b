"""Strict JAX for every test, compiled once for all workers, and seeds that are fresh but replayable."""

import ctypes
import gc
import os
import secrets
import signal
import sys
import zlib
from pathlib import Path

import jax
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("shared_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared_machine")

COMPILED = {
    "jax_compilation_cache_dir": str(Path(__file__).parents[1] / ".cache" / "jax"),
    "jax_persistent_cache_min_compile_time_secs": 0,
}
"""What JAX compiles is kept for the other worker, for the processes that tests start, and for the next run."""

os.environ["PSTAR_QUIET"] = "1"  # a sign of life comes after two seconds, which no test counts

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and hands that on

for option, value in COMPILED.items():
    jax.config.update(option, value)
    os.environ[option.upper()] = str(value)

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)


@pytest.fixture(scope="module", autouse=True)
def forgotten():
    """What a module has compiled is dropped after it, and its memory handed back to the system."""
    yield
    jax.clear_caches()
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


@pytest.fixture
def key(request):
    """A key from the test's own name: adding a test moves no other."""
    return jax.random.key(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture
def fresh_seed(request):
    """A new seed for a statistical test, shown when it fails; PSTAR_TEST_SEED replays it."""
    seed = int(os.environ.get("PSTAR_TEST_SEED", secrets.randbits(31)))
    request.node.user_properties.append(("seed", seed))
    print(f"seed: replay with PSTAR_TEST_SEED={seed}")
    return seed
