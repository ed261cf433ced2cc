"""Activations: identities, extremes, and derivatives against central differences."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from reference import activations as act

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)
ARRAYS = hnp.arrays(
    np.float64, hnp.array_shapes(max_dims=3, max_side=4), elements=st.floats(-1000, 1000)
)
LOGITS = hnp.arrays(np.float64, (3, 5), elements=st.floats(-6, 6))
EXTREMES = np.array([-1000.0, -0.0, 0.0, 1000.0])


@SETTINGS
@given(ARRAYS)
def test_sigmoid_of_x_and_of_minus_x_sum_to_one(x):
    """The sigmoid's values at x and -x sum to 1."""
    assert_allclose(act.sigmoid(x) + act.sigmoid(-x), np.ones_like(x), rtol=1e-15)


@SETTINGS
@given(ARRAYS)
def test_tanh_is_a_scaled_sigmoid(x):
    """tanh(x) equals 2 sigmoid(2x) - 1."""
    assert_allclose(act.tanh(x), 2 * act.sigmoid(2 * x) - 1, atol=1e-15)


@SETTINGS
@given(ARRAYS)
def test_relu_splits_into_positive_and_negative_part(x):
    """relu(x) - relu(-x) is x, and relu is x times its derivative."""
    assert_array_equal(act.relu(x) - act.relu(-x), x)
    assert_array_equal(act.relu(x), x * act.relu_derivative(x))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (act.sigmoid, [0, 0.5, 0.5, 1]),
        (act.sigmoid_derivative, [0, 0.25, 0.25, 0]),
        (act.relu, [0, 0, 0, 1000]),
        (act.relu_derivative, [0, 0, 0, 1]),
        (act.tanh, [-1, 0, 0, 1]),
        (act.tanh_derivative, [0, 1, 1, 0]),
    ],
)
def test_elementwise_functions_are_exact_at_the_extremes(function, expected):
    """At -1000, 0 and 1000 each function gives its limit, with no floating-point warning."""
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert_array_equal(function(EXTREMES), expected)


@SETTINGS
@given(st.floats(20, 300))
def test_sigmoid_tails_keep_their_relative_accuracy(x):
    """Far out, the sigmoid and both derivatives follow their exponential tails on both sides."""
    tail = np.exp(-x)
    assert_allclose(act.sigmoid(-x), tail / (1 + tail), rtol=1e-15)
    assert_allclose(act.sigmoid_derivative([x, -x]), tail / (1 + tail) ** 2, rtol=1e-15)
    assert_allclose(act.tanh_derivative([x, -x]), 4 * tail**2, rtol=1e-14)


@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        (act.sigmoid, act.sigmoid_derivative),
        (act.tanh, act.tanh_derivative),
        (act.relu, act.relu_derivative),
    ],
)
@SETTINGS
@given(x=st.floats(0.05, 8), sign=st.sampled_from([-1.0, 1.0]))
def test_elementwise_derivatives_match_central_differences(
    numeric_gradient: Callable, function, derivative, x, sign
):
    """Each elementwise derivative matches central differences away from the ReLU's kink."""
    point = np.array(sign * x)
    assert_allclose(derivative(point), numeric_gradient(function, point), rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize(
    "function",
    [act.sigmoid, act.sigmoid_derivative, act.relu, act.relu_derivative, act.tanh],
)
def test_elementwise_functions_take_lists_and_scalars_and_return_float64(function):
    """Integers, lists, scalars and float32 arrays give float64 results of the same shape."""
    assert function([1, -2]).dtype == np.float64
    assert np.shape(function(3)) == ()
    assert function(np.ones((2, 1), dtype=np.float32)).dtype == np.float64
    assert function(np.zeros((0, 3))).shape == (0, 3)


def test_nan_stays_nan():
    """A NaN input gives NaN, not a plausible number."""
    for function in (act.sigmoid, act.sigmoid_derivative, act.relu, act.tanh, act.softmax):
        assert np.isnan(function(np.array([np.nan]))).all()


@SETTINGS
@given(ARRAYS, st.data())
def test_softmax_sums_to_one_along_its_axis(x, data):
    """Along any axis the softmax is a distribution and the log-softmax its logarithm."""
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    probabilities = act.softmax(x, axis=axis)
    assert_allclose(probabilities.sum(axis=axis), 1.0, rtol=1e-14)
    assert (probabilities >= 0).all()
    assert_allclose(np.exp(act.log_softmax(x, axis=axis)), probabilities, rtol=1e-12, atol=1e-300)


@SETTINGS
@given(LOGITS, hnp.arrays(np.float64, (3, 1), elements=st.floats(-1000, 1000)))
def test_softmax_ignores_a_shift_of_each_row(logits, shift):
    """A constant added to a row changes neither its softmax nor its log-softmax."""
    assert_allclose(act.softmax(logits + shift), act.softmax(logits), rtol=1e-11)
    assert_allclose(act.log_softmax(logits + shift), act.log_softmax(logits), atol=1e-11)


def test_softmaxes_are_exact_at_the_extremes():
    """Logits of ±1000 give 0 and 1 and their finite logarithms, with no warning."""
    logits = np.array([[1000.0, -1000.0], [1000.0, 1000.0]])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert_array_equal(act.softmax(logits), [[1, 0], [0.5, 0.5]])
        assert_array_equal(act.log_softmax(logits[0]), [0, -2000])
        assert_array_equal(act.softmax_derivative(logits, np.eye(2)), [[0, 0], [-0.25, 0.25]])
        assert_array_equal(act.log_softmax_derivative(logits[0], [1, 1]), [-1, 1])
        assert_array_equal(act.softmax_jacobian(logits[0]), np.zeros((2, 2)))
        assert_array_equal(act.log_softmax_jacobian(logits[0]), [[0, 0], [-1, 1]])


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        (act.softmax, act.softmax_derivative),
        (act.log_softmax, act.log_softmax_derivative),
    ],
)
@settings(SETTINGS, max_examples=15)
@given(logits=LOGITS, dy=LOGITS)
def test_softmax_derivatives_match_central_differences(
    numeric_gradient: Callable, function, derivative, axis, logits, dy
):
    """The vector-Jacobian products match central differences of sum(dy * f(z)) on each axis."""
    numeric = numeric_gradient(lambda z: np.sum(dy * function(z, axis=axis)), logits)
    assert_allclose(derivative(logits, dy, axis=axis), numeric, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("jacobian", "derivative"),
    [
        (act.softmax_jacobian, act.softmax_derivative),
        (act.log_softmax_jacobian, act.log_softmax_derivative),
    ],
)
@SETTINGS
@given(logits=LOGITS, dy=LOGITS)
def test_jacobians_contract_to_the_products(jacobian, derivative, logits, dy):
    """Contracted with dy, the Jacobian is the product, and its rows sum to 0."""
    matrices = jacobian(logits)
    assert matrices.shape == (3, 5, 5)
    assert_allclose(np.einsum("ni,nij->nj", dy, matrices), derivative(logits, dy), atol=1e-13)
    assert_allclose(matrices.sum(axis=-1), 0.0, atol=1e-14)


@pytest.mark.parametrize("function", [act.softmax, act.log_softmax])
def test_softmaxes_refuse_missing_and_empty_axes(function):
    """A scalar or a missing axis raises AxisError, an empty axis ValueError."""
    with pytest.raises(np.exceptions.AxisError):
        function(1.0)
    with pytest.raises(np.exceptions.AxisError):
        function([1.0, 2.0], axis=1)
    with pytest.raises(ValueError, match="zero-size"):
        function(np.zeros((2, 0)))
