"""A trial with K classes: orthogonal means, verified labels, a linear classifier argmax_k w_k.x, its accuracy.

The four steps of `sims.trial` for `ClassesProblem`. Classes are 0..K-1, mu_k = r e_k, and K = ``classes`` is
static. At K = 2 the fits are those of `sims.fit` on labels y' = -1, +1 with w = w_1 - w_0: squared loss at the
same ridge, logistic loss at half of it (||W||^2 = ||w||^2 / 2 at the minimum).
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Array, Bool, Float, Int, Key
from scipy.stats import qmc

from sims.losses import LOSSES, Loss
from sims.newton import TOLERANCE, Solve, damped_newton
from sims.trial import trial_key
from theory.errors import InputError
from theory.types import ClassesProblem, Rates

SHIFTS, POINTS = 8, 128
"""Independent randomisations of the rule for normal orthants, and its points in each; powers of two."""

SAME = 1e-6
"""Relative size below which the difference of two rows of W, given the other differences, is a tie."""


class Sample(NamedTuple):
    """n labelled points; classes are 0..K-1."""

    x: Float[Array, "n d"]
    """Features, mu_y + z with z ~ N(0, I_d)."""
    y: Int[Array, " n"]
    """True class, used by the verifier and by the counts, never by a fit."""
    label: Int[Array, " n"]
    """y', the label that the generator gives."""


class Fit(NamedTuple):
    """Weights and the evidence that they minimise the objective."""

    weights: Float[Array, "K d"]
    gradient_norm: Float[Array, ""]
    """Norm of the objective's gradient at ``weights``."""
    steps: Int[Array, ""]
    """Linear systems solved."""
    converged: Bool[Array, ""]
    """Something was kept, gradient_norm <= `sims.newton.TOLERANCE`, and the last Newton step was short."""


class Measurement(NamedTuple):
    """One trial: what was kept and the classifier trained on it. Accuracies of a failed trial are NaN."""

    m: Int[Array, ""]
    """Samples kept."""
    wrong: Int[Array, ""]
    """Samples with y' != y, of all n."""
    kept_wrong: Int[Array, ""]
    """Samples with y' != y, of the m kept."""
    accuracy: Float[Array, ""]
    """P(argmax_k w_k.x = y) on a fresh x, classes equally likely."""
    accuracy_error: Float[Array, ""]
    """Standard error of ``accuracy`` as a measurement of the weights (`class_accuracies`); 0 at K = 2."""
    class_accuracy: Float[Array, " K"]
    """P(argmax_k w_k.x = y | y), class by class."""
    gradient_norm: Float[Array, ""]
    steps: Int[Array, ""]
    converged: Bool[Array, ""]
    """The fit converged and no two classes tie."""


def check(n: int, d: int, classes: int, loss: str) -> None:
    """Raise ValueError unless n >= 1, K >= 2, d >= K (for K orthogonal means) and the loss is known."""
    if n < 1:
        raise InputError(f"n = {n} is outside [1, inf); n counts the samples generated")
    if classes < 2:
        raise InputError(f"classes = {classes} is outside [2, inf); K counts the classes, two are the least")
    if d < classes:
        raise InputError(f"d = {d} is outside [{classes}, inf); {classes} orthogonal means need d >= classes")
    check_loss(loss)


def check_loss(loss: str) -> None:
    """Raise ValueError unless the loss can be fitted."""
    if loss not in LOSSES:
        raise InputError(f"loss = {loss!r} is not one of {', '.join(LOSSES)}")


def means(problem: ClassesProblem, classes: int, d: int) -> Float[Array, "K d"]:
    """mu_k = r e_k. The choice of axes is no loss: the law of everything measured is rotation invariant."""
    return jnp.asarray(problem.signal, float) * jnp.eye(classes, d)


def draw(key: Key[Array, ""], problem: ClassesProblem, n: int, d: int, classes: int) -> Sample:
    """n points x = mu_y + z, y uniform, labelled by the generator.

    `Rates`: y' = y with probability 1 - p, else uniform over the K - 1 others. `Confusion`: y' ~ C_y.
    Source: THEORY §10.
    """
    k_noise, k_labels = jax.random.split(key)
    u_class, u = jax.random.uniform(k_labels, (2, n))
    y = jnp.minimum(u_class * classes, classes - 1).astype(int)
    x = means(problem, classes, d)[y] + jax.random.normal(k_noise, (n, d))
    if isinstance(problem.curation, Rates):
        wrong = u < problem.curation.p
        share = u / jnp.where(wrong, problem.curation.p, 1.0)  # uniform on [0, 1) given that the label is wrong
        other = 1 + jnp.minimum(share * (classes - 1), classes - 2).astype(int)
        return Sample(x, y, jnp.where(wrong, (y + other) % classes, y))
    below = jnp.cumsum(jnp.asarray(problem.curation.label, float), axis=1)[:, :-1]
    return Sample(x, y, jnp.sum(u[:, None] >= below[y], axis=1))


