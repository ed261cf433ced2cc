"""Calls the function under check at the points that a stencil asks for.

Points go out in batches where the function can map, results come back as flat
arrays, and a vector is contracted only after the difference was taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grader.checks.closeness import ValueMismatch, as_array
from grader.checks.ladder import Estimate, Ints, Pairs, Sampler
from grader.checks.stencil import estimate

Floats: TypeAlias = NDArray[np.float64]

GOAL = 1.0 / 30.0
"""The part of the tolerance that the numeric error should take."""

BATCH_BYTES = 1 << 24
"""Points that one message carries; a whole stage, up to about 250 parameters."""


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


class SampledFunction:
    """The function under check: calls it, counts the calls, reads its results.

    Results have the shape of `upstream`, of one number where there is none, or
    of the point for an elementwise function; axes of size 1 may differ.
    """

    name = "the function's result"

    def __init__(
        self, f: Callable[[Any], Any], point: Point, upstream: Floats | None, *, elementwise: bool
    ) -> None:
        self.f = f
        self.point = point
        self.weights = np.ones(1) if upstream is None else upstream.reshape(-1)
        self.elementwise = elementwise
        given = () if upstream is None else upstream.shape
        self.shape = point.x.shape if elementwise else given
        self.evaluations = 0

    def raw(self, points: Iterator[Floats]) -> Iterator[object]:
        """Results as they come, batch by batch where the function can map."""
        size = max(2, BATCH_BYTES // max(1, self.point.x.nbytes))
        while batch := [self.point.form(x) for x in islice(points, size)]:
            self.evaluations += len(batch)
            yield from _call_all(self.f, batch)

    def results(self, points: Iterator[Floats]) -> Iterator[Floats]:
        """Results as flat arrays."""
        return map(self.read, self.raw(points))

    def read(self, value: object) -> Floats:
        """One result as a flat array of the agreed size."""
        return reshape(as_array(value, self.name), self.shape, self.name).reshape(-1)


def _call_all(f: Callable[[Any], Any], batch: list[Any]) -> list[Any]:
    mapper = getattr(f, "map", None)
    with np.errstate(all="ignore"):
        if not callable(mapper):
            return [f(x) for x in batch]
        results = list(mapper(batch))
    if len(results) != len(batch):
        raise ValueError(f"map returned {len(results)} results for {len(batch)} points")
    return results


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


def differentiate(function: SampledFunction, centre: Floats, tolerance: float) -> Estimate:
    """Differentiate around the point, where the function's flat result is `centre`."""
    sampler = _elementwise_sampler if function.elementwise else _gradient_sampler
    return estimate(
        sampler(function, centre),
        function.point.x.reshape(-1),
        tolerance * GOAL,
        shared_noise=not function.elementwise,
    )


def _gradient_sampler(function: SampledFunction, centre: Floats) -> Sampler:
    """Each lane moves one element of x; results are contracted after the difference."""

    def sample(lanes: Ints, steps: Floats) -> Pairs:
        values = function.results(_moved(function.point.x, lanes, steps))
        contract = partial(_contract, centre=centre, weights=function.weights)
        pairs = [contract(next(values), next(values)) for _ in range(steps.size)]
        odd, even, size = np.array(pairs).T.reshape(3, *steps.shape)
        return Pairs(odd, even, size)

    return sample


def _moved(x: Floats, lanes: Ints, steps: Floats) -> Iterator[Floats]:
    for lane, row in zip(lanes, steps, strict=True):
        for step in row:
            for signed in (step, -step):
                moved = x.copy()
                moved.reshape(-1)[lane] += signed
                yield moved


def _contract(
    plus: Floats, minus: Floats, centre: Floats, weights: Floats
) -> tuple[float, float, float]:
    """Difference first, then sum exactly: the values' common part never enters the sum."""
    with np.errstate(all="ignore"):
        odd = weights * (plus - minus)
        even = weights * ((plus - centre) + (minus - centre))
        size = np.linalg.norm(weights * np.maximum(np.abs(plus), np.abs(minus)))
    if not (np.isfinite(odd).all() and np.isfinite(even).all()):
        return math.nan, math.nan, math.nan
    return _exact_sum(odd), _exact_sum(even), float(size)


def _exact_sum(terms: Floats) -> float:
    try:
        return math.fsum(terms.tolist())
    except OverflowError:
        return math.nan


def _elementwise_sampler(function: SampledFunction, centre: Floats) -> Sampler:
    """All lanes move at once, each by its own step."""

    def sample(lanes: Ints, steps: Floats) -> Pairs:
        points = _moved_together(function.point.x, lanes, steps)
        values = np.array(list(function.results(points)))[:, lanes]
        plus, minus, base = values[0::2].T, values[1::2].T, centre[lanes][:, None]
        with np.errstate(all="ignore"):
            even = (plus - base) + (minus - base)
            return Pairs(plus - minus, even, np.maximum(np.abs(plus), np.abs(minus)))

    return sample


def _moved_together(x: Floats, lanes: Ints, steps: Floats) -> Iterator[Floats]:
    for column in steps.T:
        for signed in (column, -column):
            moved = x.copy()
            moved.reshape(-1)[lanes] += signed
            yield moved
