"""Arrays of NumPy and of JAX: every equation is written once, and computes with what it is given.

``xp = of(x, theta)`` is NumPy for numbers and arrays of its own, and `jax.numpy` where one of the values is an array of
JAX or traced by it, as under ``jit``, ``vmap`` and ``grad``. Beside what both have stand the special functions and the
control flow that the equations need. JAX is not imported where no value is of its kind, which takes a prediction from
seconds to a fraction of one: nothing is compiled.
"""

import sys
from collections.abc import Callable
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from jaxtyping import Array as Array
else:
    Array = Any

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Namespace:
    """A library of arrays, and what it lacks."""

    def __init__(self, library: Any, **more: Any) -> None:
        """``more``: what is added to the library, or stands in its place."""
        self._library = library
        vars(self).update(more)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the library's."""
        found = getattr(self._library, name)
        setattr(self, name, found)
        return found

    def pdf(self, x: Any) -> Any:
        """Standard normal density."""
        return self.exp(x * x * -0.5) * _DENSITY_AT_ZERO

    def logpdf(self, x: Any) -> Any:
        """Its logarithm."""
        return -x * x / 2 + _LOG_DENSITY_AT_ZERO


_DENSITY_AT_ZERO = 1 / np.sqrt(2 * np.pi)
_LOG_DENSITY_AT_ZERO = float(np.log(_DENSITY_AT_ZERO))


def _repeat(steps: int, advance: Callable[[int, Any], Any], start: Any) -> Any:
    for i in range(steps):
        start = advance(i, start)
    return start


def _settle(steps: int, advance: Callable[[Any], Any], start: Any) -> Any:
    for _ in range(steps):
        after = advance(start)
        moving = np.abs(after - start) > 1e-15 * np.abs(after)
        if not np.any(moving):
            break
        start = np.where(moving, after, start)
    return start


def _iterates(advance: Callable[[Any], Any], start: Any, steps: int) -> Any:
    path = [start]
    for _ in range(steps):
        path.append(advance(path[-1]))
    return type(start)(*(np.stack(field) for field in zip(*path, strict=True)))


def _on_parts(condition: Any, first: Callable[..., Any], second: Callable[..., Any], *values: Any) -> Any:
    where, *full = np.broadcast_arrays(condition, *values)
    found = np.empty(where.shape)
    for part, function in ((where, first), (~where, second)):
        if part.any():
            found[part] = function(*(value[part] for value in full))
    return found


def _solve(matrix: Any, vector: Any) -> Any:
    try:
        return np.linalg.solve(matrix, vector[..., None])[..., 0]
    except np.linalg.LinAlgError:  # one of them is singular
        if matrix.ndim == 2:
            return np.full(vector.shape, np.nan)
        return np.stack([_solve(*one) for one in zip(matrix, vector, strict=True)])


NUMPY: Any = Namespace(
    np,
    ndtr=special.ndtr,
    log_ndtr=special.log_ndtr,
    owens_t=special.owens_t,
    sigmoid=special.expit,
    stop_gradient=lambda x: x,
    each=lambda function, *cells: function(*cells),
    repeat=_repeat,
    settle=_settle,
    iterates=_iterates,
    on_parts=_on_parts,
    solve=_solve,
)
"""NumPy, with special functions, and

``each(function, *cells)``: a function of cells on one axis, which NumPy takes as they are, and JAX one by one,
as it may be set to refuse operands of different ranks.
``repeat(steps, advance, start)``: advance(i, value), again and again.
``settle(steps, advance, start)``: advance(value), so often at most; NumPy lets be each entry that no longer changes.
``iterates(advance, start, steps)``: start, advance(start), ..., named tuples of arrays, step on the first axis.
``on_parts(condition, first, second, *values)``: first(*values) where the condition holds, second(*values) elsewhere.
``solve(matrix, vector)``: on the last axes; NaN where the matrix is singular.
"""


