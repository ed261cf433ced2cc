"""Failed gradient checks carry the name of the bug."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.checks import DiagnosisContext, check_derivative, check_gradient
from grader.records import CheckStatus

Floats = NDArray[np.float64]

RNG = np.random.default_rng(12)
X, DY = RNG.normal(size=(7, 5)), RNG.normal(size=(7, 3))
W, B = RNG.normal(size=(5, 3)), RNG.normal(size=3)
SIZES = DiagnosisContext(batch_size=7, n_features=5, n_classes=3)


def sigmoid(x: Floats) -> Floats:
    """The logistic function."""
    value: Floats = 1 / (1 + np.exp(-x))
    return value


def named(grad: Callable[[Any], Any], at: Floats, f: Callable[[Any], Any], **options: Any) -> str:
    """The code in the result of a gradient check that fails."""
    result = check_gradient(f, grad, at=at, raises=False, **options)
    assert result.status is CheckStatus.FAILED
    return result.diagnosis.code if result.diagnosis else ""


def bias(gradient: Any) -> str:
    """The same for the bias of a linear layer."""
    return named(lambda _: gradient, B, lambda b: X @ W + b, upstream=DY, context=SIZES)


def test_names_of_values() -> None:
    """Inputs and upstream gradient are taken from the check itself."""
    assert bias(DY.mean(axis=0)) == "extra_batch_mean"
    assert bias(-DY.sum(axis=0)) == "sign"
    assert bias(DY.sum(axis=0) + 0.1) == ""
    passed_on = named(lambda _: DY, DY + 0.1, sigmoid, upstream=DY)
    assert passed_on == "missing_derivative"


def test_names_of_shapes() -> None:
    """A gradient of the wrong shape is explained by its right numbers."""
    assert bias(DY) == "not_summed"
    assert bias(DY.sum()) == "summed_over_everything"
    assert bias(DY.sum(axis=1)) == "wrong_axis"
    assert bias(np.zeros(4)) == ""
    transposed = named(lambda _: (X.T @ DY).T, W, lambda w: X @ w, upstream=DY)
    assert transposed == "transposed"


def test_shape_of_a_gradient_beside_a_broken_function() -> None:
    """Where the function gives nothing to compare with, the shape is all that is said."""
    result = check_gradient(lambda x: "1.0", lambda x: x[:1], at=W, raises=False)
    assert (result.status, result.diagnosis) == (CheckStatus.FAILED, None)


def test_derivative() -> None:
    """A derivative is explained by its own argument."""
    at = np.linspace(-3.0, 3.1, 9)
    result = check_derivative(sigmoid, lambda x: x * (1 - x), at=at, raises=False)
    assert result.diagnosis is not None
    assert result.diagnosis.code == "argument_as_output"


@pytest.mark.parametrize("raises", [True, False])
def test_raised_result(raises: bool) -> None:
    """The error that is raised carries the same diagnosis."""
    if not raises:
        assert named(lambda x: -2 * x, X, lambda x: np.sum(x**2)) == "sign"
        return
    with pytest.raises(AssertionError) as caught:
        check_gradient(lambda x: np.sum(x**2), lambda x: -2 * x, at=X)
    assert caught.value.result.diagnosis.code == "sign"  # type: ignore[attr-defined]


def test_nothing_is_said_of_a_pass() -> None:
    """A right gradient has no diagnosis."""
    result = check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, at=X, context=SIZES)
    assert (result.status, result.diagnosis) == (CheckStatus.PASSED, None)


# --- many parameters ----------------------------------------------------------

MANY = np.random.default_rng(13).normal(size=(40, 50))
BIG = DiagnosisContext(parameters=MANY, weight_decay=0.01, batch_size=7)


def of_many(gradient: Floats, context: DiagnosisContext | None = BIG) -> str:
    """The code for a gradient of so many elements that few are differentiated."""
    return named(
        lambda _: gradient,
        MANY,
        lambda w: np.sum(np.sin(w)) + 0.005 * np.sum(w**2),
        context=context,
    )


def test_names_of_a_sample() -> None:
    """Factors, weight decay and variants are seen in a few elements of many."""
    data, right = np.cos(MANY), np.cos(MANY) + 0.01 * MANY
    assert of_many(-right) == "sign"
    assert of_many(right / 7) == "extra_batch_mean"
    assert of_many(data) == "weight_decay_missing"
    variants = {"stale_cache": data**2}
    assert of_many(data**2, DiagnosisContext(variants=variants)) == "stale_cache"
    assert of_many(1.1 * right) == ""


def test_what_a_sample_does_not_tell() -> None:
    """That all elements but one are right, or all are 0, is not seen in a few of them."""
    right = np.cos(MANY) + 0.01 * MANY
    assert of_many(np.zeros_like(right)) == ""
    assert of_many(np.where(np.arange(50) == 3, 0.0, right)) == ""
    wrong = right.copy()
    wrong[3, 4] = 9.0
    assert of_many(wrong) == ""
