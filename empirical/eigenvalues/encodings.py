"""Numbers as tokens: the encodings of "Linear algebra with transformers" (`charton2022linear`), and a grid.

P10, P1000, B1999 and FP15 round a number to three significant digits, mantissa 100..999 times ten to an exponent
(3.14159 is + 314 E-2, zero + 0 E0), and put two dimension tokens before a matrix or a vector. ``grid`` rounds to the
nearest multiple of a step, one token per number, without dimensions; of a symmetric matrix it takes one triangle.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from empirical.eigenvalues.data import grid_half
from theory.errors import InputError

Name = Literal["P10", "P1000", "B1999", "FP15", "grid"]
NAMES: tuple[Name, ...] = ("P10", "P1000", "B1999", "FP15", "grid")

START = 0
"""Starts an answer; never a part of it."""
LARGEST_EXPONENT = 100
FP_EXPONENTS = (-9, 6)
DIMENSIONS = 100
"""V1..V100 are tokens 1..100."""
VOCABULARY = {"P10": 338, "P1000": 1328, "B1999": 2329, "FP15": 29128}
"""Published sizes. They exceed numbers, dimensions and START by 24 to 225 tokens, which nothing uses here."""
FP_NAN, FP_ZERO = 0, 1
SMALLEST = 1e-110
"""What is smaller is written as zero, in every encoding."""


@dataclass(frozen=True)
class Encoding:
    """An encoding of numbers. ``reach`` and ``step`` are of the grid: numbers in [-reach, reach] can be written."""

    name: Name
    reach: float = 0.0
    step: float = 1.0

    @property
    def tokens_per_number(self) -> int:
        """How many tokens a number takes."""
        return {"P10": 5, "P1000": 3, "B1999": 2, "FP15": 1, "grid": 1}[self.name]

    @property
    def vocabulary(self) -> int:
        """Number of tokens, START included."""
        return VOCABULARY[self.name] if self.name != "grid" else 2 * self._half + 2

    @property
    def _half(self) -> int:
        return grid_half(self.reach, self.step)

    @property
    def _symbols(self) -> tuple[tuple[int, int], ...]:
        """For every token of a number: (first symbol, how many symbols). Numbers take the end of the vocabulary."""
        exponents = 2 * LARGEST_EXPONENT + 1
        sizes = {
            "P10": (2, 10, exponents),
            "P1000": (2, 1000, exponents),
            "B1999": (1999, exponents),
            "FP15": (2 + 1800 * (FP_EXPONENTS[1] - FP_EXPONENTS[0] + 1),),
            "grid": (2 * self._half + 1,),
        }[self.name]
        starts = self.vocabulary - sum(sizes) + np.cumsum((0, *sizes[:-1]))
        kinds = list(zip(starts.tolist(), sizes, strict=True))
        return (kinds[0], *(kinds[1],) * 3, kinds[2]) if self.name == "P10" else tuple(kinds)

    def write(self, numbers: np.ndarray) -> np.ndarray:
        """Tokens (..., k * tokens per number), int16, of numbers (..., k).

        Raises ValueError for numbers that are not finite, beyond the grid, or beyond 999E100.
        """
        numbers = np.asarray(numbers, float)
        if not np.isfinite(numbers).all():
            raise InputError("numbers to encode must be finite; there are NaN or infinite ones")
        fields = self._grid_fields(numbers) if self.name == "grid" else self._fields(numbers)
        tokens = np.stack([f + start for f, (start, _) in zip(fields, self._symbols, strict=True)], axis=-1)
        return tokens.reshape(*numbers.shape[:-1], -1).astype(np.int16)

    def read(self, tokens: np.ndarray) -> np.ndarray:
        """Numbers (..., k) of tokens (..., k * tokens per number); NaN where tokens are not those of a number."""
        tokens = np.asarray(tokens).astype(np.int64)
        tokens = tokens.reshape(*tokens.shape[:-1], -1, self.tokens_per_number)
        starts, sizes = np.array(self._symbols).T
        fields = tokens - starts
        formed = ((fields >= 0) & (fields < sizes)).all(-1)
        fields = np.where(formed[..., None], fields, 0)
        return np.where(formed, self._value(np.moveaxis(fields, -1, 0)), np.nan)

    def _grid_fields(self, numbers: np.ndarray) -> list[np.ndarray]:
        places = np.rint(numbers / self.step)
        if (np.abs(places) > self._half).any():
            raise InputError(f"the grid reaches from {-self.reach:g} to {self.reach:g}; some number lies beyond")
        return [places.astype(np.int64) + self._half]

    def _fields(self, numbers: np.ndarray) -> list[np.ndarray]:
        """What stands at each token of a number, as index among the symbols of that place."""
        mantissa, exponent = scientific(np.abs(numbers))
        negative = (numbers < 0) & (mantissa > 0)
        if self.name == "FP15":
            low, high = FP_EXPONENTS
            places = ((exponent - low) * 900 + mantissa - 100) * 2 + negative + 2
            small = (mantissa == 0) | (exponent < low)
            return [np.where(small, FP_ZERO, np.where(exponent > high, FP_NAN, places))]
        if np.any(exponent > LARGEST_EXPONENT):
            raise InputError(f"numbers to encode must lie below 1e{LARGEST_EXPONENT + 3}")
        mantissa = np.where(exponent < -LARGEST_EXPONENT, 0, mantissa)
        power = np.where(mantissa == 0, 0, exponent) + LARGEST_EXPONENT
        if self.name == "B1999":
            return [np.where(negative, -mantissa, mantissa) + 999, power]
        sign = negative.astype(np.int64)
        digits = [mantissa] if self.name == "P1000" else [mantissa // 100, mantissa // 10 % 10, mantissa % 10]
        return [sign, *digits, power]

    def _value(self, fields: np.ndarray) -> np.ndarray:
        """Inverse of `_fields`."""
        if self.name == "grid":
            return (fields[0] - self._half) * self.step
        if self.name == "FP15":
            places = np.maximum(fields[0] - 2, 0)
            value = _scaled(places // 2 % 900 + 100, places // 1800 + FP_EXPONENTS[0]) * (1 - 2 * (places % 2))
            return np.select([fields[0] == FP_NAN, fields[0] == FP_ZERO], [np.nan, 0.0], value)
        if self.name == "B1999":
            return _scaled(fields[0] - 999, fields[1] - LARGEST_EXPONENT)
        sign, *digits, power = fields
        mantissa = digits[0] if self.name == "P1000" else digits[0] * 100 + digits[1] * 10 + digits[2]
        return _scaled(mantissa * (1 - 2 * sign), power - LARGEST_EXPONENT)

    @property
    def _has_dimensions(self) -> bool:
        return self.name != "grid"

    def write_matrices(self, matrices: np.ndarray) -> np.ndarray:
        """Tokens (count, length) of symmetric matrices (count, n, n), row by row."""
        size = matrices.shape[-1]
        if not self._has_dimensions:
            rows, columns = np.triu_indices(size)
            return self.write(matrices[:, rows, columns])
        return _with_dimensions(size, size, self.write(matrices.reshape(len(matrices), size * size)))

    def write_vectors(self, vectors: np.ndarray) -> np.ndarray:
        """Tokens (count, length) of vectors (count, n)."""
        tokens = self.write(vectors)
        return _with_dimensions(vectors.shape[-1], 1, tokens) if self._has_dimensions else tokens

    def read_vectors(self, tokens: np.ndarray, size: int) -> np.ndarray:
        """Vectors (..., size) of answers (..., length). A malformed answer is NaN throughout.

        Malformed is: the wrong dimensions, too few tokens, a sign, digit or exponent missing or out of its place.
        Tokens after the last number are ignored.
        """
        tokens = np.asarray(tokens)
        head = 2 if self._has_dimensions else 0
        last = head + size * self.tokens_per_number
        if tokens.shape[-1] < last:
            return np.full((*tokens.shape[:-1], size), np.nan)
        numbers = self.read(tokens[..., head:last])
        formed = np.isfinite(numbers).all(-1) & (tokens[..., :head] == (size, 1)[:head]).all(-1)
        return np.where(formed[..., None], numbers, np.nan)

    def matrix_length(self, size: int) -> int:
        """Tokens of an n x n matrix."""
        if not self._has_dimensions:
            return size * (size + 1) // 2
        return 2 + size * size * self.tokens_per_number

    def vector_length(self, size: int) -> int:
        """Tokens of n eigenvalues."""
        return size * self.tokens_per_number + (2 if self._has_dimensions else 0)

    def values(self) -> np.ndarray:
        """The number that each token of a grid stands for, (vocabulary,); NaN for START."""
        return np.append(np.nan, np.arange(-self._half, self._half + 1) * self.step)


def scientific(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mantissa 100..999 (0 for zero) and exponent of non-negative numbers, rounded to three significant digits."""
    positive = numbers >= SMALLEST
    exponent = np.floor(np.log10(np.where(positive, numbers, 1.0))).astype(np.int64) - 2
    mantissa = np.rint(_scaled(np.where(positive, numbers, 100.0), -exponent)).astype(np.int64)
    exponent = exponent + (mantissa >= 1000) - (mantissa < 100)
    mantissa = np.rint(_scaled(np.where(positive, numbers, 100.0), -exponent)).astype(np.int64)
    return np.where(positive, mantissa, 0), np.where(positive, exponent, 0)


def _scaled(mantissa: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """mantissa * 10^exponent, dividing where that is exact."""
    up, down = 10.0 ** np.maximum(exponent, 0), 10.0 ** np.maximum(-exponent, 0)
    return mantissa * up / down


def _with_dimensions(rows: int, columns: int, tokens: np.ndarray) -> np.ndarray:
    head = np.broadcast_to(np.array([rows, columns], tokens.dtype), (*tokens.shape[:-1], 2))
    return np.concatenate([head, tokens], axis=-1)
