"""Standard normal numbers in float64: Box-Muller on two 64-bit words, written so that XLA vectorises it.

    z, z' = sqrt(-2 log u) (cos, sin)(2 pi v),  u = (2 k + 1) 2^-53, k of 52 bits

The angle is an octant, by three bits (which of cosine and sine comes first, and both signs), and a place in it, by 52
more, so that -z is as likely as z to the last bit, and z as z'. |z| <= sqrt(106 log 2) = 8.57. Logarithm, cosine and
sine are polynomials, right to 1e-15 of their size, and hold no branch. Source: box1958note.
"""

import math

import jax
import jax.numpy as jnp
from jax.lax import bitcast_convert_type as bits_as
from jaxtyping import Array, Float, Key, UInt64

from theory.errors import KindError

BLOCK = 32_768
"""Numbers drawn at a time: with their words they stay in the cache of a core."""

LOG = [2 / (2 * k + 1) for k in range(10)]
COS = [(-1) ** k / math.factorial(2 * k) for k in range(9)]
SIN = [(-1) ** k / math.factorial(2 * k + 1) for k in range(8)]
TURNS = ((13, 15, 26, 6), (17, 29, 16, 24))
"""Rotations of threefry-2x32, by groups of four rounds."""

ROOT_HALF = 0x3FE6A09E667F3BCD
"""The bits of sqrt(1/2) as a float64."""

Words = UInt64[Array, "*shape"]
Numbers = Float[Array, "*shape"]


def pair(first: Words, second: Words) -> tuple[Numbers, Numbers]:
    """Two independent standard normal numbers of two independent 64-bit words."""
    radius = jnp.sqrt(-2 * _log(_unit(first) + 2.0**-53))
    angle = (math.pi / 4) * (_unit(second) + 2.0**-53)
    square = angle * angle
    cosine, sine = _series(COS, square), angle * _series(SIN, square)
    swapped = (second & 1) == 1
    z = radius * jnp.where(swapped, sine, cosine), radius * jnp.where(swapped, cosine, sine)
    return _signed(z[0], second << 62), _signed(z[1], second << 61)


def _unit(words: Words) -> Numbers:
    """The upper 52 bits as a multiple of 2^-52 in [0, 1)."""
    return bits_as((words >> 12) | 0x3FF0000000000000, jnp.float64) - 1


def _log(u: Numbers) -> Numbers:
    """Logarithm of 0 < u < 1, normal: u = 2^e m with m in [sqrt(1/2), sqrt 2), log m = 2 atanh((m - 1)/(m + 1))."""
    bits = bits_as(u, jnp.int64)
    exponent = (bits - ROOT_HALF) >> 52
    m = bits_as(bits - (exponent << 52), jnp.float64)
    s = (m - 1) / (m + 1)
    return exponent.astype(jnp.int32).astype(float) * math.log(2) + s * _series(LOG, s * s)


def _series(coefficients: list[float], x: Numbers) -> Numbers:
    value = jnp.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        value = value * x + coefficient
    return value


def _signed(z: Numbers, bits: Words) -> Numbers:
    """z with the highest of ``bits`` as its sign."""
    return bits_as(bits_as(z, jnp.uint64) ^ ((bits >> 63) << 63), jnp.float64)


def words(key: Key[Array, ""], count: int, rows: int, columns: int) -> UInt64[Array, "count rows columns"]:
    """Random words, those of jax.random.bits: threefry-2x32 (salmon2011parallel) of their positions.

    JAX's own goes over its arrays once a round on a CPU; here all twenty rounds of a word stay in registers. The outer
    axis is a loop, lest XLA compute the words anew wherever they are used.
    """
    shape = (rows, columns)
    row, column = (jax.lax.broadcasted_iota(jnp.uint32, shape, axis) for axis in (0, 1))
    data = jax.random.key_data(key)
    if data.shape != (2,):
        raise KindError(f"keys must be JAX's own, threefry2x32; this one is {jax.random.key_impl(key)}")
    first, second = data
    keys = (first, second, first ^ second ^ jnp.uint32(0x1BD11BDA))

    def one(index: Array) -> Array:
        a, b = jnp.broadcast_to(keys[0], shape), (index * rows + row) * columns + column + keys[1]
        for group in range(5):
            for turn in TURNS[group % 2]:
                a = a + b
                b = a ^ ((b << turn) | (b >> (32 - turn)))
            a, b = a + keys[(group + 1) % 3], b + keys[(group + 2) % 3] + (group + 1)
        return (a.astype(jnp.uint64) << 32) | b.astype(jnp.uint64)

    return jax.lax.map(one, jnp.arange(count, dtype=jnp.uint32))


def points(
    key: Key[Array, ""], y: Float[Array, " n"], mu: Float[Array, " d"], scale: Float[Array, " d"] | None = None
) -> Float[Array, "n d"]:
    """Rows y_i mu + z_i, z_i ~ N(0, I_d), by blocks of rows; each has its own key, folded from ``key``.

    ``scale``: standard deviation of each component, where it is not 1.

    In a block, the upper half of the rows are the first numbers of pairs, the lower half the second. The last block
    ends with the last row, and draws anew what it shares with the one before it.
    """
    n, d = len(y), len(mu)
    blocks = -(-n // (2 * max(1, BLOCK // (2 * d))))
    half = -(-n // (2 * blocks))
    rows = max(n, 2 * half)  # one more where a single block is odd
    y = jnp.pad(y, (0, rows - n))

    def write(i: Array, x: Array) -> Array:
        start = jnp.minimum(2 * half * i, rows - 2 * half)
        for z in pair(*words(jax.random.fold_in(key, i), 2, half, d)):
            centre = jax.lax.dynamic_slice_in_dim(y, start, half)[:, None] * mu[None, :]
            noise = z if scale is None else z * scale[None, :]
            x = jax.lax.dynamic_update_slice_in_dim(x, centre + noise, start, 0)
            start = start + half
        return x

    return jax.lax.fori_loop(0, blocks, write, jax.lax.empty((rows, d), float))[:n]


def normal(key: Key[Array, ""], n: int, d: int) -> Float[Array, "n d"]:
    """n rows of d standard normal numbers: `points` around 0."""
    return points(key, jnp.zeros(n), jnp.zeros(d))
