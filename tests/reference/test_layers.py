"""Layers: initialisation, forward and backward passes, steps."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from reference.layers import Linear, ReLU, Sigmoid, SoftmaxCrossEntropy, xavier_bound

SETTINGS = settings(max_examples=25, deadline=None, derandomize=True)
SIZES = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 6))
SEEDS = st.integers(0, 2**32 - 1)


def linear_with_biases(n_in: int, n_out: int, rng: np.random.Generator) -> Linear:
    """A linear layer whose biases are not zero."""
    layer = Linear(n_in, n_out, rng)
    layer.b = rng.normal(size=n_out)
    return layer


def test_xavier_bound_is_that_of_glorot_and_bengio():
    """The bound is the root of 6 over the sum of inputs and outputs, not their product."""
    assert xavier_bound(5, 7) == np.sqrt(0.5)
    assert xavier_bound(1, 5) == 1.0


@pytest.mark.parametrize("bound", ["xavier", 0.3])
def test_linear_weights_are_one_uniform_draw(bound):
    """The weights are one draw of rng.uniform within the bound, and the biases are zero."""
    layer = Linear(5, 7, np.random.default_rng(1), scale=bound)
    a = np.sqrt(0.5) if bound == "xavier" else bound
    assert_array_equal(layer.W, np.random.default_rng(1).uniform(-a, a, size=(5, 7)))
    assert_array_equal(layer.b, np.zeros(7))


def test_linear_refuses_impossible_sizes():
    """No inputs, no outputs, or a negative or NaN bound raise ValueError."""
    rng = np.random.default_rng(0)
    for arguments in ((0, 2, rng), (2, 0, rng), (2, 3, rng, -0.1), (2, 3, rng, np.nan)):
        with pytest.raises(ValueError, match=r"at least one|negative"):
            Linear(*arguments)


@SETTINGS
@given(SIZES, SEEDS)
def test_linear_forward_and_backward_match_sums_written_out(sizes, seed):
    """Outputs and all three gradients are the sums of their definition, summed over cases."""
    n, n_in, n_out = sizes
    rng = np.random.default_rng(seed)
    layer = linear_with_biases(n_in, n_out, rng)
    x, dy = rng.normal(size=(n, n_in)), rng.normal(size=(n, n_out))
    y = [
        [sum(x[i, k] * layer.W[k, j] for k in range(n_in)) + layer.b[j] for j in range(n_out)]
        for i in range(n)
    ]
    assert_allclose(layer.forward(x), y, atol=1e-13)
    assert_allclose(layer.backward(x, dy), np.einsum("nj,kj->nk", dy, layer.W), atol=1e-13)
    assert_allclose(layer.dW, np.einsum("nk,nj->kj", x, dy), atol=1e-13)
    assert_allclose(layer.db, [sum(dy[i, j] for i in range(n)) for j in range(n_out)], atol=1e-13)


def test_linear_gradients_match_central_differences(numeric_gradient: Callable):
    """The gradients for x, W and b match central differences of a weighted output."""
    rng = np.random.default_rng(4)
    layer = linear_with_biases(5, 7, rng)
    x, dy = rng.normal(size=(3, 5)), rng.normal(size=(3, 7))
    dx = layer.backward(x, dy)
    weights, biases = layer.W, layer.b

    def output(x, w, b):
        layer.W, layer.b = w, b
        return np.sum(dy * layer.forward(x))

    by_x = numeric_gradient(lambda value: output(value, weights, biases), x)
    by_w = numeric_gradient(lambda value: output(x, value, biases), weights)
    by_b = numeric_gradient(lambda value: output(x, weights, value), biases)
    for analytic, numeric in ((dx, by_x), (layer.dW, by_w), (layer.db, by_b)):
        assert_allclose(analytic, numeric, rtol=1e-9, atol=1e-11)


def test_linear_step_moves_against_the_gradients_and_leaves_shared_arrays():
    """A step subtracts step_size times the gradients and never writes into the old arrays."""
    rng = np.random.default_rng(5)
    layer = linear_with_biases(2, 3, rng)
    weights, biases = layer.W, layer.b
    before = weights.copy(), biases.copy()
    layer.backward(rng.normal(size=(4, 2)), rng.normal(size=(4, 3)))
    layer.step(0.5)
    assert_array_equal(layer.W, weights - 0.5 * layer.dW)
    assert_array_equal(layer.b, biases - 0.5 * layer.db)
    assert_array_equal(weights, before[0])
    assert_array_equal(biases, before[1])


def test_linear_step_before_backward_changes_nothing():
    """Without a backward pass the gradients are zero."""
    layer = Linear(2, 3, np.random.default_rng(6))
    weights = layer.W
    layer.step(1.0)
    assert_array_equal(layer.W, weights)


def test_linear_refuses_wrong_shapes():
    """Inputs and gradients of another width, another length or another rank raise ValueError."""
    layer = Linear(2, 3, np.random.default_rng(7))
    with pytest.raises(ValueError, match="x must be"):
        layer.forward(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="x must be"):
        layer.forward(np.zeros(2))
    with pytest.raises(ValueError, match="dy must be"):
        layer.backward(np.zeros((4, 2)), np.zeros((4, 2)))
    with pytest.raises(ValueError, match="rows"):
        layer.backward(np.zeros((4, 2)), np.zeros((1, 3)))


@pytest.mark.parametrize("layer", [Sigmoid(), ReLU()])
@SETTINGS
@given(seed=SEEDS)
def test_elementwise_layers_match_central_differences(numeric_gradient: Callable, layer, seed):
    """Backward of a sigmoid or ReLU layer matches central differences of a weighted output."""
    rng = np.random.default_rng(seed)
    x = rng.choice([-1.0, 1.0], size=(3, 5)) * rng.uniform(0.05, 4, size=(3, 5))
    dy = rng.normal(size=(3, 5))
    numeric = numeric_gradient(lambda value: np.sum(dy * layer.forward(value)), x)
    assert_allclose(layer.backward(x, dy), numeric, rtol=1e-8, atol=1e-11)
    layer.step(1.0)


def test_relu_layer_passes_no_gradient_at_zero():
    """At an input of exactly 0 the ReLU layer's gradient is 0."""
    assert_array_equal(ReLU().backward(np.array([[0.0, 2.0]]), np.array([[3.0, 3.0]])), [[0, 3]])


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("targets", [np.array([3, 0, 3]), np.eye(4)[[3, 0, 3]]])
def test_softmax_with_loss_matches_central_differences(
    numeric_gradient: Callable, reduction, targets
):
    """The loss layer's gradient, times the one from above, matches central differences."""
    layer = SoftmaxCrossEntropy(targets, reduction)
    logits = np.random.default_rng(8).normal(size=(3, 4))
    numeric = numeric_gradient(lambda z: 2.5 * layer.forward(z), logits)
    assert_allclose(layer.backward(logits, 2.5), numeric, rtol=1e-8, atol=1e-11)
    assert_allclose(layer.backward(logits) * 2.5, layer.backward(logits, np.array(2.5)))
    assert layer.forward(logits).shape == ()
    layer.step(1.0)


def test_softmax_with_loss_takes_new_targets():
    """Assigning targets replaces those of the batch before, and misfits raise ValueError."""
    layer = SoftmaxCrossEntropy([0])
    layer.targets = [1]
    assert layer.forward(np.array([[1000.0, 0.0]])) == 1000
    with pytest.raises(ValueError, match="do not fit"):
        layer.forward(np.zeros((2, 2)))
