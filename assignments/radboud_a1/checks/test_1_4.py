"""1.4: the layers Linear, Sigmoid and ReLU."""

import numpy as np
import pytest
from radboud_a1_shared import finite, function, instance

from grader.checks import (
    DiagnosisContext,
    agrees,
    assert_close,
    assert_right_or_consistent,
    assert_shape,
    assert_unchanged,
    check_derivative,
    check_gradient,
)

N_IN, N_OUT = 5, 7
BATCH_SIZES = (1, 3, 11)
DERIVATIVE = "Your output is the derivative of the activation, not the activation."
UPHILL = "The step goes up the hill: which way does the loss fall?"
NO_STEP = "The step leaves this parameter as it was."
PILED_UP = "The gradients of earlier calls are still in it: what should one call of backward store?"
TOLERANCE = {"relative_tolerance": 1e-9, "absolute_tolerance": 1e-12}


# --- Linear -----------------------------------------------------------------


class Linear:
    """A student's layer with known weights, and with a bias that is not zero."""

    def __init__(self, student, seed, n_in=N_IN, n_out=N_OUT):
        rng = np.random.default_rng(seed)
        self.layer = instance(student, "Linear", n_in, n_out, rng=student.generator(seed))
        self.W = rng.normal(size=(n_in, n_out))
        self.b = rng.normal(size=bias_shape(self.layer.b, n_out))
        self.layer.W, self.layer.b = self.W, self.b
        self.rng = rng

    def batch(self, size):
        """A batch of inputs, and a gradient for the outputs that differs in every entry."""
        n_in, n_out = self.W.shape
        return self.rng.normal(size=(size, n_in)), self.rng.normal(size=(size, n_out))

    def forward(self, x):
        return function(self.layer, "forward")(x)

    def backward(self, x, dy):
        """dx; a layer may keep things in `forward` that `backward` needs."""
        self.forward(x)
        return function(self.layer, "backward")(x, dy)

    def gradient_for(self, parameter, x, dy):
        """dW or db as the layer stores it when its parameter is at `point`."""

        def gradient(point):
            setattr(self.layer, parameter, point)
            self.backward(x, dy)
            return getattr(self.layer, "d" + parameter)

        return gradient


def bias_shape(b, n_out):
    """The shape of a bias, which may be a vector or one row."""
    shape = (1, n_out) if isinstance(b, np.ndarray) and b.ndim == 2 else (n_out,)
    assert_shape(b, shape, name="the bias b")
    return shape


def assert_forward(linear, x):
    y = linear.forward(x)
    known = {"bias_missing": ("Your output lacks the bias.", x @ linear.W)}
    expected = x @ linear.W + linear.b
    assert_close(y, expected, name="Linear.forward(x)", known=known, **TOLERANCE)


def sizes(x, linear):
    """The numbers that a gradient may be multiplied or divided by."""
    n_in, n_out = linear.W.shape
    return {"batch_size": len(x), "n_features": n_in, "n_classes": n_out}


def assert_input_gradient(linear, x, dy):
    forward = function(linear.layer, "forward").as_function()
    n_in, n_out = linear.W.shape
    context = DiagnosisContext(
        **sizes(x, linear),
        variants={
            "transposed": dy @ linear.W.reshape(n_out, n_in),
            "upstream_ignored": np.ones_like(dy) @ linear.W.T,
        },
    )
    assert_right_or_consistent(
        linear.backward(x, dy),
        dy @ linear.W.T,
        lambda: check_gradient(
            forward,
            lambda p: linear.backward(p, dy),
            at=x,
            upstream=dy,
            name="dx",
            context=context,
        ),
        "dx",
        **TOLERANCE,
    )


