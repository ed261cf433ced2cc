"""1.2: sigmoid, ReLU and binary cross-entropy, each with its gradient."""

import numpy as np
import pytest
from radboud_a1_differences import (
    CENTRAL,
    ONE_SIDED,
    Formulas,
    is_central_difference,
    is_difference,
)
from radboud_a1_shared import function

from grader.checks import (
    DiagnosisContext,
    assert_close,
    assert_number,
    assert_right_or_consistent,
    assert_shape,
    assert_unchanged,
    check_derivative,
)

POINTS = np.linspace(-8, 8, 33)
OFF_ZERO = np.array([-9.5, -3.25, -1.0, -0.4, 0.3, 1.0, 2.75, 8.5])
EXTREME = np.array([-1000.0, 1000.0])

# Room for a small number that keeps the logarithm away from 0.
CLIPPED = {"relative_tolerance": 1e-5, "absolute_tolerance": 1e-7}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_slope(x):
    return sigmoid(x) * (1 - sigmoid(x))


def random_matrix(seed):
    """A batch of inputs, none of them near 0."""
    rng = np.random.default_rng(seed)
    return rng.choice([-1.0, 1.0], size=(3, 5)) * rng.uniform(0.2, 6.0, size=(3, 5))


# --- sigmoid ----------------------------------------------------------------


# What sigmoid and its gradient are often taken for.
NEGATED = "Your result is right for -x: look at the sign in the exponent."
WITHOUT_SQUARE = "Your result is the derivative with one of its factors missing."


@pytest.mark.question("1.2b", points=0.5)
def test_sigmoid(student):
    """sigmoid(x) has the right values, for a single number and for an array."""
    f = function(student, "sigmoid")
    assert_close(f(0.0), 0.5, relative_tolerance=1e-9, name="sigmoid(0.0)")
    assert_close(
        f(POINTS),
        sigmoid(POINTS),
        relative_tolerance=1e-9,
        name="sigmoid(x)",
        known={"negated_argument": (NEGATED, sigmoid(-POINTS))},
    )


@pytest.mark.question("1.2b", points=0.75)
def test_sigmoid_gradient(student):
    """sigmoid_grad(x) is the derivative of your sigmoid(x)."""
    f, df = function(student, "sigmoid"), function(student, "sigmoid_grad")
    missing = (WITHOUT_SQUARE, sigmoid(-np.abs(POINTS)))
    context = DiagnosisContext(variants={"missing_factor": missing})
    assert_right_or_consistent(
        df(POINTS),
        sigmoid_slope(POINTS),
        lambda: check_derivative(f, df, at=POINTS, name="sigmoid_grad(x)", context=context),
        "sigmoid_grad(x)",
        relative_tolerance=1e-9,
        absolute_tolerance=1e-15,
    )


@pytest.mark.question("1.2b", at_home=True)
def test_derivative_of_own_sigmoid(student):
    """sigmoid(0) is one half, and sigmoid_grad(x) is the derivative of your sigmoid(x)."""
    f, df = function(student, "sigmoid"), function(student, "sigmoid_grad")
    assert_close(f(0.0), 0.5, relative_tolerance=1e-9, name="sigmoid(0.0)")
    check_derivative(f, df, at=POINTS, name="sigmoid_grad(x)")


@pytest.mark.question("1.2b", points=0.25)
def test_extreme_sigmoid(student):
    """sigmoid(x) also has the right values for very large and very small x."""
    value = function(student, "sigmoid")(EXTREME)
    assert_close(value, np.array([0.0, 1.0]), absolute_tolerance=1e-12, name="sigmoid(+-1000)")


@pytest.mark.question("1.2b", points=0.25)
def test_extreme_sigmoid_gradient(student):
    """sigmoid_grad(x) is a number for very large and very small x, too."""
    value = function(student, "sigmoid_grad")(EXTREME)
    assert_close(value, np.zeros(2), absolute_tolerance=1e-12, name="sigmoid_grad(+-1000)")


@pytest.mark.question("1.2b", points=0.25, hidden=True)
def test_sigmoid_of_batch(student):
    """Both functions work on a whole batch, and leave their argument as it was."""
    x = random_matrix(21)
    for name, expected in (("sigmoid", sigmoid(x)), ("sigmoid_grad", sigmoid_slope(x))):
        call = function(student, name).call(x)
        assert_unchanged(call, (x,), name=name)
        assert_close(call.value, expected, relative_tolerance=1e-8, name=f"{name}(x)")


@pytest.mark.question("1.2c", points=1, needs=["1.2b"], rerun=True)
def test_central_difference(student):
    """You compute the derivative of the sigmoid with the central difference method."""
    formulas = Formulas(student.source)
    kinds = formulas.quotients()
    if CENTRAL in kinds or (not kinds and formulas.hands_over("sigmoid")):
        return
    assert ONE_SIDED not in kinds, "your difference is one-sided: it is not centred on x"
    assert has_central_difference(student), (
        "no central difference of the sigmoid was found, neither in your code nor in its results"
    )


