"""Hinton's softmax net: orientation, loss, gradient, the vector of all parameters."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reference import hinton
from reference.networks import TwoLayerNet

N_IN, N_HID, N_CLASS, N = 5, 3, 4, 7
LABELS = np.array([0, 3, 3, 1, 0, 1, 3])  # class 2 is missing


@pytest.fixture
def model():
    """A model with weights of order one."""
    rng = np.random.default_rng(1)
    return {
        "input_to_hid": rng.normal(size=(N_HID, N_IN)),
        "hid_to_class": rng.normal(size=(N_CLASS, N_HID)),
    }


@pytest.fixture
def data():
    """Inputs and one-hot targets, cases in columns."""
    rng = np.random.default_rng(2)
    return {"inputs": rng.normal(size=(N_IN, N)), "target": np.eye(N_CLASS)[:, LABELS]}


def test_initial_model_is_a_cosine_row_by_row():
    """The start weights are 0.1 cos(0, 1, 2, ...), the first matrix row by row, then the second."""
    model = hinton.hinton_initial_model(2, 3, 4)
    assert_allclose(model["input_to_hid"], 0.1 * np.cos([[0, 1, 2], [3, 4, 5]]))
    assert_allclose(model["hid_to_class"], 0.1 * np.cos([[6, 7], [8, 9], [10, 11], [12, 13]]))


def test_initial_model_has_the_course_sizes_by_default():
    """Without sizes the model takes 256 inputs and 10 classes."""
    model = hinton.hinton_initial_model(7)
    assert model["input_to_hid"].shape == (7, 256)
    assert model["hid_to_class"].shape == (10, 7)


def test_theta_is_a_column_and_goes_back_and_forth(model):
    """model_to_theta gives one column, and theta_to_model undoes it in any shape."""
    theta = hinton.model_to_theta(model)
    assert theta.shape == (N_HID * (N_IN + N_CLASS), 1)
    assert_array_equal(theta[: N_HID * N_IN, 0], model["input_to_hid"].ravel())
    for vector in (theta, theta.ravel()):
        back = hinton.theta_to_model(vector, N_IN, N_CLASS)
        assert back.keys() == model.keys()
        for name in model:
            assert_array_equal(back[name], model[name])


def test_loss_matches_a_loop_over_cases(model, data):
    """The loss is the mean of -log p over the columns plus decay/2 times all squared weights."""
    total = 0.0
    for column, label in zip(data["inputs"].T, LABELS, strict=True):
        hidden = [1 / (1 + np.exp(-row @ column)) for row in model["input_to_hid"]]
        scores = [row @ hidden for row in model["hid_to_class"]]
        total -= scores[label] - np.log(sum(np.exp(scores)))
    squares = sum(w**2 for matrix in model.values() for w in matrix.flat)
    assert_allclose(hinton.hinton_classification_loss(model, data), total / N, rtol=1e-13)
    loss = hinton.hinton_loss(model, data, 0.3)
    assert_allclose(loss, total / N + 0.15 * squares, rtol=1e-13)


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_gradient_matches_central_differences(
    parameter_gradients: Callable, model, data, weight_decay
):
    """Both matrices' gradients are right, with and without weight decay, one class missing."""
    analytic = hinton.hinton_gradient(model, data, weight_decay)
    numeric = parameter_gradients(lambda m: hinton.hinton_loss(m, data, weight_decay), model)
    assert analytic.keys() == model.keys()
    for name in model:
        assert_allclose(analytic[name], numeric[name], rtol=1e-8, atol=1e-11)


def test_agrees_with_the_transposed_two_layer_net(model, data):
    """With zero biases and everything transposed the row-oriented net gives the same numbers."""
    net = TwoLayerNet(N_IN, N_HID, N_CLASS, np.random.default_rng(0))
    net.parameters["W1"] = model["input_to_hid"].T
    net.parameters["W2"] = model["hid_to_class"].T
    x = data["inputs"].T
    assert_allclose(hinton.hinton_classification_loss(model, data), net.loss(x, LABELS))
    ours, theirs = hinton.hinton_gradient(model, data, 0.0), net.gradient(x, LABELS)
    assert_allclose(ours["input_to_hid"].T, theirs["W1"], atol=1e-15)
    assert_allclose(ours["hid_to_class"].T, theirs["W2"], atol=1e-15)
    assert hinton.hinton_error_rate(model, data) == pytest.approx(1 - net.accuracy(x, LABELS))


def test_saturated_units_give_finite_gradients(model, data):
    """Inputs of 1000 times the usual size give finite numbers, with no warning."""
    large = {**data, "inputs": 1000 * data["inputs"]}
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert np.isfinite(hinton.hinton_loss(model, large, 0.1))
        gradient = hinton.hinton_gradient(model, large, 0.1)
    assert all(np.isfinite(value).all() for value in gradient.values())


def test_refuses_what_is_no_model_and_no_data(model, data):
    """Sizes that do not divide, no hidden units and no cases raise ValueError."""
    for theta in (np.zeros(10), np.zeros(0)):
        with pytest.raises(ValueError, match="no model"):
            hinton.theta_to_model(theta, N_IN, N_CLASS)
    with pytest.raises(ValueError, match="no model"):
        hinton.hinton_initial_model(0)
    empty = {name: part[:, :0] for name, part in data.items()}
    for function in (hinton.hinton_classification_loss, hinton.hinton_error_rate):
        with pytest.raises(ValueError, match="no cases"):
            function(model, empty)
    with pytest.raises(ValueError, match="no cases"):
        hinton.hinton_gradient(model, empty, 0.0)
