"""What is looked at before any difference is taken: form, repetition, finite values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.checks.closeness import ValueMismatch, as_array, first_index, format_index
from grader.checks.gradients.calling import Function, Point, SampledFunction, reshape
from grader.checks.gradients.randomness import repeating
from grader.records import CheckStatus

Floats: TypeAlias = NDArray[np.float64]


MORE_CALLS = 4
"""Few masks of dropout repeat themselves so often."""


class Refusal(Exception):
    """A guard's verdict."""

    def __init__(self, status: CheckStatus, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class WrongShape(ValueMismatch):
    """A gradient that is an array of another shape than the point's."""

    def __init__(self, mismatch: ValueMismatch, array: Floats) -> None:
        super().__init__(str(mismatch))
        self.array = array


@dataclass(frozen=True)
class Guarded:
    """Both functions, and their results at the point.

    `centre` is f's, flat; `analytic` the gradient in the point's shape; `notes`
    say what was accepted although it is unusual. `random` says that f draws,
    and that its random numbers are repeated.
    """

    function: SampledFunction
    grad: Function
    centre: Floats
    analytic: Floats
    notes: tuple[str, ...]
    random: bool


def guard(function: SampledFunction, grad: Function, name: str, *, random: bool) -> Guarded:
    """Call both at the point; repeat random numbers where f draws some, or with `random`.

    A gradient that is wrong by itself fails before anything that only leaves
    the check undecided is looked at.
    """
    first, second = (None, None) if random else _twice(function)
    if random or not _same(function, first, second):
        function.f, grad = repeating(function.f, grad)
        first, second = _twice(function)
        random = True
    analytic, notes = read_gradient(grad, function.point, name)
    centre = function.read(first)
    if not _same(function, first, second):
        raise Refusal(
            CheckStatus.INCONCLUSIVE,
            f"{name} cannot be checked: the function is not deterministic "
            "(two calls with the same argument gave different results)",
        )
    if not np.isfinite(centre).all():
        raise Refusal(
            CheckStatus.INCONCLUSIVE,
            f"{name} cannot be checked: the function's result there is not finite",
        )
    notes = (*_shape_note(function, first), *notes)
    if random:
        notes = (*notes, "the function draws random numbers, which were repeated")
    return Guarded(function, grad, centre, analytic, notes, random)


def draws_after_all(guarded: Guarded) -> bool:
    """Whether f differs from call to call, although its first two results were the same."""
    function, x = guarded.function, guarded.function.point.x
    results = [function.read(value) for value in function.at([x] * MORE_CALLS)]
    return not all(np.array_equal(result, guarded.centre) for result in results)


def find_stale(guarded: Guarded, name: str, tolerance: float) -> tuple[CheckStatus, str] | None:
    """Ask again after many other calls of f: a stale cache answers differently now."""
    again, _ = read_gradient(guarded.grad, guarded.function.point, name)
    before = guarded.analytic
    if (np.abs(again - before) <= tolerance * np.maximum(np.abs(again), np.abs(before))).all():
        return None
    message = (
        f"{name} differs between two calls with the same argument: "
        "it depends on earlier calls (a stored value that is not refreshed?)"
    )
    return CheckStatus.FAILED, message


def read_gradient(grad: Function, point: Point, name: str) -> tuple[Floats, tuple[str, ...]]:
    """The gradient at the point, in its shape, and what is unusual about its form."""
    value = _call_watched(grad, point, name)
    array = as_array(value, name)
    given = array.shape
    try:
        analytic = reshape(array, point.x.shape, name)
    except ValueMismatch as mismatch:
        raise WrongShape(mismatch, array) from None
    bad = ~np.isfinite(analytic)
    if bad.any():
        index = first_index(bad)
        word = "NaN" if np.isnan(analytic[index]) else "infinite"
        raise Refusal(CheckStatus.FAILED, f"{name}{format_index(index)} is {word}")
    notes = []
    if given != point.x.shape:
        notes.append(f"its shape is {given}, that of x {point.x.shape}")
    if type(value) is np.ndarray and value.dtype.kind in "biu":
        notes.append(f"its dtype is {value.dtype}")
    return analytic, tuple(notes)


def _shape_note(function: SampledFunction, value: object) -> tuple[str, ...]:
    shape = as_array(value).shape
    if shape == function.shape:
        return ()
    return (f"the function's result has shape {shape} instead of {function.shape}",)


def _twice(function: SampledFunction) -> list[object]:
    """Two results at the point itself, in one message where the function can map."""
    x = function.point.x
    if callable(getattr(function.f, "map", None)):
        return function.at([x, x])
    function.evaluations += 2
    return [_call_watched(function.f, function.point, "the function") for _ in range(2)]


def _same(function: SampledFunction, first: object, second: object) -> bool:
    return np.array_equal(function.read(first), function.read(second), equal_nan=True)


def _call_watched(f: Function, point: Point, name: str) -> object:
    """Call with a copy, and see whether the copy came out changed."""
    argument = point.form(point.x)
    with np.errstate(all="ignore"):
        value = f(argument)
    if not point.plain and not np.array_equal(argument, point.x):
        raise Refusal(
            CheckStatus.FAILED, f"{name} changes its argument in place: work on a copy instead"
        )
    return value
