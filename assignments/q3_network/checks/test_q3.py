"""Q3: the experiments on digits, run again on a part of the data and recomputed.

The question's cells are run in a copy in which `fit` is a fast one that notes its settings, so
that long experiments cost little, and so that a wrong `fit` is not charged for a second time.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from q3_network_shared import HELPERS
from q3_network_training import ACTIVATIONS, Net, Settings, forward, mean_gradients, moved

from grader.checks import assert_close, assert_number, assert_shape, load_module

STRIDE = 17
NEEDED = ["Q2.1", "Q2.3"]
SCORES = ("Accuracy", "F1 (Macro)")
SETTINGS = ("epochs", "learning_rate", "reg_lambda")
NOTED = {"X", "weights", "biases", "activations", *SETTINGS}
MAX_EPOCHS = 20_000
UNKNOWN = "unknown"
ROUNDING = {"relative_tolerance": 0.0, "absolute_tolerance": 6e-4}

PROBE = f"""
import itertools as _itertools
import matplotlib.pyplot as _plt

_plt.show = lambda *arguments, **keywords: _plt.close("all")

def _rows(name):
    with open("dataset/Digit_" + name + ".csv") as _file:
        lines = list(_itertools.islice(_file, 0, None, {STRIDE}))
    return _np.loadtxt(lines, delimiter=",", ndmin=2)

XTrain, XTest, YTrain, YTest = map(_rows, ("X_train", "X_test", "y_train", "y_test"))
YTrain_encoded, YTest_encoded = (_np.eye(10)[y.ravel().astype(int)] for y in (YTrain, YTest))

# The activations that `_fit` knows, and their derivatives; the softmax's is in the loss's.
_KINDS = {{
    "sigmoid": (lambda z: 1 / (1 + _np.exp(-z)), lambda a: a * (1 - a)),
    "softmax": (
        lambda z: (lambda p: p / p.sum(axis=1, keepdims=True))(
            _np.exp(z - z.max(axis=1, keepdims=True))
        ),
        _np.ones_like,
    ),
    "tanh": (_np.tanh, lambda a: 1 - a * a),
    "relu": (lambda z: _np.maximum(z, 0), lambda a: 1.0 * (a > 0)),
    "linear": (lambda z: z, _np.ones_like),
}}

def _kind(function):
    z = _np.array([[0.3, -0.7, 1.1]])
    for name, (activation, _) in _KINDS.items():
        try:
            if _np.allclose(function(z.copy()), activation(z)):
                return name
        except Exception:
            pass
    return "unknown"

def _loss_kind(network):
    y, a = _np.array([[0.0, 1.0, 0.0]]), _np.array([[0.2, 0.5, 0.3]])
    try:
        if _np.allclose(network.d_loss_function(y, a), a - y):
            return "difference"
        return "cross_entropy" if _np.allclose(network.loss_function(y, a), _np.log(2)) else ""
    except Exception:
        return ""

_fits = []
_trains = True
_slow_fit = Network.fit

def _fit(self, X, Y, epochs, learning_rate, reg_lambda=0.0):
    layers = self.layers
    kinds = [_kind(function) for function in self.activation_list]
    loss = _loss_kind(self)
    known = "unknown" not in kinds and (loss == "difference" or (loss and kinds[-1] == "softmax"))
    _fits.append({{
        "X": _np.array(X), "epochs": int(epochs), "learning_rate": float(learning_rate),
        "reg_lambda": float(reg_lambda),
        "activations": kinds if known else ["unknown" for _ in kinds],
        "weights": [_np.array(layer.weights) for layer in layers],
        "biases": [_np.reshape(l.bias, (1, -1)) if l.add_bias else None for l in layers],
    }})
    if not _trains:
        return _np.zeros(epochs)
    if not known:
        return _slow_fit(self, X, Y, epochs, learning_rate, reg_lambda)
    X, Y = _np.asarray(X, dtype=float), _np.asarray(Y, dtype=float)
    losses = _np.zeros(epochs)
    for epoch in range(epochs):
        outputs = [X]
        for layer, kind in zip(layers, kinds):
            z = outputs[-1] @ layer.weights + (layer.bias if layer.add_bias else 0.0)
            outputs.append(_KINDS[kind][0](z))
        losses[epoch] = -_np.mean(_np.sum(Y * _np.log(outputs[-1] + 1e-300), axis=1))
        upstream = (outputs[-1] - Y) / len(X)
        for i in reversed(range(len(layers))):
            delta = upstream * _KINDS[kinds[i]][1](outputs[i + 1])
            upstream = delta @ layers[i].weights.T
            step = outputs[i].T @ delta + reg_lambda * layers[i].weights
            layers[i].weights = layers[i].weights - learning_rate * step
            if layers[i].add_bias:
                step = delta.sum(axis=0, keepdims=True)
                layers[i].bias = layers[i].bias - learning_rate * step
    return losses

