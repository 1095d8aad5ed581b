"""Draws from the exact law of a trial's row at finite (n, d) without the data, for ridge: method = "exact-law".

With U (m x d) the kept u = y' x, split into s - 1 special columns c, in which mean, generator and verifier lie, and the
rest G, whose entries are independent normals, the classifier w = (U^T U + m ridge I)^-1 U^T 1 is

    a = w on c = (I + c^T R c)^-1 c^T R 1,   ||w||^2 = ||a||^2 + x^T (R - m ridge R^2) x,   x = 1 - c a,
    R = (G G^T + m ridge I)^-1

so that only R and R^2 between the s vectors (1, c) count. Block Golub-Kahan bidiagonalisation of G from an orthonormal
basis of their span has independent blocks A_j, B_j (s x s, upper triangular: chi variables on the diagonal, normals
above it), and G G^T is block tridiagonal in that basis,

    T_jj = A_j^T A_j + B_{j-1} B_{j-1}^T,   T_{j+1,j} = B_j A_j.

The leading block of the resolvent follows by elimination from block J backwards. Cutting off at J errs by a factor
that shrinks geometrically with J; two cuts, between which the resolvent of the whole lies, judge it in every draw.
Where min(m, d) <= s J nothing is cut off. The time does not depend on d.
Source: THEORY §8; golub1965calculating; dumitriu2002matrix for the independence of the entries.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Bool, Float, Int, Key, UInt32

from sims.population import by_class, directions
from sims.trial import trial_key
from theory.types import Problem

TRUNCATION = 1e-8
"""Largest error of the accuracy by cutting off; a draw beyond it is flagged and NaN."""

APART = 1e-6
"""Largest distance of the two cuts in overlap and norm, relative to the norm, of a draw that is not flagged."""

MAX_BLOCKS = 4096
"""More are not tried: where m and d are large and nearly equal, draws with a ridge below about 3e-5 are flagged."""

SLAB = 256
"""Samples of the linear setting drawn at a time."""

Matrix = Float[Array, "s s b"]
"""Small matrices, one per draw of the batch. The batch is the last axis, so that XLA vectorises over it."""


class Draws(NamedTuple):
    """A batch of draws: the columns of simulated trials, and their certificate."""

    m: Int[Array, " b"]
    wrong: Int[Array, " b"]
    kept_wrong: Int[Array, " b"]
    overlap: Float[Array, " b"]
    norm: Float[Array, " b"]
    accuracy: Float[Array, " b"]
    truncation: Float[Array, " b"]
    """Twice the distance of the accuracies by the two cuts."""
    blocks: Int[Array, " b"]
    converged: Bool[Array, " b"]


class Kept(NamedTuple):
    """What is drawn of the kept samples before G, of one draw."""

    m: Array
    wrong: Array
    kept_wrong: Array
    factor: Float[Array, "s s"]
    """Lower Cholesky factor of the Gram matrix of (1, c)/sqrt m."""


def blocks_needed(problem: Problem, n: int, d: int) -> Int[np.ndarray, " b"]:
    """Number of blocks J after which the rest changes the accuracy by far less than `TRUNCATION`, for (b,) problems.

    The spectrum of G G^T / m lies in [(1 - sqrt g)^2, (1 + sqrt g)^2], g = columns/m, and at 0; conjugate gradients
    converge in it with the square root of its condition number. Never more than min(m, columns) has: then it is exact.
    """
    special, _ = SPECIAL[problem.curation.setting]
    size, columns, ridge = special + 1, d - special, np.asarray(problem.ridge)
    kept = n * _kept_rate(problem)
    ratio = np.sqrt(columns / np.maximum(kept, 1.0))
    root = np.sqrt(((1 - ratio) ** 2 + ridge) / ((1 + ratio) ** 2 + ridge))
    with np.errstate(divide="ignore"):
        wanted = np.log(1e-7 * np.minimum(ridge, 1.0) ** 2) / (2 * np.log((1 - root) / (1 + root))) + 2
    exact = np.minimum(np.minimum(kept + 6 * np.sqrt(kept), n), columns) // size + 2
    return np.ceil(np.minimum(np.minimum(exact, wanted), MAX_BLOCKS)).astype(int)


def _kept_rate(problem: Problem) -> Float[np.ndarray, " b"]:
    """Expected m/n, to some digits."""
    if problem.curation.setting == "independent":
        p, phi, psi, prior = problem.curation
        return np.sum(prior * (phi * (1 - p) + psi * p), axis=-1)
    g, v, between = (np.asarray(cosine)[:, None] for cosine in problem.curation)
    signal, z = np.asarray(problem.signal)[:, None], np.linspace(-8, 8, 801)
    tail = np.maximum(1e-9, 1 - between**2) ** -0.5
    agree = lambda sign: np.asarray(ndtr(sign * (signal * v + between * z) * tail)) * (sign * (signal * g + z) > 0)
    return np.sum(np.exp(-(z**2) / 2) * (agree(1) + agree(-1)), axis=1) * (z[1] - z[0]) / np.sqrt(2 * np.pi)


@jax.jit
def run_draws(
    root_seed: int | Array, words: UInt32[Array, "b 3"], problem: Problem, blocks: Int[Array, " b"], n: int, d: int
) -> Draws:
    """A compiled batch of draws, keyed as `sims.trial.trial_key`. Only the setting and b are static."""
    keys = jax.vmap(trial_key, in_axes=(None, 0))(root_seed, words)
    return draw(keys, problem, blocks, n, d)


def draw(keys: Key[Array, " b"], problem: Problem, blocks: Int[Array, " b"], n: int | Array, d: int | Array) -> Draws:
    """Draws of (m, wrong, kept_wrong, overlap, norm, accuracy) of ridge trials with n samples in d dimensions.

    Args:
        keys: one per draw, the only source of randomness.
        problem: (b,) leaves, independent or linear (d >= 3) setting; ridge >= `sims.sweeps.config.MIN_RIDGE`.
        blocks: J of each draw, of `blocks_needed`. A draw does not depend on the J of its neighbours.
    """
    special, count = SPECIAL[problem.curation.setting]
    k_kept, k_blocks = jax.vmap(lambda key: tuple(jax.random.split(key)))(keys)
    kept = jax.vmap(count, in_axes=(0, 0, None))(k_kept, problem, n)
    factor = jnp.moveaxis(kept.factor, 0, -1)
    absent, small = _resolvents(k_blocks, kept.m, d - special, problem.ridge, special + 1, blocks)
    overlap, norm = _classifier(factor, *absent)
    other_overlap, other_norm = _classifier(factor, *small)
    accuracy = ndtr(problem.signal * overlap / norm)
    truncation = 2 * jnp.abs(accuracy - ndtr(problem.signal * other_overlap / other_norm))
    apart = jnp.maximum(jnp.abs(other_norm - norm), jnp.abs(other_overlap - overlap))
    converged = (kept.m > 0) & (truncation <= TRUNCATION) & (apart <= APART * norm)
    overlap, norm, accuracy = (jnp.where(converged, value, jnp.nan) for value in (overlap, norm, accuracy))
    return Draws(kept.m, kept.wrong, kept.kept_wrong, overlap, norm, accuracy, truncation, blocks, converged)


def _independent(key: Key[Array, ""], problem: Problem, n: Array) -> Kept:
    """Counts by class, then the Gram matrix of (1, u_1): u_1 = r s + z, s = +1 where the label is correct, else -1."""
    rates = by_class(problem.curation)
    keys = jax.random.split(key, 6)
    count = lambda k, total, rate: jax.random.binomial(k, total, rate, dtype=float)
    positive = count(keys[0], n, rates.prior[1])
    of_class = jnp.stack([n - positive, positive])
    wrong = jax.vmap(count)(jax.random.split(keys[1]), of_class, rates.p)
    kept_wrong = jax.vmap(count)(jax.random.split(keys[2]), wrong, rates.psi)
    kept_right = jax.vmap(count)(jax.random.split(keys[3]), of_class - wrong, rates.phi)
    bad, good = jnp.sum(kept_wrong), jnp.sum(kept_right)
    m = bad + good
    root = jnp.sqrt(jnp.maximum(m, 1.0))
    mean, across = jax.random.normal(keys[4], (2,))
    signal = jnp.asarray(problem.signal, float)
    spread = 2 * jnp.sqrt(good * bad) / root  # ||s - mean(s) 1||
    along_one = signal * (good - bad) / root + mean
    rest = jnp.sqrt(jnp.where(m >= 2, (signal * spread + across) ** 2, 0.0) + _chi_squared(keys[5], m - 2))
    factor = jnp.array([[1.0, 0.0], [0.0, 0.0]]).at[1].set(jnp.stack([along_one, rest]) / root)
    return Kept(m.astype(int), jnp.sum(wrong).astype(int), bad.astype(int), factor)


def _linear(key: Key[Array, ""], problem: Problem, n: Array) -> Kept:
    """n samples in the three dimensions of mean, generator and verifier, summed up."""
    axes = directions(problem.curation, 3)

    def advance(i: Array, sums: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        gram, wrong, kept_wrong = sums
        k_class, k_noise = jax.random.split(jax.random.fold_in(key, i))
        y = jax.random.rademacher(k_class, (SLAB,), dtype=float)
        c = jax.random.normal(k_noise, (3, SLAB)) + (problem.signal * axes.mean)[:, None] * y[None]
        label = jnp.where(axes.generator @ c >= 0, 1.0, -1.0)
        drawn = i * SLAB + jnp.arange(SLAB) < n
        kept = drawn & (jnp.where(axes.verifier @ c >= 0, 1.0, -1.0) == label)
        rows = kept[None] * jnp.concatenate([jnp.ones((1, SLAB)), label[None] * c])
        false = drawn & (label != y)
        return gram + rows @ rows.T, wrong + jnp.sum(false), kept_wrong + jnp.sum(false & kept)

    start = (jnp.zeros((4, 4)), jnp.zeros((), int), jnp.zeros((), int))
    gram, wrong, kept_wrong = jax.lax.fori_loop(0, -(-n // SLAB), advance, start)
    m = gram[0, 0]
    factor = _cholesky(gram / jnp.maximum(m, 1.0))
    return Kept(m.astype(int), wrong, kept_wrong, jnp.where(jnp.arange(4) < m, factor, 0.0))


SPECIAL = {"independent": (1, _independent), "linear": (3, _linear)}
"""Of the settings that have an exact law: its special columns, and what draws the kept samples in them."""


def _cholesky(gram: Float[Array, "s s"]) -> Float[Array, "s s"]:
    """Lower L with L L^T = gram; columns without a positive pivot are 0."""
    lower = jnp.zeros_like(gram)
    for j in range(len(gram)):
        column = gram[:, j] - lower @ lower[j]
        root = jnp.sqrt(jnp.maximum(column[j], 0.0))
        below = jnp.where(root > 0, column / jnp.where(root > 0, root, 1.0), 0.0)
        lower = lower.at[:, j].set(jnp.where(jnp.arange(len(gram)) >= j, below, 0.0))
    return lower


def _chi_squared(key: Key[Array, ""], freedom: Array) -> Array:
    """Chi-square variables, 0 where the degrees of freedom have run out."""
    return jnp.where(freedom > 0, jax.random.chisquare(key, jnp.maximum(freedom, 1.0)), 0.0)


def _triangle(keys: Key[Array, " b"], rows: Array, columns: Array, size: int) -> Matrix:
    """Triangular factors R = Q^T X of normal matrices X with ``rows`` rows and ``columns`` columns, padded by zeros.

    Diagonal entry i is chi with rows - i degrees of freedom, those above the diagonal are standard normal. At most
    ``size`` of the columns are meant; either number may have run out.
    """
    index = jnp.arange(size)

    def one(key: Array, rows: Array) -> tuple[Array, Array]:
        k_chi, k_normal = jax.random.split(key)
        return jnp.sqrt(_chi_squared(k_chi, rows - index)), jax.random.normal(k_normal, (size * (size - 1) // 2,))

    chi, normal = jax.vmap(one, out_axes=-1)(keys, rows)
    above = jnp.zeros((size, size, len(rows))).at[np.triu_indices(size, 1)].set(normal)
    full = above.at[index, index].set(chi)
    inside = (index[:, None, None] < _lift(rows)) & (index[None, :, None] < _lift(columns))
    return jnp.where(inside, full, 0.0)


def _resolvents(
    keys: Key[Array, " b"], m: Array, columns: Array, ridge: Array, size: int, blocks: Array
) -> list[tuple[Matrix, Matrix]]:
    """Leading blocks of m R and of m (R - m ridge R^2), by two cuts: without block J and beyond, or with A_J = 0.

    With everything divided by m, the Schur complement of block j is X_j + B_{j-1} B_{j-1}^T, X_j = ridge + E_j, and

        E_j = A^T M A,  M = (1 + B^T X_{j+1}^-1 B)^-1,  A = A_j,  B = B_j
        H_j = X_j - ridge dX_j/dridge = A^T M (1 + Y^T H_{j+1} Y) M A,  Y = X_{j+1}^-1 B

    sums of positive terms, in which no digits are lost at any ridge. R = X_0^-1 and R - ridge R^2 = X_0^-1 H_0 X_0^-1.
    The true X_J is between the two cuts, X_J = infinity and X_J = ridge.
    """
    rows = m.astype(float)
    scale = _lift(1 / jnp.sqrt(jnp.maximum(rows, 1.0)))
    one = jnp.eye(size)[:, :, None, None]
    penalty = _lift(ridge[None]) * one
    fold = jax.vmap(jax.random.fold_in, in_axes=(0, None))
    most = jnp.max(blocks)

    def blocks_of(j: Array) -> tuple[Array, Array]:
        """A_j and B_{j-1}, alike for both cuts."""
        left, above = columns - size * j + 0 * rows, rows - size * j
        pair = jnp.concatenate([fold(keys, 2 * j), fold(keys, 2 * j + 1)])
        made = _triangle(pair, jnp.concatenate([left, above]), jnp.concatenate([above, left + size]), size)
        return (scale * made[:, :, : len(rows)])[:, :, None], (scale * made[:, :, len(rows) :])[:, :, None]

    def advance(i: Array, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        b, inverse, h = state
        j = most - i
        a, above = blocks_of(j)
        y = _product(inverse, b)
        ma = _product(_inverse(one + _product(_transpose(b), y)), a)
        moved = _inverse(penalty + _product(_transpose(a), ma))
        change = _congruence(ma, one + _congruence(y, h))
        inside = _lift((j < blocks)[None])
        return above, jnp.where(inside, moved, inverse), jnp.where(inside, change, h)

    start = jnp.stack([jnp.zeros_like(ridge), 1 / ridge])  # X_J^-1 in the two cuts
    state = (jnp.zeros((size, size, 1, len(rows))), one * _lift(start), jnp.zeros((size, size, 2, len(rows))))
    _, inverse, h = jax.lax.fori_loop(0, most + 1, advance, state)
    bulk = _congruence(inverse, h)
    return [(inverse[:, :, cut], bulk[:, :, cut]) for cut in (0, 1)]


def _classifier(factor: Matrix, resolvent: Matrix, bulk: Matrix) -> tuple[Array, Array]:
    """(overlap, norm) of w from the Gram factor of (1, c) and the leading blocks of m R and m (R - m ridge R^2)."""
    inner = _product(factor, _product(resolvent, _transpose(factor)))
    corner = jnp.eye(len(factor) - 1)[:, :, None] + inner[1:, 1:]
    special = _product(_inverse(corner), inner[1:, :1])
    left = jnp.concatenate([jnp.ones_like(special[:1]), -special])
    image = _product(_transpose(factor), left)
    square = _product(_transpose(image), _product(bulk, image))[0, 0] + jnp.sum(special**2, axis=(0, 1))
    return special[0, 0], jnp.sqrt(jnp.maximum(square, 0.0))


def _lift(values: Array) -> Array:
    """Scalars of the draws, to go with matrices."""
    return values[None, None]


def _transpose(a: Array) -> Array:
    return jnp.swapaxes(a, 0, 1)


def _product(a: Array, b: Array) -> Array:
    """Matrix product over the first two axes, element by element over the others."""
    terms = [a[:, k, None] * b[None, k] for k in range(a.shape[1])]
    return sum(terms[1:], start=terms[0])


def _congruence(a: Array, middle: Array) -> Array:
    """a^T middle a."""
    return _product(_transpose(a), _product(middle, a))


def _inverse(a: Array) -> Array:
    """Inverse of positive definite matrices by the sweep operator."""
    size = len(a)
    for k in range(size):
        pivot, column = _lift(a[k, k]), a[:, k]
        row = (np.arange(size) == k).reshape(-1, *(1,) * (a.ndim - 1))
        cross = jnp.where(row, column[None] / pivot, column[:, None] / pivot)
        swept = jnp.where(row | _transpose(row), cross, a - column[:, None] * column[None] / pivot)
        a = jnp.where(row & _transpose(row), -1 / pivot, swept)
    return -a
