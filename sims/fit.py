"""Step 3 of a trial: the regularised classifier, certified by the gradient at what is returned.

A fit minimises (1/m) sum_kept l(y' x.w) + (ridge/2)||w||^2 over w in R^d, where m counts the kept
samples; with an intercept, l(y' (x.w + b)) over w and b, of which b is not penalised. Unkept rows are masked, not
removed, so that shapes are static.

Linear systems are solved in float32, which costs few passes over half the memory, and what they leave is made up in
float64: by refinement where the loss is quadratic, by Newton's next step elsewhere. The gradient that certifies is
float64 and computed from the data. Where that does not get there, roads in float64 follow, the last by Cholesky
factorisations. `benchmarks/simulation_speed.py` compares. A new loss is a new entry of `FITTED`.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
from jaxtyping import Array, Bool, Float, Int

from sims.losses import Loss
from sims.newton import TOLERANCE, Solve, damped_newton
from theory.errors import InputError

FORCING = 0.3
"""A Newton system counts as solved at a residual, relative to the gradient g, of FORCING ||g||^(1/2), a tenth of
FORCING at most and RESOLVED at least."""

NEAR = 1e-3
"""Norm of the gradient to which Newton's method goes in float32 alone."""

RESOLVED = 2e-6
"""Least residual, relative to the right side, that is asked of a solve in float32."""

CACHE = 2**21
"""Bytes of data that are passed over as a whole; more are passed over by blocks of `BLOCK` numbers."""

BLOCK = 2**15

FACTORISED = 300
"""Largest d at which the Gram matrix is quicker than conjugate gradients on its own data, in float32."""

REFINEMENTS = 8
"""Most rounds of refinement; two or three are usual."""

GAIN = 10.0
"""Least factor by which a round of refinement has to shrink the gradient, else there is no other round."""


class Fit(NamedTuple):
    """Weights and the evidence that they minimise the objective."""

    weights: Float[Array, " d"]
    gradient_norm: Float[Array, ""]
    """Norm of the objective's gradient at ``weights``."""
    steps: Int[Array, ""]
    """Linear systems solved, by conjugate gradients or by factorisation."""
    converged: Bool[Array, ""]
    """Something was kept, gradient_norm <= TOLERANCE, and the last Newton step was short."""
    offset: Float[Array, ""] | None = None
    """b; None where no intercept is fitted."""


