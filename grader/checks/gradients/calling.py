"""Calls the functions under check: copies go in, results come back as flat arrays.

Points go out in batches where the function can map. What a function raises
beside the point of the check only says that its domain ends there; at the
point itself it passes through to the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grader.checks.closeness import ValueMismatch, as_array
from grader.errors import GraderError, StudentRaised

Floats: TypeAlias = NDArray[np.float64]
Function: TypeAlias = Callable[[Any], Any]

BATCH_BYTES = 1 << 24
"""Points that one message carries; a whole stage, up to about 500 parameters."""

MAX_TROUBLE = 120
"""Characters of an exception's text that a message repeats."""

_OUTSIDE = object()


class Point:
    """The point of a check, and its copies in the form in which the author gave it."""

    def __init__(self, at: ArrayLike) -> None:
        self.x: Floats = np.array(at, dtype=np.float64)
        self.plain = isinstance(at, int | float) and not isinstance(at, np.generic)
        if self.x.size == 0 or not np.isfinite(self.x).all():
            raise ValueError("a gradient is checked at finite numbers, at least one of them")

    def form(self, x: Floats) -> Any:
        """A copy of `x`, a plain float where the author gave one."""
        return float(x) if self.plain else x.copy()

    def moved_to(self, x: Floats) -> Point:
        """Another point, of the same form."""
        return Point(float(x) if self.plain else x)


class SampledFunction:
    """The function under check: calls it, counts the calls, reads its results.

    Results have the shape of `upstream`, of one number where there is none, or
    of the point for an elementwise function; axes of size 1 may differ.
    `trouble` is what the function raised last beside the point.
    """

    name = "the function's result"

    def __init__(
        self, f: Function, point: Point, upstream: Floats | None, *, elementwise: bool
    ) -> None:
        self.f = f
        self.point = point
        self.weights = np.ones(1) if upstream is None else upstream.reshape(-1)
        self.elementwise = elementwise
        given = () if upstream is None else upstream.shape
        self.shape = point.x.shape if elementwise else given
        self.evaluations = 0
        self.trouble = ""

    def at(self, points: list[Floats]) -> list[object]:
        """Results as they come; what the function raises passes through."""
        return self._call([self.point.form(x) for x in points])

    def around(self, points: Iterator[Floats]) -> Iterator[Floats]:
        """Results as flat arrays; NaN where the function raises."""
        size = max(2, BATCH_BYTES // max(1, self.point.x.nbytes))
        while batch := [self.point.form(x) for x in islice(points, size)]:
            yield from map(self.read, self._try(batch))

    def read(self, value: object) -> Floats:
        """One result as a flat array of the agreed size."""
        if value is _OUTSIDE:
            return np.full(self.shape, np.nan).reshape(-1)
        return reshape(as_array(value, self.name), self.shape, self.name).reshape(-1)

    def _call(self, batch: list[Any]) -> list[Any]:
        self.evaluations += len(batch)
        mapper = getattr(self.f, "map", None)
        with np.errstate(all="ignore"):
            if not callable(mapper):
                return [self.f(x) for x in batch]
            results = list(mapper(batch))
        if len(results) != len(batch):
            raise _LostPoints(f"map returned {len(results)} results for {len(batch)} points")
        return results

    def _try(self, batch: list[Any]) -> list[Any]:
        """Results, with a mark where the function raised; a batch that raises is halved."""
        try:
            if len(batch) == 1 or callable(getattr(self.f, "map", None)):
                return self._call(batch)
        except Exception as error:
            if not is_students(error):
                raise
            self.trouble = _describe(error)
            if len(batch) == 1:
                return [_OUTSIDE]
        half = max(1, len(batch) // 2)
        return [*self._try(batch[:half]), *self._try(batch[half:])]


def is_students(error: Exception) -> bool:
    """Whether the function itself raised this; not the grader's machinery, nor a time limit."""
    if isinstance(error, GraderError):
        return isinstance(error, StudentRaised)
    return not isinstance(error, _LostPoints)


class _LostPoints(ValueError):
    """The function's map does not keep its promise; the grader's or the author's fault."""


def _describe(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    if not isinstance(error, StudentRaised):
        text = f"{type(error).__name__}: {text}" if str(error).strip() else text
    return text.splitlines()[0][:MAX_TROUBLE]


def reshape(array: Floats, shape: tuple[int, ...], name: str) -> Floats:
    """Give an array the wanted shape where the two differ by axes of size 1 only."""
    if _squeezed(array.shape) != _squeezed(shape):
        wanted = "one number" if shape == () else str(shape)
        raise ValueMismatch(f"{name} has shape {array.shape}, expected {wanted}")
    return array.reshape(shape)


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def read_upstream(upstream: ArrayLike | None) -> Floats | None:
    """The upstream gradient as a finite array; ValueError where it is not."""
    if upstream is None:
        return None
    array: Floats = np.array(upstream, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError("the upstream gradient must be finite")
    return array
