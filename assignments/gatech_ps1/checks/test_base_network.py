"""5.softmax, 5.cross_entropy, 5.accuracy, 5.sigmoid and 5.relu: what both networks share."""

import numpy as np
import pytest
from gatech_ps1_shared import (
    LOSS_TOLERANCE,
    TOLERANCE,
    base_network,
    fitting,
    method,
    numbers,
)

import reference
from grader.checks import (
    DiagnosisContext,
    assert_close,
    assert_number,
    assert_right_or_consistent,
    assert_unchanged,
    check_derivative,
)

N, K = 7, 5
# One of the classes is not among the labels, and neither is the last.
LABELS = np.array([3, 0, 1, 3, 0, 1, 1])
SUMMED = "You add up the losses of the examples: what does the loss of a batch average over?"
POSITIVE = "The loss has the wrong sign: the logarithm of a probability is negative."
NO_EXPONENTIAL = "Your numbers add up to 1, but they are not made of exponentials."
COUNTED = "You count the right answers: what share of the batch are they?"
PERCENT = "You give percents: the accuracy is a share between 0 and 1."
ERRORS = "This is the share of the wrong answers."


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def probabilities(seed, n=N, k=K):
    return reference.softmax(2 * normal(seed, n, k))


# --- softmax


@pytest.mark.question("5.softmax", points=1.2)
def test_softmax(student):
    """softmax(scores) gives each row's probabilities."""
    scores = normal(1, N, K)
    actual = method(base_network(student), "softmax")(scores)
    # Who takes the wrong sum may have shifted the scores before.
    shifted = [np.exp(scores), np.exp(scores - scores.max(axis=1, keepdims=True))]
    known = {
        "softmax_wrong_axis": fitting(actual, [e / e.sum(axis=0, keepdims=True) for e in shifted]),
        "softmax_whole_batch": fitting(actual, [e / e.sum() for e in shifted]),
        "no_exponential": (NO_EXPONENTIAL, scores / scores.sum(axis=1, keepdims=True)),
    }
    expected = reference.softmax(scores)
    assert_close(actual, expected, name="softmax(scores)", known=known, **TOLERANCE)


@pytest.mark.question("5.softmax", points=0.4)
def test_softmax_of_large_scores(student):
    """softmax(scores) stays finite for scores of 1000 and -1000."""
    scores = np.array([[1000.0, 999.0, 998.0], [-1000.0, -1001.0, 0.0], [3.0, -1000.0, 1000.0]])
    actual = method(base_network(student), "softmax")(scores)
    assert_close(actual, reference.softmax(scores), name="softmax(scores)", **TOLERANCE)


@pytest.mark.question("5.softmax", points=0.4, hidden=True)
def test_softmax_sizes(student):
    """softmax works for a batch of any size and leaves its argument as it was."""
    softmax = method(base_network(student), "softmax")
    for n, k in [(1, 3), (3, 3), (11, 2)]:
        scores = normal(2 + n, n, k)
        call = softmax.call(scores)
        assert_close(call.value, reference.softmax(scores), name="softmax(scores)", **TOLERANCE)
        assert_unchanged(call, (scores,), name="softmax")


# --- cross-entropy


@pytest.mark.question("5.cross_entropy", points=1.0)
def test_cross_entropy(student):
    """cross_entropy_loss(x_pred, y) is the mean cross-entropy of the batch."""
    x_pred = probabilities(11)
    losses = -np.log(x_pred[np.arange(N), LABELS])
    known = {
        "summed": (SUMMED, losses.sum()),
        "positive": (POSITIVE, -losses.mean()),
    }
    actual = method(base_network(student), "cross_entropy_loss")(x_pred, LABELS)
    expected = reference.cross_entropy(LABELS, x_pred, "mean")
    name = "cross_entropy_loss(x_pred, y)"
    assert_close(actual, expected, name=name, known=known, **LOSS_TOLERANCE)


@pytest.mark.question("5.cross_entropy", points=0.3)
def test_cross_entropy_beside_zero(student):
    """A probability of exactly 0 for a class that is not the label does not matter."""
    x_pred = np.array([[0.75, 0.25, 0.0], [0.0, 0.5, 0.5]])
    actual = method(base_network(student), "cross_entropy_loss")(x_pred, np.array([0, 2]))
    expected = -np.log([0.75, 0.5]).mean()
    assert_close(actual, expected, name="cross_entropy_loss(x_pred, y)", **LOSS_TOLERANCE)


@pytest.mark.question("5.cross_entropy", points=0.7, hidden=True)
def test_cross_entropy_sizes(student):
    """cross_entropy_loss works for any sizes and leaves its arguments as they were."""
    cross_entropy_loss = method(base_network(student), "cross_entropy_loss")
    for n, k in [(1, 4), (3, 11), (13, 4)]:
        x_pred, y = probabilities(12 + n, n, k), np.arange(n) % (k - 1)
        call = cross_entropy_loss.call(x_pred, y)
        expected = reference.cross_entropy(y, x_pred, "mean")
        assert_close(call.value, expected, name="cross_entropy_loss(x_pred, y)", **LOSS_TOLERANCE)
        assert_unchanged(call, (x_pred, y), name="cross_entropy_loss")


# --- accuracy


@pytest.mark.question("5.accuracy", points=0.6)
def test_accuracy(student):
    """compute_accuracy(x_pred, y) is the share of rows whose largest probability is the label's."""
    x_pred = probabilities(21)
    hits = np.argmax(x_pred, axis=1) == LABELS
    assert 0 < hits.sum() < N / 2  # so that the wrong answers below differ
    known = {
        "counted": (COUNTED, hits.sum()),
        "percent": (PERCENT, 100 * hits.mean()),
        "error_rate": (ERRORS, 1 - hits.mean()),
    }
    actual = method(base_network(student), "compute_accuracy")(x_pred, LABELS)
    assert_close(actual, hits.mean(), name="compute_accuracy(x_pred, y)", known=known, **TOLERANCE)