Network.fit = _fit
_functions_are_right = _kind(sigmoid) == "sigmoid" and _kind(softmax) == "softmax"
"""


@dataclass(frozen=True, eq=False)
class Fit:
    """One call of `fit`: the inputs, the settings, and the network as it was before."""

    X: np.ndarray
    net: Net
    settings: Settings

    @classmethod
    def read(cls, noted):
        """What came back of a call, which may be anything."""
        is_note = isinstance(noted, dict) and noted.keys() >= NOTED
        assert is_note, "the notes of `fit` are lost"
        weights, biases, activations = (noted[key] for key in ("weights", "biases", "activations"))
        lists = (weights, biases, activations)
        assert all(isinstance(part, list) for part in lists), "the notes of `fit` are lost"
        sizes = {len(part) for part in lists}
        assert len(sizes) == 1, "a network needs an activation for each layer"
        assert sizes != {0}, "your network has no layers"
        shapes = [np.shape(W) for W in weights]
        assert all(len(shape) == 2 for shape in shapes), "weights must have rows and columns"
        add_bias = biases[0] is not None
        biases = biases if add_bias else [np.zeros((1, n)) for _, n in shapes]
        parts = zip(weights, biases, shapes, strict=True)
        pairs = [(assert_shape(W, s), assert_shape(b, (1, s[1]))) for W, b, s in parts]
        all_weights, all_biases = zip(*pairs, strict=True)
        epochs, rate, decay = (assert_number(noted[s], name=s) for s in SETTINGS)
        assert 0 <= epochs <= MAX_EPOCHS, f"{epochs:g} epochs cannot be recomputed"
        names = tuple(a if isinstance(a, str) else UNKNOWN for a in activations)
        return cls(
            assert_shape(noted["X"], np.shape(noted["X"]), name="the inputs that you train on"),
            Net(all_weights, all_biases, names, "l2_loss", add_bias),
            Settings(int(epochs), rate, decay),
        )


class Experiment:
    """What the question's cells did when they were run again, with training or without."""

    def __init__(self, student, *, trains):
        self.space = student.before()
        self.space.execute(f"{HELPERS}{PROBE}_trains = {trains}")
        self.error = None
        try:
            self.space.run_answer(experiments=True)
        except AssertionError as error:
            # What was computed before a line failed still counts.
            self.error = error
        with self.blaming_the_error():
            self._read_fits()

    @contextlib.contextmanager
    def blaming_the_error(self):
        """Lets a failure be told as the error that came before it."""
        try:
            yield
        except AssertionError as failure:
            raise self.error or failure from None

    def _read_fits(self):
        noted = self.space["_fits"]
        assert isinstance(noted, list), "the notes of `fit` are lost"
        assert noted, "your code never calls `fit` of a `Network`"
        self.fits = [Fit.read(one) for one in noted]
        names = {name for fit in self.fits for name in fit.net.activations}
        if not names <= ACTIVATIONS.keys():
            message = "your network has a loss or an activation that cannot be recomputed"
            assert self.space["_functions_are_right"] is True, message
            pytest.skip(message)

    def values(self, setting):
        return [getattr(fit.settings, setting) for fit in self.fits]

    def scores(self, phase):
        """The dictionary of scores, one row for each score."""
        name = f"scores_{phase}"
        table = self.space[name]
        assert isinstance(table, dict), f"`{name}` is not a dictionary"
        missing = [score for score in SCORES if score not in table]
        assert not missing, f"`{name}` has no entry {missing[0]!r}"
        shape = (len(self.fits),)
        rows = [assert_shape(table[s], shape, name=f"{name}[{s!r}]") for s in SCORES]
        return np.array(rows)


def data(n_rows):
    """The part of the data on which the cells were run: all where they load it themselves."""
    digits = load_module(Path(__file__).parents[1] / "data.py").digits()
    step = 1 if n_rows == len(digits["X_train"]) else STRIDE
    return {name: values[::step] for name, values in digits.items()}


