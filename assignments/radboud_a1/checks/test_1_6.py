"""1.6: training. The accuracy of a trained network is measured here, on the held-out digits."""

import contextlib
import re
from pathlib import Path

import numpy as np
import pytest
from radboud_a1_shared import finite, function

from grader.checks import agrees, assert_close, load_module

PARTS = ["1.2b", "1.2f", "1.2k", "1.4a", "1.4b", "1.4c"]

# --- fit --------------------------------------------------------------------

PROBE = """
class ProbeNet:
    def forward(self, x):
        probe_log.append("forward %g" % x[0, 0])
        probe_rows.append(float(len(x)))
        return np.full((len(x), 1), 0.5), "trace"

    def backward(self, trace, dy):
        probe_log.append("backward " + trace)
        probe_shapes.append(float(dy.size))

    def step(self, step_size):
        probe_log.append("step %g" % step_size)

probe_log, probe_rows, probe_shapes = [], [], []
probe_x = {"train": np.arange(14.0).reshape(7, 2), "test": 100 + np.arange(8.0).reshape(4, 2)}
probe_y = {"train": np.array([0.0, 1, 0, 1, 0, 1, 1]), "test": np.array([1.0, 0, 1, 0])}
fit(ProbeNet(), probe_x, probe_y, epochs=2, learning_rate=0.25, mb_size=3)
"""


@pytest.mark.question("1.6a", points=1, needs=["1.2k"])
def test_fit(student):
    """fit trains on every full minibatch of the training set, and tests without training."""
    student.execute(PROBE)
    training = [["forward 0", "backward trace", "step 0.25"]]
    training += [["forward 6", "backward trace", "step 0.25"]]
    epoch = training[0] + training[1] + ["forward 100"]
    assert student.probe_log == epoch * 2, "fit does not go through the minibatches as given"
    assert_close(student.probe_rows, [3.0] * 6, name="the sizes of the minibatches")
    assert_close(student.probe_shapes, [3.0] * 4, name="the sizes of the gradients")


# --- networks ---------------------------------------------------------------

# One letter a layer: (L)inear, (R)eLU, (S)igmoid, (?) anything else.
FORMS = {
    "1.6b": (r"LRLS", "a linear layer, a ReLU, a linear layer and a sigmoid"),
    "1.6d": (r"LS", "a linear layer and a sigmoid"),
    "1.6f": (r"LLS", "two linear layers and a sigmoid"),
    "1.6h": (r"(L[RS?]*){3,}L+S", "at least four linear layers, and a sigmoid at the end"),
}
ACCURACIES = {"1.6b": 0.90, "1.6d": 0.80, "1.6f": 0.80, "1.6h": 0.85}

# Keeps every network that is trained while the question's cells run again.
RECORD = """
import copy as probe_copy

probe_nets, probe_fit = [], fit

def fit(net, *arguments, **keywords):
    result = probe_fit(net, *arguments, **keywords)
    probe_nets.append(probe_copy.deepcopy(net))
    return result
"""


def load_digits():
    """The test set."""
    x, y = load_module(Path(__file__).parents[1] / "data.py").digits()
    return x["test"], y["test"]


def trained_nets(student):
    """The network in `net`, then all that the question's cells train."""
    if "net" in student:
        yield student["net"]
    copy = student.before()
    copy.execute(RECORD)
    # Where a line fails, the networks trained before it still count.
    with contextlib.suppress(AssertionError):
        copy.run_answer()
    found = copy.probe_nets
    yield from found if isinstance(found, list) else []


def assert_some_net(student, judge):
    """One of the question's networks passes; the first failure is the one that is told."""
    failures = []
    for net in trained_nets(student):
        try:
            judge(net)
            return
        except AssertionError as error:
            failures.append(error)
    assert failures, "no network was trained"
    raise failures[0]


def read_layers(net):
    """(letter, W, b) of each layer, judged by what it computes."""
    layers = net.layers if hasattr(net, "type_name") else None
    is_list = isinstance(layers, list | tuple) and all(hasattr(x, "type_name") for x in layers)
    assert is_list, "`net` is not a Net with a list of layers"
    read = [read_layer(layer) for layer in layers]
    return [layer for layer in read if layer[0] != "I"]


def read_layer(layer):
    forward = function(layer, "forward")
    weights = read_weights(layer)
    if weights is not None:
        W, b = weights
        x = np.random.default_rng(7).normal(size=(3, W.shape[0]))
        return ("L" if fits(forward(x), x @ W + b) else "?", W, b)
    x = np.linspace(-2.1, 1.9, 9).reshape(1, 9)
    known = {"R": np.maximum(x, 0), "S": 1 / (1 + np.exp(-x)), "I": x}
    y = forward(x)
    letters = [k for k, value in known.items() if agrees(y, value, relative_tolerance=1e-6)]
    return (letters[0] if letters else "?", None, None)


