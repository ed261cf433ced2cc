"""Values: what counts as equal, and what is said where it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from grader.checks.closeness import (
    ValueMismatch,
    as_array,
    assert_close,
    assert_number,
    assert_shape,
    assert_tuple,
    assert_unchanged,
)


class EqualsEverything:
    """What a student might return to please a comparison; touching it is an error."""

    type_name = "Cheat"

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("compared")

    __hash__ = None  # type: ignore[assignment]

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise RuntimeError("converted")

    def __float__(self) -> float:
        raise RuntimeError("converted")


@dataclass(frozen=True)
class Recorded:
    """A call as the sandbox hands it back."""

    arguments: tuple[Any, ...]


class Loud(np.ndarray):
    """A subclass that could redefine everything."""


NOT_NUMBERS = [
    (None, "is None: does your function return its result"),
    ("0.5", "is a string"),
    (b"x", "is a bytes object"),
    ({"a": 1}, "is a dict"),
    (1j, "is complex"),
    (0j, "is complex"),
    (np.complex128(1), "is complex"),
    (np.zeros(3, complex), "is complex"),
    (np.array([None, 1]), "dtype object"),
    (np.array(["a"]), "dtype <U1"),
    ([[1.0, 2.0], [3.0]], r"is ragged: its items have shapes \(1,\) and \(2,\)"),
    ([1.0, [2.0]], "is ragged"),
    ([1.0, None], r"\[1\] is None"),
    (10**400, "integer too large"),
    ([1, 10**400], "integer too large"),
    (EqualsEverything(), "of type Cheat"),
    ([EqualsEverything()], r"\[0\] is of type Cheat"),
    (object(), "of type object"),
    (np.zeros(2).view(Loud), "of type Loud"),
]


@pytest.mark.parametrize(("value", "says"), NOT_NUMBERS)
def test_what_is_no_array_of_numbers_is_refused(value: object, says: str) -> None:
    """Every value that is no real number or array of them is named for what it is."""
    with pytest.raises(ValueMismatch, match=says):
        as_array(value, "f(x)")


def test_a_list_that_holds_itself_ends() -> None:
    """Nesting without end is refused, not followed."""
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ValueMismatch, match="nested"):
        as_array(endless, "f(x)")


@pytest.mark.parametrize(
    "value",
    [
        [1, 2, 3],
        (1.0, 2.0, 3.0),
        [np.float32(1), True + 1, np.int8(3)],
        np.array([1, 2, 3], dtype=np.uint8),
        [np.array(1.0), np.array(2.0), 3],
    ],
)
def test_numbers_in_any_form_are_read(value: object) -> None:
    """Lists, tuples, scalars of numpy and integer arrays are all numbers."""
    array = as_array(value, "f(x)")
    assert array.dtype == np.float64
    assert array.tolist() == [1.0, 2.0, 3.0]


def test_as_array_copies() -> None:
    """The array that is returned is not the caller's own."""
    value = np.zeros(2)
    as_array(value)[0] = 1.0
    assert value[0] == 0.0


@pytest.mark.parametrize("value", [0.5, [0.5], [[0.5]], np.float32(0.5), np.array([[0.5]])])
def test_one_number_may_have_any_shape_of_size_one(value: object) -> None:
    """Where a number is expected, an array of size 1 is one."""
    assert_close(value, 0.5, name="loss")


@pytest.mark.parametrize(
    ("actual", "expected", "says"),
    [
        (0.3, 0.5, r"f is 0\.3, expected 0\.5 \(relative error 0\.4\)"),
        ([0.5, 0.3], [0.5, 0.5], r"f\[1\] is 0\.3, expected 0\.5 \(relative error 0\.4\)"),
        ([0.0, 0.3], [0.5, 0.5], r"f\[0\] is 0, expected 0\.5 .*; 2 of 2 elements are wrong"),
        ([[1, 2], [3, 9]], [[1, 2], [3, 4]], r"f\[1, 1\] is 9, expected 4"),
        (1.0 + 2e-7, 1.0, r"f is 1\.0000002, expected 1 \(relative error 2e-07\)"),
        ([1e-3, 1.0], [0.0, 1.0], r"f\[0\] is 0\.001, expected 0 \(off by 0\.001\)"),
        (1e-30, 0.0, "expected 0"),
        ([np.nan, 1.0], [1.0, 1.0], r"f\[0\] is NaN"),
        (np.nan, 1.0, "f is NaN"),
        ([np.inf, 1.0], [1.0, 1.0], r"f\[0\] is inf, expected 1"),
        (1.0, np.inf, "f is 1, expected inf"),
        (-np.inf, np.inf, "f is -inf, expected inf"),
        (np.ones((3, 1)), np.ones(3), r"f has shape \(3, 1\), expected \(3,\)"),
        (np.ones(1), np.ones(3), r"f has shape \(1,\), expected \(3,\)"),
        (1.0, np.ones(3), r"f is one number, expected an array of shape \(3,\)"),
        (np.ones(3), 1.0, r"f has shape \(3,\), expected one number"),
        ([], [1.0], r"f has shape \(0,\)"),
        ([], 1.0, r"f has shape \(0,\), expected one number"),
        (None, 1.0, "f is None"),
        (EqualsEverything(), 1.0, "f is of type Cheat, expected numbers"),
    ],
)
def test_wrong_values_fail_with_a_sentence(actual: object, expected: Any, says: str) -> None:
    """What differs is named with its place, both numbers and the error."""
    with pytest.raises(ValueMismatch, match=says):
        assert_close(actual, expected, name="f")