@pytest.mark.question("5.accuracy", points=0.4, hidden=True)
def test_accuracy_sizes(student):
    """compute_accuracy is right for batches with none, some and all labels found."""
    compute_accuracy = method(base_network(student), "compute_accuracy")
    for n, right in [(1, 0), (1, 1), (11, 11), (13, 5)]:
        x_pred = probabilities(22 + n, n, 6)
        y = np.argmax(x_pred, axis=1)
        y[right:] = (y[right:] + 1) % 6
        call = compute_accuracy.call(x_pred, y)
        assert_close(call.value, right / n, name="compute_accuracy(x_pred, y)", **TOLERANCE)
        assert_unchanged(call, (x_pred, y), name="compute_accuracy")


# --- sigmoid and ReLU


def off_zero(seed, *shape):
    """Numbers on both sides of 0, none of them near it."""
    rng = np.random.default_rng(seed)
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.2, 4.0, size=shape)


def assert_derivative(network, value, slope, x, expected):
    """The derivative is right, or that of the student's own function."""
    f, df = method(network, value), method(network, slope)
    context = DiagnosisContext(upstream=np.ones_like(x))
    name = f"{slope}(x)"
    assert_right_or_consistent(
        df(x),
        expected,
        lambda: check_derivative(f, df, at=x, name=name, context=context),
        name,
        **TOLERANCE,
    )


@pytest.mark.question("5.sigmoid", points=0.35)
def test_sigmoid(student):
    """sigmoid(X) is the sigmoid of every element."""
    x = off_zero(31, 3, 5)
    actual = method(base_network(student), "sigmoid")(x)
    assert_close(actual, reference.sigmoid(x), name="sigmoid(X)", **TOLERANCE)


@pytest.mark.question("5.sigmoid", points=0.45)
def test_sigmoid_derivative(student):
    """sigmoid_dev(x) is the derivative of your sigmoid at x."""
    x = off_zero(32, 3, 5)
    network = base_network(student)
    assert_derivative(network, "sigmoid", "sigmoid_dev", x, reference.sigmoid_derivative(x))


@pytest.mark.question("5.sigmoid", points=0.2, hidden=True)
def test_sigmoid_far_out(student):
    """sigmoid and sigmoid_dev stay finite at 800 and -800 and leave their argument as it was."""
    x = np.array([[-800.0, -30.0, 0.0], [30.0, 800.0, 1.0]])
    network = base_network(student)
    for name in ("sigmoid", "sigmoid_dev"):
        call = method(network, name).call(x)
        assert_unchanged(call, (x,), name=name)
        numbers(call.value, x.shape, f"{name}(X)")
    actual = method(network, "sigmoid")(x)
    assert_close(actual, reference.sigmoid(x), name="sigmoid(X)", **TOLERANCE)


def assert_derivative_of_own(student, value, slope):
    """A slope is the derivative of the student's own function."""
    network, x = base_network(student), off_zero(71, 3, 5)
    check_derivative(method(network, value), method(network, slope), at=x, name=f"{slope}(x)")


@pytest.mark.question("5.sigmoid", at_home=True)
def test_derivative_of_own_sigmoid(student):
    """sigmoid_dev(x) is the derivative of your sigmoid at x."""
    assert_derivative_of_own(student, "sigmoid", "sigmoid_dev")


@pytest.mark.question("5.relu", at_home=True)
def test_derivative_of_own_relu(student):
    """ReLU_dev(X) is the derivative of your ReLU at X."""
    assert_derivative_of_own(student, "ReLU", "ReLU_dev")


@pytest.mark.question("5.relu", points=0.35)
def test_relu(student):
    """ReLU(X) is the ReLU of every element."""
    x = off_zero(41, 3, 5)
    actual = method(base_network(student), "ReLU")(x)
    assert_close(actual, reference.relu(x), name="ReLU(X)", **TOLERANCE)


@pytest.mark.question("5.relu", points=0.45)
def test_relu_derivative(student):
    """ReLU_dev(X) is the derivative of your ReLU at X."""
    x = off_zero(42, 3, 5)
    assert_derivative(base_network(student), "ReLU", "ReLU_dev", x, reference.relu_derivative(x))


@pytest.mark.question("5.relu", points=0.2, hidden=True)
def test_relu_at_zero(student):
    """ReLU and ReLU_dev leave their argument as it was, and the slope at 0 is between 0 and 1."""
    x = np.array([[-2.0, 0.0, 3.0]])
    network = base_network(student)
    value, slope = method(network, "ReLU").call(x), method(network, "ReLU_dev").call(x)
    assert_unchanged(value, (x,), name="ReLU")
    assert_unchanged(slope, (x,), name="ReLU_dev")
    assert_close(value.value, [[0.0, 0.0, 3.0]], name="ReLU(X)", **TOLERANCE)
    slopes = numbers(slope.value, x.shape, "ReLU_dev(X)")
    at_zero = assert_number(slopes[0, 1], name="ReLU_dev(0)")
    assert 0 <= at_zero <= 1, f"ReLU_dev(0) is {at_zero:g}, which lies between no two slopes"
    assert_close(slopes[:, [0, 2]], [[0.0, 1.0]], name="ReLU_dev at -2 and 3", **TOLERANCE)
