"""Activation functions and their derivatives.

Everything is computed in float64. The elementwise functions take any array-like and keep its
shape; the softmaxes work along one axis. No function warns or loses its relative accuracy
for large inputs: only exponentials of non-positive numbers are ever taken.
"""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import ArrayLike

from reference.arrays import FloatArray


def sigmoid(x: ArrayLike) -> FloatArray:
    """Logistic sigmoid, elementwise: 1 / (1 + exp(-x)).

    Source: Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.59.

    Args:
        x: Any shape.

    Returns:
        Values in [0, 1], of the shape of ``x``.
    """
    x = np.asarray(x, dtype=np.float64)
    tail = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1.0, tail) / (1.0 + tail))


def sigmoid_derivative(x: ArrayLike) -> FloatArray:
    """Derivative of the sigmoid at ``x``, elementwise: s(x) (1 - s(x)).

    Computed as exp(-|x|) / (1 + exp(-|x|))^2, the same number without the cancellation of
    1 - s(x) where s(x) is near 1. Source: Bishop (2006), eq. 4.88.

    Args:
        x: Pre-activations (not the sigmoid's values), any shape.

    Returns:
        Values in [0, 1/4], of the shape of ``x``.
    """
    tail = np.exp(-np.abs(np.asarray(x, dtype=np.float64)))
    return tail / (1.0 + tail) ** 2


def relu(x: ArrayLike) -> FloatArray:
    """Rectified linear unit, elementwise: max(0, x).

    Source: Nair and Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines
    (ICML 2010).

    Args:
        x: Any shape.

    Returns:
        Non-negative values of the shape of ``x``.
    """
    return np.maximum(np.asarray(x, dtype=np.float64), 0.0)


def relu_derivative(x: ArrayLike) -> FloatArray:
    """Derivative of the ReLU at ``x``, elementwise: 1 where x > 0, else 0.

    At x = 0, where the ReLU has no derivative, this returns 0, the left one. Source:
    Goodfellow, Bengio and Courville, Deep Learning (2016), section 6.3, which allows either.

    Args:
        x: Pre-activations, any shape.

    Returns:
        Zeros and ones of the shape of ``x``.
    """
    return np.where(np.asarray(x, dtype=np.float64) > 0, 1.0, 0.0)


def tanh(x: ArrayLike) -> FloatArray:
    """Hyperbolic tangent, elementwise: 2 s(2x) - 1 with the sigmoid s.

    Source: Goodfellow et al. (2016), section 6.3.2.

    Args:
        x: Any shape.

    Returns:
        Values in [-1, 1], of the shape of ``x``.
    """
    return np.tanh(np.asarray(x, dtype=np.float64))


def tanh_derivative(x: ArrayLike) -> FloatArray:
    """Derivative of tanh at ``x``, elementwise: 1 - tanh(x)^2 = 4 s'(2x).

    The right-hand form, with the sigmoid s, does not cancel where tanh(x) is near 1 or -1.
    Source: Bishop (2006), eq. 5.60, and the identity of section 6.3.2 in Goodfellow et al.

    Args:
        x: Pre-activations, any shape.

    Returns:
        Values in [0, 1], of the shape of ``x``.
    """
    return 4.0 * sigmoid_derivative(2.0 * np.asarray(x, dtype=np.float64))


def softmax(logits: ArrayLike, axis: int = -1) -> FloatArray:
    """Softmax along an axis: exp(z_i) / sum_j exp(z_j).

    The largest logit is subtracted first, which changes no value and keeps every exponential
    in [0, 1]. Source: Bishop (2006), eq. 4.62; Blanchard, Higham and Higham, Accurately
    computing the log-sum-exp and softmax functions (IMA J. Numer. Anal. 2021).

    Args:
        logits: Finite scores, at least one-dimensional.
        axis: The axis of the classes.

    Returns:
        Probabilities of the shape of ``logits`` that sum to 1 along ``axis``.

    Raises:
        numpy.exceptions.AxisError: ``logits`` has no such axis.
        ValueError: That axis is empty.
    """
    exponentials = np.exp(_shifted(logits, axis))
    return np.asarray(exponentials / exponentials.sum(axis=axis, keepdims=True))