def verify(key: Key[Array, ""], problem: ClassesProblem, sample: Sample) -> Bool[Array, " n"]:
    """Mask of the kept samples.

    `Rates`: kept with probability phi where y' = y and psi elsewhere. `Confusion`: with probability Q_{y y'}.
    """
    if isinstance(problem.curation, Rates):
        keep = jnp.where(sample.label == sample.y, problem.curation.phi, problem.curation.psi)
    else:
        keep = jnp.asarray(problem.curation.keep, float)[sample.y, sample.label]
    return jax.random.uniform(key, sample.y.shape) < keep


def fit(
    loss: Loss,
    x: Float[Array, "n d"],
    label: Int[Array, " n"],
    kept: Bool[Array, " n"],
    ridge: Float[Array, ""],
    classes: int,
) -> Fit:
    """Minimise (1/m) sum_kept l(y', W x) + (ridge/2)||W||^2 over W in R^{K x d}.

    squared: l = ||e_{y'} - W x||^2 / 2. logistic: l = log sum_k exp(w_k.x) - w_{y'}.x.

    Args:
        loss: "squared" or "logistic". x: features. label: y' in 0..K-1. kept: which rows count.
        ridge: lambda >= 0, relative to the mean over kept samples. classes: K.

    Returns:
        `Fit`; ``converged`` is False where nothing is kept or where the gradient stayed large. The weights are
        then not to be used.

    Raises:
        ValueError: an unknown loss.
    """
    check_loss(loss)
    m = jnp.sum(kept)
    weight = kept / jnp.maximum(m, 1)
    target = jax.nn.one_hot(label, classes, dtype=x.dtype)
    solve = _ridge if loss == "squared" else _logistic
    weights, steps, settled = solve(x, target, weight, ridge)
    norm = jnp.linalg.norm(gradient(loss, weights, x, target, weight, ridge))
    return Fit(weights, norm, steps, (m > 0) & settled & (norm <= TOLERANCE))


def gradient(
    loss: Loss,
    weights: Float[Array, "K d"],
    x: Float[Array, "n d"],
    target: Float[Array, "n K"],
    weight: Float[Array, " n"],
    ridge: Float[Array, ""],
) -> Float[Array, "K d"]:
    """sum_i weight_i (output_i - target_i) x_i^T + ridge W; output is W x (squared) or softmax(W x) (logistic)."""
    score = x @ weights.T
    output = score if loss == "squared" else jax.nn.softmax(score, axis=1)
    return (weight[:, None] * (output - target)).T @ x + ridge * weights


def _ridge(x: Array, target: Array, weight: Array, ridge: Array) -> tuple[Array, Array, Array]:
    """Squared loss by one Cholesky factorisation, primal (d x d) or dual (n x n), whichever is smaller."""
    n, d = x.shape
    root = jnp.sqrt(weight)[:, None]
    inputs, outputs = root * x, root * target
    if d <= n:
        gram = inputs.T @ inputs + ridge * jnp.eye(d)
        weights = jsl.cho_solve(jsl.cho_factor(gram, lower=True), inputs.T @ outputs).T
    else:
        gram = inputs @ inputs.T + ridge * jnp.eye(n)
        weights = jsl.cho_solve(jsl.cho_factor(gram, lower=True), outputs).T @ inputs
    return weights, jnp.ones((), int), jnp.ones((), bool)


def _logistic(x: Array, target: Array, weight: Array, ridge: Array) -> tuple[Array, Array, Array]:
    """Damped Newton. Where d > n the minimiser's rows lie in the row space of x and are sought there (thin QR)."""
    n, d = x.shape
    if d <= n:
        return _newton(x, target, weight, ridge)
    basis, corner = jnp.linalg.qr(x.T)
    inner, steps, settled = _newton(corner.T, target, weight, ridge)
    return inner @ basis.T, steps, settled


