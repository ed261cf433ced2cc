"""2b: repeated training on the Eckerle4 curve, and what was recorded of it."""

from pathlib import Path

import numpy as np
import pytest

from grader.checks import ValueMismatch, assert_close, assert_number

CSV = Path(__file__).parents[1] / "files" / "nndl" / "Lab4" / "Eckerle4.csv"
RUNS = 4
# Networks are often computed in float32.
TOLERANCE = {"relative_tolerance": 1e-4, "absolute_tolerance": 1e-9}
DATA_TOLERANCE = 1e-5
AS_ARRAYS = """
def as_arrays(value):
    import numpy
    if isinstance(value, (list, tuple)):
        return [as_arrays(item) for item in value]
    if hasattr(value, "detach"):
        value = value.detach()
    return numpy.asarray(value) if hasattr(value, "__array__") else value
"""


def scaled_targets():
    """All 35 targets, scaled to [0, 1]."""
    targets = np.loadtxt(CSV, delimiter=",", skiprows=1)[:, 0]
    return (targets - targets.min()) / (targets.max() - targets.min())


def is_plain(value):
    """Whether a value came as data, and not as an object that stayed with the student."""
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    return value is None or isinstance(value, int | float | str | np.ndarray | np.generic)


def recorded(student, name):
    """A variable as data; tensors, series and tables are made arrays where they are."""
    value = student[name]
    if is_plain(value):
        return value
    student.execute(AS_ARRAYS)
    return student.function("as_arrays")(value)


def is_sequence(value):
    return isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim > 0)


def assert_list(value, name):
    kind = getattr(value, "type_name", type(value).__name__)
    assert is_sequence(value), f"{name} must be a list or an array, but is a {kind}"


def numbers(value, name):
    """A list or array of numbers, whatever form each of them has."""
    assert_list(value, name)
    found = np.array([assert_number(item, name=f"an entry of {name}") for item in value])
    assert np.isfinite(found).all(), f"{name} holds NaN or infinity"
    return found


def targets_of(student):
    """The student's y_test, which must be a part of the data."""
    targets = numbers(recorded(student, "y_test"), "y_test")
    assert len(targets) == 14, f"y_test must hold 14 of the 35 points, but holds {len(targets)}"
    distance = np.abs(targets[:, None] - scaled_targets()).min(axis=1)
    assert np.all(distance < DATA_TOLERANCE), "y_test holds other numbers than the data"
    return targets


def recorded_errors(student):
    errors = numbers(recorded(student, "errors"), "errors")
    assert len(errors), "errors is empty"
    return errors


def prediction_for(value, targets, name):
    """One number for each target: in a row, in a column, or in a list of either form."""
    if isinstance(value, np.ndarray) and value.size == len(targets):
        value = value.ravel()
    found = numbers(value, name)
    assert len(found) == len(targets), (
        f"{name} must hold a number for each of the {len(targets)} test points, "
        f"but holds {len(found)}"
    )
    return found


@pytest.mark.question("2b", points=1)
def test_errors(student):
    """errors are the mean squared errors of your predictions for the test data, one a run."""
    errors, targets = recorded_errors(student), targets_of(student)
    made = recorded(student, "predictions")
    assert_list(made, "predictions")
    assert len(made) == len(errors), f"{len(made)} predictions, but {len(errors)} errors"
    for run, (prediction, error) in enumerate(zip(made, errors, strict=True)):
        difference = prediction_for(prediction, targets, f"predictions[{run}]") - targets
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
    assert_close(recorded(student, "mean"), errors.mean(), name="mean", known=known, **TOLERANCE)


@pytest.mark.question("2b", points=0.5)
def test_std(student):
    """std is the standard deviation of your errors, divided by n or by n - 1."""
    errors = recorded_errors(student)
    assert len(errors) > 1, "a single error has no standard deviation"
    mine, population, sample = recorded(student, "std"), errors.std(), errors.std(ddof=1)
    try:
        assert_close(mine, population, name="std", **TOLERANCE)
    except ValueMismatch:
        known = {
            "variance": ("This is the variance: its root is missing.", population**2),
            "sample_variance": ("This is the variance: its root is missing.", sample**2),
            "standard_error": ("This is the error of the mean.", sample / np.sqrt(len(errors))),
        }
        assert_close(mine, sample, name="std (divided by n - 1)", known=known, **TOLERANCE)
