"""Layers with the interface ``forward(x)``, ``backward(x, dy)``, ``step(step_size)``.

Cases are rows. ``backward`` takes the layer's own input again, so that a layer keeps no trace
of its forward pass and the same layer may be applied twice; the caller stores the inputs (see
`reference.networks.Net`). Backpropagation: Goodfellow et al. (2016), section 6.5; Bishop
(2006), section 5.3.
"""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike

from reference.activations import relu, relu_derivative, sigmoid, sigmoid_derivative
from reference.arrays import FloatArray
from reference.losses import Reduction, softmax_cross_entropy, softmax_cross_entropy_gradient


class Layer(Protocol):
    """What a network asks of a layer."""

    def forward(self, x: FloatArray) -> FloatArray:
        """The layer's output for the input ``x``."""

    def backward(self, x: FloatArray, dy: FloatArray) -> FloatArray:
        """The gradient for ``x``, given the one for the output; keeps the parameters' own."""

    def step(self, step_size: float) -> None:
        """Move the parameters against the gradients that ``backward`` kept."""


def xavier_bound(n_in: int, n_out: int) -> float:
    """Half-width of the Xavier-uniform distribution: sqrt(6 / (n_in + n_out)).

    Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward
    neural networks (AISTATS 2010), eq. 16.

    Args:
        n_in: Number of inputs.
        n_out: Number of outputs.

    Returns:
        The bound a of the distribution U(-a, a).

    Raises:
        ValueError: A number of units is not positive.
    """
    if n_in < 1 or n_out < 1:
        raise ValueError(f"a layer needs at least one input and one output, not {n_in}, {n_out}")
    return float(np.sqrt(6.0 / (n_in + n_out)))


class Linear:
    """Linear layer: y = x W + b.

    Attributes:
        W: Weights, shape (n_in, n_out), drawn from U(-a, a).
        b: Biases, shape (n_out,), zero at the start.
        dW: Gradient for ``W`` of the last ``backward``, summed over the batch; zero before.
        db: Gradient for ``b`` of the last ``backward``, summed over the batch; zero before.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        rng: np.random.Generator,
        scale: Literal["xavier"] | float = "xavier",
    ) -> None:
        """Draw the weights: one call of ``rng.uniform(-a, a, (n_in, n_out))``.

        Args:
            n_in: Number of inputs.
            n_out: Number of outputs.
            rng: Where the weights come from.
            scale: The bound a, or "xavier" for `xavier_bound`.

        Raises:
            ValueError: A number of units is not positive, or the bound is negative.
        """
        bound = xavier_bound(n_in, n_out)
        if scale != "xavier":
            bound = float(scale)
        if not bound >= 0:
            raise ValueError(f"the bound of the weights must not be negative, is {bound}")
        self.W: FloatArray = rng.uniform(-bound, bound, size=(n_in, n_out))
        self.b: FloatArray = np.zeros(n_out)
        self.dW: FloatArray = np.zeros_like(self.W)
        self.db: FloatArray = np.zeros_like(self.b)

    def forward(self, x: FloatArray) -> FloatArray:
        """y = x W + b.

        Args:
            x: Shape (N, n_in).

        Returns:
            Shape (N, n_out).

        Raises:
            ValueError: ``x`` has another shape.
        """
        self._check("x", x, self.W.shape[0])
        return x @ self.W + self.b

    def backward(self, x: FloatArray, dy: FloatArray) -> FloatArray:
        """dx = dy W^T; keeps dW = x^T dy and db = the sum of dy over the batch.

        Args:
            x: The input of the forward pass, shape (N, n_in).
            dy: Gradient for the output, shape (N, n_out).

        Returns:
            Gradient for the input, shape (N, n_in).

        Raises:
            ValueError: ``x`` or ``dy`` has another shape.
        """
        self._check("x", x, self.W.shape[0])
        self._check("dy", dy, self.W.shape[1])
        if len(x) != len(dy):
            raise ValueError(f"x has {len(x)} rows and dy has {len(dy)}")
        self.dW = x.T @ dy
        self.db = dy.sum(axis=0)
        return dy @ self.W.T

    def step(self, step_size: float) -> None:
        """Gradient descent: W - step_size dW and b - step_size db, as new arrays.

        Args:
            step_size: The learning rate.
        """
        self.W = self.W - step_size * self.dW
        self.b = self.b - step_size * self.db

    @staticmethod
    def _check(name: str, rows: FloatArray, width: int) -> None:
        if rows.ndim != 2 or rows.shape[1] != width:
            raise ValueError(f"{name} must be of shape (N, {width}), not {rows.shape}")


class Sigmoid:
    """Sigmoid layer, elementwise; has no parameters."""

    def forward(self, x: FloatArray) -> FloatArray:
        """sigmoid(x), of the shape of ``x``."""
        return sigmoid(x)

    def backward(self, x: FloatArray, dy: FloatArray) -> FloatArray:
        """sigmoid'(x) dy, for ``dy`` of the shape of ``x``."""
        return sigmoid_derivative(x) * dy

    def step(self, step_size: float) -> None:
        """Nothing to move."""


class ReLU:
    """ReLU layer, elementwise; has no parameters."""

    def forward(self, x: FloatArray) -> FloatArray:
        """max(0, x), of the shape of ``x``."""
        return relu(x)

    def backward(self, x: FloatArray, dy: FloatArray) -> FloatArray:
        """dy where x > 0, else 0 (at x = 0 too), for ``dy`` of the shape of ``x``."""
        return relu_derivative(x) * dy

    def step(self, step_size: float) -> None:
        """Nothing to move."""


class SoftmaxCrossEntropy:
    """Softmax with cross-entropy loss as a network's last layer; has no parameters.

    Attributes:
        targets: Integer labels (N,) or one-hot rows (N, K) of the batch that comes next;
            assign new ones before each batch.
        reduction: "mean" over the batch or its "sum".
    """

    def __init__(self, targets: ArrayLike, reduction: Reduction = "mean") -> None:
        """Keep the targets of the first batch.

        Args:
            targets: Integer labels (N,) or one-hot rows (N, K).
            reduction: "mean" over the batch or its "sum".
        """
        self.targets = targets
        self.reduction: Reduction = reduction

    def forward(self, x: FloatArray) -> FloatArray:
        """The loss of the logits ``x``, see `softmax_cross_entropy`.

        Args:
            x: Logits, shape (N, K).

        Returns:
            An array without axes.

        Raises:
            ValueError: Empty batch, or targets that do not fit the logits.
        """
        return np.asarray(softmax_cross_entropy(self.targets, x, self.reduction))

    def backward(self, x: FloatArray, dy: FloatArray | float = 1.0) -> FloatArray:
        """The gradient for the logits ``x``, times ``dy``.

        Args:
            x: Logits, shape (N, K).
            dy: Gradient for the loss, a scalar; 1 where the loss is what is minimised.

        Returns:
            Shape (N, K).

        Raises:
            ValueError: Empty batch, or targets that do not fit the logits.
        """
        return softmax_cross_entropy_gradient(self.targets, x, self.reduction) * dy

    def step(self, step_size: float) -> None:
        """Nothing to move."""