def contrasts(classes: int) -> Float[np.ndarray, "K K-1"]:
    """Orthonormal columns B orthogonal to (1, ..., 1) (Helmert)."""
    rows = np.tril(np.ones((classes, classes)), -1)[1:] - np.diag(np.arange(1.0, classes), 1)[:-1]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).T


def _newton(x: Array, target: Array, weight: Array, ridge: Array) -> tuple[Array, Array, Array]:
    """Damped Newton on the multinomial objective.

    Steps are taken in W = B V with B the `contrasts`: the rows of the minimiser sum to 0, and without them the
    Hessian is singular at ridge = 0. Returns (weights, steps, settled), see `damped_newton`.
    """
    classes, d = target.shape[1], x.shape[1]
    basis = jnp.asarray(contrasts(classes))
    size = (classes - 1) * d

    def hessian(share: Array) -> Array:
        """sum_i weight_i B^T (diag(p_i) - p_i p_i^T) B (x) x_i x_i^T + ridge I."""
        diagonal = jnp.einsum("ik,ij,il->kjl", weight[:, None] * share, x, x)
        outer = (jnp.sqrt(weight)[:, None] * (share @ basis))[:, :, None] * x[:, None, :]
        outer = outer.reshape(x.shape[0], size)
        spread = jnp.einsum("ka,kb,kjl->ajbl", basis, basis, diagonal).reshape(size, size)
        return spread - outer.T @ outer + ridge * jnp.eye(size)

    def step(score: Array, g: Array) -> Solve:
        factor = jsl.cho_factor(hessian(jax.nn.softmax(score, axis=1)), lower=True)
        direction = basis @ -jsl.cho_solve(factor, (basis.T @ g).reshape(size)).reshape(classes - 1, d)
        return Solve(direction, x @ direction.T, jnp.ones((), bool))

    def grow(score: Array, along: Array) -> Array:
        rise = jax.nn.logsumexp(score + along, axis=1) - jax.nn.logsumexp(score, axis=1)
        return jnp.dot(weight, rise - jnp.sum(target * along, axis=1))

    def slope(score: Array) -> Array:
        return (weight[:, None] * (jax.nn.softmax(score, axis=1) - target)).T @ x

    return damped_newton(jnp.zeros((classes, d)), jnp.zeros_like(target), slope, step, grow, ridge)


@cache
def _nodes(dimensions: int) -> Float[np.ndarray, "SHIFTS POINTS q"]:
    """SHIFTS independently scrambled Sobol sets of POINTS in the open cube; one empty point each for q = 0."""
    if dimensions == 0:
        return np.zeros((SHIFTS, 1, 0))
    sets = [qmc.Sobol(dimensions, rng=np.random.default_rng([dimensions, shift])) for shift in range(SHIFTS)]
    return np.clip(np.stack([points.random(POINTS) for points in sets]), 1e-12, 1 - 1e-12)


def positive_orthant(mean: Float[Array, " q"], covariance: Float[Array, "q q"]) -> Float[Array, " SHIFTS"]:
    """P(g > 0) in every coordinate, g ~ N(mean, covariance): SHIFTS independent unbiased estimates.

    With g = mean + L h, L the Cholesky factor, integrate one h at a time given the earlier ones:

        P = E[ prod_i Phi(t_i) ],  t_i = (mean_i + sum_{j<i} L_ij h_j) / L_ii,  h_j ~ N(0, 1) given h_j > -t_j

    exact at q = 1, a smooth (q - 1)-dimensional integral by randomised quasi-Monte Carlo beyond. NaN where the
    covariance is singular. This is Genz's separation of variables.
    """
    size = mean.shape[0]
    factor = jnp.linalg.cholesky(covariance)
    pivot = jnp.diagonal(factor)
    regular = jnp.all(pivot > SAME * jnp.sqrt(jnp.diagonal(covariance)))
    nodes = _nodes(size - 1)
    nodes = jnp.asarray(np.concatenate([nodes, np.full((*nodes.shape[:2], 1), 0.5)], axis=2))

    def integrate(carry: tuple[Array, Array], i: Array) -> tuple[tuple[Array, Array], None]:
        h, product = carry
        mass = ndtr((mean[i] + h @ factor[i]) / pivot[i])
        drawn = -ndtri(jnp.maximum(nodes[..., i] * mass, 1e-300))
        return (h.at[..., i].set(drawn), product * mass), None

    start = (jnp.zeros_like(nodes), jnp.ones(nodes.shape[:2]))
    (_, product), _ = jax.lax.scan(integrate, start, jnp.arange(size))
    return jnp.where(regular, jnp.mean(product, axis=1), jnp.nan)


