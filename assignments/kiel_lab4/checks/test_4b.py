"""4b: the gradient of the first bias in a chain of three neurons."""

import numpy as np
import pytest

from grader.checks import DiagnosisContext, assert_close, assert_number, check_derivative

X = 0.7
WEIGHTS = (1.3, -0.8, 2.1)
BIASES = (0.2, 0.5, -0.4)
DC_DA3 = -1.7
POINTS = np.array([-2.5, -1.0, -0.3, 0.2, 0.9, 2.2])
RELU_POINTS = np.array([0.3, 0.9, 1.6, 2.4])
# All three neurons are on, for positive first biases.
RELU_CHAIN = ((0.6, 0.9, 1.4), (0.0, 0.3, 0.1))
# Here as well, but the second would be off if it saw x, or nothing, in place of the first's output.
RELU_CHAIN_BELOW = ((1.2, 0.9, 1.4), (0.0, -0.8, 0.1))


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_slope(z):
    return sigmoid(z) * (1.0 - sigmoid(z))


def relu(z):
    return np.maximum(z, 0.0)


def relu_slope(z):
    return (z > 0).astype(np.float64)


FUNCTIONS = {"sigmoid": (sigmoid, sigmoid_slope), "relu": (relu, relu_slope)}


def chain(x, weights, biases, activation):
    """The three inputs and outputs of the neurons; the first bias may be an array."""
    inputs, outputs, signal = [], [], x
    for weight, bias in zip(weights, biases, strict=True):
        inputs.append(weight * signal + bias)
        signal = FUNCTIONS[activation][0](inputs[-1])
        outputs.append(signal)
    return inputs, outputs


def mistakes(x, weights, biases, upstream, activation):
    """Wrong gradients by their names, from the factors of the right one."""
    slope = FUNCTIONS[activation][1]
    z, a = chain(x, weights, biases, activation)
    s1, s2, s3 = map(slope, z)
    w1, w2, w3 = weights
    right = s1 * w2 * s2 * w3 * s3 * upstream
    found = {
        "first_derivative_left_out": (
            "The derivative of the first neuron's activation is left out.",
            w2 * s2 * w3 * s3 * upstream,
        ),
        "last_derivative_left_out": (
            "The derivative of the last neuron's activation is left out.",
            s1 * w2 * s2 * w3 * upstream,
        ),
        "derivatives_left_out": (
            "No derivative of an activation enters your gradient.",
            w2 * w3 * upstream,
        ),
        "first_weight_included": (
            "Your gradient holds the first weight, which does not lie between b1 and the cost.",
            w1 * right,
        ),
        "gradient_of_weight": ("This is the gradient of w1, not that of b1.", x * right),
        "upstream_ignored": ("Your gradient ignores ∂C/∂a3.", right / upstream),
        "shifted_weights": (
            "Your gradient holds w1 and w2 where w2 and w3 belong.",
            s1 * w1 * s2 * w2 * s3 * upstream,
        ),
        "derivative_at_activation": (
            "You take the activation's derivative at its output; it belongs at its input z.",
            slope(a[0]) * w2 * slope(a[1]) * w3 * slope(a[2]) * upstream,
        ),
        "sign": ("Your gradient has the opposite sign.", -right),
    }
    return {code: (text, np.broadcast_to(g, np.shape(z[0]))) for code, (text, g) in found.items()}


def check_chain(student, x, weights, biases, upstream, activation, at):
    """bias_gradient is the derivative of the cost by b1, at each of these first biases."""
    function = student.function("bias_gradient")
    others = tuple(biases[1:])

    def cost(first):
        return upstream * chain(x, weights, (first, *others), activation)[1][2]

    def gradient(first):
        rows = [(x, weights, (float(b), *others), upstream, activation) for b in first]
        values = function.map(rows)
        return np.array([assert_number(value, name="bias_gradient(...)") for value in values])

    known = mistakes(x, weights, (at, *others), upstream, activation)
    context = DiagnosisContext(variants=known)
    check_derivative(cost, gradient, at=at, name="bias_gradient", context=context)


@pytest.mark.question("4b", points=0.8)
def test_sigmoid(student):
    """bias_gradient(..., "sigmoid") is the derivative of the cost by the first bias."""
    check_chain(student, X, WEIGHTS, BIASES, DC_DA3, "sigmoid", POINTS)


@pytest.mark.question("4b", points=0.4)
def test_relu(student):
    """bias_gradient(..., "relu") is that derivative where all three neurons are on."""
    for weights, biases in (RELU_CHAIN, RELU_CHAIN_BELOW):
        check_chain(student, X, weights, biases, DC_DA3, "relu", RELU_POINTS)


@pytest.mark.question("4b", points=0.4)
def test_relu_switched_off(student):
    """Where one of the three ReLU neurons is off, the gradient is 0."""
    function = student.function("bias_gradient")
    weights = RELU_CHAIN[0]
    for off in range(3):
        biases = tuple(-9.0 if neuron == off else 0.5 for neuron in range(3))
        value = function(X, weights, biases, DC_DA3, "relu")
        name = f"bias_gradient where neuron {off + 1} is off"
        assert_close(value, 0.0, name=name, absolute_tolerance=1e-12)


@pytest.mark.question("4b", points=0.4, hidden=True)
def test_other_chains(student):
    """bias_gradient holds for other inputs, weights, biases and gradients from above."""
    check_chain(student, -1.9, (-0.7, 1.6, -1.1), (0.0, -0.6, 0.8), 0.45, "sigmoid", POINTS)
    check_chain(student, 2.3, (1.1, 0.7, 0.8), (0.0, 1.2, 0.6), 3.1, "relu", RELU_POINTS)
