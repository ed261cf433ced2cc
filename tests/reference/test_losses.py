"""Losses: identities, documented conventions, gradients against central differences."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from reference import losses
from reference.activations import (
    log_softmax,
    sigmoid,
    sigmoid_derivative,
    softmax,
    softmax_derivative,
)

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)
UNIT = st.floats(0, 1)
LOGITS = hnp.arrays(np.float64, (4, 5), elements=st.floats(-6, 6))
LABELS = hnp.arrays(np.int64, 4, elements=st.integers(0, 3))  # class 4 is always missing
SURE_AND_WRONG = -np.log(np.finfo(np.float64).tiny)


def test_bce_at_zero_and_one():
    """A sure prediction costs 0 where it is right and a finite 708.4 where it is wrong."""
    y, y_hat = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0, 1.0])
    with np.errstate(all="raise", under="ignore"):
        loss = losses.binary_cross_entropy(y, y_hat)
        gradient = losses.binary_cross_entropy_gradient(y, y_hat)
    assert_allclose(loss, [0, 0, SURE_AND_WRONG, SURE_AND_WRONG], rtol=1e-15)
    assert not np.signbit(loss).any()
    assert_array_equal(gradient[:2], [1, -1])
    assert gradient[2] < -1e307
    assert gradient[3] > 1e307
    assert np.isfinite(gradient).all()


def test_bce_gradient_through_a_saturated_sigmoid_is_zero():
    """The chain rule through sigmoid(-1000) gives 0, not NaN."""
    gradient = losses.binary_cross_entropy_gradient(1.0, sigmoid(-1000.0))
    assert gradient * sigmoid_derivative(-1000.0) == 0


def test_bce_alters_no_probability_but_zero():
    """The loss of the smallest normal double is its own logarithm."""
    for y_hat in (1e-300, 1e-16, 1 - 2**-53):
        assert losses.binary_cross_entropy(1.0, y_hat) == -np.log(y_hat)


@SETTINGS
@given(st.sampled_from([0.0, 1.0]), UNIT)
def test_bce_is_symmetric(y, y_hat):
    """Swapping the two classes leaves the loss and turns the gradient's sign."""
    y_hat = 1 - (1 - y_hat)  # representable as 1 - p, so that the swap is exact
    swapped = losses.binary_cross_entropy(1 - y, 1 - y_hat)
    assert_array_equal(losses.binary_cross_entropy(y, y_hat), swapped)
    turned = -losses.binary_cross_entropy_gradient(1 - y, 1 - y_hat)
    assert_array_equal(losses.binary_cross_entropy_gradient(y, y_hat), turned)


