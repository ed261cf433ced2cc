"""Gradient checks: right ones pass, wrong ones fail, and doubt is neither."""

from __future__ import annotations

import math
import os
import time
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks.closeness import ValueMismatch
from grader.checks.gradients.checking import (
    GradientCheckFailed,
    GradientInconclusive,
    GradientResult,
    check_derivative,
    check_gradient,
    numeric_gradient,
)
from grader.records import CheckStatus

PASSED, FAILED = CheckStatus.PASSED, CheckStatus.FAILED
INCONCLUSIVE = CheckStatus.INCONCLUSIVE
AT = np.array([0.3, -1.2, 0.7])

Function = Callable[[Any], Any]


def square(x: np.ndarray) -> Any:
    """Half the sum of squares, whose gradient is x."""
    return 0.5 * np.sum(x**2)


def rough(x: np.ndarray) -> float:
    """Noise in (0, 1) that is the same for the same argument."""
    return zlib.crc32(np.asarray(x).tobytes()) / 2**32


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Never overflowing, precise at both ends."""
    return np.exp(-np.logaddexp(0.0, -x))


def judge(f: Function, grad: Function, at: Any = AT, **rules: Any) -> GradientResult:
    """A gradient check that returns its verdict."""
    return check_gradient(f, grad, at=at, raises=False, **rules)


def case(kind: str, rng: np.random.Generator) -> tuple[Function, Function, np.ndarray]:
    """A random smooth function, its right gradient and a point."""
    inputs, labels = rng.normal(size=(5, 3)), rng.integers(0, 3, 5)
    if kind == "sigmoid":
        u = rng.normal(size=(2, 2))
        return (
            lambda x: np.sum(u * sigmoid(x)),
            lambda x: u * sigmoid(x) * sigmoid(-x),
            rng.normal(size=(2, 2)),
        )
    if kind == "linear":
        y = rng.normal(size=(5, 2))
        return (
            lambda w: 0.5 * np.sum((inputs @ w - y) ** 2),
            lambda w: inputs.T @ (inputs @ w - y),
            rng.normal(size=(3, 2)),
        )
    if kind == "bce":
        y = rng.integers(0, 2, 4)
        near = 10.0 ** rng.uniform(-6, -0.5, 4)
        return (
            lambda p: -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)),
            lambda p: ((1 - y) / (1 - p) - y / p) / 4,
            np.where(rng.random(4) < 0.5, near, 1 - near),
        )
    if kind == "softmax":
        return softmax_case(inputs, labels, rng.normal(size=(3, 3)))
    return network_case(inputs, labels % 2, rng)


def softmax_case(
    inputs: np.ndarray, labels: np.ndarray, w: np.ndarray
) -> tuple[Function, Function, np.ndarray]:
    """Softmax cross-entropy of a linear layer."""
    rows = np.arange(len(labels))

    def log_p(w: np.ndarray) -> np.ndarray:
        z = inputs @ w
        z = z - z.max(axis=1, keepdims=True)
        return z - np.log(np.exp(z).sum(axis=1, keepdims=True))

    def grad(w: np.ndarray) -> np.ndarray:
        p = np.exp(log_p(w))
        p[rows, labels] -= 1
        return inputs.T @ p / len(labels)

    return lambda w: -np.mean(log_p(w)[rows, labels]), grad, w


def network_case(
    inputs: np.ndarray, y: np.ndarray, rng: np.random.Generator
) -> tuple[Function, Function, np.ndarray]:
    """Two layers with tanh, a logistic loss and weight decay."""
    v, decay = rng.normal(size=2), 10.0 ** rng.uniform(-5, -1)

    def f(w: np.ndarray) -> Any:
        z = np.tanh(inputs @ w) @ v
        return np.mean(np.logaddexp(0, z) - y * z) + 0.5 * decay * np.sum(w * w)

    def grad(w: np.ndarray) -> np.ndarray:
        h = np.tanh(inputs @ w)
        dz = (sigmoid(h @ v) - y) / len(y)
        return inputs.T @ (np.outer(dz, v) * (1 - h**2)) + decay * w

    return f, grad, rng.normal(size=(3, 2))


KINDS = st.sampled_from(["sigmoid", "linear", "bce", "softmax", "network"])
SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(kind=KINDS, seed=SEEDS)
def test_right_gradients_pass_and_small_errors_are_found(kind: str, seed: int) -> None:
    """A right gradient passes; one part in 100 000 off in one element fails."""
    f, grad, x = case(kind, np.random.default_rng(seed))
    assert judge(f, grad, x).status is PASSED
    wrong = grad(x)
    wrong.flat[np.argmax(np.abs(wrong))] *= 1 + 1e-5
    assert judge(f, lambda _: wrong.copy(), x).status is FAILED


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(["sigmoid", "linear", "softmax", "network"]),
    seed=SEEDS,
    scale=st.sampled_from([1e-4, 1e-2, 30.0, 1e3]),
    factor=st.sampled_from([1.0, 1e-12]),
    offset=st.sampled_from([0.0, 1e6]),
)
def test_right_gradients_never_fail_at_bad_scales(
    kind: str, seed: int, scale: float, factor: float, offset: float
) -> None:
    """Tiny, huge and saturated weights, tiny gradients and offsets may leave doubt only."""
    f, grad, x = case(kind, np.random.default_rng(seed))
    result = judge(lambda w: factor * f(w) + offset, lambda w: factor * grad(w), scale * x)
    assert result.status is not FAILED, result.message


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=SEEDS)
def test_elements_of_mixed_scales_pass(seed: int) -> None:
    """Each element has steps of its own scale."""
    rng = np.random.default_rng(seed)
    f, grad, x = case("network", rng)
    scale = 10.0 ** rng.uniform(-4, 4, x.shape)
    assert judge(lambda w: f(w * scale), lambda w: grad(w * scale) * scale, x / scale).status is (
        PASSED
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=SEEDS, exponent=st.floats(-12, -2))
def test_a_kink_nearby_never_fails_a_right_gradient(seed: int, exponent: float) -> None:
    """A ReLU about to switch leaves a right gradient passed or undecided."""
    rng = np.random.default_rng(seed)
    inputs, v, w = rng.normal(size=(5, 3)), rng.normal(size=2), rng.normal(size=(3, 2))
    w[0, 0] += (10.0**exponent - (inputs @ w)[0, 0]) / inputs[0, 0]
    result = judge(
        lambda w: np.mean(np.logaddexp(0, np.maximum(inputs @ w, 0) @ v)),
        lambda w: (
            inputs.T @ (np.outer(sigmoid(np.maximum(inputs @ w, 0) @ v) / 5, v) * (inputs @ w > 0))
        ),
        w,
    )
    assert result.status is not FAILED, result.message


def test_dropped_weight_decay_is_found() -> None:
    """A decay of 1e-6 that the gradient forgets fails it."""
    f, grad, x = case("softmax", np.random.default_rng(4))
    assert judge(lambda w: f(w) + 0.5e-6 * np.sum(w * w), grad, x).status is FAILED


RIGHT_FORMS: list[tuple[Function, Any]] = [
    (lambda x: x.tolist(), AT),
    (lambda x: x.astype(int), np.array([1.0, 2.0, -3.0])),
    (lambda x: x, AT),
    (lambda x: x, AT.tolist()),
    (lambda x: x, np.array([1, 2, 3])),
    (lambda x: x, 0.3),
    (lambda x: x, 3),
    (lambda x: np.array([[x]]), 0.3),
    (lambda x: x, np.array(0.3)),
    (lambda x: [x], np.array(0.3)),
    (lambda x: x.ravel(), AT.reshape(1, 3)),
    (lambda x: x.reshape(1, 3), AT),
    (lambda x: x, np.eye(3)),
    (lambda x: np.where(x > 0, x, 0.0) + np.where(x > 0, 0.0, x), np.array([0.0, 1.0, -1.0])),
]


@pytest.mark.parametrize(("grad", "at"), RIGHT_FORMS)
def test_right_gradients_in_other_forms_pass(grad: Function, at: Any) -> None:
    """Lists, integers, numbers and axes of size 1 are no mistakes."""
    result = check_gradient(square, grad, at=at)
    assert result.status is PASSED
    assert result.analytic.shape == np.shape(at)


def test_a_shape_that_differs_by_size_one_axes_is_named() -> None:
    """What was accepted is said."""
    result = check_gradient(square, np.ravel, at=AT.reshape(1, 3))
    assert "its shape is (3,), that of x (1, 3)" in result.message


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_a_loss_of_size_one_is_a_number(shape: tuple[int, ...]) -> None:
    """The function may return its number in any shape of size 1."""
    assert judge(lambda x: np.reshape(square(x), shape), lambda x: x).status is PASSED


WRONG_GRADIENTS: list[tuple[Function, str]] = [
    (lambda x: None, "is None: does your function return"),
    (lambda x: "x", "is a string"),
    (lambda x: x + 0j, "is complex"),
    (lambda x: np.full(3, np.nan), r"\[0\] is NaN"),
    (lambda x: np.array([x[0], np.inf, x[2]]), r"\[1\] is infinite"),
    (lambda x: x.sum(), r"has shape \(\), expected \(3,\)"),
    (lambda x: x[:1], r"has shape \(1,\), expected \(3,\)"),
    (lambda x: np.stack([x, x]), r"has shape \(2, 3\), expected \(3,\)"),
    (lambda x: [[1.0], [2.0, 3.0]], "is ragged"),
    (lambda x: -x, "is wrong at 3 of 3 elements"),
    (lambda x: 2 * x, "relative error 0.5; tolerance 1e-07"),
    (lambda x: x * 0, r"yours 0, numeric"),
    (lambda x: x * (1 + 1e-6), "is wrong at 3 of 3"),
    (lambda x: x + np.array([0, 0, 1e-6]), r"is wrong at 1 of 3 elements; worst at \[2\]"),
    (lambda x: np.maximum(x, 0), r"wrong at 1 of 3 elements; worst at \[1\]: yours 0, numeric -1"),
    (lambda x: x[::-1], "is wrong"),
]


@pytest.mark.parametrize(("grad", "says"), WRONG_GRADIENTS)
def test_wrong_gradients_fail(grad: Function, says: str) -> None:
    """Wrong numbers and wrong forms raise with a sentence and a result."""
    with pytest.raises(GradientCheckFailed, match=says) as caught:
        check_gradient(square, grad, at=AT, name="dW")
    assert not isinstance(caught.value, GradientInconclusive)
    assert caught.value.result.status is FAILED
    assert caught.value.result.message.startswith("dW")


@pytest.mark.parametrize("value", [None, "1", np.ones(3), 1j, [1.0, [2.0]]])
def test_a_function_that_returns_no_number_fails(value: object) -> None:
    """The function's own result is read as strictly as the gradient."""
    result = judge(lambda x: value, lambda x: x)
    assert result.status is FAILED
    assert result.message.startswith("the function's result ")
    with pytest.raises(ValueMismatch):
        numeric_gradient(lambda x: value, AT)


