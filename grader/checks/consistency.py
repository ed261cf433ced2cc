"""Follow-through marks: an answer that fits the student's own earlier work passes as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from grader.checks.closeness import assert_close
from grader.checks.gradients.results import GradientInconclusive


def agrees(
    actual: Any,
    expected: Any,
    *,
    relative_tolerance: float = 1e-7,
    absolute_tolerance: float = 0.0,
) -> bool:
    """Whether `assert_close` passes."""
    tolerances = (relative_tolerance, absolute_tolerance)
    try:
        _compare(actual, expected, "value", tolerances)
    except AssertionError:
        return False
    return True


def assert_right_or_consistent(
    actual: Any,
    expected: np.ndarray,
    check: Callable[[], object],
    name: str,
    *,
    relative_tolerance: float = 1e-7,
    absolute_tolerance: float = 0.0,
) -> None:
    """A gradient passes where it is right, or where it fits the student's own forward pass.

    `expected` has the gradient's shape. Where `check`, which compares it with
    that forward pass, comes to no verdict, the gradient must be right.

    Raises:
        AssertionError: it is neither.
    """
    tolerances = (relative_tolerance, absolute_tolerance)
    try:
        return _compare(actual, expected, name, tolerances)
    except AssertionError:
        pass
    try:
        check()
    except GradientInconclusive:
        _compare(actual, expected, name, tolerances)


def _compare(actual: Any, expected: Any, name: str, tolerances: tuple[float, float]) -> None:
    relative, absolute = tolerances
    assert_close(
        actual, expected, relative_tolerance=relative, absolute_tolerance=absolute, name=name
    )
