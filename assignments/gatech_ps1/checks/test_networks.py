"""5.softmax_regression and 5.two_layer: the loss, the accuracy and the gradients of the networks.

A network is judged by its own form where the text leaves a choice (a ReLU on the scores of the
softmax regression), and a gradient by the student's own forward pass where that is wrong.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from gatech_ps1_shared import (
    LOSS_AT,
    LOSS_TOLERANCE,
    TOLERANCE,
    made,
    method,
    numbers,
    parameters,
)

import reference
from grader.checks import (
    DiagnosisContext,
    agrees,
    assert_close,
    assert_right_or_consistent,
    assert_tuple,
    check_gradient,
)

BIAS_INSIDE = (
    "You add the bias to the weights before you multiply by the inputs: each example then adds "
    "its bias times the sum of its inputs."
)
NO_BIAS = "Your output does not depend on the bias."
NO_SIGMOID = "The hidden layer lacks its activation."
RELU_HIDDEN = "The hidden layer has a ReLU where a sigmoid is asked for."
PENALTY = "The loss holds a penalty for large weights: leave that to the optimizer."
RELU_FORGOTTEN = (
    "Your forward pass has a ReLU between the scores and the softmax, your gradient passes by it."
)
RELU_IMAGINED = "Your gradient is that of a network with a ReLU on its scores, and yours has none."
PILED_UP = "The gradients of earlier calls are still in it: what should one call of forward store?"
SHARED = ["5.softmax", "5.cross_entropy", "5.accuracy", "5.sigmoid", "5.relu"]


@dataclass(frozen=True)
class Batch:
    """A batch, and the parameters of the network that gets it."""

    X: np.ndarray
    y: np.ndarray
    weights: dict[str, np.ndarray]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: value.shape for name, value in self.weights.items()}


def labels(rng, n, k):
    """Labels of which one class in the middle and the last are missing."""
    present = np.delete(np.arange(k - 1), (k - 1) // 2) if k > 3 else np.arange(k)
    return rng.permutation(np.resize(present, n))


def batch(seed, n, n_in, n_class, n_hid=0):
    """Weights of a size at which no gradient vanishes; biases that are not 0."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(0.1, 1.0, size=(n, n_in))
    sizes = [n_in, n_hid, n_class] if n_hid else [n_in, n_class]
    weights = {}
    for layer, (a, b) in enumerate(pairwise(sizes), start=1):
        weights[f"W{layer}"] = rng.normal(size=(a, b)) / np.sqrt(a / 10)
        if n_hid:
            weights[f"b{layer}"] = rng.normal(size=b)
    return Batch(X, labels(rng, n, n_class), weights)


class Network:
    """The student's network, holding the parameters of a batch."""

    def __init__(self, student: Any, given: Batch) -> None:
        n_in, n_class = given.X.shape[1], list(given.weights.values())[-1].shape[-1]
        sizes = {"input_size": n_in, "num_classes": n_class}
        if "W2" in given.weights:
            sizes["hidden_size"] = given.weights["W1"].shape[1]
            module, name = "models.two_layer_nn", "TwoLayerNet"
        else:
            module, name = "models.softmax_regression", "SoftmaxRegression"
        self.student, self.given = student, given
        self.model = made(method(student.module(module), name)(**sizes), name)
        self.model.weights = dict(given.weights)

    def forward(self, **keywords) -> tuple[Any, Any]:
        """The loss and the accuracy."""
        result = method(self.model, "forward")(self.given.X, self.given.y, **keywords)
        return assert_tuple(result, 2, name="forward(X, y)")

    def gradients(self) -> dict[str, np.ndarray]:
        self.forward()
        return parameters(self.model, "gradients", self.given.shapes)

    def loss_at(self, name: str) -> Any:
        """The student's own loss as a function of one parameter."""
        self.student.execute(LOSS_AT)
        return self.student.nn_loss_at(self.model, name, self.given.X, self.given.y)

    def gradient_at(self, name: str) -> Any:
        """The student's gradient as a function of one parameter."""

        def gradient(value):
            self.model.weights = {**self.given.weights, name: value}
            return self.gradients()[name]

        return gradient


def right_network(given: Batch, *, relu_scores: bool = False) -> reference.networks.MLP:
    """The reference's network with the same parameters."""
    rng = np.random.default_rng(0)
    n_in, n_class = given.X.shape[1], list(given.weights.values())[-1].shape[-1]
    if "W2" in given.weights:
        n_hid = given.weights["W1"].shape[1]
        made_here = reference.TwoLayerNet(n_in, n_hid, n_class, rng)
    else:
        made_here = reference.SoftmaxRegression(n_in, n_class, rng, relu_scores=relu_scores)
    made_here.parameters = dict(given.weights)
    return made_here


