"""Whether a student's value is the expected one: the only place that owns a tolerance for values.

Values come from code that nobody trusts, already decoded into plain data.
Nothing here calls a method of an object whose type it does not know, and
nothing compares such an object with `==`: an object that equals everything
would pass every check.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grader.checks.diagnosis.known import Named, known_wrong
from grader.records import Diagnosis

Floats: TypeAlias = NDArray[np.float64]

RELATIVE_TOLERANCE = 1e-7
"""Far above what reordering a float64 sum changes, far below any bug worth a point."""

MAX_NESTING = 32
"""Deeper lists are no array of a coursework; the bound also ends self-containing lists."""

_NUMBERS = frozenset(
    {bool, int, float, np.bool_}
    | {np.dtype(code).type for code in "bhilqBHILQefdg"}
    | {np.intc, np.uintc, np.longlong, np.ulonglong}
)
_COMPLEX = frozenset({complex, np.complex64, np.complex128, np.clongdouble})
_WORDS: dict[type, str] = {
    str: "a string",
    np.str_: "a string",
    bytes: "a bytes object",
    dict: "a dict",
    list: "a list",
    tuple: "a tuple",
    set: "a set",
    np.ndarray: "an array",
}
_NAME_LENGTH = 60


class ValueMismatch(AssertionError):
    """A student's value is not what the check expects; the message is for the student."""

    diagnosis: Diagnosis | None = None


class CallLike(Protocol):
    """What a recorded call must offer: its arguments as they are after the call."""

    @property
    def arguments(self) -> tuple[Any, ...]:
        """All arguments in their order, positional ones as they were given."""


def as_array(value: object, name: str = "the result") -> Floats:
    """Turn numbers, arrays and nested lists of numbers into a new float64 array.

    Raises `ValueMismatch` for None, strings, complex numbers, ragged lists,
    numbers beyond float64 and every object of another type.
    """
    return _convert(value, name, MAX_NESTING)


def assert_close(
    actual: object,
    expected: ArrayLike,
    *,
    relative_tolerance: float = RELATIVE_TOLERANCE,
    absolute_tolerance: float = 0.0,
    name: str = "the result",
    known: Mapping[str, Named] | None = None,
) -> None:
    """Require |actual - expected| <= absolute_tolerance + relative_tolerance * |expected|.

    `actual` must have the shape of `expected`; where `expected` is one number,
    any result of size 1 will do. An infinite element must be expected, with
    its sign. Where an expected element is exactly 0 and no absolute tolerance
    is given, the largest expected element lends its scale: a relative
    tolerance of 0 would ask for the rounding errors of the author's own
    formula, and a sum that cancels to 0 for one author leaves 1e-17 for
    another. Raises `ValueMismatch`.

    `known` are wrong answers by a code: `(sentence, value)` each. Where the
    result equals exactly one of them, the failure carries it as `.diagnosis`.
    """
    wanted = _expected(expected)
    array = as_array(actual, name)
    try:
        _require_close(array, wanted, (relative_tolerance, absolute_tolerance), name)
    except ValueMismatch as mismatch:
        mismatch.diagnosis = known_wrong(array, known or {})
        raise


def _require_close(
    array: Floats, wanted: Floats, tolerances: tuple[float, float], name: str
) -> None:
    if wanted.ndim == 0 and array.size == 1:
        array = array.reshape(())
    _require_shape(array, wanted.shape, name)
    _require_no_nan(array, name)
    tolerance = _tolerance(wanted, *tolerances)
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.where(array == wanted, 0.0, np.abs(array - wanted))
    wrong = ~(gap <= tolerance) | (np.isinf(array) & (array != wanted))
    if wrong.any():
        raise ValueMismatch(_mismatch(array, wanted, gap, wrong, name))


def assert_shape(actual: object, shape: int | Sequence[int], *, name: str = "the result") -> Floats:
    """Require an array of numbers of this shape, and return it as float64."""
    array = as_array(actual, name)
    _require_shape(array, (shape,) if isinstance(shape, int) else tuple(shape), name)
    return array


def assert_number(value: object, *, name: str = "the result") -> float:
    """Require one number, of whatever shape of size 1, that is not NaN; return it."""
    array = as_array(value, name)
    if array.size != 1:
        raise ValueMismatch(f"{name} has shape {array.shape}, expected one number")
    _require_no_nan(array, name)
    return float(array.reshape(()))