def fits(actual, expected):
    """Whether the values agree; a network that diverged holds none that can be compared."""
    return not np.all(np.isfinite(expected)) or agrees(actual, expected, relative_tolerance=1e-6)


def read_weights(layer):
    """W and b of a layer that has them."""
    try:
        W, b = layer.W, layer.b
    except AssertionError:
        return None
    is_pair = all(isinstance(a, np.ndarray) and a.dtype.kind in "iuf" for a in (W, b))
    return (W, b.ravel()) if is_pair and W.ndim == 2 and b.size == W.shape[1] else None


def assert_form(net, question):
    layers = read_layers(net)
    pattern, words = FORMS[question]
    form = "".join(letter for letter, _, _ in layers)
    assert re.fullmatch(pattern, form), f"`net` must be {words}"
    return layers


def assert_sizes(net, question, sizes=None):
    """The linear layers fit the data, and have the sizes that the question gives."""
    weights = [W.shape for letter, W, _ in assert_form(net, question) if letter == "L"]
    assert weights[0][0] == 64, "the first layer must take the 64 features"
    assert weights[-1][1] == 1, "the last layer must have 1 output"
    assert sizes is None or weights == sizes, "a linear layer has another size than was asked for"


def assert_accuracy(net, question):
    """The network of this form tells the held-out digits apart."""
    layers = assert_form(net, question)
    x, y = load_digits()
    output = function(net, "forward")(x)
    prediction = output[0] if isinstance(output, tuple) and output else output
    assert isinstance(prediction, np.ndarray), "net.forward(x) does not return an array"
    scores = finite(prediction.reshape(-1), (len(y),), "the output of your network")
    if all(letter in "LRS" for letter, _, _ in layers):
        is_composed = agrees(scores, compose(layers, x), absolute_tolerance=1e-6)
        assert is_composed, "net.forward(x) is not what the layers compute one after the other"
    accuracy = np.mean((scores > 0.5) == (y > 0.5))
    needed = ACCURACIES[question]
    assert accuracy >= needed, (
        f"the test accuracy of your network is {accuracy:.3f}, and should be at least {needed:.2f}"
    )


def compose(layers, x):
    """What layers with these weights compute."""
    for letter, W, b in layers:
        if letter == "L":
            x = x @ W + b
        elif letter == "R":
            x = np.maximum(x, 0)
        else:
            x = 1 / (1 + np.exp(-np.clip(x, -700, 700)))
    return x.reshape(-1)


@pytest.mark.question("1.6b", points=0.5, needs=PARTS, rerun=True)
def test_two_layer_form(student):
    """Your network has the layers and the sizes that the question describes."""
    assert_some_net(student, lambda net: assert_sizes(net, "1.6b", [(64, 32), (32, 1)]))


@pytest.mark.question("1.6b", points=0.5, needs=PARTS, rerun=True)
def test_two_layer_accuracy(student):
    """A network that you trained here classifies the test digits well."""
    assert_some_net(student, lambda net: assert_accuracy(net, "1.6b"))


@pytest.mark.question("1.6d", points=0.5, needs=PARTS, rerun=True)
def test_single_layer_form(student):
    """Your network is one linear layer from the features to the output, and a sigmoid."""
    assert_some_net(student, lambda net: assert_sizes(net, "1.6d"))


@pytest.mark.question("1.6d", points=0.5, needs=PARTS, rerun=True)
def test_single_layer_accuracy(student):
    """A network that you trained here classifies the test digits reasonably."""
    assert_some_net(student, lambda net: assert_accuracy(net, "1.6d"))


@pytest.mark.question("1.6f", points=0.5, needs=PARTS, rerun=True)
def test_two_linear_form(student):
    """Your network has two linear layers with nothing between them, and a sigmoid."""
    assert_some_net(student, lambda net: assert_sizes(net, "1.6f"))


@pytest.mark.question("1.6f", points=0.5, needs=PARTS, rerun=True)
def test_two_linear_accuracy(student):
    """A network that you trained here classifies the test digits reasonably."""
    assert_some_net(student, lambda net: assert_accuracy(net, "1.6f"))


@pytest.mark.question("1.6h", points=0.5, needs=PARTS, rerun=True)
def test_deep_form(student):
    """Your network has at least four linear layers, and a sigmoid at the end."""
    assert_some_net(student, lambda net: assert_sizes(net, "1.6h"))


@pytest.mark.question("1.6h", points=0.5, needs=PARTS, rerun=True)
def test_deep_accuracy(student):
    """A network that you trained here classifies the test digits well."""
    assert_some_net(student, lambda net: assert_accuracy(net, "1.6h"))