def test_a_number_that_turns_into_something_else_fails() -> None:
    """A result of the wrong form beside the point fails as well."""
    f = lambda x: square(x) if np.array_equal(x, AT) else None  # noqa: E731
    assert judge(f, lambda x: x).status is FAILED


UNDECIDED: list[tuple[Function, Function, Any, str]] = [
    (lambda x: 3.0, lambda x: x * 0, AT, "is zero, and the function shows no slope"),
    (lambda x: 0.0, lambda x: x * 0, AT, "is zero, and the function shows no slope"),
    (square, lambda x: x, np.zeros(3), "is zero, and the function shows no slope"),
    (lambda x: np.nan, lambda x: x, AT, "is not finite"),
    (lambda x: np.inf, lambda x: x, AT, "is not finite"),
    (lambda x: 0.0 if np.array_equal(x, AT) else np.nan, lambda x: x, AT, "cannot be decided"),
    (lambda x: square(x) + 1e-3 * rough(x), lambda x: x, AT, "cannot be decided at"),
]


@pytest.mark.parametrize(("f", "grad", "at", "says"), UNDECIDED)
def test_what_cannot_be_decided_is_no_pass(f: Function, grad: Function, at: Any, says: str) -> None:
    """Constant, non-finite and rough functions raise, but prove no mistake."""
    with pytest.raises(GradientInconclusive, match=says) as caught:
        check_gradient(f, grad, at=at)
    assert caught.value.result.status is INCONCLUSIVE