@SETTINGS
@given(y=UNIT, y_hat=st.floats(0.2, 0.8))
def test_bce_gradient_matches_central_differences(numeric_gradient: Callable, y, y_hat):
    """The derivative for y_hat matches central differences, for soft targets too."""
    numeric = numeric_gradient(
        lambda p: losses.binary_cross_entropy(y, p), np.array(y_hat), step=1e-3
    )
    assert_allclose(losses.binary_cross_entropy_gradient(y, y_hat), numeric, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("y_hat", [-1e-300, -0.1, 1 + 2**-52, np.inf, np.nan])
def test_bce_outside_the_unit_interval_is_nan(y_hat):
    """What is no probability has a NaN loss and gradient, with no warning."""
    assert np.isnan(losses.binary_cross_entropy([0.0, 1.0], [y_hat, y_hat])).all()
    assert np.isnan(losses.binary_cross_entropy_gradient([0.0, 1.0], [y_hat, y_hat])).all()


@SETTINGS
@given(y=UNIT, z=st.floats(-12, 12))
def test_bce_on_logits_agrees_with_bce_on_probabilities(y, z):
    """Through the sigmoid both forms agree in the loss and, by the chain rule, the gradient."""
    loss = losses.binary_cross_entropy(y, sigmoid(z))
    assert_allclose(losses.binary_cross_entropy_with_logits(y, z), loss, rtol=1e-8, atol=1e-14)
    chained = losses.binary_cross_entropy_gradient(y, sigmoid(z)) * sigmoid_derivative(z)
    gradient = losses.binary_cross_entropy_with_logits_gradient(y, z)
    assert_allclose(gradient, chained, rtol=1e-8, atol=1e-10)
    assert_allclose(gradient, sigmoid(z) - y, atol=1e-15)


@SETTINGS
@given(y=UNIT, z=st.floats(-8, 8))
def test_bce_on_logits_gradient_matches_central_differences(numeric_gradient: Callable, y, z):
    """The derivative for the logits matches central differences."""
    numeric = numeric_gradient(
        lambda logit: losses.binary_cross_entropy_with_logits(y, logit), np.array(z)
    )
    gradient = losses.binary_cross_entropy_with_logits_gradient(y, z)
    assert_allclose(gradient, numeric, rtol=1e-7, atol=1e-10)


def test_bce_on_logits_is_exact_at_the_extremes():
    """Logits of ±1000 cost 0 or 1000, and a right one of 40 exactly exp(-40), not 0."""
    y, z = np.array([1.0, 0.0, 1.0, 0.0]), np.array([1000.0, -1000.0, -1000.0, 1000.0])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert_array_equal(losses.binary_cross_entropy_with_logits(y, z), [0, 0, 1000, 1000])
        gradient = losses.binary_cross_entropy_with_logits_gradient(y, z)
    assert_array_equal(gradient, [0, 0, -1, 1])
    assert_allclose(losses.binary_cross_entropy_with_logits(1.0, 40.0), np.exp(-40), rtol=1e-14)
    tail = losses.binary_cross_entropy_with_logits_gradient(1.0, 40.0)
    assert_allclose(tail, -np.exp(-40), rtol=1e-14)


@pytest.mark.parametrize(
    "function",
    [
        losses.binary_cross_entropy,
        losses.binary_cross_entropy_gradient,
        losses.binary_cross_entropy_with_logits,
        losses.binary_cross_entropy_with_logits_gradient,
        losses.sum_squared_error,
        losses.sum_squared_error_gradient,
        losses.mean_squared_error,
        losses.mean_squared_error_gradient,
    ],
)
def test_elementwise_losses_refuse_shapes_that_would_broadcast(function):
    """Targets (N,) against predictions (N, 1) raise instead of growing to (N, N)."""
    with pytest.raises(ValueError, match="differ in shape"):
        function(np.zeros(3), np.full((3, 1), 0.5))


@SETTINGS
@given(LOGITS, LABELS)
def test_softmax_cross_entropy_is_minus_the_log_softmax_of_the_label(logits, labels):
    """Labels and one-hot targets give the mean, and N times it the sum, of -log_softmax."""
    expected = -log_softmax(logits)[np.arange(4), labels]
    targets = losses.one_hot(labels, 5)
    assert_allclose(losses.softmax_cross_entropy(labels, logits), expected.mean(), rtol=1e-13)
    assert_allclose(losses.softmax_cross_entropy(targets, logits), expected.mean(), rtol=1e-13)
    summed = losses.softmax_cross_entropy(labels, logits, "sum")
    assert_allclose(summed, expected.sum(), rtol=1e-13)


@SETTINGS
@given(LOGITS, LABELS)
def test_softmax_cross_entropy_agrees_with_cross_entropy_of_the_softmax(logits, labels):
    """Both forms agree in the loss and, by the chain rule, the gradient."""
    probabilities = softmax(logits)
    for reduction in ("mean", "sum"):
        loss = losses.cross_entropy(labels, probabilities, reduction)
        assert_allclose(losses.softmax_cross_entropy(labels, logits, reduction), loss, rtol=1e-10)
        dy = losses.cross_entropy_gradient(labels, probabilities, reduction)
        gradient = losses.softmax_cross_entropy_gradient(labels, logits, reduction)
        assert_allclose(gradient, softmax_derivative(logits, dy), atol=1e-12)
        assert_allclose(gradient.sum(axis=1), 0.0, atol=1e-14)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@settings(SETTINGS, max_examples=15)
@given(logits=LOGITS, targets=hnp.arrays(np.float64, (4, 5), elements=UNIT))
def test_softmax_cross_entropy_gradient_matches_central_differences(
    numeric_gradient: Callable, reduction, logits, targets
):
    """The gradient for the logits matches central differences, for any target rows."""
    numeric = numeric_gradient(
        lambda z: losses.softmax_cross_entropy(targets, z, reduction), logits
    )
    gradient = losses.softmax_cross_entropy_gradient(targets, logits, reduction)
    assert_allclose(gradient, numeric, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_cross_entropy_gradient_matches_central_differences(numeric_gradient: Callable, reduction):
    """The gradient for the probabilities is -t/p, over N for the mean, and 0 off the target."""
    labels = np.array([2, 0, 2])
    probabilities = softmax(np.random.default_rng(3).normal(size=(3, 4)))
    numeric = numeric_gradient(
        lambda p: losses.cross_entropy(labels, p, reduction), probabilities, step=1e-3
    )
    gradient = losses.cross_entropy_gradient(labels, probabilities, reduction)
    assert_allclose(gradient, numeric, rtol=1e-9, atol=1e-9)
    assert np.count_nonzero(gradient) == 3


def test_cross_entropies_at_the_extremes():
    """A probability of 0 costs a finite 708.4, logits of ±1000 their exact difference."""
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert losses.cross_entropy([0], [[1.0, 0.0]]) == 0
        assert_allclose(losses.cross_entropy([1], [[1.0, 0.0]]), SURE_AND_WRONG)
        assert np.isfinite(losses.cross_entropy_gradient([1], [[1.0, 0.0]])).all()
        assert np.isnan(losses.cross_entropy([1], [[1.1, -0.1]]))
        assert losses.softmax_cross_entropy([1], [[1000.0, -1000.0]]) == 2000
        assert losses.softmax_cross_entropy([0], [[1000.0, -1000.0]]) == 0
        gradient = losses.softmax_cross_entropy_gradient([1], [[1000.0, -1000.0]])
    assert_array_equal(gradient, [[1, -1]])


@pytest.mark.parametrize(
    ("targets", "scores", "message"),
    [
        ([0, 1, 2], np.zeros((2, 3)), "do not fit"),
        (np.zeros((2, 2)), np.zeros((2, 3)), "do not fit"),
        ([0, 3], np.zeros((2, 3)), "must lie in"),
        ([0, -1], np.zeros((2, 3)), "must lie in"),
        ([0.0, 1.0], np.zeros((2, 3)), "must be integers"),
        ([0], np.zeros(3), "must be of shape"),
        (np.zeros(0, dtype=int), np.zeros((0, 3)), "not empty"),
    ],
)
def test_cross_entropies_refuse_what_does_not_fit(targets, scores, message):
    """Wrong shapes, labels out of range or not integers, and empty batches raise ValueError."""
    for function in (
        losses.cross_entropy,
        losses.cross_entropy_gradient,
        losses.softmax_cross_entropy,
        losses.softmax_cross_entropy_gradient,
    ):
        with pytest.raises(ValueError, match=message):
            function(targets, scores)


def test_an_unknown_reduction_is_refused():
    """A reduction that is neither the mean nor the sum raises ValueError."""
    with pytest.raises(ValueError, match="reduction"):
        losses.softmax_cross_entropy([0], [[1.0, 2.0]], "max")


def test_one_hot_rows():
    """Each row has one 1, at its label, and a missing class keeps its empty column."""
    assert_array_equal(losses.one_hot([2, 0], 4), [[0, 0, 1, 0], [1, 0, 0, 0]])
    assert losses.one_hot(np.zeros(0, dtype=int), 3).shape == (0, 3)
    with pytest.raises(ValueError, match="shape"):
        losses.one_hot([[0]], 2)


@SETTINGS
@given(y=LOGITS, y_hat=LOGITS)
def test_squared_errors_differ_by_their_factors_only(y, y_hat):
    """With the half, without it, and as a mean the squared errors are multiples of each other."""
    total = losses.sum_squared_error(y, y_hat, half=False)
    assert_allclose(total, sum((a - b) ** 2 for a, b in zip(y.flat, y_hat.flat, strict=True)))
    assert_allclose(losses.sum_squared_error(y, y_hat), total / 2)
    assert_allclose(losses.mean_squared_error(y, y_hat), total / 20)


@pytest.mark.parametrize(
    ("loss", "gradient"),
    [
        (losses.sum_squared_error, losses.sum_squared_error_gradient),
        (
            lambda y, y_hat: losses.sum_squared_error(y, y_hat, half=False),
            lambda y, y_hat: losses.sum_squared_error_gradient(y, y_hat, half=False),
        ),
        (losses.mean_squared_error, losses.mean_squared_error_gradient),
    ],
)
@settings(SETTINGS, max_examples=15)
@given(y=LOGITS, y_hat=LOGITS)
def test_squared_error_gradients_match_central_differences(
    numeric_gradient: Callable, loss, gradient, y, y_hat
):
    """The gradients of the squared errors match central differences."""
    numeric = numeric_gradient(lambda p: loss(y, p), y_hat)
    assert_allclose(gradient(y, y_hat), numeric, rtol=1e-8, atol=1e-9)


def test_the_mean_of_no_elements_is_refused():
    """An empty batch has no mean squared error."""
    for function in (losses.mean_squared_error, losses.mean_squared_error_gradient):
        with pytest.raises(ValueError, match="no elements"):
            function(np.zeros((0, 2)), np.zeros((0, 2)))