def softmax_derivative(logits: ArrayLike, dy: ArrayLike, axis: int = -1) -> FloatArray:
    """Vector-Jacobian product of the softmax: p * (dy - sum_j p_j dy_j).

    This is what backpropagation needs: the gradient for the logits, given the gradient ``dy``
    for the probabilities p = softmax(logits). `softmax_jacobian` gives the whole matrix.
    Source: Bishop (2006), eq. 4.106, contracted with ``dy``.

    Args:
        logits: Finite scores, at least one-dimensional.
        dy: Gradient for the probabilities, of the shape of ``logits``.
        axis: The axis of the classes.

    Returns:
        Gradient for the logits, of their shape.

    Raises:
        numpy.exceptions.AxisError: ``logits`` has no such axis.
    """
    probabilities = softmax(logits, axis=axis)
    dy = np.asarray(dy, dtype=np.float64)
    inner = (probabilities * dy).sum(axis=axis, keepdims=True)
    return np.asarray(probabilities * (dy - inner))


def softmax_jacobian(logits: ArrayLike) -> FloatArray:
    """Jacobian of the softmax along the last axis: J_ij = p_i (delta_ij - p_j).

    Source: Bishop (2006), eq. 4.106.

    Args:
        logits: Shape (..., K).

    Returns:
        Shape (..., K, K), symmetric in the last two axes; each row sums to 0.

    Raises:
        numpy.exceptions.AxisError: ``logits`` is a scalar.
    """
    probabilities = softmax(logits)
    identity = np.eye(probabilities.shape[-1])
    return np.asarray(probabilities[..., :, None] * (identity - probabilities[..., None, :]))


def log_softmax(logits: ArrayLike, axis: int = -1) -> FloatArray:
    """Logarithm of the softmax along an axis: z_i - log sum_j exp(z_j).

    Finite wherever the differences between the logits are, also where the softmax itself
    underflows to 0. Source: Blanchard, Higham and Higham (2021), eq. 1.3.

    Args:
        logits: Finite scores, at least one-dimensional.
        axis: The axis of the classes.

    Returns:
        Non-positive values of the shape of ``logits``.

    Raises:
        numpy.exceptions.AxisError: ``logits`` has no such axis.
        ValueError: That axis is empty.
    """
    shifted = _shifted(logits, axis)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))


def log_softmax_derivative(logits: ArrayLike, dy: ArrayLike, axis: int = -1) -> FloatArray:
    """Vector-Jacobian product of the log-softmax: dy - p sum_j dy_j.

    The gradient for the logits, given the gradient ``dy`` for the log-probabilities, with
    p = softmax(logits); `log_softmax_jacobian` gives the whole matrix. Source: Goodfellow et
    al. (2016), section 6.2.2.3.

    Args:
        logits: Finite scores, at least one-dimensional.
        dy: Gradient for the log-probabilities, of the shape of ``logits``.
        axis: The axis of the classes.

    Returns:
        Gradient for the logits, of their shape.

    Raises:
        numpy.exceptions.AxisError: ``logits`` has no such axis.
    """
    dy = np.asarray(dy, dtype=np.float64)
    return np.asarray(dy - softmax(logits, axis=axis) * dy.sum(axis=axis, keepdims=True))


def log_softmax_jacobian(logits: ArrayLike) -> FloatArray:
    """Jacobian of the log-softmax along the last axis: J_ij = delta_ij - p_j.

    Source: Goodfellow et al. (2016), section 6.2.2.3.

    Args:
        logits: Shape (..., K).

    Returns:
        Shape (..., K, K); row i is the gradient of the i-th log-probability and sums to 0.

    Raises:
        numpy.exceptions.AxisError: ``logits`` is a scalar.
    """
    probabilities = softmax(logits)
    return np.asarray(np.eye(probabilities.shape[-1]) - probabilities[..., None, :])


def _shifted(logits: ArrayLike, axis: int) -> FloatArray:
    logits = np.asarray(logits, dtype=np.float64)
    # Reductions take a scalar's axis -1 in silence, and give it the softmax 1.
    normalize_axis_index(axis, logits.ndim)
    return np.asarray(logits - logits.max(axis=axis, keepdims=True))