def test_random_results_are_inconclusive() -> None:
    """Two calls that differ cannot be differenced, unless the numbers can be repeated."""
    result = judge(lambda x: square(x) + 1e-9 * os.urandom(1)[0] * time.time(), lambda x: x)
    assert result.status is INCONCLUSIVE
    assert "not deterministic" in result.message


def test_a_zero_element_among_others_passes() -> None:
    """An element that the function ignores, and one whose slope cancels, are no doubt."""
    f = lambda x: x[0] ** 2 + 0 * x[1] + np.cos(x[2])  # noqa: E731
    grad = lambda x: np.array([2 * x[0], 0.0, -np.sin(x[2])])  # noqa: E731
    at = np.array([1.0, 2.0, 0.0])
    assert judge(f, grad, at).status is PASSED
    assert judge(lambda x: f(x) + 1e6, grad, at).status is PASSED
    for position in (1, 2):
        planted = lambda x, i=position: grad(x) + 1e-6 * np.eye(3)[i]  # noqa: E731
        assert judge(f, planted, at).worst_index == (position,)
        assert judge(f, planted, at).status is FAILED


def test_float32_code_passes_and_its_bugs_fail() -> None:
    """Noise is measured, so single precision is neither refused nor waved through."""
    f = lambda x: np.sum(np.sin(np.float32(x)))  # noqa: E731
    assert judge(f, lambda x: np.cos(np.float32(x))).status is PASSED
    assert judge(f, lambda x: np.float32(1.01) * np.cos(np.float32(x))).status is FAILED