def trained(fit, X, labels):
    """Our own training with the settings that were noted."""
    targets = np.eye(10)[labels]
    assert fit.net.weights[-1].shape[1] == 10, "your network needs an output for each digit"
    assert fit.net.weights[0].shape[0] == 64, "your network needs an input for each pixel"
    net = fit.net
    with np.errstate(all="ignore"):
        for _ in range(fit.settings.epochs):
            gradients = mean_gradients(net, X, targets, fit.settings)
            net = moved(net, gradients, fit.settings.learning_rate)
    return net


def macro_f1(labels, predicted):
    """The mean over all classes that occur of 2 TP / (2 TP + FP + FN)."""
    hits, truth, votes = (
        np.bincount(values, minlength=10)
        for values in (labels[labels == predicted], labels, predicted)
    )
    occurs = (truth + votes) > 0
    return float(np.mean(2 * hits[occurs] / (truth + votes)[occurs]))


def scores_of(net, X, labels):
    predicted = forward(net, X)[1][-1].argmax(axis=1)
    return np.array([np.mean(predicted == labels), macro_f1(labels, predicted)])


def assert_values(student, setting, name):
    """Five different values of one setting, all others fixed, as the list says."""
    experiment = Experiment(student, trains=False)
    with experiment.blaming_the_error():
        compare_values(experiment, setting, name)


def compare_values(experiment, setting, name):
    values = experiment.values(setting)
    count = len(set(values))
    assert count >= 5, f"you train with {count} different values of {setting}, not with five"
    assert_close(experiment.space[name], values, name=f"`{name}`")
    for other in set(SETTINGS) - {setting}:
        assert len(set(experiment.values(other))) == 1, f"your {other} changes as well"
    shapes = {tuple(W.shape for W in fit.net.weights) for fit in experiment.fits}
    assert len(shapes) == 1, "the sizes of your network change as well"


def assert_scores(student):
    """The scores are those of networks that are trained with these settings."""
    experiment = Experiment(student, trains=True)
    with experiment.blaming_the_error():
        compare_scores(experiment)


def compare_scores(experiment):
    part = data(len(experiment.fits[0].X))
    for fit in experiment.fits:
        assert_close(fit.X, part["X_train"], name="the inputs that you train on")
    assert_new_networks(experiment.fits)
    nets = [trained(fit, part["X_train"], part["y_train"]) for fit in experiment.fits]
    expected = {
        phase: np.transpose([scores_of(n, part[f"X_{phase}"], part[f"y_{phase}"]) for n in nets])
        for phase in ("train", "test")
    }
    for phase, other in (("train", "test"), ("test", "train")):
        known = {
            "phases_swapped": (
                "These are the scores on the other half of the data.",
                expected[other],
            ),
            "scores_swapped": (
                "Accuracy and F1 score have changed places.",
                expected[phase][::-1],
            ),
        }
        assert_close(
            experiment.scores(phase),
            expected[phase],
            name=f"on a part of the data, scores_{phase}",
            known=known,
            **ROUNDING,
        )


def assert_new_networks(fits):
    """No training begins where another one ended."""
    for fit in fits[1:]:
        for W in fit.net.weights:
            fresh = np.random.default_rng(2).standard_normal(W.shape)
            again = "a training goes on with the weights of the one before: make new layers"
            assert np.array_equal(W, fresh), again


@pytest.mark.question("Q3.1", points=2, needs=NEEDED)
def test_epochs(student):
    """You train with five different numbers of epochs, everything else being equal."""
    assert_values(student, "epochs", "epochs")


@pytest.mark.question("Q3.1", points=3, needs=NEEDED)
def test_scores_by_epochs(student):
    """Your code computes the scores of networks trained with these numbers of epochs."""
    assert_scores(student)


@pytest.mark.question("Q3.2", points=2, needs=NEEDED)
def test_learning_rates(student):
    """You train with five different learning rates, everything else being equal."""
    assert_values(student, "learning_rate", "LRs")


@pytest.mark.question("Q3.2", points=3, needs=NEEDED)
def test_scores_by_learning_rate(student):
    """Your code computes the scores of networks trained with these learning rates."""
    assert_scores(student)


@pytest.mark.question("Q3.3", points=2, needs=NEEDED)
def test_weight_decays(student):
    """You train with five different values of reg_lambda, everything else being equal."""
    assert_values(student, "reg_lambda", "lambdas")


@pytest.mark.question("Q3.3", points=3, needs=NEEDED)
def test_scores_by_weight_decay(student):
    """Your code computes the scores of networks trained with these values of reg_lambda."""
    assert_scores(student)
