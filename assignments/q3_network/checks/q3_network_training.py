"""Our own training of the course's network, right or with one of its typical bugs.

Cases are rows. It is written apart from the solution: without loops over samples.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Gradients = tuple[list[Floats], list[Floats]]


def sigmoid(x: Floats) -> Floats:
    return 0.5 * (1 + np.tanh(0.5 * x))


def softmax(x: Floats) -> Floats:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


# The softmax's derivative is 1, as the notebook has it: the cross-entropy's contains it.
ACTIVATIONS: Mapping[str, tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]] = {
    "linear": (lambda x: x, np.ones_like),
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x))),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "relu": (lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0),
    "softmax": (softmax, np.ones_like),
}
# The loss of each case, and its derivative for the predictions.
LOSSES: Mapping[str, tuple[Callable[..., Floats], Callable[..., Floats]]] = {
    "l2_loss": (lambda y, a: 0.5 * np.sum((a - y) ** 2, axis=1), lambda y, a: a - y),
    "cross_entropy_loss": (lambda y, a: -np.sum(y * np.log(a), axis=1), lambda y, a: a - y),
}


@dataclass(frozen=True, eq=False)
class Net:
    """A network; a layer without biases has a bias of zeros that never moves."""

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    activations: tuple[str, ...]
    loss: str
    add_bias: bool = True

    def with_block(self, kind: str, layer: int, value: Floats) -> Net:
        """The same with other weights, or other biases, in one layer."""
        blocks = list(getattr(self, kind))
        blocks[layer] = value
        return replace(self, **{kind: tuple(blocks)})


@dataclass(frozen=True)
class Settings:
    """How a network is trained."""

    epochs: int = 1
    learning_rate: float = 0.5
    reg_lambda: float = 0.0


def random_net(seed: int, sizes: tuple[int, ...], activations: tuple[str, ...], loss: str) -> Net:
    """A network with standard normal weights and biases."""
    rng = np.random.default_rng(seed)
    pairs = list(itertools.pairwise(sizes))
    return Net(
        tuple(rng.normal(size=pair) for pair in pairs),
        tuple(rng.normal(size=(1, n_out)) for _, n_out in pairs),
        activations,
        loss,
    )


def fresh_net(sizes: tuple[int, ...], activations: tuple[str, ...], loss: str) -> Net:
    """A network of layers as the course's class Layer makes them."""
    rngs = [np.random.default_rng(2) for _ in sizes[1:]]
    pairs = list(zip(sizes, sizes[1:], rngs, strict=False))
    weights = tuple(rng.standard_normal((n_in, n_out)) for n_in, n_out, rng in pairs)
    biases = tuple(rng.standard_normal((1, n_out)) for _, n_out, rng in pairs)
    return Net(weights, biases, activations, loss)


def without_biases(net: Net) -> Net:
    return replace(net, biases=tuple(np.zeros_like(b) for b in net.biases), add_bias=False)


def forward(net: Net, X: Floats) -> tuple[list[Floats], list[Floats]]:
    """What goes into each activation, and what comes out; first the inputs come out."""
    zs, outputs = [], [X]
    for W, b, name in zip(net.weights, net.biases, net.activations, strict=True):
        zs.append(outputs[-1] @ W + b)
        outputs.append(ACTIVATIONS[name][0](zs[-1]))
    return zs, outputs


def mean_loss(net: Net, X: Floats, Y: Floats) -> float:
    return float(np.mean(LOSSES[net.loss][0](Y, forward(net, X)[1][-1])))


def objective(net: Net, X: Floats, Y: Floats, reg_lambda: float) -> float:
    """What a step goes down: the mean loss and the penalty whose gradient is the weight decay."""
    penalty = sum(float(np.sum(W**2)) for W in net.weights)
    return mean_loss(net, X, Y) + 0.5 * reg_lambda * penalty


def summed_gradients(net: Net, X: Floats, Y: Floats, bug: str = "") -> Gradients:
    """The gradients of the loss, summed over the cases; weight decay is not in them."""
    zs, outputs = forward(net, X)
    upstream = LOSSES[net.loss][1](Y, outputs[-1])
    last = len(net.weights) - 1
    of_weights, of_biases = [], []
    for i in range(last, -1, -1):
        derivative = ACTIVATIONS[net.activations[i]][1]
        if bug == "wrong_layer_derivative" and i < last:
            derivative = ACTIVATIONS[net.activations[last]][1]
        factor = derivative(outputs[i + 1] if bug == "derivative_at_activation" else zs[i])
        if bug == "missing_derivative" or (bug == "missing_output_derivative" and i == last):
            factor = np.ones_like(factor)
        if bug == "missing_hidden_derivative" and i < last:
            factor = np.ones_like(factor)
        delta = upstream * factor
        of_weights.insert(0, outputs[i].T @ delta)
        of_biases.insert(0, delta.sum(axis=0, keepdims=True))
        upstream = delta @ net.weights[i].T
    return of_weights, of_biases