def changes_its_argument(result: Function) -> Function:
    """The function, with a write into its argument."""

    def changed(x: np.ndarray) -> Any:
        value = result(x.copy())
        x[0] += 1.0
        return value

    return changed


def test_changing_the_argument_fails() -> None:
    """A write into the argument is named, and the author's array stays as it was."""
    at = AT.copy()
    result = judge(square, changes_its_argument(lambda x: x), at, name="dx")
    assert result.status is FAILED
    assert result.message == "dx changes its argument in place: work on a copy instead"
    result = judge(changes_its_argument(square), lambda x: x, at)
    assert result.status is FAILED
    assert result.message.startswith("the function changes its argument in place")
    assert np.array_equal(at, AT)


def test_a_stale_cache_fails() -> None:
    """A gradient that answers for the last forward pass is found out."""
    cache: dict[str, np.ndarray] = {}

    def forward(x: np.ndarray) -> Any:
        cache["x"] = x
        return square(x)

    result = judge(forward, lambda x: cache["x"])
    assert result.status is FAILED
    assert "differs between two calls" in result.message


@pytest.mark.parametrize("at_zero", [0.0, 0.3, 1.0])
def test_any_value_between_the_slopes_is_right_at_a_kink(at_zero: float) -> None:
    """ReLU's derivative at 0 is a convention."""
    relu = lambda x: np.maximum(x, 0)  # noqa: E731
    drelu = lambda x: np.where(x == 0, at_zero, x > 0)  # noqa: E731
    at = np.array([-1.0, 0.0, 2.0])
    assert check_derivative(relu, drelu, at=at).status is PASSED
    assert check_gradient(lambda x: np.sum(relu(x)), drelu, at=at).status is PASSED


@pytest.mark.parametrize("at_zero", [2.0, -1.0, 1.001, -1e-3])
def test_a_value_outside_the_slopes_fails_at_a_kink(at_zero: float) -> None:
    """No convention makes ReLU's derivative at 0 larger than 1 or negative."""
    drelu = lambda x: np.where(x == 0, at_zero, x > 0)  # noqa: E731
    result = check_derivative(
        lambda x: np.maximum(x, 0), drelu, at=np.array([-1.0, 0.0, 2.0]), raises=False
    )
    assert result.status is FAILED
    assert result.worst_index == (1,)


def test_a_gradient_outside_the_slopes_is_judged_beside_the_kink() -> None:
    """Two kinks in one point may leave the one-sided slopes, a bug shows beside them too."""
    f = lambda x: np.sum(np.maximum(x, 0) - 0.5 * np.maximum(-x, 0))  # noqa: E731
    grad = lambda x: 1.0 * (x > 0) + 0.5 * (x < 0)  # noqa: E731
    assert judge(f, grad, np.zeros(2)).status is PASSED
    assert judge(f, lambda x: grad(x) - 0.1, np.zeros(2)).status is FAILED


class Mapped:
    """A function as the sandbox offers it: many points in one message."""

    def __init__(self, f: Function) -> None:
        self.f = f
        self.batches: list[int] = []

    def __call__(self, x: Any) -> Any:
        """What a check must not do."""
        raise RuntimeError("called one by one")

    def map(self, points: list[Any]) -> list[Any]:
        """All results in order."""
        self.batches.append(len(points))
        return [self.f(p) for p in points]


def test_points_travel_in_few_messages() -> None:
    """A right gradient of 6 elements needs two messages and 4 evaluations an element."""
    f, grad, x = case("linear", np.random.default_rng(1))
    mapped = Mapped(f)
    result = check_gradient(mapped, grad, at=x)
    assert mapped.batches == [2, 4 * x.size]
    assert result.evaluations == sum(mapped.batches)


def test_a_map_that_loses_points_is_the_graders_fault() -> None:
    """Results that do not match the points are no AssertionError."""
    mapped = Mapped(square)
    mapped.map = lambda points: [1.0]  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="1 results for 2 points"):
        check_gradient(mapped, lambda x: x, at=AT)