def loss_of(scores, y):
    return reference.softmax_cross_entropy(y, scores, "mean")


def accuracy_of(scores, y):
    return np.mean(np.argmax(scores, axis=1) == y)


def assert_loss(network, expected, known):
    name = "the loss that forward(X, y) returns"
    assert_close(network.forward()[0], expected, name=name, known=known, **LOSS_TOLERANCE)


def assert_gradient(network, name, expected, variants):
    """A gradient is right, or fits the student's own loss."""
    given = network.given
    gradient = network.gradients()[name]
    if gradient.size == expected.size and name.startswith("b"):
        # A bias may be a vector or one row.
        gradient = gradient.reshape(expected.shape)
    start = given.weights[name]
    context = DiagnosisContext(
        batch_size=len(given.X),
        n_features=given.X.shape[1],
        n_classes=list(given.weights.values())[-1].shape[-1],
        n_hidden=given.weights["W1"].shape[1] if "W2" in given.weights else None,
        variants=variants,
    )
    title = f"gradients[{name!r}]"
    assert_right_or_consistent(
        gradient,
        expected,
        lambda: check_gradient(
            network.loss_at(name),
            network.gradient_at(name),
            at=start,
            name=title,
            context=context,
        ),
        title,
        **TOLERANCE,
    )


def assert_gradient_of_any_size(network, name, expected):
    """The same, and no name for a mistake: small batches and few classes make them look alike."""
    given = network.given
    title = f"gradients[{name!r}] for {len(given.X)} x {given.X.shape[1]} inputs"
    gradient = network.gradients()[name]
    if name.startswith("b") and gradient.size == expected.size:
        gradient = gradient.reshape(expected.shape)
    if agrees(gradient, expected, **TOLERANCE):
        return
    result = check_gradient(
        network.loss_at(name), network.gradient_at(name), at=given.weights[name], raises=False
    )
    if result.status != "passed":
        assert_close(gradient, expected, name=title, **TOLERANCE)


def assert_no_memory(network, expected):
    """A second call stores the same gradients as the first."""
    first = {name: value.copy() for name, value in network.gradients().items()}
    for name, second in network.gradients().items():
        once = numbers(first[name], first[name].shape, f"gradients[{name!r}]")
        known = {"accumulated": (PILED_UP, 2 * once)}
        title = f"gradients[{name!r}] after a second call"
        assert_close(second, once, name=title, known=known, **TOLERANCE)


def assert_valid_mode(network):
    """The mode "valid" gives the same numbers and leaves weights and gradients alone."""
    network.gradients()
    before = parameters(network.model, "gradients", network.given.shapes)
    loss, accuracy = network.forward()
    valid_loss, valid_accuracy = network.forward(mode="valid")
    assert_close(valid_loss, numbers(loss, (), "the loss"), name="the loss in the mode 'valid'")
    expected = numbers(accuracy, (), "the accuracy")
    assert_close(valid_accuracy, expected, name="the accuracy in the mode 'valid'")
    after = parameters(network.model, "gradients", network.given.shapes)
    weights = parameters(network.model, "weights", network.given.shapes)
    for name in before:
        expected = numbers(before[name], before[name].shape, f"gradients[{name!r}]")
        assert_close(after[name], expected, name=f"gradients[{name!r}] after the mode 'valid'")
        start = network.given.weights[name]
        assert_close(weights[name], start, name=f"weights[{name!r}] after forward")


# --- softmax regression


@cache
def regression_batch():
    given = batch(1, 7, 11, 5)
    scores = given.X @ given.weights["W1"]
    # The two forms differ: there are scores of both signs in every row.
    assert (scores < 0).any(axis=1).all()
    assert (scores > 0).any(axis=1).all()
    return given


def regression(student, given=None):
    """The student's softmax regression, and whether it has a ReLU on its scores."""
    network = Network(student, given or regression_batch())
    forms = {relu: right_network(network.given, relu_scores=relu) for relu in (False, True)}
    loss = network.forward()[0]
    X, y = network.given.X, network.given.y
    fitting = [r for r, n in forms.items() if agrees(loss, n.loss(X, y), **LOSS_TOLERANCE)]
    return network, forms, bool(fitting and fitting[0])