@jax.jit
def prediction_table(weights: Float[Array, "K d"], mu: Float[Array, "K d"]) -> Float[Array, "K K SHIFTS"]:
    """P(argmax_m w_m.x = l | y = k) at [k, l], x = mu_k + z: one estimate per shift; NaN where two classes tie."""
    one_class = jax.vmap(_wins, in_axes=(None, 0, 0, None))
    winner = jnp.arange(weights.shape[0])
    return jax.vmap(one_class, in_axes=(None, None, None, 0))(weights, winner, _rivals(weights.shape[0]), mu)


@jax.jit
def class_accuracies(weights: Float[Array, "K d"], mu: Float[Array, "K d"]) -> Float[Array, "K SHIFTS"]:
    """P(argmax_k w_k.x = y | y) by class, one estimate per shift: the diagonal of `prediction_table`."""
    winner = jnp.arange(weights.shape[0])
    return jax.vmap(_wins, in_axes=(None, 0, 0, 0))(weights, winner, _rivals(weights.shape[0]), mu)


def _wins(weights: Array, winner: Array, against: Array, centre: Array) -> Float[Array, " SHIFTS"]:
    """P(w_l.x > w_m.x for all m != l), x = centre + z: normal with mean (w_l - w_m).centre."""
    gap = weights[winner][None, :] - weights[against]
    return positive_orthant(gap @ centre, gap @ gap.T)


def _rivals(classes: int) -> Int[Array, "K K-1"]:
    """The other classes of each class."""
    return jnp.asarray([[l for l in range(classes) if l != k] for k in range(classes)])


def measure(sample: Sample, kept: Bool[Array, " n"], fitted: Fit, mu: Float[Array, "K d"]) -> Measurement:
    """Counts of the sample, and accuracies of the fitted weights with the error of their measurement."""
    wrong = sample.label != sample.y
    estimates = class_accuracies(fitted.weights, mu)
    by_shift = jnp.mean(estimates, axis=0)
    converged = fitted.converged & jnp.all(jnp.isfinite(by_shift))
    numbers = (jnp.mean(by_shift), jnp.std(by_shift, ddof=1) / np.sqrt(SHIFTS), jnp.mean(estimates, axis=1))
    accuracy, error, by_class = (jnp.where(converged, value, jnp.nan) for value in numbers)
    return Measurement(
        m=jnp.sum(kept),
        wrong=jnp.sum(wrong),
        kept_wrong=jnp.sum(wrong & kept),
        accuracy=accuracy,
        accuracy_error=error,
        class_accuracy=by_class,
        gradient_norm=fitted.gradient_norm,
        steps=fitted.steps,
        converged=converged,
    )


def trial(key: Key[Array, ""], problem: ClassesProblem, *, n: int, d: int, classes: int, loss: Loss) -> Measurement:
    """Train one classifier of K classes on verified synthetic data and measure it.

    Args:
        key: the only source of randomness.
        problem: signal, curation (`Rates` or `Confusion`) and ridge, without batch axes.
        n: samples generated. d: dimension. classes: K. loss: "squared" or "logistic". These four are static.

    Raises:
        ValueError: n, d, classes or loss out of range (`check`).
    """
    check(n, d, classes, loss)
    k_draw, k_verify = jax.random.split(key)
    sample = draw(k_draw, problem, n, d, classes)
    kept = verify(k_verify, problem, sample)
    fitted = fit(loss, sample.x, sample.label, kept, jnp.asarray(problem.ridge, float), classes)
    return measure(sample, kept, fitted, means(problem, classes, d))


@cache
def make_trials(
    n: int, d: int, classes: int, loss: Loss
) -> Callable[[int | Array, Array, ClassesProblem], Measurement]:
    """Compiled batch of trials for one static shape: (root_seed, words (b, 3), problem (b,)) -> (b,) rows.

    Everything but (n, d, classes, loss) and the batch width is traced. Keys as `sims.trial.trial_key`. Raises
    ValueError as `check`, before anything is traced.
    """
    check(n, d, classes, loss)

    def one(root_seed: Array, words: Array, problem: ClassesProblem) -> Measurement:
        return trial(trial_key(root_seed, words), problem, n=n, d=d, classes=classes, loss=loss)

    return jax.jit(jax.vmap(one, in_axes=(None, 0, 0)))