def has_central_difference(student):
    """Whether a new array is the central difference of the sigmoid at the student's x."""
    x = float_array(student, "x")
    if x is None:
        return False
    s, slope = sigmoid(x), sigmoid_slope(x)
    third = slope * (1 - 6 * s + 6 * s**2)
    candidates = student.arrays(new=True).values()
    return any(is_central_difference(array, slope, third) for array in candidates)


def float_array(student, name):
    """A variable's numbers; None where it holds anything else."""
    if name not in student:
        return None
    value = student[name]
    is_numeric = isinstance(value, np.ndarray) and value.dtype.kind in "iuf" and value.size > 0
    return value.astype(float) if is_numeric and np.all(np.isfinite(value)) else None


def has_difference(student, name, derivative):
    """Whether the question's cells check the function `name` by finite differences."""
    formulas = Formulas(student.source)
    kinds = formulas.quotients()
    if kinds & {CENTRAL, ONE_SIDED} or (not kinds and formulas.hands_over(name)):
        return True
    if derivative is None or not np.all(np.isfinite(derivative)):
        return False
    return any(is_difference(array, derivative) for array in student.arrays(new=True).values())


# --- ReLU -------------------------------------------------------------------


# What a ReLU and its gradient are often taken for.
WRONG_SIDE = "Your result is right for the other side of 0: which half of the numbers is kept?"
LEAKY = "Your result is that of a leaky ReLU: what becomes of negative numbers here?"
SIGN = "Your result is the sign of x: what is the slope of the ReLU where x is negative?"


@pytest.mark.question("1.2f", points=0.5, released=False)
def test_relu(student):
    """relu(x) has the right values, for a single number and for an array."""
    f = function(student, "relu")
    known = {"wrong_side": (WRONG_SIDE, -1.5), "leaky": (LEAKY, -0.015)}
    assert_close(f(-1.5), 0.0, name="relu(-1.5)", known=known)
    assert_close(f(2.5), 2.5, name="relu(2.5)")
    x = np.append(OFF_ZERO, 0.0)
    assert_close(f(x), np.where(x > 0, x, 0), name="relu(x)")


@pytest.mark.question("1.2f", points=0.75)
def test_relu_gradient(student):
    """relu_grad(x) is the derivative of your relu(x)."""
    f, df = function(student, "relu"), function(student, "relu_grad")
    wrong_side = (WRONG_SIDE, np.where(OFF_ZERO > 0, 0.0, 1.0))
    variants = {"wrong_side": wrong_side, "sign_function": (SIGN, np.sign(OFF_ZERO))}
    context = DiagnosisContext(variants=variants)
    assert_right_or_consistent(
        df(OFF_ZERO),
        np.where(OFF_ZERO > 0, 1.0, 0.0),
        lambda: check_derivative(f, df, at=OFF_ZERO, name="relu_grad(x)", context=context),
        "relu_grad(x)",
    )


@pytest.mark.question("1.2f", at_home=True)
def test_derivative_of_own_relu(student):
    """relu_grad(x) is the derivative of your relu(x)."""
    f, df = function(student, "relu"), function(student, "relu_grad")
    check_derivative(f, df, at=OFF_ZERO, name="relu_grad(x)")


@pytest.mark.question("1.2f", points=0.25)
def test_relu_gradient_at_kink(student):
    """At the kink, relu_grad(x) makes a sensible choice."""
    value = function(student, "relu_grad")(np.zeros(1))
    choice = assert_shape(value, (1,), name="relu_grad(np.zeros(1))")[0]
    assert 0 <= choice <= 1, f"relu_grad at 0 is {choice:g}, which is no slope of the ReLU near 0"


@pytest.mark.question("1.2f", points=0.25)
def test_relu_difference(student):
    """You check the gradient of the ReLU with finite differences."""
    x = float_array(student, "x")
    slope = None if x is None else np.where(x > 0, 1.0, 0.0)
    assert has_difference(student, "relu", slope), "no finite difference of relu was found"


@pytest.mark.question("1.2f", points=0.25, hidden=True)
def test_relu_of_batch(student):
    """Both functions work on a whole batch, and leave their argument as it was."""
    x = random_matrix(22)
    for name, expected in (("relu", np.maximum(x, 0)), ("relu_grad", np.where(x > 0, 1.0, 0.0))):
        call = function(student, name).call(x)
        assert_unchanged(call, (x,), name=name)
        assert_close(call.value, expected, name=f"{name}(x)")


# --- binary cross-entropy ---------------------------------------------------


def cross_entropy(y, y_hat):
    return -(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat))


def cross_entropy_slope(y, y_hat):
    return (1 - y) / (1 - y_hat) - y / y_hat