def assert_tuple(value: object, length: int, *, name: str = "the result") -> tuple[Any, ...]:
    """Require a tuple or list of `length` items; return it as a tuple."""
    if type(value) is not tuple and type(value) is not list:
        raise ValueMismatch(_unsuitable(value, name, f"a tuple of {length} values"))
    if len(value) != length:
        raise ValueMismatch(f"{name} has {_count(len(value), 'value')}, expected {length}")
    return tuple(value)


def assert_unchanged(call: CallLike, arguments: object, *, name: str = "the function") -> None:
    """Require that a call left its arguments as they were, types and NaNs included.

    `arguments` are those before the call: a tuple, or one argument as it is.
    Objects that are not plain data cannot be compared and are passed over.
    """
    before = arguments if isinstance(arguments, tuple) else (arguments,)
    after = call.arguments
    if len(before) != len(after):
        raise ValueError(f"the call had {len(after)} arguments, but {len(before)} are compared")
    for position, (old, new) in enumerate(zip(before, after, strict=True), start=1):
        if not _same(old, new):
            which = "its argument" if len(before) == 1 else f"its argument number {position}"
            raise ValueMismatch(
                f"{name} changes {which} in place{_where_changed(old, new)}: "
                "work on a copy, or build a new array"
            )


def format_pair(actual: float, expected: float) -> tuple[str, str]:
    """Print two numbers with as few digits as tell them apart."""
    for digits in (6, 9, 12, 17):
        pair = (f"{actual:.{digits}g}", f"{expected:.{digits}g}")
        if pair[0] != pair[1]:
            return pair
    return pair


def format_index(index: tuple[int, ...]) -> str:
    """Print an index as it is written behind a name: `[2, 4]`, nothing for a number."""
    return f"[{', '.join(map(str, index))}]" if index else ""


def _convert(value: object, name: str, depth: int) -> Floats:
    kind = type(value)
    if kind in _NUMBERS:
        return np.array(_to_float(value, name))
    if kind is np.ndarray:
        return _from_ndarray(value, name)  # type: ignore[arg-type]
    if kind is list or kind is tuple:
        return _from_items(value, name, depth)  # type: ignore[arg-type]
    if kind in _COMPLEX:
        raise ValueMismatch(f"{name} is complex, expected real numbers")
    raise ValueMismatch(_unsuitable(value, name, "numbers"))


