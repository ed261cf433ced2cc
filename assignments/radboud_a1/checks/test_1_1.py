"""1.1: gradient descent on f(x, y) = x^2 + y^2 + x(y + 2) + cos(3x)."""

import itertools

import numpy as np
import pytest
from radboud_a1_shared import finite_number, function, numbers

from grader.checks import assert_close, assert_tuple

START = (3.0, 2.0)
OTHER_STARTS = [(-4.0, 1.5), (0.3, -2.7), (4.5, 4.0)]
TOLERANCE = {"relative_tolerance": 1e-9, "absolute_tolerance": 1e-12}


def value(x, y):
    return x**2 + y**2 + x * (y + 2) + np.cos(3 * x)


def gradient(x, y):
    return np.array([2 * x - 3 * np.sin(3 * x) + y + 2, x + 2 * y])


def descend(start, step_size, steps, decay=1.0):
    """Every point of the path, one row each."""
    path = [np.array(start)]
    for step in range(steps):
        path.append(path[-1] - step_size * decay**step * gradient(*path[-1]))
    return np.array(path)


def run(student, start, *settings):
    result = function(student, "optimize_f")(*start, *settings)
    return assert_tuple(result, 5, name="what optimize_f returns")


def assert_ends_at(result, point):
    assert_close(result[0], point[0], name="the final x", **TOLERANCE)
    assert_close(result[1], point[1], name="the final y", **TOLERANCE)


def assert_history(result, steps):
    """The histories begin at the start, end at the returned point, and miss no step."""
    x_hist = numbers(result[3], "x_hist", steps + 1)
    y_hist = numbers(result[4], "y_hist", steps + 1)
    assert_close(x_hist[-1], finite_number(result[0], "x"), name="x_hist[-1]", **TOLERANCE)
    assert_close(y_hist[-1], finite_number(result[1], "y"), name="y_hist[-1]", **TOLERANCE)
    return np.column_stack([x_hist, y_hist])


@pytest.mark.question("1.1a", points=0.3)
def test_one_step(student):
    """One step of optimize_f moves x and y by the gradient at the point where the step begins."""
    assert_ends_at(run(student, START, 0.1, 1), descend(START, 0.1, 1)[-1])


@pytest.mark.question("1.1a", points=0.2)
def test_many_steps(student):
    """After 15 steps optimize_f is where gradient descent must be."""
    assert_ends_at(run(student, START, 0.05, 15), descend(START, 0.05, 15)[-1])


@pytest.mark.question("1.1a", points=0.2)
def test_history(student):
    """Your histories hold the start and the point after each step, also when there are no steps."""
    for steps in (4, 1, 0):
        path = assert_history(run(student, START, 0.1, steps), steps)
        assert_close(path[0], np.array(START), name="the first point of the history", **TOLERANCE)
    result = run(student, START, 0.1, 4)
    middle = np.column_stack([numbers(result[i], "the history", 5) for i in (3, 4)])[1:-1]
    assert_close(middle, descend(START, 0.1, 4)[1:-1], name="the points between", **TOLERANCE)


@pytest.mark.question("1.1a", points=0.1)
def test_final_value(student):
    """The function value that optimize_f returns is f at the point that it returns."""
    x, y, final = run(student, START, 0.1, 3)[:3]
    here = value(finite_number(x, "the final x"), finite_number(y, "the final y"))
    assert_close(final, here, name="the returned value", **TOLERANCE)


@pytest.mark.question("1.1a", points=0.2, hidden=True)
@pytest.mark.parametrize("start", OTHER_STARTS)
def test_other_starts(student, start):
    """optimize_f also works from other starting points."""
    assert_ends_at(run(student, start, 0.07, 6), descend(start, 0.07, 6)[-1])


@pytest.mark.question("1.1g", points=0.4)
def test_schedule(student):
    """With a decay below 1 your steps follow the given schedule."""
    assert_ends_at(run(student, START, 0.2, 5, 0.7), descend(START, 0.2, 5, 0.7)[-1])


@pytest.mark.question("1.1g", points=0.2)
def test_first_step_size(student):
    """The very first step uses the step size that was given."""
    assert_ends_at(run(student, START, 0.2, 1, 0.5), descend(START, 0.2, 1)[-1])


@pytest.mark.question("1.1g", points=0.2)
def test_default_decay(student):
    """Without a decay, optimize_f takes the same steps as before."""
    expected = descend(START, 0.1, 6)[-1]
    assert_ends_at(run(student, START, 0.1, 6), expected)
    assert_ends_at(run(student, START, 0.1, 6, 1.0), expected)


@pytest.mark.question("1.1g", points=0.1)
def test_history_with_decay(student):
    """Your histories still hold the start and the point after each step."""
    result = run(student, START, 0.2, 4, 0.8)
    path = assert_history(result, 4)
    assert_close(path[0], np.array(START), name="the first point of the history", **TOLERANCE)
    here = value(*path[-1])
    assert_close(result[2], here, name="the returned value", **TOLERANCE)


@pytest.mark.question("1.1g", points=0.1, hidden=True)
@pytest.mark.parametrize("start", OTHER_STARTS)
def test_other_starts_with_decay(student, start):
    """The schedule also holds for other starting points."""
    expected = descend(start, 0.15, 7, 0.9)[-1]
    result = function(student, "optimize_f")(*start, step_size=0.15, steps=7, decay=0.9)
    assert_ends_at(assert_tuple(result, 5, name="what optimize_f returns"), expected)


@pytest.mark.question("1.1h", points=1, needs=["1.1g"], rerun=True)
def test_low_value(student):
    """`results` holds a run of gradient descent that ends below -2."""
    result = assert_tuple(student.results, 5, name="results")
    x, y, final = (finite_number(result[i], f"results[{i}]") for i in range(3))
    assert final < -2, f"results[2] is {final:.4f}, which is not below -2"
    assert_close(final, value(x, y), name="results[2]", **TOLERANCE)
    assert_descent(result)


def assert_descent(result):
    """The history is a path of downhill steps that begins above -2."""
    steps = numbers(result[3], "x_hist").size - 1
    assert steps >= 1, "the history in `results` holds no step"
    path = assert_history(result, steps)
    assert value(*path[0]) > -2, "the run in `results` begins where it should end"
    for here, there in itertools.pairwise(path):
        step, slope = there - here, gradient(*here)
        across = abs(step[0] * slope[1] - step[1] * slope[0])
        is_downhill = step @ slope <= 1e-12 and across <= 1e-6 * abs(step @ slope) + 1e-12
        assert is_downhill, "the history in `results` is not a path of gradient descent"
