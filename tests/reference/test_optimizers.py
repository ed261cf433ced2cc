"""Optimizers: every rule against its formula written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from reference.optimizers import (
    EarlyStopping,
    Momentum,
    add_weight_decay,
    gradient_descent,
    is_bias,
    sgd_step,
)

SETTINGS = settings(max_examples=30, deadline=None, derandomize=True)
RATES = st.floats(1e-3, 0.5)


def wavy(p):
    """The course's function with several minima."""
    x, y = p
    return x**2 + y**2 + x * (y + 2) + np.cos(3 * x)


def wavy_gradient(p):
    """The gradient of the wavy function."""
    x, y = p
    return [2 * x - 3 * np.sin(3 * x) + y + 2, x + 2 * y]


def random_arrays(seed: int) -> dict[str, np.ndarray]:
    """Parameters or gradients of a two-layer net; the second bias is a row matrix."""
    rng = np.random.default_rng(seed)
    shapes = {"W1": (3, 2), "b1": (2,), "W2": (2, 1), "b2": (1, 1)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@SETTINGS
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.01, 0.2), st.floats(0.5, 1))
def test_gradient_descent_follows_its_decaying_steps(x, y, step_size, decay):
    """Each point is the one before minus eta_0 d^t times the gradient, t from 0."""
    descent = gradient_descent(wavy, wavy_gradient, [x, y], step_size, 6, decay)
    points, eta = [(x, y)], step_size
    for _ in range(6):
        dx, dy = wavy_gradient((x, y))
        x, y, eta = x - eta * dx, y - eta * dy, eta * decay
        points.append((x, y))
    assert_allclose(descent.points, points, rtol=1e-9, atol=1e-9)
    assert_array_equal(descent.values, [wavy(point) for point in descent.points])


def test_gradient_descent_finds_the_lower_minimum_with_decay():
    """From (3, 2), step size 0.2 and decay 0.95 get below -2 in ten steps."""
    assert gradient_descent(wavy, wavy_gradient, [3, 2], 0.2, 10, 0.95).values[-1] < -2


def test_gradient_descent_solves_a_quadratic_in_one_full_first_step():
    """The first step is not yet decayed: with step size 1 it solves |x|²/2 whatever the decay."""
    descent = gradient_descent(lambda p: p @ p / 2, lambda p: p, [3.0, -4.0], 1.0, 1, decay=0.1)
    assert_array_equal(descent.points, [[3, -4], [0, 0]])
    assert_array_equal(descent.values, [12.5, 0])


def test_gradient_descent_without_steps_returns_the_start():
    """No steps give the start alone, and a negative number raises ValueError."""
    descent = gradient_descent(wavy, wavy_gradient, [1, 2], 0.1, 0)
    assert_array_equal(descent.points, [[1, 2]])
    with pytest.raises(ValueError, match="negative"):
        gradient_descent(wavy, wavy_gradient, [1, 2], 0.1, -1)


def test_biases_are_known_by_their_names():
    """b, b1, bias2 are biases; W1, beta and hid_to_class are not."""
    assert all(is_bias(name) for name in ("b", "b1", "b12", "bias", "bias2"))
    assert not any(is_bias(name) for name in ("W1", "beta", "hid_to_class", "input_to_hid"))


@SETTINGS
@given(RATES, RATES)
def test_sgd_decays_weights_but_not_biases(learning_rate, weight_decay):
    """Weights take g + decay W, biases g alone, also where a bias is a row matrix."""
    parameters, gradients = random_arrays(1), random_arrays(2)
    stepped = sgd_step(parameters, gradients, learning_rate, weight_decay)
    for name in ("W1", "W2"):
        total = gradients[name] + weight_decay * parameters[name]
        assert_allclose(stepped[name], parameters[name] - learning_rate * total, rtol=1e-14)
    for name in ("b1", "b2"):
        expected = parameters[name] - learning_rate * gradients[name]
        assert_allclose(stepped[name], expected, rtol=1e-14)