def test_a_derivative_takes_one_ladder_for_the_whole_array() -> None:
    """33 elements of a sigmoid cost as many calls as one."""
    dsigmoid = lambda x: sigmoid(x) * sigmoid(-x)  # noqa: E731
    result = check_derivative(sigmoid, dsigmoid, at=np.linspace(-8, 8, 33))
    assert result.evaluations <= 60
    with pytest.raises(GradientCheckFailed, match="the derivative is wrong at 33 of 33"):
        check_derivative(sigmoid, sigmoid, at=np.linspace(-8, 8, 33))


def test_a_derivative_of_plain_numbers() -> None:
    """Functions of the math module take a Python float."""
    assert check_derivative(math.sin, math.cos, at=0.3).status is PASSED
    with pytest.raises(GradientCheckFailed, match="the derivative is wrong: yours"):
        check_derivative(math.sin, math.sin, at=0.3)


def test_saturated_elements_among_others_pass() -> None:
    """Where 1 + e is 1, the derivative is too small to be seen, and small enough to pass."""
    softplus = lambda x: np.log(1 + np.exp(x))  # noqa: E731
    at = np.array([-60.0, -40.0, -30.0, 0.0, 30.0, 40.0])
    assert check_derivative(softplus, sigmoid, at=at).status is PASSED
    assert check_derivative(sigmoid, lambda x: sigmoid(x) * sigmoid(-x), at=at).status is PASSED


def test_an_elementwise_function_must_keep_the_shape() -> None:
    """A sum where an elementwise result is expected fails."""
    result = check_derivative(square, lambda x: x, at=AT, raises=False)
    assert result.status is FAILED
    assert "the function's result has shape ()" in result.message


def test_upstream_contracts_an_array() -> None:
    """With upstream the gradient is that of the weighted sum; ignoring it fails."""
    rng = np.random.default_rng(2)
    inputs, upstream = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    w = rng.normal(size=(3, 2))
    forward = lambda w: inputs @ w + 1e8  # noqa: E731
    result = judge(forward, lambda w: inputs.T @ upstream, w, upstream=upstream)
    assert result.status is PASSED
    assert judge(forward, lambda w: inputs.T @ np.ones((4, 2)), w, upstream=upstream).status is (
        FAILED
    )
    for shape in ((2, 4), (8,), (1,)):
        result = judge(lambda w, s=shape: np.resize(inputs @ w, s), forward, w, upstream=upstream)
        assert result.status is FAILED
        assert "expected (4, 2)" in result.message


def test_exceptions_of_the_functions_pass_through() -> None:
    """What the student's code raises is for the caller to name."""

    def broken(x: Any) -> Any:
        raise KeyError("W1")

    with pytest.raises(KeyError):
        check_gradient(broken, lambda x: x, at=AT)
    with pytest.raises(KeyError):
        check_gradient(square, broken, at=AT)


@pytest.mark.parametrize("at", [[], [np.nan], [np.inf, 1.0], "x"])
def test_a_point_that_is_no_point_is_the_authors_mistake(at: Any) -> None:
    """The author's argument raises a ValueError, which no student is charged for."""
    with pytest.raises(ValueError):
        check_gradient(square, lambda x: x, at=at)


def test_the_numeric_gradient_is_within_its_error() -> None:
    """Value, error estimate and count of evaluations come in the point's shape."""
    found = numeric_gradient(square, AT)
    assert np.all(np.abs(found.value - AT) <= 4 * found.error_estimate + 1e-15)
    assert found.error_estimate.max() < 1e-12
    assert found.evaluations == 91
    assert numeric_gradient(lambda x: x * AT, AT, upstream=AT).value == pytest.approx(AT**2)


def test_evidence_is_small_and_sorted() -> None:
    """A report gets the 8 worst elements and at most 200 points."""
    at = np.linspace(1, 2, 300).reshape(20, 15)
    wrong = lambda x: x * (1 + np.linspace(0, 1, 300).reshape(20, 15))  # noqa: E731
    evidence = judge(square, wrong, at).evidence
    assert len(evidence.worst) == 8
    assert len(evidence.points) == 200
    assert evidence.worst[0].index == (19, 14)
    assert evidence.worst[0].relative_error == pytest.approx(0.5)
    errors = [element.relative_error for element in evidence.worst]
    assert errors == sorted(errors, reverse=True)
    assert judge(square, lambda x: None).evidence.worst == ()