def assert_parameter_gradient(linear, parameter, x, dy):
    """dW or db is right, or fits the student's own forward pass."""
    name = "d" + parameter
    start = {"W": linear.W, "b": linear.b}[parameter]
    expected = {"W": x.T @ dy, "b": dy.sum(axis=0).reshape(linear.b.shape)}[parameter]
    gradient = linear.gradient_for(parameter, x, dy)
    stored = gradient(start)
    if parameter == "b" and isinstance(stored, np.ndarray) and stored.size == expected.size:
        stored = stored.reshape(expected.shape)
    forward = function(linear.layer, "forward").as_function(
        sets=parameter, arguments=lambda point: (x,)
    )
    context = DiagnosisContext(**sizes(x, linear), inputs=x)
    assert_right_or_consistent(
        stored,
        expected,
        lambda: check_gradient(
            forward, gradient, at=start, upstream=dy, name=name, context=context
        ),
        name,
        **TOLERANCE,
    )


@pytest.mark.question("1.4a", points=0.4)
def test_linear_forward(student):
    """Linear.forward(x) computes the outputs for every row of x."""
    linear = Linear(student, seed=41)
    assert_forward(linear, linear.batch(3)[0])


@pytest.mark.question("1.4a", points=0.4)
def test_linear_input_gradient(student):
    """Linear.backward(x, dy) returns the gradient for x."""
    linear = Linear(student, seed=42)
    assert_input_gradient(linear, *linear.batch(3))


@pytest.mark.question("1.4a", points=0.4)
def test_linear_weight_gradient(student):
    """Linear.backward(x, dy) stores the gradient for W in dW."""
    linear = Linear(student, seed=43)
    assert_parameter_gradient(linear, "W", *linear.batch(3))


@pytest.mark.question("1.4a", points=0.4)
def test_linear_bias_gradient(student):
    """Linear.backward(x, dy) stores the gradient for b in db."""
    linear = Linear(student, seed=44)
    assert_parameter_gradient(linear, "b", *linear.batch(3))


@pytest.mark.question("1.4a", points=0.4, released=False)
def test_linear_step(student):
    """Linear.step(step_size) updates both W and b by gradient descent."""
    linear = Linear(student, seed=45)
    linear.backward(*linear.batch(3))
    dW, db = (np.random.default_rng(46).normal(size=a.shape) for a in (linear.W, linear.b))
    linear.layer.dW, linear.layer.db = dW, db
    function(linear.layer, "step")(0.3)
    for name, start, gradient in (("W", linear.W, dW), ("b", linear.b, db)):
        known = {"uphill": (UPHILL, start + 0.3 * gradient), "not_updated": (NO_STEP, start)}
        stepped, moved = getattr(linear.layer, name), start - 0.3 * gradient
        assert_close(stepped, moved, name=f"{name} after a step", known=known, **TOLERANCE)


@pytest.mark.question("1.4a", points=0.15)
def test_linear_repeated(student):
    """A second call of Linear.backward gives the same gradients as a first."""
    linear = Linear(student, seed=47)
    x, dy = linear.batch(3)
    linear.backward(x, dy)
    dW = finite(linear.layer.dW, linear.W.shape, "dW")
    db = linear.layer.db
    assert isinstance(db, np.ndarray), "db is not an array"
    db = finite(db, db.shape, "db")
    other_x, other_dy = linear.batch(3)
    linear.backward(other_x, other_dy)
    linear.backward(x, dy)
    for name, first, other in (("dW", dW, other_x.T @ other_dy), ("db", db, other_dy.sum(axis=0))):
        # A gradient of another size is wrong already, and a matter of other checks.
        fits = other.size == first.size
        known = {"accumulated": (PILED_UP, 2 * first + other.reshape(first.shape))} if fits else {}
        last = getattr(linear.layer, name)
        assert_close(last, first, name=f"{name} after more calls", known=known, **TOLERANCE)


@pytest.mark.question("1.4a", points=0.15)
def test_linear_unchanged(student):
    """Linear.forward and Linear.backward leave their arguments as they were."""
    linear = Linear(student, seed=48)
    x, dy = linear.batch(3)
    assert_unchanged(function(linear.layer, "forward").call(x), (x,), name="Linear.forward")
    call = function(linear.layer, "backward").call(x, dy)
    assert_unchanged(call, (x, dy), name="Linear.backward")


