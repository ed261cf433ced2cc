"""What the checks of several questions need: a student's network with known parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from q3_network_training import Floats, Net, Settings, train

from grader.checks import assert_close, assert_shape

TOLERANCE = {"relative_tolerance": 1e-9, "absolute_tolerance": 1e-12}
FUNCTIONS = ["Q2.1"]

# What a notebook may lack at Q2.3, and activations that are used here alone.
HELPERS = """
import numpy as _np

def _linear(x):
    return x

def _d_linear(x):
    return _np.ones_like(x)

def _tanh(x):
    return _np.tanh(x)

def _d_tanh(x):
    return 1 - _np.tanh(x) ** 2

if "d_softmax" not in globals():
    d_softmax = _d_linear

if "d_cross_entropy_loss" not in globals():
    def d_cross_entropy_loss(YTrue, YPredict):
        return YPredict - YTrue
"""

# Bugs of a training by their codes; those of the framework have sentences already.
SENTENCES = {
    "missing_output_derivative": "The derivative of the activation is missing in the last layer: "
    "what lies between its pre-activation and the loss?",
    "missing_hidden_derivative": "The derivative of the activation is missing in the hidden "
    "layers: through what does the gradient pass on its way back?",
    "wrong_layer_derivative": "You use the derivative of another layer's activation: which entry "
    "of `d_activation_list` belongs to which layer?",
    "step_per_sample": "You move the parameters after each sample: when does the release ask for "
    "the step?",
    "bias_not_updated": "Your biases stay as they were.",
    "accumulated": "The gradients of earlier epochs are still in the sums: when do they begin at "
    "zero?",
    "loss_summed": "You return the summed loss of an epoch: what is asked for?",
    "loss_with_penalty": "Your loss contains a penalty on the weights: which loss is asked for?",
    "loss_after_step": "Your losses are those after the steps: when is the loss of an epoch taken?",
    "weights_not_updated": "Your weights stay as they were.",
    "loss_of_last_sample": "The loss that you return is that of the last sample only: what "
    "happens to the others?",
}
OURS = (
    "missing_derivative",
    "derivative_at_activation",
    "one_example_only",
    "updated_weights",
    "missing_batch_mean",
    "sign",
    "weight_decay_missing",
    "weight_decay_sign",
    "weight_decay_averaged",
    "weight_decay_on_bias",
)


def named(code: str, value: Any) -> Any:
    """A wrong value, with its sentence where the framework has none."""
    return (SENTENCES[code], value) if code in SENTENCES else value


def known_curves(net: Net, X: Floats, Y: Floats, settings: Settings) -> dict[str, Any]:
    """The loss curves of trainings that have one bug.

    Where a network cannot tell two bugs apart, they silence each other.
    """
    with np.errstate(all="ignore"):
        curves = {code: train(net, X, Y, settings, code)[0] for code in (*SENTENCES, *OURS)}
    finite = {code: curve for code, curve in curves.items() if np.all(np.isfinite(curve))}
    return {code: named(code, curve) for code, curve in finite.items()}


class StudentNetwork:
    """A network of the student's classes with the parameters of `net`."""

    def __init__(self, student: Any, net: Net) -> None:
        student.execute(HELPERS)
        make_layer = student.function("Layer")
        self.net = net
        self.layers = [
            make_layer(*W.shape) if net.add_bias else make_layer(*W.shape, add_bias=False)
            for W in net.weights
        ]
        self.network = student.function("Network")(
            self.layers,
            [student.function(in_notebook(name)) for name in net.activations],
            [student.function(in_notebook(name, "d_")) for name in net.activations],
            student.function(net.loss),
            student.function(f"d_{net.loss}"),
        )
        assert hasattr(self.network, "type_name"), "`Network(...)` does not make an object"
        self.set_parameters(net)

    def set_parameters(self, net: Net) -> None:
        for layer, W, b in zip(self.layers, net.weights, net.biases, strict=True):
            layer.weights = W
            if net.add_bias:
                layer.bias = b

    def fit(self, X: Floats, Y: Floats, settings: Settings) -> Floats:
        """What `fit` returns: one loss for each epoch."""
        arguments = (settings.epochs, settings.learning_rate, settings.reg_lambda)
        losses = self.network.fit(X, Y, *arguments)
        return assert_shape(losses, settings.epochs, name="what fit returns")

    def parameter(self, kind: str, layer: int) -> Floats:
        """The weights or the bias of one layer; a bias may be a vector or one row."""
        expected = getattr(self.net, kind)[layer]
        name = words(kind, layer)
        value = getattr(self.layers[layer], {"biases": "bias"}.get(kind, kind))
        if kind == "biases" and isinstance(value, np.ndarray) and value.shape == expected[0].shape:
            value = value.reshape(expected.shape)
        return assert_shape(value, expected.shape, name=name)


def in_notebook(activation: str, prefix: str = "") -> str:
    """The name of an activation's function; those of `HELPERS` begin with an underscore."""
    return f"{'_' if activation in ('linear', 'tanh') else ''}{prefix}{activation}"


def words(kind: str, layer: int) -> str:
    return f"the {'weights' if kind == 'weights' else 'bias'} of layer {layer + 1}"


def assert_trains(
    student: Any, net: Net, X: Floats, Y: Floats, settings: Settings, targets: Floats | None = None
) -> None:
    """Loss curve and trained parameters are those of our own training.

    `targets` are the same as `Y` in the form in which the student gets them.
    """
    theirs = StudentNetwork(student, net)
    losses = theirs.fit(X, Y if targets is None else targets, settings)
    curve, trained = train(net, X, Y, settings)
    try:
        assert_close(losses, curve, name="the loss", **TOLERANCE)
    except AssertionError:
        # The wrong curves take longer than the right one, and are wanted only here.
        known = known_curves(net, X, Y, settings)
        assert_close(losses, curve, name="the loss", known=known, **TOLERANCE)
    for layer in range(len(net.weights)):
        for kind in ("weights", "biases") if net.add_bias else ("weights",):
            name = f"{words(kind, layer)} after training"
            expected = getattr(trained, kind)[layer]
            assert_close(theirs.parameter(kind, layer), expected, name=name, **TOLERANCE)
