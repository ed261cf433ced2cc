"""Networks with cases in rows: a container of layers, and multilayer perceptrons.

Hinton's softmax net, which has cases in columns, is in `reference.hinton`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from reference.activations import (
    relu,
    relu_derivative,
    sigmoid,
    sigmoid_derivative,
    softmax,
    tanh,
    tanh_derivative,
)
from reference.arrays import FloatArray, IntArray, Parameters
from reference.layers import Layer
from reference.losses import (
    Reduction,
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_gradient,
    softmax_cross_entropy,
    softmax_cross_entropy_gradient,
    sum_squared_error,
    sum_squared_error_gradient,
)

Trace: TypeAlias = list[tuple[Layer, FloatArray]]
ActivationName: TypeAlias = Literal["identity", "sigmoid", "relu", "tanh"]
LossName: TypeAlias = Literal["cross_entropy", "binary_cross_entropy", "sum_squared_error"]
Elementwise: TypeAlias = Callable[[FloatArray], FloatArray]
Value = TypeVar("Value")


class Net:
    """A chain of layers.

    Attributes:
        layers: The layers, first to last.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        """Keep the layers.

        Args:
            layers: First to last.
        """
        self.layers = list(layers)

    def forward(self, x: FloatArray) -> tuple[FloatArray, Trace]:
        """Apply every layer in turn.

        Args:
            x: The first layer's input, cases in rows.

        Returns:
            The last layer's output, and the trace: each layer with the input it got.
        """
        trace: Trace = []
        for layer in self.layers:
            trace.append((layer, x))
            x = layer.forward(x)
        return x, trace

    def backward(self, trace: Trace, dy: FloatArray) -> FloatArray:
        """Backpropagate; every layer keeps the gradients of its own parameters.

        Source: Goodfellow et al. (2016), algorithm 6.4.

        Args:
            trace: What ``forward`` returned.
            dy: Gradient for the output.

        Returns:
            Gradient for the input.
        """
        for layer, x in reversed(trace):
            dy = layer.backward(x, dy)
        return dy

    def step(self, learning_rate: float) -> None:
        """Let every layer take a gradient descent step.

        Args:
            learning_rate: The step size.
        """
        for layer in self.layers:
            layer.step(learning_rate)


@dataclass(frozen=True)
class _Head:
    """What follows the last linear map: output, summed loss, and the loss's gradient."""

    output: Elementwise
    loss: Callable[[ArrayLike, FloatArray], float]
    gradient: Callable[[ArrayLike, FloatArray], FloatArray]


_ACTIVATIONS: dict[str, tuple[Elementwise, Elementwise]] = {
    "identity": (lambda z: z, np.ones_like),
    "sigmoid": (sigmoid, sigmoid_derivative),
    "relu": (relu, relu_derivative),
    "tanh": (tanh, tanh_derivative),
}
_HEADS: dict[str, _Head] = {
    "cross_entropy": _Head(
        softmax,
        lambda targets, z: softmax_cross_entropy(targets, z, "sum"),
        lambda targets, z: softmax_cross_entropy_gradient(targets, z, "sum"),
    ),
    "binary_cross_entropy": _Head(
        sigmoid,
        lambda targets, z: float(binary_cross_entropy_with_logits(targets, z).sum()),
        binary_cross_entropy_with_logits_gradient,
    ),
    "sum_squared_error": _Head(lambda z: z, sum_squared_error, sum_squared_error_gradient),
}