def _to_float(value: Any, name: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueMismatch(f"{name} holds an integer too large for a float") from None


def _from_ndarray(value: NDArray[Any], name: str) -> Floats:
    if value.dtype.kind == "c":
        raise ValueMismatch(f"{name} is complex, expected real numbers")
    if value.dtype.kind not in "biuf":
        raise ValueMismatch(f"{name} is an array of dtype {value.dtype}, expected numbers")
    with np.errstate(over="ignore"):
        return np.array(value, dtype=np.float64)


def _from_items(items: Sequence[object], name: str, depth: int) -> Floats:
    if depth == 0:
        raise ValueMismatch(f"{name} is nested more than {MAX_NESTING} lists deep")
    if all(type(item) in _NUMBERS for item in items):
        return np.array([_to_float(item, name) for item in items], dtype=np.float64)
    parts = [_convert(item, f"{name}[{i}]", depth - 1) for i, item in enumerate(items)]
    shapes = {part.shape for part in parts}
    if len(shapes) > 1:
        first, second = sorted(shapes)[:2]
        raise ValueMismatch(
            f"{name} is ragged: its items have shapes {first} and {second}, expected one shape"
        )
    return np.stack(parts)


def _unsuitable(value: object, name: str, expected: str) -> str:
    if value is None:
        return f"{name} is None: does your function return its result?"
    return f"{name} is {_describe(value)}, expected {expected}"


def _describe(value: object) -> str:
    kind = type(value)
    if kind in _WORDS:
        return _WORDS[kind]
    if kind in _NUMBERS or kind in _COMPLEX:
        return "a number"
    told = getattr(value, "type_name", None)
    return f"of type {(told if type(told) is str else kind.__name__)[:_NAME_LENGTH]}"


def _expected(expected: ArrayLike) -> Floats:
    wanted = np.asarray(expected)
    if wanted.dtype.kind not in "biuf":
        raise TypeError(f"the expected value has dtype {wanted.dtype}, not real numbers")
    wanted = wanted.astype(np.float64)
    if np.isnan(wanted).any():
        raise ValueError("the expected value holds a NaN, which nothing can equal")
    return wanted


def _require_shape(array: Floats, shape: tuple[int, ...], name: str) -> None:
    if array.shape == shape:
        return
    if shape == ():
        raise ValueMismatch(f"{name} has shape {array.shape}, expected one number")
    if array.shape == ():
        raise ValueMismatch(f"{name} is one number, expected an array of shape {shape}")
    raise ValueMismatch(f"{name} has shape {array.shape}, expected {shape}")


def _require_no_nan(array: Floats, name: str) -> None:
    bad = np.isnan(array)
    if not bad.any():
        return
    index = first_index(bad)
    more = _others(int(bad.sum()), array.size, "NaN")
    raise ValueMismatch(f"{name}{format_index(index)} is NaN (not a number){more}")


def first_index(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """The index of the first true element."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(mask)), mask.shape))


def _tolerance(wanted: Floats, relative: float, absolute: float) -> Floats:
    magnitude = np.where(np.isfinite(wanted), np.abs(wanted), 0.0)
    if absolute == 0.0 and magnitude.size:
        magnitude = np.where(wanted == 0.0, magnitude.max(), magnitude)
    tolerance: Floats = absolute + relative * magnitude
    return tolerance


def _mismatch(
    array: Floats, wanted: Floats, gap: Floats, wrong: NDArray[np.bool_], name: str
) -> str:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        relative = np.where(wanted == 0.0, gap, gap / np.abs(wanted))
    relative = np.where(np.isnan(relative), math.inf, relative)
    flat = int(np.argmax(np.where(wrong, relative, -1.0)))
    index = tuple(int(i) for i in np.unravel_index(flat, wanted.shape))
    actual, expected = float(array[index]), float(wanted[index])
    mine, theirs = format_pair(actual, expected)
    more = _others(int(wrong.sum()), array.size, "wrong")
    return (
        f"{name}{format_index(index)} is {mine}, expected {theirs}"
        f"{_error_words(actual, expected)}{more}"
    )


def _error_words(actual: float, expected: float) -> str:
    if not (math.isfinite(actual) and math.isfinite(expected)):
        return ""
    if expected == 0.0:
        return f" (off by {abs(actual):.2g})"
    return f" (relative error {abs(actual / expected - 1.0):.2g})"


def _others(bad: int, total: int, word: str) -> str:
    return f"; {bad} of {total} elements are {word}" if bad > 1 else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _same(old: object, new: object) -> bool:
    if type(old) is np.ndarray:
        return type(new) is np.ndarray and _same_array(old, new)
    if type(old) in _NUMBERS or type(old) in _COMPLEX:
        return _same_number(old, new)
    if type(old) is list or type(old) is tuple:
        return type(new) is type(old) and _same_items(old, new)
    if type(old) is dict:
        return type(new) is dict and _same_mapping(old, new)
    if old is None or type(old) in (str, bytes):
        return type(new) is type(old) and bool(new == old)
    return True


def _same_array(old: NDArray[Any], new: NDArray[Any]) -> bool:
    if old.dtype != new.dtype or old.shape != new.shape:
        return False
    return bool(np.array_equal(old, new, equal_nan=old.dtype.kind in "fc"))


def _same_number(old: Any, new: Any) -> bool:
    if type(new) not in _NUMBERS and type(new) not in _COMPLEX:
        return False
    return bool(new == old) or (_is_nan(old) and _is_nan(new))


def _is_nan(value: Any) -> bool:
    return type(value) not in (bool, int) and bool(np.isnan(value))


def _same_items(old: Sequence[object], new: Sequence[object]) -> bool:
    return len(old) == len(new) and all(map(_same, old, new))


def _same_mapping(old: dict[Any, Any], new: dict[Any, Any]) -> bool:
    return list(old) == list(new) and _same_items(list(old.values()), list(new.values()))


def _where_changed(old: object, new: object) -> str:
    if type(old) is not np.ndarray or type(new) is not np.ndarray:
        return ""
    if old.shape != new.shape:
        return f" (its shape was {old.shape}, is now {new.shape})"
    if old.dtype != new.dtype:
        return f" (its dtype was {old.dtype}, is now {new.dtype})"
    if old.dtype.kind not in "biuf":
        return ""
    changed = (old != new) & ~(np.isnan(old) & np.isnan(new))
    index = first_index(changed)
    now, was = format_pair(float(new[index]), float(old[index]))
    return f" (element {format_index(index) or '0'} was {was}, is now {now})"