def test_close_values_pass() -> None:
    """Rounding passes, also where the expected element is exactly 0 beside others."""
    assert_close([1.0 + 5e-8, 1e-17], [1.0, 0.0])
    assert_close([np.inf, -np.inf, 1.0], [np.inf, -np.inf, 1.0])
    assert_close([0, 0], [0.0, 0.0])
    assert_close([], [])


def test_tolerances_can_be_chosen() -> None:
    """Both tolerances widen and narrow what passes."""
    assert_close(1.01, 1.0, relative_tolerance=0.02)
    assert_close(1e-9, 0.0, absolute_tolerance=1e-8)
    with pytest.raises(ValueMismatch):
        assert_close(1.0 + 1e-10, 1.0, relative_tolerance=1e-12)
    with pytest.raises(ValueMismatch):
        assert_close([1e-9, 1.0], [0.0, 1.0], absolute_tolerance=1e-12)


def test_an_authors_mistake_is_not_charged_to_the_student() -> None:
    """An expected value that nothing can equal is no AssertionError."""
    with pytest.raises(ValueError, match="NaN"):
        assert_close(1.0, np.nan)
    with pytest.raises(TypeError):
        assert_close(1.0, "one")  # type: ignore[arg-type]


def test_shape_is_checked_and_the_array_returned() -> None:
    """A list of the right shape comes back as an array, a column for a row fails."""
    assert assert_shape([[1, 2]], (1, 2)).tolist() == [[1.0, 2.0]]
    assert assert_shape([1, 2], 2).shape == (2,)
    with pytest.raises(ValueMismatch, match=r"W has shape \(2, 1\), expected \(1, 2\)"):
        assert_shape([[1], [2]], (1, 2), name="W")


@pytest.mark.parametrize("value", [2, 2.0, [2.0], np.array([[2]]), np.float32(2)])
def test_a_number_is_returned_as_float(value: object) -> None:
    """Anything of size 1 is one number."""
    number = assert_number(value)
    assert type(number) is float
    assert number == 2.0


@pytest.mark.parametrize("value", [None, "2", [1.0, 2.0], np.nan, [], 1j, EqualsEverything()])
def test_what_is_no_number_fails(value: object) -> None:
    """NaN, arrays and everything else is not one number."""
    with pytest.raises(ValueMismatch):
        assert_number(value)


def test_tuples_are_counted() -> None:
    """A list of the right length is as good as a tuple; any other thing is named."""
    assert assert_tuple((1, None), 2) == (1, None)
    assert assert_tuple([1, 2], 2) == (1, 2)
    with pytest.raises(ValueMismatch, match="f has 1 value, expected 2"):
        assert_tuple((1,), 2, name="f")
    for value, says in [
        (None, "is None"),
        (np.zeros(2), "is an array, expected a tuple of 2"),
        ("ab", "is a string"),
        (3.0, "is a number"),
        (EqualsEverything(), "of type Cheat"),
    ]:
        with pytest.raises(ValueMismatch, match=says):
            assert_tuple(value, 2, name="f")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (np.array([1.0, np.nan]), np.array([1.0, np.nan])),
        (np.array(["a"]), np.array(["a"])),
        ([1, {"a": (2.0, None)}], [1, {"a": (2.0, None)}]),
        (float("nan"), float("nan")),
        (10**400, 10**400),
        (EqualsEverything(), EqualsEverything()),
    ],
)
def test_what_is_unchanged_passes(before: object, after: object) -> None:
    """Equal data passes, NaN included, and what is no data is left alone."""
    assert_unchanged(Recorded((after,)), (before,))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-15])),
        (np.array([1.0, 2.0]), np.array([1.0, np.nan])),
        (np.array([1.0]), np.array([1])),
        (np.array([1.0]), np.array([[1.0]])),
        (np.array(["a"]), np.array(["b"])),
        (np.array([1.0]), None),
        ([1, 2], [1, 2, 3]),
        ([[1]], [[2]]),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"b": 1}),
        ("a", "b"),
        (None, 1),
        (1.0, 2.0),
        (1.0, "1.0"),
    ],
)
def test_what_is_changed_fails(before: object, after: object) -> None:
    """Every change of plain data is seen."""
    with pytest.raises(ValueMismatch, match="f changes its argument in place"):
        assert_unchanged(Recorded((after,)), (before,), name="f")


def test_the_changed_argument_is_named() -> None:
    """The message says which argument changed, and where."""
    before = (1.0, np.array([[1.0, 2.0]]))
    after = Recorded((1.0, np.array([[1.0, 0.0]])))
    with pytest.raises(
        ValueMismatch, match=r"number 2 in place \(element \[0, 1\] was 2, is now 0"
    ):
        assert_unchanged(after, before, name="f")
    assert_unchanged(Recorded((np.ones(2),)), np.ones(2))
    with pytest.raises(ValueError, match="3 arguments"):
        assert_unchanged(Recorded((1, 2, 3)), before)