class MLP:
    """Multilayer perceptron, cases in rows: linear maps with an activation after each.

    The loss says what comes after the output activation: "cross_entropy" a softmax,
    "binary_cross_entropy" a sigmoid, "sum_squared_error" (with its factor 1/2) nothing. The
    loss never contains a weight penalty and the gradient no decay; both are the optimizer's
    (`reference.optimizers.sgd_step`). Source: Goodfellow et al. (2016), algorithms 6.3, 6.4.

    Attributes:
        parameters: W1 (n_in, n_1), b1 (n_1,), W2 (n_1, n_2), ...; assign to set them.
    """

    def __init__(
        self,
        widths: Sequence[int],
        rng: np.random.Generator | Sequence[np.random.Generator],
        *,
        hidden: ActivationName = "sigmoid",
        output: ActivationName = "identity",
        loss: LossName = "cross_entropy",
        reduction: Reduction = "mean",
        add_bias: bool = True,
    ) -> None:
        """Draw standard normal parameters, layer by layer, each one's weights before its biases.

        Args:
            widths: Units of each layer, the inputs first.
            rng: One generator for all layers, or one for each.
            hidden: Activation after each linear map but the last.
            output: Activation after the last linear map, before the loss's own.
            loss: The name of the loss.
            reduction: Loss and gradients averaged over the cases ("mean") or summed.
            add_bias: Whether the linear maps have biases.

        Raises:
            ValueError: Fewer than two widths, another number of generators than of layers, or
                an unknown name of an activation, a loss or a reduction.
        """
        if len(widths) < 2 or min(widths) < 1:
            raise ValueError(f"a net needs two or more positive widths, not {list(widths)}")
        n_layers = len(widths) - 1
        rngs = [rng] * n_layers if isinstance(rng, np.random.Generator) else list(rng)
        if len(rngs) != n_layers:
            raise ValueError(f"{len(rngs)} generators for {n_layers} layers")
        self.parameters: Parameters = {}
        for i, layer_rng in enumerate(rngs, start=1):
            self.parameters[f"W{i}"] = layer_rng.standard_normal((widths[i - 1], widths[i]))
            if add_bias:
                self.parameters[f"b{i}"] = layer_rng.standard_normal(widths[i])
        self._n_layers = n_layers
        self._averages = _lookup({"mean": True, "sum": False}, reduction)
        self._hidden = _lookup(_ACTIVATIONS, hidden)
        self._output = _lookup(_ACTIVATIONS, output)
        self._head = _lookup(_HEADS, loss)

    def outputs(self, x: FloatArray) -> FloatArray:
        """What the net says: class probabilities or values, depending on the loss.

        Args:
            x: Shape (N, n_in).

        Returns:
            Shape (N, n_out).
        """
        return self._head.output(self._output[0](self.pre_activations(x)[-1]))

    def pre_activations(self, x: FloatArray) -> list[FloatArray]:
        """The value of each linear map, first to last.

        Args:
            x: Shape (N, n_in).

        Returns:
            z_1 (N, n_1), z_2 (N, n_2), ...
        """
        values: list[FloatArray] = []
        for i in range(1, self._n_layers + 1):
            x = self._hidden[0](values[-1]) if values else x
            z = x @ self.parameters[f"W{i}"]
            values.append(z + self.parameters[f"b{i}"] if f"b{i}" in self.parameters else z)
        return values

    def predict(self, x: FloatArray, threshold: float = 0.5) -> IntArray:
        """Labels: the largest output's index, or output > threshold where there is one unit.

        Args:
            x: Shape (N, n_in).
            threshold: Used for a single output unit only.

        Returns:
            Shape (N,).
        """
        outputs = self.outputs(x)
        if outputs.shape[1] == 1:
            return np.asarray(outputs[:, 0] > threshold, dtype=np.intp)
        return np.asarray(outputs.argmax(axis=1))

    def accuracy(self, x: FloatArray, labels: ArrayLike) -> float:
        """The share of cases whose prediction is the label.

        Args:
            x: Shape (N, n_in).
            labels: Integers, shape (N,).

        Returns:
            A number in [0, 1].
        """
        return float(np.mean(self.predict(x) == np.asarray(labels)))

    def loss(self, x: FloatArray, targets: ArrayLike) -> float:
        """The loss of the batch, without any penalty.

        Args:
            x: Shape (N, n_in).
            targets: Integer labels (N,) or one-hot rows (N, K) for the cross-entropy, else
                values (N, n_out).

        Returns:
            The mean over the cases, or the sum.

        Raises:
            ValueError: The targets do not fit the outputs.
        """
        scores = self._output[0](self.pre_activations(x)[-1])
        return self._head.loss(targets, scores) / self._divisor(x)

    def gradient(self, x: FloatArray, targets: ArrayLike) -> Parameters:
        """The gradient of `loss` for every parameter, by backpropagation.

        Args:
            x: Shape (N, n_in).
            targets: As for `loss`.

        Returns:
            One array for each parameter, with its name and shape.

        Raises:
            ValueError: The targets do not fit the outputs.
        """
        values = self.pre_activations(x)
        score_gradient = self._head.gradient(targets, self._output[0](values[-1]))
        delta = score_gradient * self._output[1](values[-1]) / self._divisor(x)
        gradients: Parameters = {}
        for i in range(self._n_layers, 0, -1):
            inputs = self._hidden[0](values[i - 2]) if i > 1 else x
            gradients[f"W{i}"] = inputs.T @ delta
            if f"b{i}" in self.parameters:
                gradients[f"b{i}"] = delta.sum(axis=0)
            if i > 1:
                delta = delta @ self.parameters[f"W{i}"].T * self._hidden[1](values[i - 2])
        return {name: gradients[name] for name in self.parameters}

    def _divisor(self, x: FloatArray) -> int:
        if len(x) == 0:
            raise ValueError("a batch needs at least one case")
        return len(x) if self._averages else 1


class TwoLayerNet(MLP):
    """Linear, sigmoid, linear, softmax; mean cross-entropy of integer labels (N,).

    Attributes:
        parameters: W1 (n_in, H), b1 (H,), W2 (H, n_class), b2 (n_class,).
    """

    def __init__(
        self, n_in: int, n_hid: int, n_class: int, rng: np.random.Generator, scale: float = 0.01
    ) -> None:
        """Start from small weights, normal with standard deviation ``scale``, and zero biases.

        Args:
            n_in: Number of inputs.
            n_hid: Number of hidden units, H.
            n_class: Number of classes.
            rng: Where the weights come from.
            scale: Standard deviation of the weights.

        Raises:
            ValueError: A number of units is not positive.
        """
        super().__init__([n_in, n_hid, n_class], rng)
        for name, value in self.parameters.items():
            self.parameters[name] = value * (0.0 if name.startswith("b") else scale)


class SoftmaxRegression(MLP):
    """Linear without biases, softmax; mean cross-entropy of integer labels (N,).

    With ``relu_scores`` the scores x W1 pass through a ReLU before the softmax. Source:
    Bishop (2006), section 4.3.4.

    Attributes:
        parameters: W1 (n_in, n_class).
    """

    def __init__(
        self,
        n_in: int,
        n_class: int,
        rng: np.random.Generator,
        scale: float = 0.01,
        *,
        relu_scores: bool = False,
    ) -> None:
        """Start from small weights, normal with standard deviation ``scale``.

        Args:
            n_in: Number of inputs.
            n_class: Number of classes.
            rng: Where the weights come from.
            scale: Standard deviation of the weights.
            relu_scores: Whether a ReLU comes between the linear map and the softmax.

        Raises:
            ValueError: A number of units is not positive.
        """
        output: ActivationName = "relu" if relu_scores else "identity"
        super().__init__([n_in, n_class], rng, output=output, add_bias=False)
        self.parameters["W1"] = self.parameters["W1"] * scale


def _lookup(table: Mapping[str, Value], name: str) -> Value:
    if name not in table:
        raise ValueError(f"{name!r} is none of {sorted(table)}")
    return table[name]