class Data(NamedTuple):
    """What a fit is made from. Margins are label * (x @ w): u = label * x is never formed.

    With an intercept, weights are (w, b), as if x had a column of ones; and a penalty is a vector, 0 for b.
    """

    x: Float[Array, "n d"]
    label: Float[Array, " n"]
    weight: Float[Array, " n"]
    """1/m for the kept rows, 0 for the others."""
    ones: Float[Array, " n"] | None = None
    """The column of an intercept, where there is one."""

    @property
    def size(self) -> int:
        """Of the weights."""
        return self.x.shape[1] + (self.ones is not None)

    def forward(self, weights: Array) -> Array:
        """Margins u w."""
        if self.ones is None:
            return self.label * (self.x @ weights)
        return self.label * (self.x @ weights[:-1] + weights[-1])

    def backward(self, values: Array) -> Array:
        """sum_i weight_i values_i u_i."""
        rows = self.weight * self.label * values
        return rows @ self.x if self.ones is None else jnp.append(rows @ self.x, jnp.sum(rows))

    def scaled(self, root: Array) -> Array:
        """root_i u_i up to sign, as a matrix."""
        return root[:, None] * (self.x if self.ones is None else jnp.column_stack([self.x, self.ones]))

    def summed(self, term: Callable[["Data"], Array]) -> Array:
        """Sum of ``term`` over blocks of rows: on a CPU, data larger than its cache are read once for all of a term."""
        n, d = self.x.shape
        count = max(1, BLOCK // d)
        if self.x.size * self.x.dtype.itemsize <= CACHE:
            return term(self)

        def add(start: Array | int, count: int) -> Array:
            return term(jax.tree.map(lambda values: jax.lax.dynamic_slice_in_dim(values, start, count), self))

        def by_blocks() -> Array:
            nothing = jnp.zeros(self.size, self.x.dtype)
            total = jax.lax.fori_loop(0, n // count, lambda i, total: total + add(i * count, count), nothing)
            return total + add(n - n % count, n % count) if n % count else total

        return jax.lax.platform_dependent(cpu=by_blocks, default=lambda: term(self))

    def coarse(self) -> "Data":
        """The same in float32."""
        return jax.tree.map(lambda values: values.astype(jnp.float32), self)


class Found(NamedTuple):
    """What a road to the minimum ends with."""

    weights: Array
    gradient: Array
    """Of the objective at ``weights``, computed from the data in float64."""
    steps: Array
    settled: Array
    """Whether the road has found the minimum, so far as it can tell."""


Road: TypeAlias = Callable[[Data, Array], Found]
"""(data, ridge) -> where it ends."""


class MarginLoss(Protocol):
    """What a fit asks of a loss l(v) of the margin: its derivative, and roads to the minimum."""

    @property
    def slope(self) -> Callable[[Array], Array]:
        """l'(v)."""
        ...

    @property
    def roads(self) -> tuple[Road, ...]:
        """The quickest first; each is taken where those before it were not certified."""
        ...


def fit(
    loss: Loss,
    x: Float[Array, "n d"],
    label: Float[Array, " n"],
    kept: Bool[Array, " n"],
    ridge: Float[Array, ""],
    intercept: bool = False,
) -> Fit:
    """Minimise the mean loss over kept samples plus (ridge/2)||w||^2.

    Args:
        loss: a key of `FITTED`: "squared" or "logistic".
        x: features. label: y' = +-1. kept: which rows count.
        ridge: lambda >= 0, relative to the mean over kept samples.
        intercept: whether b is fitted as well, without penalty; static.

    Returns:
        `Fit`; ``converged`` is False where nothing is kept or where the gradient stayed large. The weights are then
        not to be used. At ridge = 0, where least squares has many solutions, that of least norm is found or none.
        With an intercept it is False as well where all kept labels are one, which b alone fits: nothing is learned
        (b = y', w = 0 by squared loss, |b| = inf by logistic); and at ridge = 0 with no more than d kept.

    Raises:
        ValueError: an unknown loss.
    """
    if loss not in FITTED:
        raise InputError(f"loss = {loss!r} is not one of {', '.join(FITTED)}")
    m = jnp.sum(kept)
    data = Data(x, label, kept / jnp.maximum(m, 1), jnp.ones_like(label) if intercept else None)
    penalty = jnp.append(jnp.full(x.shape[1], ridge), 0.0) if intercept else ridge

    def attempt(road: Road, *others: Road) -> Fit:
        weights, slope, steps, settled = road(data, penalty)
        norm = jnp.linalg.norm(slope)
        found = Fit(weights, norm, steps, settled & (norm <= TOLERANCE))
        return jax.lax.cond(found.converged | (m == 0), lambda: found, lambda: attempt(*others)) if others else found

    with jax.default_matmul_precision("float32"):  # which a GPU would round further
        found = attempt(*FITTED[loss].roads)
    if not intercept:
        return found._replace(converged=found.converged & (m > 0))
    both = jnp.any(kept & (label > 0)) & jnp.any(kept & (label < 0))
    unique = (ridge > 0) | (m > x.shape[1])
    weights, offset = found.weights[:-1], found.weights[-1]
    return found._replace(weights=weights, converged=found.converged & both & unique, offset=offset)


def gradient(loss: MarginLoss, weights: Array, data: Data, ridge: Array) -> Array:
    """Gradient of sum_i weight_i l(u_i.w) + (ridge/2)||w||^2 at ``weights``; ridge may differ by component."""
    return data.summed(lambda rows: rows.backward(loss.slope(rows.forward(weights)))) + ridge * weights


def conjugate_gradients(
    data: Data, curvature: Float[Array, " n"], ridge: Array, right: Float[Array, " d"], tolerance: Array
) -> tuple[Float[Array, " d"], Bool[Array, ""]]:
    """Solve (sum_i weight_i curvature_i u_i u_i^T + ridge I) w = right to a residual norm of ``tolerance``.

    In the precision of what is given. Returns (w, whether the tolerance was reached); given up after
    20 + min(n, d)/2 iterations, when a factorisation would long have been quicker.
    """
    limit = 20 + min(data.x.shape) // 2
    bent = data._replace(weight=data.weight * curvature)

    def running(state: tuple[Array, ...]) -> Array:
        *_, square, iteration = state
        return (square > tolerance**2) & (iteration < limit)

    def advance(state: tuple[Array, ...]) -> tuple[Array, ...]:
        solution, residual, direction, square, iteration = state
        product = bent.summed(lambda rows: rows.backward(rows.forward(direction))) + ridge * direction
        length = square / jnp.dot(direction, product)
        residual = residual - length * product
        new = jnp.dot(residual, residual)
        return solution + length * direction, residual, residual + (new / square) * direction, new, iteration + 1

    first = (jnp.zeros_like(right), right, right, jnp.dot(right, right), jnp.zeros((), int))
    solution, _, _, square, _ = jax.lax.while_loop(running, advance, first)
    return solution, square <= tolerance**2


class Squared:
    """l(v) = (1 - v)^2/2: the minimum is one linear system away."""

    @property
    def roads(self) -> tuple[Road, ...]:
        """Float32 with refinement; conjugate gradients in float64, which end at the least norm; a factorisation."""
        return self.refined, self.free, self.dense

    def slope(self, v: Array) -> Array:
        """v - 1."""
        return v - 1

    def refined(self, data: Data, ridge: Array) -> Found:
        """Solves in float32, of what the weights so far leave of the gradient in float64."""
        coarse = data.coarse()
        solve = _coarse_solver(coarse, ridge.astype(jnp.float32))

        def running(state: tuple[Array, ...]) -> Array:
            _, _, norm, before, rounds = state
            return (norm > TOLERANCE / 10) & (norm * GAIN <= before) & (rounds < REFINEMENTS)

        def advance(state: tuple[Array, ...]) -> tuple[Array, ...]:
            weights, left, norm, _, rounds = state
            wanted = jnp.maximum(TOLERANCE / 20 / norm, RESOLVED).astype(jnp.float32)
            weights = weights - norm * solve((left / norm).astype(jnp.float32), wanted).astype(float)
            left = gradient(self, weights, data, ridge)
            return weights, left, jnp.linalg.norm(left), norm, rounds + 1

        left = -coarse.backward(jnp.ones_like(coarse.label)).astype(float)
        norm = jnp.linalg.norm(left)
        first = (jnp.zeros_like(left), left, norm, GAIN * norm, jnp.zeros((), int))
        weights, left, _, _, rounds = jax.lax.while_loop(running, advance, first)
        left = jax.lax.cond(rounds > 0, lambda: left, lambda: gradient(self, weights, data, ridge))
        penalised = jnp.max(ridge) > 0
        return Found(weights, left, rounds, penalised)  # without, float32 leaves the span of the rows, unseen

    def free(self, data: Data, ridge: Array) -> Found:
        """Conjugate gradients on the normal equations."""
        ones = jnp.ones_like(data.label)
        weights, reached = conjugate_gradients(data, ones, ridge, data.backward(ones), jnp.asarray(TOLERANCE / 10))
        return Found(weights, gradient(self, weights, data, ridge), jnp.ones((), int), reached)

    def dense(self, data: Data, ridge: Array) -> Found:
        """One factorisation, primal (d x d) or dual (n x n), whichever is smaller."""
        n, d = data.x.shape
        root = jnp.sqrt(data.weight)
        strength = jnp.max(ridge)
        if d <= n:
            scaled = data.scaled(root * data.label)
            gram = scaled.T @ scaled + _diagonal(ridge, data.size)
            weights = jsl.cho_solve(jsl.cho_factor(gram, lower=True), root @ scaled)
        else:
            scaled = (root * data.label)[:, None] * data.x
            factor = jsl.cho_factor(scaled @ scaled.T + _diagonal(strength, n), lower=True)
            dual = jsl.cho_solve(factor, root)
            if data.ones is None:
                weights = dual @ scaled
            else:  # w = scaled^T dual with the right side lowered by b along the labels, so that these sum dual to 0
                along = root * data.label
                other = jsl.cho_solve(factor, along)
                offset = jnp.dot(along, dual) / jnp.dot(along, other)
                weights = jnp.append((dual - offset * other) @ scaled, offset)
        regular = (strength > 0) | (jnp.sum(data.weight > 0) >= min(n, d))  # else a pivot is nothing but rounding
        return Found(weights, gradient(self, weights, data, ridge), jnp.ones((), int), regular)


def _diagonal(ridge: Array, size: int) -> Array:
    """Of a penalty, a number or a vector."""
    return jnp.diag(ridge) if ridge.ndim else ridge * jnp.eye(size, dtype=ridge.dtype)


def _coarse_solver(data: Data, ridge: Array) -> Callable[[Array, Array], Array]:
    """(right, tolerance) -> (sum_i weight_i u_i u_i^T + ridge I)^-1 right, in float32.

    By a factorisation, or by conjugate gradients to a residual norm of ``tolerance``.
    """
    n, d = data.x.shape
    if d <= min(n, FACTORISED):
        scaled = data.scaled(jnp.sqrt(data.weight))
        factor = jsl.cho_factor(scaled.T @ scaled + _diagonal(ridge, data.size), lower=True)
        return lambda right, _: jsl.cho_solve(factor, right)
    ones = jnp.ones_like(data.label)
    return lambda right, tolerance: conjugate_gradients(data, ones, ridge, right, tolerance)[0]


class Smooth(NamedTuple):
    """Any convex loss with two derivatives, all three vectorised and free of overflow: damped Newton from w = 0."""

    value: Callable[[Array], Array]
    """l(v)."""
    slope: Callable[[Array], Array]
    """l'(v)."""
    curvature: Callable[[Array], Array]
    """l''(v)."""

    @property
    def roads(self) -> tuple[Road, ...]:
        """Newton's steps by conjugate gradients in float32; by factorisations in float64."""
        return self.free, self.dense

    def free(self, data: Data, ridge: Array) -> Found:
        """First in float32 alone, then gradients in float64 and only the steps' systems in float32.

        Systems are solved the more exactly the smaller the gradient.
        """
        coarse, penalty = data.coarse(), ridge.astype(jnp.float32)

        def step_of(rows: Data) -> Callable[[Array, Array], Solve]:
            def step(margin: Array, g: Array) -> Solve:
                norm = jnp.linalg.norm(g)
                right = -(g / norm).astype(jnp.float32)
                wanted = jnp.clip(FORCING * jnp.sqrt(norm), RESOLVED, FORCING / 10).astype(jnp.float32)
                curvature = self.curvature(margin.astype(jnp.float32))
                solution, reached = conjugate_gradients(coarse, curvature, penalty, right, wanted)
                direction = norm * solution.astype(g.dtype)
                return Solve(direction, rows.forward(direction), reached)

            return step

        near, first, _ = self._minimise(coarse, penalty, step_of(coarse), jnp.zeros(data.size, jnp.float32), NEAR)
        weights, second, settled = self._minimise(data, ridge, step_of(data), near.astype(float))
        return Found(weights, gradient(self, weights, data, ridge), first + second, settled)

    def dense(self, data: Data, ridge: Array) -> Found:
        """A factorisation a step. Where d > n the minimiser lies in the row space of u: it is sought there (QR)."""
        n, d = data.x.shape
        if d > n:
            basis, corner = jnp.linalg.qr(data.x.T)
            inner = self.dense(data._replace(x=corner.T), ridge if data.ones is None else ridge[-n - 1 :])
            weights = basis @ inner.weights[:n]
            weights = jnp.append(weights, inner.weights[n:])  # b, if there is one
            return Found(weights, gradient(self, weights, data, ridge), inner.steps, inner.settled)

        def step(margin: Array, g: Array) -> Solve:
            scaled = data.scaled(jnp.sqrt(data.weight * self.curvature(margin)))
            hessian = scaled.T @ scaled + _diagonal(ridge, data.size)
            direction = -jsl.cho_solve(jsl.cho_factor(hessian, lower=True), g)
            return Solve(direction, data.forward(direction), jnp.ones((), bool))

        weights, steps, settled = self._minimise(data, ridge, step, jnp.zeros(data.size))
        return Found(weights, gradient(self, weights, data, ridge), steps, settled)

    def _minimise(
        self,
        data: Data,
        ridge: Array,
        step: Callable[[Array, Array], Solve],
        start: Array,
        enough: float = TOLERANCE / 10,
    ) -> tuple[Array, Array, Array]:
        def loss_gradient(margin: Array) -> Array:
            return data.backward(self.slope(margin))

        def grow(margin: Array, along: Array) -> Array:
            return jnp.dot(data.weight, self.value(margin + along) - self.value(margin))

        return damped_newton(start, data.forward(start), loss_gradient, step, grow, ridge, enough)


FITTED: dict[str, MarginLoss] = {
    "squared": Squared(),
    "logistic": Smooth(
        value=lambda v: jax.nn.softplus(-v),
        slope=lambda v: -jax.nn.sigmoid(-v),
        curvature=lambda v: jax.nn.sigmoid(v) * jax.nn.sigmoid(-v),
    ),
}
"""Every loss that a trial can be made with, by its name in `sims.losses`."""
