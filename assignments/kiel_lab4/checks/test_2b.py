"""2b: repeated training on the Eckerle4 curve, and what was recorded of it."""

from pathlib import Path

import numpy as np
import pytest

from grader.checks import ValueMismatch, assert_close, assert_number, assert_shape

CSV = Path(__file__).parents[1] / "files" / "nndl" / "Lab4" / "Eckerle4.csv"
RUNS = 4
# Networks are often computed in float32.
TOLERANCE = {"relative_tolerance": 1e-4, "absolute_tolerance": 1e-9}
DATA_TOLERANCE = 1e-5


def scaled_targets():
    """All 35 targets, scaled to [0, 1]."""
    targets = np.loadtxt(CSV, delimiter=",", skiprows=1)[:, 0]
    return (targets - targets.min()) / (targets.max() - targets.min())


def numbers(value, name):
    """A list or array of numbers, whatever form each of them has."""
    is_sequence = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim)
    assert is_sequence, f"{name} must be a list, but is a {type(value).__name__}"
    found = np.array([assert_number(item, name=f"an entry of {name}") for item in value])
    assert np.isfinite(found).all(), f"{name} holds NaN or infinity"
    return found


def targets_of(student):
    """The student's y_test, which must be a part of the data."""
    targets = numbers(np.ravel(student.y_test), "y_test")
    distance = np.abs(targets[:, None] - scaled_targets()).min(axis=1)
    assert len(targets) == 14, f"y_test must hold 14 of the 35 points, but holds {len(targets)}"
    assert np.all(distance < DATA_TOLERANCE), "y_test holds other numbers than the data"
    return targets


def recorded_errors(student):
    errors = numbers(student.errors, "errors")
    assert len(errors), "errors is empty"
    return errors


@pytest.mark.question("2b", points=1)
def test_errors(student):
    """errors are the mean squared errors of your predictions for the test data, one a run."""
    errors, targets = recorded_errors(student), targets_of(student)
    made = student.predictions
    is_list = isinstance(made, list | tuple | np.ndarray)
    assert is_list, f"predictions must be a list, but is a {type(made).__name__}"
    assert len(made) == len(errors), f"{len(made)} predictions, but {len(errors)} errors"
    for run, (prediction, error) in enumerate(zip(made, errors, strict=True)):
        name = f"predictions[{run}]"
        shape = np.shape(prediction) if isinstance(prediction, np.ndarray) else (len(targets),)
        flat = shape if shape != (len(targets), 1) else (len(targets), 1)
        difference = np.ravel(assert_shape(prediction, flat, name=name)) - targets
        check_error(error, difference, run)


def check_error(error, difference, run):
    squared = np.mean(difference**2)
    known = {
        "root_taken": ("This is the root of the mean squared error.", np.sqrt(squared)),
        "absolute_error": ("This is the mean absolute error.", np.mean(np.abs(difference))),
        "summed": ("This is the sum of the squared errors, not their mean.", np.sum(difference**2)),
    }
    assert_close(error, squared, name=f"errors[{run}]", known=known, **TOLERANCE)


@pytest.mark.question("2b", points=0.5)
def test_repetitions(student):
    """There are at least four runs, which differ as networks with other initial weights do."""
    errors = recorded_errors(student)
    assert len(errors) >= RUNS, f"{RUNS} runs are asked for, errors holds {len(errors)}"
    different = len(np.unique(errors))
    assert different >= RUNS, (
        f"only {different} of your {len(errors)} errors differ from each other"
    )


@pytest.mark.question("2b", points=0.5)
def test_better_than_a_constant(student):
    """On average your networks are better than a constant at the mean of the test data."""
    average, constant = recorded_errors(student).mean(), targets_of(student).var()
    assert average < constant, f"mean error {average:.3g}, that of a constant {constant:.3g}"


@pytest.mark.question("2b", points=0.5)
def test_mean(student):
    """mean is the mean of your errors."""
    errors = recorded_errors(student)
    known = {"median": ("This is the median of the errors, not their mean.", np.median(errors))}
    assert_close(student.mean, errors.mean(), name="mean", known=known, **TOLERANCE)


@pytest.mark.question("2b", points=0.5)
def test_std(student):
    """std is the standard deviation of your errors, divided by n or by n - 1."""
    errors = recorded_errors(student)
    assert len(errors) > 1, "a single error has no standard deviation"
    population, sample = errors.std(), errors.std(ddof=1)
    try:
        assert_close(student.std, population, name="std", **TOLERANCE)
    except ValueMismatch:
        known = {
            "variance": ("This is the variance: its root is missing.", population**2),
            "sample_variance": ("This is the variance: its root is missing.", sample**2),
            "standard_error": ("This is the error of the mean.", sample / np.sqrt(len(errors))),
        }
        assert_close(student.std, sample, name="std (divided by n - 1)", known=known, **TOLERANCE)
