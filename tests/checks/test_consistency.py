"""Follow-through marks: right, or consistent with the student's own work."""

from __future__ import annotations

import numpy as np
import pytest

from grader.checks import (
    GradientCheckFailed,
    agrees,
    assert_right_or_consistent,
    check_derivative,
)

X = np.array([0.5, -1.5, 2.0])


def wrong_square(x: np.ndarray) -> np.ndarray:
    """A student's square, which is a cube."""
    return x**3


def noise(x: np.ndarray) -> np.ndarray:
    """A function of which no gradient can be told."""
    return np.full_like(x, np.nan)


def compare(forward: object, slope: object, expected: np.ndarray) -> None:
    """Judges a derivative as an assignment's check does."""
    assert_right_or_consistent(
        slope(X),  # type: ignore[operator]
        expected,
        lambda: check_derivative(forward, slope, at=X),  # type: ignore[arg-type]
        "slope(x)",
    )


def test_agrees() -> None:
    """Values agree within the tolerances, and other shapes do not."""
    assert agrees(X, X + 1e-9)
    assert not agrees(X, X + 1e-3)
    assert agrees(X, X + 1e-3, absolute_tolerance=1e-2)
    assert not agrees(X, X[:2])


def test_right() -> None:
    """A right derivative passes, whatever the student's own function is."""
    compare(wrong_square, lambda x: 2 * x, 2 * X)


def test_consistent() -> None:
    """The derivative of the student's own wrong function passes."""
    compare(wrong_square, lambda x: 3 * x**2, 2 * X)


def test_neither() -> None:
    """What is neither right nor the derivative of the student's own function fails."""
    with pytest.raises(GradientCheckFailed):
        compare(wrong_square, lambda x: x, 2 * X)


def test_no_verdict() -> None:
    """Where nothing can be told of the student's own function, the derivative must be right."""
    compare(noise, lambda x: 2 * x, 2 * X)
    with pytest.raises(AssertionError, match=r"slope\(x\)"):
        compare(noise, lambda x: 3 * x**2, 2 * X)