def test_steps_change_nothing_in_place():
    """Neither a step nor the decay writes into the dictionaries or arrays it is given."""
    parameters, gradients = random_arrays(1), random_arrays(2)
    add_weight_decay(parameters, gradients, 0.1)
    sgd_step(parameters, gradients, 0.1, 0.1)
    Momentum(0.1, 0.9, 0.1).step(parameters, gradients)
    for name in parameters:
        assert_array_equal(parameters[name], random_arrays(1)[name])
        assert_array_equal(gradients[name], random_arrays(2)[name])


@SETTINGS
@given(RATES, st.floats(0, 0.99))
def test_momentum_follows_its_rule(learning_rate, momentum):
    """After each step v = momentum v - g and theta has moved by learning_rate v."""
    optimizer = Momentum(learning_rate, momentum)
    parameters = random_arrays(1)
    theta, v = parameters["W1"].copy(), np.zeros((3, 2))
    for seed in range(2, 6):
        gradients = random_arrays(seed)
        parameters = optimizer.step(parameters, gradients)
        for index in np.ndindex(3, 2):
            v[index] = momentum * v[index] - gradients["W1"][index]
            theta[index] += learning_rate * v[index]
        assert_allclose(optimizer.velocity["W1"], v, rtol=1e-12, atol=1e-14)
        assert_allclose(parameters["W1"], theta, rtol=1e-12, atol=1e-14)


def test_momentum_of_a_constant_gradient_approaches_its_geometric_sum():
    """Under a constant gradient the velocity tends to -g / (1 - momentum)."""
    optimizer = Momentum(0.0, 0.9)
    parameters, gradients = random_arrays(1), random_arrays(2)
    for _ in range(400):
        parameters = optimizer.step(parameters, gradients)
    assert_allclose(optimizer.velocity["W1"], -10 * gradients["W1"], rtol=1e-12)


def test_momentum_zero_is_plain_sgd():
    """Without momentum each step is that of SGD with the same weight decay."""
    optimizer, parameters = Momentum(0.3, 0.0, 0.2), random_arrays(1)
    for seed in (2, 3):
        expected = sgd_step(parameters, random_arrays(seed), 0.3, 0.2)
        parameters = optimizer.step(parameters, random_arrays(seed))
        for name in parameters:
            assert_allclose(parameters[name], expected[name], rtol=1e-14)


def test_optimizers_refuse_gradients_that_do_not_match():
    """A missing name or another shape raises ValueError, also against the velocity."""
    parameters, gradients = random_arrays(1), random_arrays(2)
    del gradients["b1"]
    with pytest.raises(ValueError, match="differ"):
        sgd_step(parameters, gradients, 0.1)
    gradients["b1"] = np.zeros(3)
    with pytest.raises(ValueError, match="differ"):
        sgd_step(parameters, gradients, 0.1)
    optimizer = Momentum(0.1, 0.9)
    optimizer.step(parameters, random_arrays(2))
    with pytest.raises(ValueError, match="differ"):
        optimizer.step({"W1": np.zeros(2)}, {"W1": np.zeros(2)})


def test_early_stopping_keeps_a_copy_of_the_best():
    """The first of the lowest losses wins, and later changes do not reach its parameters."""
    stopping, weights = EarlyStopping(), np.zeros(2)
    improved = []
    for iteration, loss in enumerate([3.0, 1.0, 2.0, 1.0, float("nan")], start=1):
        weights += 1
        improved.append(stopping.update(iteration, loss, {"W": weights}))
    assert improved == [True, True, False, False, False]
    assert (stopping.best_iteration, stopping.best_loss) == (2, 1.0)
    assert stopping.best_parameters is not None
    assert_array_equal(stopping.best_parameters["W"], [2, 2])
    assert not stopping.exhausted


def test_early_stopping_runs_out_of_patience():
    """After as many updates without improvement as its patience it is exhausted."""
    stopping = EarlyStopping(patience=2)
    exhausted = []
    for iteration, loss in enumerate([1.0, 2.0, 0.5, 0.5, 0.6]):
        stopping.update(iteration, loss, {})
        exhausted.append(stopping.exhausted)
    assert exhausted == [False, False, False, False, True]


def test_early_stopping_without_a_finite_loss_keeps_nothing():
    """NaN never counts as an improvement."""
    stopping = EarlyStopping()
    stopping.update(1, float("nan"), {})
    assert stopping.best_iteration is None
    assert stopping.best_parameters is None
