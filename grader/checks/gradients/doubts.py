"""What a gradient check asks of the functions only where a verdict hangs on it."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb, sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.checks.closeness import ValueMismatch, as_array
from grader.checks.gradients.calling import Function, Point, SampledFunction
from grader.checks.gradients.ladder import Lanes

Floats: TypeAlias = NDArray[np.float64]

SINGLE_POINTS, SINGLE_REACH = 3, 2.0**-7
"""How many points show float32 results, and how far they lie from the check's own."""

FEW_DIGITS = 2.0**12
"""Half of a float32's."""

NOISE_POINTS, NOISE_STEP, ORDER = 25, 2.0**-10, 6
"""The table of differences that shows a gradient's rounding errors."""

NOISE_SAFETY = 12.0
"""From a standard deviation to what no error exceeds."""


LOST = 8.0 * float(np.finfo(np.float64).eps)


def is_single(function: SampledFunction, grad: Function) -> bool:
    """Whether f's or the gradient's results are exactly float32 at points that are not.

    Results that do not vary say nothing, nor do numbers of few digits: 0.5 is a
    float32 as well.
    """
    values = list(function.around(_scattered(function.point, SINGLE_POINTS)))
    if _all_single(values):
        return True
    point = function.point
    return _all_single(_gradients(grad, point, _scattered(point, SINGLE_POINTS)))


def _all_single(values: list[Floats]) -> bool:
    table = np.array(values)
    if not table.size or not np.isfinite(table).all() or not np.ptp(table, axis=0).any():
        return False
    digits = np.frexp(table)[0] * FEW_DIGITS
    with np.errstate(over="ignore"):
        exact = bool(np.all(table == table.astype(np.float32)))
    return exact and bool(np.any(digits != np.round(digits)))


def _scattered(point: Point, count: int) -> Iterator[Floats]:
    rng = np.random.default_rng(0)
    for _ in range(count):
        yield point.x + SINGLE_REACH * _scales(point) * rng.uniform(-1.0, 1.0, point.x.shape)


def lost_to_rounding(point: Point, centre: Floats) -> Floats:
    """What a gradient that subtracts from 1 may be off, flat; 0 where f is not as small.

    Where f itself, whose values at the point are `centre`, is below the
    rounding of a 1, such a gradient is all rounding error, and may be exactly 0.
    """
    lost = np.where(np.abs(centre) <= LOST, LOST, 0.0)
    return lost if centre.size == point.x.size else np.full(point.x.size, float(np.min(lost)))


def rounding_errors(grad: Function, point: Point) -> Floats:
    """A bound for the rounding errors of each element of the gradient, flat.

    Differences of order k of a smooth function along a line vanish, those of
    noise do not: their size is sqrt(C(2k, k)) times its standard deviation
    (Hamming, 1973; Moré and Wild, SIAM J. Sci. Comput. 33, 2011). The median
    is deaf to a kink or two.
    """
    rng = np.random.default_rng(1)
    line = NOISE_STEP * _scales(point) * rng.uniform(0.5, 1.5, point.x.shape)
    places = (point.x + k * line for k in range(-(NOISE_POINTS // 2), NOISE_POINTS // 2 + 1))
    table = np.array(_gradients(grad, point, places))
    if len(table) < NOISE_POINTS:
        return np.zeros(point.x.size)
    differences = np.abs(np.diff(table, n=ORDER, axis=0))
    deviation = np.median(differences, axis=0) / (0.6745 * sqrt(comb(2 * ORDER, ORDER)))
    found: Floats = NOISE_SAFETY * np.where(np.isfinite(deviation), deviation, 0.0)
    return found


def _gradients(grad: Function, point: Point, places: Iterator[Floats]) -> list[Floats]:
    """The gradient, flat, at each place; nothing where one of them has no usable gradient."""
    found = []
    with np.errstate(all="ignore"):
        for place in places:
            try:
                value = as_array(grad(point.form(place))).reshape(-1)
            except (ValueMismatch, ArithmeticError, ValueError):
                return []
            if value.size != point.x.size:
                return []
            found.append(value)
    return found


def _scales(point: Point) -> Floats:
    return Lanes.along_axes(point.x.reshape(-1)).scale.reshape(point.x.shape)
