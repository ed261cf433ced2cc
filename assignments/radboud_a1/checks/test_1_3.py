"""1.3: a one-layer model, its loss and the gradient for its input."""

import numpy as np
import pytest
from radboud_a1_shared import finite, finite_number, function

from grader.checks import (
    DiagnosisContext,
    assert_close,
    assert_right_or_consistent,
    assert_tuple,
    assert_unchanged,
    check_gradient,
)

CLOSE = {"relative_tolerance": 1e-5, "absolute_tolerance": 1e-7}
COMPONENTS = ["1.2b", "1.2k"]
NO_BIAS = "Your loss is that of a model without its bias."


def predict(student, x):
    """The model's weights as the student has them, and its prediction for `x`."""
    w = finite(student.w, (5,), "w")
    y_hat = 1 / (1 + np.exp(-(x @ w + finite_number(student.b, "b"))))
    return w, y_hat


def run(student, x, y):
    return assert_tuple(function(student, "fn")(x, y), 2, name="fn(x, y)")


def wrong_gradients(x, y, w, y_hat):
    """Gradients that come from a slip in the chain rule."""
    of_prediction = (y_hat - y) / (y_hat * (1 - y_hat))
    of_output = 1 / (1 + np.exp(-y_hat))
    for_w = "Your gradient is the one for w: with respect to what is it asked?"
    return {
        "missing_derivative": of_prediction * w,
        "derivative_at_activation": of_prediction * of_output * (1 - of_output) * w,
        "gradient_for_weights": (for_w, (y_hat - y) * x),
    }


def assert_gradient(student, x, y):
    """grad_x is right, or fits the loss that the student's own fn returns."""
    fn = function(student, "fn")
    w, y_hat = predict(student, x)

    def part(index):
        return fn.as_function(
            arguments=lambda point: (point, y),
            result=lambda pair: assert_tuple(pair, 2, name="fn(x, y)")[index],
        )

    gradient = run(student, x, y)[1]
    context = DiagnosisContext(variants=wrong_gradients(x, y, w, y_hat))
    assert_right_or_consistent(
        gradient,
        (y_hat - y) * w,
        lambda: check_gradient(part(0), part(1), at=x, name="grad_x", context=context),
        "grad_x",
        **CLOSE,
    )


@pytest.mark.question("1.3a", points=0.8, needs=COMPONENTS, released=False)
@pytest.mark.parametrize("y", [1, 0])
def test_loss(student, y):
    """fn(x, y) returns the loss of the model's prediction."""
    x = np.array([0.4, -0.7, 0.1, 0.9, -0.2])
    w, y_hat = predict(student, x)
    expected = -np.log(y_hat if y == 1 else 1 - y_hat)
    unbiased = 1 / (1 + np.exp(-(x @ w)))
    known = {"bias_missing": (NO_BIAS, -np.log(unbiased if y == 1 else 1 - unbiased))}
    assert_close(run(student, x, y)[0], expected, name="the loss", known=known, **CLOSE)


@pytest.mark.question("1.3a", points=0.8, needs=COMPONENTS)
@pytest.mark.parametrize("y", [1, 0])
def test_gradient(student, y):
    """grad_x is the gradient of the loss that your fn(x, y) returns."""
    assert_gradient(student, np.array([0.4, -0.7, 0.1, 0.9, -0.2]), y)


@pytest.mark.question("1.3a", points=0.4, needs=COMPONENTS, hidden=True)
@pytest.mark.parametrize("y", [1, 0])
def test_other_input(student, y):
    """The gradient is right for another input too, and the input stays as it was."""
    x = np.random.default_rng(31).normal(size=5)
    assert_gradient(student, x, y)
    assert_unchanged(function(student, "fn").call(x, y), (x, y), name="fn(x, y)")


@pytest.mark.question("1.3b", points=1, needs=["1.2b", "1.2k", "1.3a"], rerun=True)
def test_numeric_gradient(student):
    """The symbolic and the numerical gradient that this code computes agree."""
    symbolic = finite(student.symbolic_grad, (5,), "symbolic_grad")
    assert_close(
        student.numerical_grad,
        symbolic,
        relative_tolerance=1e-4,
        absolute_tolerance=1e-6,
        name="numerical_grad",
    )