@pytest.mark.question("1.4a", points=0.2, released=False)
def test_linear_scale(student):
    """Your initial weights have the scale of the Xavier initialization."""
    for n_in, n_out in [(64, 32), (30, 90), (150, 20)]:
        layer = instance(student, "Linear", n_in, n_out, rng=student.generator(49))
        W = assert_shape(layer.W, (n_in, n_out), name="W")
        scale = np.sqrt(2 / (n_in + n_out))
        size = f"the weights of Linear({n_in}, {n_out})"
        assert abs(W.mean()) < 5 * scale / np.sqrt(W.size), f"{size} are not centred on 0"
        ratio = W.std() / scale
        assert 0.92 < ratio < 1.08, f"{size} are spread {ratio:.3g} times as wide as they should be"


@pytest.mark.question("1.4a", points=0.1)
def test_linear_first_bias(student):
    """A new layer has one bias for each output, all zero."""
    for n_in, n_out in [(5, 7), (4, 1)]:
        layer = instance(student, "Linear", n_in, n_out, rng=student.generator(50))
        shape = bias_shape(layer.b, n_out)
        assert_close(layer.b, np.zeros(shape), name="the initial bias")


@pytest.mark.question("1.4a", points=0.1)
def test_linear_generator(student):
    """The generator that a new layer gets decides its weights, and no other layer changes them."""
    layers = [instance(student, "Linear", 5, 7, rng=student.generator(s)) for s in (51, 51, 52)]
    first, again, other = (finite(layer.W, (5, 7), "W") for layer in layers)
    assert_close(again, first, name="the weights from the same generator")
    assert not agrees(other, first), "another generator gives the same weights"


@pytest.mark.question("1.4a", at_home=True)
@pytest.mark.parametrize("parameter", ["W", "b"])
def test_derivative_of_own_output(student, parameter):
    """Linear.backward stores the gradients of what your own Linear.forward computes."""
    linear = Linear(student, seed=61)
    x, dy = linear.batch(3)
    forward = function(linear.layer, "forward").as_function(
        sets=parameter, arguments=lambda point: (x,)
    )
    check_gradient(
        forward,
        linear.gradient_for(parameter, x, dy),
        at=getattr(linear, parameter),
        upstream=dy,
        name=f"d{parameter}",
        context=DiagnosisContext(**sizes(x, linear), inputs=x),
    )


@pytest.mark.question("1.4a", at_home=True)
def test_derivative_by_own_input(student):
    """Linear.backward returns the gradient of what your own Linear.forward computes for x."""
    linear = Linear(student, seed=62)
    x, dy = linear.batch(3)
    forward = function(linear.layer, "forward").as_function()
    check_gradient(forward, lambda point: linear.backward(point, dy), at=x, upstream=dy, name="dx")


@pytest.mark.question("1.4a", points=0.3, hidden=True)
@pytest.mark.parametrize("size", BATCH_SIZES)
def test_linear_batches(student, size):
    """Linear works for batches and layers of any size."""
    linear = Linear(student, seed=53 + size, n_in=4, n_out=3)
    x, dy = linear.batch(size)
    assert_input_gradient(linear, x, dy)
    assert_parameter_gradient(linear, "W", x, dy)
    assert_parameter_gradient(linear, "b", x, dy)


# --- Sigmoid and ReLU -------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_slope(x):
    return sigmoid(x) * (1 - sigmoid(x))


def relu(x):
    return np.maximum(x, 0)


def relu_slope(x):
    return np.where(x > 0, 1.0, 0.0)


def off_zero(seed, shape):
    """Numbers on both sides of 0, none of them near it."""
    rng = np.random.default_rng(seed)
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.2, 4.0, size=shape)


def assert_activation_gradient(layer, x, dy, slope):
    """backward(x, dy) is right, or fits the student's own forward pass."""
    forward = function(layer, "forward")

    def backward(point):
        forward(point)
        return function(layer, "backward")(point, dy)

    assert_right_or_consistent(
        backward(x),
        dy * slope(x),
        lambda: check_gradient(forward.as_function(), backward, at=x, upstream=dy, name="dx"),
        "dx",
        **TOLERANCE,
    )


