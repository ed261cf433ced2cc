"""Checks of the tiny assignment."""

import numpy as np
import pytest

from grader.checks import assert_close, assert_number, assert_unchanged, check_derivative

POINTS = np.array([-1.5, 0.25, 3.0])


@pytest.mark.question("1a", points=1)
def test_square(student):
    """square(x) multiplies each element by itself."""
    assert_close(student.square(POINTS), POINTS**2, name="square(x)")
    assert_unchanged(student.square.call(POINTS), (POINTS,), name="square(x)")


@pytest.mark.question("1a", points=0.5)
def test_square_grad(student):
    """square_grad(x) is the derivative of your square(x)."""
    check_derivative(student.square, student.square_grad, at=POINTS)


@pytest.mark.question("1a", points=0.5, hidden=True)
def test_square_of_many(student):
    """square(x) takes arrays of any shape."""
    x = np.arange(24.0).reshape(2, 3, 4)
    assert_close(student.square(x), x**2, name="square(x)")


@pytest.mark.question("2a", needs=["1a"])
def test_sum_of_squares(student):
    """sum_of_squares(x) adds the squares of the elements."""
    assert_close(student.sum_of_squares(POINTS), float(np.sum(POINTS**2)), name="sum_of_squares(x)")


@pytest.mark.question("2c", needs=["1a", "2a"], rerun=True)
def test_total(student):
    """total is the sum of squares of 1, 2 and 3."""
    assert assert_number(student.total, name="total") == 14.0, "total is not 14"
