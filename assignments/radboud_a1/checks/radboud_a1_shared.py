"""What the checks of several sections need."""

from typing import Any

import numpy as np

from grader.checks import assert_number, assert_shape


def function(owner: Any, name: str) -> Any:
    """The function, class or method `name`; fails where the name holds a plain value."""
    found = getattr(owner, name)
    assert callable(found), f"`{name}` is not a function or a class, but a {type(found).__name__}"
    return found


def instance(student: Any, name: str, *arguments: Any, **keywords: Any) -> Any:
    """An instance of the student's class `name`."""
    made = function(student, name)(*arguments, **keywords)
    assert hasattr(made, "type_name"), f"`{name}(...)` does not make an object with methods"
    return made


def numbers(value: Any, name: str, length: int | None = None) -> np.ndarray:
    """The numbers in a list or an array, whatever form each of them has."""
    is_sequence = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim)
    assert is_sequence, f"{name} must be a list, but is a {type(value).__name__}"
    right_length = length is None or len(value) == length
    assert right_length, f"{name} must have {length} entries, but has {len(value)}"
    return np.array([finite_number(item, f"an entry of {name}") for item in value])


def finite(value: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    """An array of this shape, to compare with: it must not hold NaN or infinity."""
    array = assert_shape(value, shape, name=name)
    assert np.all(np.isfinite(array)), f"{name} holds NaN or infinity"
    return array


def finite_number(value: Any, name: str) -> float:
    """A number of whatever form, to compare with."""
    return float(finite(assert_number(value, name=name), (), name))