def assert_backward_of_ones(layer, x, slope):
    """The gradient where dy is 1 everywhere, as a derivative."""
    forward = function(layer, "forward")

    def derivative(point):
        forward(point)
        return function(layer, "backward")(point, np.ones_like(point))

    assert_right_or_consistent(
        derivative(x),
        slope(x),
        lambda: check_derivative(
            forward,
            derivative,
            at=x,
            name="dx where dy is 1",
            context=DiagnosisContext(upstream=np.ones_like(x)),
        ),
        "dx where dy is 1",
        **TOLERANCE,
    )


def assert_step_keeps(layer, x):
    """step exists and changes nothing that forward computes."""
    before = function(layer, "forward")(x)
    function(layer, "step")(0.5)
    expected = finite(before, x.shape, "forward(x)")
    assert_close(function(layer, "forward")(x), expected, name="forward(x) after a step")


@pytest.mark.question("1.4b", points=0.4, needs=["1.2b"])
def test_sigmoid_forward(student):
    """Sigmoid().forward(x) computes the sigmoid of every element."""
    x = off_zero(61, (3, 5))
    y = function(instance(student, "Sigmoid"), "forward")(x)
    known = {"derivative_for_value": (DERIVATIVE, sigmoid_slope(x))}
    assert_close(y, sigmoid(x), name="Sigmoid.forward(x)", known=known, **TOLERANCE)


@pytest.mark.question("1.4b", points=0.4, needs=["1.2b"])
def test_sigmoid_backward(student):
    """Sigmoid().backward(x, dy) returns the gradient for x."""
    layer = instance(student, "Sigmoid")
    x, dy = off_zero(62, (3, 5)), off_zero(63, (3, 5))
    assert_activation_gradient(layer, x, dy, sigmoid_slope)
    assert_backward_of_ones(layer, x, sigmoid_slope)


@pytest.mark.question("1.4b", points=0.2, needs=["1.2b"], hidden=True)
def test_sigmoid_batches(student):
    """Sigmoid works for batches of any size, has a step, and leaves its arguments as they were."""
    layer = instance(student, "Sigmoid")
    assert_batches(layer, sigmoid, sigmoid_slope, "Sigmoid")


@pytest.mark.question("1.4c", points=0.4, needs=["1.2f"], released=False)
def test_relu_forward(student):
    """ReLU().forward(x) computes the ReLU of every element."""
    x = off_zero(64, (3, 5))
    y = function(instance(student, "ReLU"), "forward")(x)
    assert_close(y, relu(x), name="ReLU.forward(x)", **TOLERANCE)


@pytest.mark.question("1.4c", points=0.4, needs=["1.2f"])
def test_relu_backward(student):
    """ReLU().backward(x, dy) returns the gradient for x."""
    layer = instance(student, "ReLU")
    x, dy = off_zero(65, (3, 5)), off_zero(66, (3, 5))
    assert_activation_gradient(layer, x, dy, relu_slope)
    assert_backward_of_ones(layer, x, relu_slope)


@pytest.mark.question("1.4c", points=0.2, needs=["1.2f"], hidden=True)
def test_relu_batches(student):
    """ReLU works for batches of any size, has a step, and leaves its arguments as they were."""
    assert_batches(instance(student, "ReLU"), relu, relu_slope, "ReLU")


def assert_batches(layer, value, slope, name):
    for size in BATCH_SIZES:
        x, dy = off_zero(67 + size, (size, 2)), off_zero(68 + size, (size, 2))
        call = function(layer, "forward").call(x)
        assert_unchanged(call, (x,), name=f"{name}.forward")
        assert_close(call.value, value(x), name=f"{name}.forward(x)", **TOLERANCE)
        call = function(layer, "backward").call(x, dy)
        assert_unchanged(call, (x, dy), name=f"{name}.backward")
        assert_close(call.value, dy * slope(x), name=f"{name}.backward(x, dy)", **TOLERANCE)
        assert_step_keeps(layer, x)


# --- the notebook's own check -----------------------------------------------


@pytest.mark.question("1.4d", points=1, needs=["1.2b", "1.2f", "1.4a", "1.4b", "1.4c"])
def test_given_code_runs(student):
    """The given code finds no error in your layers."""
    student.before().run_answer()
