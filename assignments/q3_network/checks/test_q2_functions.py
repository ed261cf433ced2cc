"""Q2.1: activation and loss functions."""

import itertools

import numpy as np
import pytest
from q3_network_training import sigmoid, softmax

from grader.checks import (
    DiagnosisContext,
    GradientInconclusive,
    assert_close,
    assert_unchanged,
    check_derivative,
    check_gradient,
)

POINTS = np.array([-3.1, -1.2, -0.4, 0.0, 0.7, 1.9, 4.3])
SCORES = np.array([0.3, -1.1, 2.2, 0.9, -0.5])
TARGETS = np.array([0.4, 1.3, -0.6])
VALUES = np.array([1.1, -0.2, 0.5])
ONE_HOT = np.array([0.0, 0.0, 1.0, 0.0, 0.0])
PROBABILITIES = np.array([0.11, 0.23, 0.31, 0.05, 0.3])
SOFT_TARGETS = np.array([0.1, 0.2, 0.4, 0.05, 0.25])
FORMS = (lambda a: a, lambda a: a[None])

HALF = "Your loss is twice as large as it should be: look at the constant in its definition."
MEAN = "You average over the elements: what does the definition do with them?"
SIGN = "Your loss has the wrong sign."
ROOT = "Your loss is a square root: which power does the definition have?"
BASE = "Your logarithm has another base than e."
BOTH_CLASSES = "Your loss has a second term for what is not the class: does the definition?"
ELEMENTS = "You return the elements of the sum: a loss is one number."


def agrees(actual, expected):
    try:
        assert_close(actual, expected)
    except AssertionError:
        return False
    return True


@pytest.mark.question("Q2.1", points=1.5)
def test_sigmoid(student):
    """sigmoid(x) is right for a vector and for a row."""
    s = sigmoid(POINTS)
    for form in FORMS:
        known = {
            "negated_argument": ("Your sigmoid falls where it should rise.", form(1 - s)),
            "derivative_for_activation": (
                "Your sigmoid returns its own derivative.",
                form(s * (1 - s)),
            ),
        }
        assert_close(student.sigmoid(form(POINTS)), form(s), name="sigmoid(x)", known=known)


@pytest.mark.question("Q2.1", points=1.5)
def test_d_sigmoid(student):
    """d_sigmoid(x) is the derivative of your sigmoid at x."""
    right = sigmoid(POINTS) * (1 - sigmoid(POINTS))
    actual = student.d_sigmoid(POINTS)
    if agrees(actual, right):
        return
    f, df = student.function("sigmoid"), student.function("d_sigmoid")
    try:
        check_derivative(f, df, at=POINTS, name="d_sigmoid")
    except GradientInconclusive:
        assert_close(actual, right, name="d_sigmoid")


@pytest.mark.question("Q2.1", points=2)
@pytest.mark.parametrize("form", FORMS, ids=["vector", "row"])
def test_softmax(student, form):
    """softmax(x) is right for a vector, and for a row."""
    powers = np.exp(SCORES)
    known = {
        "softmax_wrong_axis": form(np.ones_like(SCORES)),
        "not_normalised": ("Your softmax does not add up to 1.", form(powers)),
        "log_softmax": (
            "Your softmax returns the logarithms of the probabilities.",
            form(np.log(softmax(SCORES))),
        ),
        "normalised_without_powers": (
            "Your softmax divides by a sum, but of what?",
            form(SCORES / SCORES.sum()),
        ),
    }
    actual = student.softmax(form(SCORES))
    assert_close(actual, form(softmax(SCORES)), name="softmax(x)", known=known)


@pytest.mark.question("Q2.1", points=1.5)
def test_l2_loss(student):
    """l2_loss(YTrue, YPredict) is right for a vector and for a row."""
    squares = 0.5 * (VALUES - TARGETS) ** 2
    loss = squares.sum()
    for form in FORMS:
        known = {
            "missing_half": (HALF, 2 * loss),
            "mean_for_sum": (MEAN, loss / 3),
            "mean_squares": (MEAN, 2 * loss / 3),
            "not_summed": (ELEMENTS, form(squares)),
            "sign": (SIGN, -loss),
            "root": (ROOT, np.sqrt(2 * loss)),
        }
        actual = student.l2_loss(form(TARGETS), form(VALUES))
        assert_close(actual, loss, name="l2_loss", known=known)


@pytest.mark.question("Q2.1", points=1.5)
def test_d_l2_loss(student):
    """d_l2_loss(YTrue, YPredict) is the derivative of your l2_loss for YPredict."""
    right = VALUES - TARGETS
    if agrees(student.d_l2_loss(TARGETS, VALUES), right):
        return

    def arguments(point):
        return TARGETS, point

    context = DiagnosisContext(n_classes=3)
    try:
        check_gradient(
            student.function("l2_loss").as_function(arguments=arguments),
            student.function("d_l2_loss").as_function(arguments=arguments),
            at=VALUES,
            name="d_l2_loss",
            context=context,
        )
    except GradientInconclusive:
        assert_close(student.d_l2_loss(TARGETS, VALUES), right, name="d_l2_loss")


@pytest.mark.question("Q2.1", points=1.5)
def test_cross_entropy_loss(student):
    """cross_entropy_loss(YTrue, YPredict) is right for a vector and for a row."""
    for targets, form in itertools.product((SOFT_TARGETS, ONE_HOT), FORMS):
        terms = -targets * np.log(PROBABILITIES)
        loss = terms.sum()
        known = {
            "sign": (SIGN, -loss),
            "mean_for_sum": (MEAN, loss / 5),
            "not_summed": (ELEMENTS, form(terms)),
            "other_base": (BASE, loss / np.log(2)),
            "decimal_base": (BASE, loss / np.log(10)),
            "both_classes": (
                BOTH_CLASSES,
                loss - np.sum((1 - targets) * np.log(1 - PROBABILITIES)),
            ),
        }
        if targets is SOFT_TARGETS:
            known["swapped_arguments"] = -np.sum(PROBABILITIES * np.log(targets))
        actual = student.cross_entropy_loss(form(targets), form(PROBABILITIES))
        assert_close(actual, loss, name="cross_entropy_loss", known=known)


@pytest.mark.question("Q2.1", points=0.5, hidden=True)
def test_arguments(student):
    """The functions leave their arguments as they were."""
    for name, arguments in (
        ("sigmoid", (POINTS,)),
        ("d_sigmoid", (POINTS,)),
        ("softmax", (SCORES,)),
        ("l2_loss", (TARGETS, VALUES)),
        ("d_l2_loss", (TARGETS, VALUES)),
        ("cross_entropy_loss", (SOFT_TARGETS, PROBABILITIES)),
    ):
        assert_unchanged(student.function(name).call(*arguments), arguments, name=name)