@cache
def _jax() -> Any:
    import jax

    def iterates(advance: Callable[[Any], Any], start: Any, steps: int) -> Any:
        step = lambda value, _: (advance(value),) * 2
        path = jax.lax.scan(step, start, length=steps)[1]
        return jax.tree.map(lambda first, rest: jax.numpy.concatenate([first[None], rest]), start, path)

    return Namespace(
        jax.numpy,
        ndtr=jax.scipy.special.ndtr,
        log_ndtr=jax.scipy.special.log_ndtr,
        owens_t=jax.scipy.special.owens_t,
        sigmoid=jax.nn.sigmoid,
        stop_gradient=jax.lax.stop_gradient,
        each=lambda function, *cells: jax.vmap(function)(*cells),
        repeat=lambda steps, advance, start: jax.lax.fori_loop(0, steps, advance, start),
        settle=lambda steps, advance, start: jax.lax.fori_loop(0, steps, lambda _, value: advance(value), start),
        iterates=iterates,
        on_parts=lambda condition, first, second, *values: jax.numpy.where(condition, first(*values), second(*values)),
        solve=lambda matrix, vector: jax.numpy.linalg.solve(matrix, vector[..., None])[..., 0],
    )


def of(*values: Any) -> Any:
    """The namespace of these values: numbers, arrays, and (named) tuples of them."""
    return _jax() if any(map(is_jax, values)) else NUMPY


def is_jax(value: Any) -> bool:
    """Whether an array, or one in a tuple, is of JAX or traced by it."""
    if isinstance(value, tuple | list):
        return any(map(is_jax, value))
    return isinstance(value, getattr(sys.modules.get("jax"), "Array", ()))  # half imported: no value can be of its kind


def is_traced(value: Any) -> bool:
    """Whether a number, or one in a tuple, has no value yet: under ``jit``, ``vmap`` and ``grad``."""
    if isinstance(value, tuple | list):
        return any(map(is_traced, value))
    core = getattr(sys.modules.get("jax"), "core", None)
    return isinstance(value, getattr(core, "Tracer", ()))


def unlisted(value: Any) -> Any:
    """Lists as arrays, also as fields of (named) tuples; everything else as it is."""
    if isinstance(value, list):
        return of(value).asarray(value, float)
    return with_fields(value, [unlisted(field) for field in fields_of(value)]) if isinstance(value, tuple) else value


class Shared:
    """What all cells have in common: among the fields of a tuple it is no number, and goes with them as it is."""


def fields_of(value: Any) -> list[Any]:
    """The numbers of a (named) tuple, those of tuples in it included, in order."""
    if isinstance(value, tuple):
        return [leaf for field in value for leaf in fields_of(field)]
    return [] if isinstance(value, Shared) else [value]


def with_fields(like: Any, numbers: list[Any]) -> Any:
    """A (named) tuple like another with other numbers, as `fields_of` gave them."""
    rest = iter(numbers)

    def fill(value: Any) -> Any:
        if not isinstance(value, tuple):
            return value if isinstance(value, Shared) else next(rest)
        return type(value)(*map(fill, value)) if hasattr(value, "_fields") else tuple(map(fill, value))

    return fill(like)


def quiet(function: _Function) -> _Function:
    """A function that says by NaN and infinity what NumPy warns of, as JAX does: 0/0, overflow."""
    return np.errstate(all="ignore")(function)


def compiled(*static: str) -> Callable[[_Function], _Function]:
    """Of a function of arrays: what is JAX's, it computes as one program; ``static`` names what is no array."""

    def decorate(function: _Function) -> _Function:
        @cache
        def program() -> Any:
            import jax

            return jax.jit(function, static_argnames=static)

        @wraps(function)
        def call(*values: Any) -> Any:
            return program()(*values) if is_jax(values) else function(*values)

        return cast(_Function, call)

    return decorate


def room(library: Any, count: int) -> int:
    """How many cells to add to so many: for JAX up to a power of two, which costs little and saves compilations."""
    return 0 if library is NUMPY else (1 << (count - 1).bit_length()) - count


def column(value: Any) -> Any:
    """A value of every cell, to meet an axis of nodes or of components; numbers meet everything."""
    return value[..., None] if np.ndim(value) else value


def outer(a: Array, b: Array) -> Array:
    """a b^T on the last axis."""
    return a[..., :, None] * b[..., None, :]


def dot(a: Array, b: Array) -> Array:
    """a.b on the last axis."""
    found: Array = of(a, b).einsum("...i,...i->...", a, b)
    return found