def regression_variants(network, has_relu):
    """Wrong gradients for W1."""
    given = network.given
    scores = given.X @ given.weights["W1"]
    shown = np.maximum(scores, 0) if has_relu else scores
    d_shown = reference.softmax_cross_entropy_gradient(given.y, shown, "mean")
    d_other = d_shown if has_relu else d_shown * (scores > 0)
    code = ("relu_forgotten", RELU_FORGOTTEN) if has_relu else ("relu_imagined", RELU_IMAGINED)
    targets = reference.one_hot(given.y, scores.shape[1])
    return {
        code[0]: (code[1], given.X.T @ d_other),
        "labels_ignored": given.X.T @ (d_shown + targets / len(given.y)),
    }


@pytest.mark.question("5.softmax_regression", points=0.9, needs=SHARED)
def test_regression_loss(student):
    """SoftmaxRegression.forward returns the mean cross-entropy of the batch, without a penalty."""
    network, forms, has_relu = regression(student)
    given = network.given
    W = given.weights["W1"]
    loss = forms[has_relu].loss(given.X, given.y)
    known = {"penalised": (PENALTY, loss + 0.5e-3 * np.sum(W**2))}
    assert_loss(network, loss, known)


@pytest.mark.question("5.softmax_regression", points=0.3, needs=SHARED)
def test_regression_accuracy(student):
    """SoftmaxRegression.forward returns the accuracy of the batch behind the loss."""
    network, _, _ = regression(student)
    scores = network.given.X @ network.given.weights["W1"]
    expected = accuracy_of(scores, network.given.y)
    name = "the accuracy that forward(X, y) returns"
    assert_close(network.forward()[1], expected, name=name, **TOLERANCE)


@pytest.mark.question("5.softmax_regression", points=1.5, needs=SHARED)
def test_regression_gradient(student):
    """SoftmaxRegression.forward stores the gradient of the loss for W1."""
    network, forms, has_relu = regression(student)
    expected = forms[has_relu].gradient(network.given.X, network.given.y)["W1"]
    assert_gradient(network, "W1", expected, regression_variants(network, has_relu))


@pytest.mark.question("5.softmax_regression", points=0.3, needs=SHARED)
def test_regression_modes(student):
    """A second call stores the same gradient, and the mode "valid" changes nothing."""
    network, _, _ = regression(student)
    assert_no_memory(network, network.given.weights)
    assert_valid_mode(network)


def assert_derivatives_of_own_loss(student, given):
    """What forward stores is the derivative of what it returns, in each parameter."""
    network = Network(student, given)
    for name, value in given.weights.items():
        check_gradient(
            network.loss_at(name),
            network.gradient_at(name),
            at=value,
            name=f"the gradient for {name}",
            context=DiagnosisContext(batch_size=len(given.y), is_bias=name.startswith("b")),
        )


@pytest.mark.question("5.softmax_regression", at_home=True)
def test_derivative_of_regression_loss(student):
    """SoftmaxRegression.forward stores the derivatives of the loss that it returns."""
    assert_derivatives_of_own_loss(student, batch(71, 7, 5, 4))


@pytest.mark.question("5.two_layer", at_home=True)
def test_derivatives_of_two_layer_loss(student):
    """TwoLayerNet.forward stores the derivatives of the loss that it returns."""
    assert_derivatives_of_own_loss(student, batch(72, 7, 5, 4, n_hid=3))


@pytest.mark.question("5.softmax_regression", points=0.5, needs=SHARED, hidden=True)
def test_regression_sizes(student):
    """SoftmaxRegression works for any sizes, and for batches that lack a class."""
    for n, n_in, k in [(1, 5, 3), (3, 4, 6), (13, 3, 7)]:
        network, forms, has_relu = regression(student, batch(2 + n, n, n_in, k))
        right = forms[has_relu]
        assert_loss(network, right.loss(network.given.X, network.given.y), {})
        expected = right.gradient(network.given.X, network.given.y)["W1"]
        assert_gradient_of_any_size(network, "W1", expected)


# --- the two-layer network


@cache
def two_layer_batch():
    given = batch(10, 7, 11, 5, n_hid=3)
    hits = np.argmax(two_layer_pass(given).scores, axis=1) == given.y
    # The accuracy says something: some examples are right, and the first one is not.
    assert hits.any()
    assert not hits[0]
    return given


@dataclass(frozen=True)
class TwoLayerPass:
    """The steps of the right forward and backward pass, of which wrong answers are made."""

    before: np.ndarray
    hidden: np.ndarray
    scores: np.ndarray
    d_scores: np.ndarray
    d_hidden: np.ndarray


def two_layer_pass(given):
    w = given.weights
    before = given.X @ w["W1"] + w["b1"]
    hidden = reference.sigmoid(before)
    scores = hidden @ w["W2"] + w["b2"]
    d_scores = reference.softmax_cross_entropy_gradient(given.y, scores, "mean")
    return TwoLayerPass(before, hidden, scores, d_scores, d_scores @ w["W2"].T)