def mean_gradients(net: Net, X: Floats, Y: Floats, settings: Settings, bug: str = "") -> Gradients:
    """What the parameters are moved against, the weight decay included."""
    rows = slice(-1, None) if bug == "one_example_only" else slice(None)
    of_weights, of_biases = summed_gradients(net, X[rows], Y[rows], bug)
    n = 1 if bug == "missing_batch_mean" else len(X)
    decay = 0.0 if bug == "weight_decay_missing" else settings.reg_lambda
    decay = {"weight_decay_averaged": decay / n, "weight_decay_sign": -decay}.get(bug, decay)
    on_bias = decay if bug == "weight_decay_on_bias" else 0.0
    return (
        [g / n + decay * W for g, W in zip(of_weights, net.weights, strict=True)],
        [g / n + on_bias * b for g, b in zip(of_biases, net.biases, strict=True)],
    )


def moved(net: Net, gradients: Gradients, learning_rate: float, bug: str = "") -> Net:
    rate = -learning_rate if bug == "sign" else learning_rate
    bias_rate = rate if net.add_bias and bug != "bias_not_updated" else 0.0
    weight_rate = rate if bug != "weights_not_updated" else 0.0
    return replace(
        net,
        weights=tuple(W - weight_rate * g for W, g in zip(net.weights, gradients[0], strict=True)),
        biases=tuple(b - bias_rate * g for b, g in zip(net.biases, gradients[1], strict=True)),
    )


def train(net: Net, X: Floats, Y: Floats, settings: Settings, bug: str = "") -> tuple[Floats, Net]:
    """The loss of each epoch before its step, and the trained network."""
    losses: list[float] = []
    piled: Gradients | None = None
    for _ in range(settings.epochs):
        before = net
        if bug == "updated_weights":
            net = _backward_while_updating(net, X, Y, settings)
        elif bug == "step_per_sample":
            net = _step_per_sample(net, X, Y, settings)
        else:
            gradients = mean_gradients(net, X, Y, settings, bug)
            if bug == "accumulated":
                piled = _pile(piled, summed_gradients(net, X, Y))
                gradients = _averaged(piled, net, len(X), settings.reg_lambda)
            net = moved(net, gradients, settings.learning_rate, bug)
        losses.append(_shown_loss(before, net, X, Y, settings, bug))
    return np.array(losses), net


def _shown_loss(
    before: Net, after: Net, X: Floats, Y: Floats, settings: Settings, bug: str
) -> float:
    if bug == "loss_summed":
        return mean_loss(before, X, Y) * len(X)
    if bug == "loss_of_last_sample":
        return mean_loss(before, X[-1:], Y[-1:])
    if bug == "loss_with_penalty":
        return objective(before, X, Y, settings.reg_lambda)
    return mean_loss(after if bug == "loss_after_step" else before, X, Y)


def _backward_while_updating(net: Net, X: Floats, Y: Floats, settings: Settings) -> Net:
    """Each layer is updated before the gradient is passed on through it."""
    zs, outputs = forward(net, X)
    upstream = LOSSES[net.loss][1](Y, outputs[-1])
    for i in range(len(zs) - 1, -1, -1):
        delta = upstream * ACTIVATIONS[net.activations[i]][1](zs[i])
        gradient = outputs[i].T @ delta / len(X) + settings.reg_lambda * net.weights[i]
        W = net.weights[i] - settings.learning_rate * gradient
        b = net.biases[i] - settings.learning_rate * delta.mean(axis=0) * net.add_bias
        net = net.with_block("weights", i, W).with_block("biases", i, b)
        upstream = delta @ W.T
    return net


def _step_per_sample(net: Net, X: Floats, Y: Floats, settings: Settings) -> Net:
    for x, y in zip(X, Y, strict=True):
        gradients = mean_gradients(net, x[None], y[None], settings)
        net = moved(net, gradients, settings.learning_rate)
    return net


def _pile(piled: Gradients | None, gradients: Gradients) -> Gradients:
    if piled is None:
        return gradients
    parts: list[Any] = [
        [old + new for old, new in zip(olds, news, strict=True)]
        for olds, news in zip(piled, gradients, strict=True)
    ]
    return parts[0], parts[1]


def _averaged(gradients: Gradients, net: Net, n: int, reg_lambda: float) -> Gradients:
    of_weights = [g / n + reg_lambda * W for g, W in zip(gradients[0], net.weights, strict=True)]
    return of_weights, [g / n for g in gradients[1]]