LABELS = np.array([0, 1, 1, 0, 1, 0])
PREDICTIONS = np.array([0.08, 0.93, 0.21, 0.66, 0.5, 0.9])


def wrong_losses(y, y_hat):
    """Losses that are often taken for the cross-entropy."""
    right = cross_entropy(y, y_hat)
    return {
        "sign": ("Your loss has the right size but the opposite sign.", -right),
        "averaged": ("You average the losses: how many numbers were asked for?", right.mean()),
        "second_term_missing": (
            "Your loss lacks one of its two terms: what does an example of the other class cost?",
            -y * np.log(y_hat),
        ),
        "binary_logarithm": ("You use another logarithm than the natural one.", right / np.log(2)),
    }


@pytest.mark.question("1.2k", points=0.75, released=False)
def test_loss(student):
    """bce_loss(y, y_hat) has the right value for every element."""
    f = function(student, "bce_loss")
    expected = cross_entropy(LABELS, PREDICTIONS)
    known = wrong_losses(LABELS, PREDICTIONS)
    result = f(LABELS, PREDICTIONS)
    assert_close(result, expected, name="bce_loss(y, y_hat)", known=known, **CLIPPED)
    assert_close(f(1, 0.25), np.log(4.0), name="bce_loss(1, 0.25)", **CLIPPED)


@pytest.mark.question("1.2k", points=0.75, released=False)
def test_loss_gradient(student):
    """bce_loss_grad(y, y_hat) is the derivative of your bce_loss with respect to y_hat."""
    f, df = function(student, "bce_loss"), function(student, "bce_loss_grad")

    def against_own_loss():
        loss = f.as_function(arguments=lambda y_hat: (LABELS, y_hat))
        slope = df.as_function(arguments=lambda y_hat: (LABELS, y_hat))
        context = DiagnosisContext(batch_size=len(LABELS))
        name = "bce_loss_grad(y, y_hat)"
        check_derivative(loss, slope, at=PREDICTIONS, name=name, context=context)

    assert_right_or_consistent(
        df(LABELS, PREDICTIONS),
        cross_entropy_slope(LABELS, PREDICTIONS),
        against_own_loss,
        "bce_loss_grad(y, y_hat)",
        **CLIPPED,
    )


@pytest.mark.question("1.2k", at_home=True)
def test_derivative_of_own_loss(student):
    """bce_loss_grad(y, y_hat) is the derivative of your bce_loss with respect to y_hat."""
    loss, slope = (
        function(student, name).as_function(arguments=lambda y_hat: (LABELS, y_hat))
        for name in ("bce_loss", "bce_loss_grad")
    )
    context = DiagnosisContext(batch_size=len(LABELS))
    check_derivative(loss, slope, at=PREDICTIONS, name="bce_loss_grad(y, y_hat)", context=context)


@pytest.mark.question("1.2k", points=0.25)
def test_certain_predictions(student):
    """A prediction that is certain and right has no loss."""
    y = np.array([0.0, 1.0])
    value = function(student, "bce_loss")(y, y)
    assert_close(value, np.zeros(2), absolute_tolerance=1e-4, name="bce_loss at y = y_hat")


@pytest.mark.question("1.2k", points=0.25)
def test_certain_mistake(student):
    """A prediction that is certain and wrong has a very large loss."""
    f = function(student, "bce_loss")
    for y in (0.0, 1.0):
        value = f(np.array([y]), np.array([1 - y]))
        is_infinite = isinstance(value, np.ndarray) and value.size == 1 and np.all(value == np.inf)
        if not is_infinite:
            loss = assert_number(value, name="the loss of a certain mistake")
            assert loss > 8, f"the loss of a certain mistake is only {loss:g}"


@pytest.mark.question("1.2k", points=0.5, released=False)
def test_loss_difference(student):
    """You check the gradient of the loss with finite differences."""
    y, y_hat = float_array(student, "y"), float_array(student, "y_hat")
    slope = None
    if y is not None and y_hat is not None and y.shape == y_hat.shape:
        with np.errstate(all="ignore"):
            slope = cross_entropy_slope(y, y_hat)
    assert has_difference(student, "bce_loss", slope), "no finite difference of bce_loss was found"


@pytest.mark.question("1.2k", points=0.5, hidden=True)
def test_loss_of_batch(student):
    """Both functions work on a column of predictions, and leave their arguments as they were."""
    rng = np.random.default_rng(23)
    y = rng.integers(2, size=(7, 1)).astype(float)
    y_hat = rng.uniform(0.05, 0.95, size=(7, 1))
    formulas = {"bce_loss": cross_entropy, "bce_loss_grad": cross_entropy_slope}
    for name, formula in formulas.items():
        call = function(student, name).call(y, y_hat)
        assert_unchanged(call, (y, y_hat), name=name)
        assert_close(call.value, formula(y, y_hat), name=f"{name}(y, y_hat)", **CLIPPED)