def wrong_losses(given):
    w, X, y = given.weights, given.X, given.y
    right = two_layer_pass(given)
    inside = reference.sigmoid(X @ (w["W1"] + w["b1"]))
    squares = sum(np.sum(w[name] ** 2) for name in ("W1", "W2"))
    return {
        "bias_inside_product": (BIAS_INSIDE, loss_of(inside @ w["W2"] + w["b2"], y)),
        "bias_missing": (NO_BIAS, loss_of(reference.sigmoid(X @ w["W1"]) @ w["W2"], y)),
        "activation_missing": (NO_SIGMOID, loss_of(right.before @ w["W2"] + w["b2"], y)),
        "relu_for_sigmoid": (
            RELU_HIDDEN,
            loss_of(np.maximum(right.before, 0) @ w["W2"] + w["b2"], y),
        ),
        "penalised": (PENALTY, loss_of(right.scores, y) + 0.5e-3 * squares),
    }


def two_layer_variants(given):
    """Wrong gradients, by parameter."""
    right, X = two_layer_pass(given), given.X
    slope = right.hidden * (1 - right.hidden)
    d_before = right.d_hidden * slope
    # sigmoid_dev asked for the derivative at the output of the hidden layer
    twice = right.d_hidden * reference.sigmoid_derivative(right.hidden)
    wrong = {
        "missing_derivative": right.d_hidden,
        "extra_derivative": d_before * slope,
        "derivative_at_activation": twice,
    }
    inside = reference.sigmoid(X @ (given.weights["W1"] + given.weights["b1"]))
    d_inside = reference.softmax_cross_entropy_gradient(
        given.y, inside @ given.weights["W2"] + given.weights["b2"], "mean"
    )
    d_before_inside = (d_inside @ given.weights["W2"].T) * inside * (1 - inside)
    return {
        "W1": {code: X.T @ value for code, value in wrong.items()},
        "b1": {
            **{code: value.sum(axis=0) for code, value in wrong.items()},
            "bias_inside_product": (BIAS_INSIDE, d_before_inside.sum(axis=0)),
        },
        "W2": {"missing_activation": right.before.T @ right.d_scores},
        "b2": {},
    }


@pytest.mark.question("5.two_layer", points=1.25, needs=SHARED)
def test_two_layer_loss(student):
    """TwoLayerNet.forward returns the mean cross-entropy of the batch, without a penalty."""
    network = Network(student, two_layer_batch())
    given = network.given
    assert_loss(network, right_network(given).loss(given.X, given.y), wrong_losses(given))


@pytest.mark.question("5.two_layer", points=0.25, needs=SHARED)
def test_two_layer_accuracy(student):
    """TwoLayerNet.forward returns the accuracy of the batch behind the loss."""
    network = Network(student, two_layer_batch())
    expected = accuracy_of(two_layer_pass(network.given).scores, network.given.y)
    name = "the accuracy that forward(X, y) returns"
    assert_close(network.forward()[1], expected, name=name, **TOLERANCE)


@pytest.mark.question("5.two_layer", points=2.4, needs=SHARED)
@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
def test_two_layer_gradient(student, name):
    """TwoLayerNet.forward stores the gradient of the loss for each parameter."""
    network = Network(student, two_layer_batch())
    expected = right_network(network.given).gradient(network.given.X, network.given.y)
    assert_gradient(network, name, expected[name], two_layer_variants(network.given)[name])


@pytest.mark.question("5.two_layer", points=0.3, needs=SHARED)
def test_two_layer_modes(student):
    """A second call stores the same gradients, and the mode "valid" changes nothing."""
    network = Network(student, two_layer_batch())
    assert_no_memory(network, network.given.weights)
    assert_valid_mode(network)


@pytest.mark.question("5.two_layer", points=0.8, needs=SHARED, hidden=True)
def test_two_layer_sizes(student):
    """TwoLayerNet works for any sizes, and for batches that lack a class."""
    for n, n_in, k, n_hid in [(1, 5, 3, 4), (3, 4, 6, 2), (13, 3, 7, 5), (61, 784, 10, 128)]:
        network = Network(student, batch(32 + n, n, n_in, k, n_hid=n_hid))
        right = right_network(network.given)
        X, y = network.given.X, network.given.y
        assert_loss(network, right.loss(X, y), {})
        for name, expected in right.gradient(X, y).items():
            assert_gradient_of_any_size(network, name, expected)
