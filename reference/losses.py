"""Loss functions and their gradients for the prediction.

The target always comes first and the prediction second. Everything is computed in float64.

Logarithms and divisions read a probability of 0 as the smallest normal double, 2.2e-308. No
other double between 0 and 1 is altered (but for the subnormal ones), and it makes
0 * log(0) = 0, the loss of a sure and wrong prediction 708.4 and its gradient -4.5e307:
huge, but finite, so that a chain rule through a saturated sigmoid gives 0 instead of NaN.
"""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from reference.activations import log_softmax, sigmoid, softmax
from reference.arrays import FloatArray

Reduction: TypeAlias = Literal["mean", "sum"]

SMALLEST_PROBABILITY = float(np.finfo(np.float64).tiny)


def binary_cross_entropy(y: ArrayLike, y_hat: ArrayLike) -> FloatArray:
    """Binary cross-entropy, elementwise: -(y log(y_hat) + (1 - y) log(1 - y_hat)).

    0 * log(0) counts as 0, so the loss is 0 at y = y_hat = 0 and at y = y_hat = 1; at
    y_hat = 0, y = 1 and at y_hat = 1, y = 0 it is 708.4 (see the module's text). Source:
    Bishop (2006), eq. 4.90.

    Args:
        y: Targets in [0, 1], usually 0 or 1.
        y_hat: Probabilities of the target 1. The loss is NaN where one lies outside [0, 1].

    Returns:
        One loss for each element; nothing is summed or averaged.

    Raises:
        ValueError: The shapes differ and neither argument is a scalar.
    """
    y, y_hat = _elementwise(y, y_hat)
    loss = -(y * np.log(_positive(y_hat)) + (1.0 - y) * np.log(_positive(1.0 - y_hat)))
    # The logarithm of 1 times -1 is -0.0; adding zero makes it the plain 0 that prints well.
    return np.asarray(loss + 0.0)


def binary_cross_entropy_gradient(y: ArrayLike, y_hat: ArrayLike) -> FloatArray:
    """Derivative of the binary cross-entropy for ``y_hat``: (1 - y)/(1 - y_hat) - y/y_hat.

    Finite for every probability: -1 at y = y_hat = 1 and 1 at y = y_hat = 0 (the one-sided
    derivatives), and -4.5e307 or 4.5e307 where the prediction is sure and wrong.

    Args:
        y: Targets in [0, 1], usually 0 or 1.
        y_hat: Probabilities of the target 1. The result is NaN where one lies outside [0, 1].

    Returns:
        One derivative for each element.

    Raises:
        ValueError: The shapes differ and neither argument is a scalar.
    """
    y, y_hat = _elementwise(y, y_hat)
    return np.asarray((1.0 - y) / _positive(1.0 - y_hat) - y / _positive(y_hat))


def binary_cross_entropy_with_logits(y: ArrayLike, logits: ArrayLike) -> FloatArray:
    """Binary cross-entropy of sigmoid(z), elementwise: max(z, 0) - y z + log(1 + exp(-|z|)).

    The same number as `binary_cross_entropy` on ``sigmoid(logits)``, without its rounding
    near 0 and 1. Source: Goodfellow et al. (2016), section 6.2.2.2 (the softplus form).

    Args:
        y: Targets in [0, 1].
        logits: Finite scores.

    Returns:
        One loss for each element.

    Raises:
        ValueError: The shapes differ and neither argument is a scalar.
    """
    y, logits = _elementwise(y, logits)
    # max(z, 0) - y z cancels for a sure and right prediction; this grouping does not.
    linear = np.where(logits >= 0, 1.0 - y, -y) * logits
    return np.asarray(linear + np.log1p(np.exp(-np.abs(logits))))


def binary_cross_entropy_with_logits_gradient(y: ArrayLike, logits: ArrayLike) -> FloatArray:
    """Derivative of `binary_cross_entropy_with_logits` for the logits: sigmoid(z) - y.

    Written (1 - y) sigmoid(z) - y sigmoid(-z), which keeps its relative accuracy where
    sigmoid(z) rounds to y. Source: Bishop (2006), eq. 4.91.

    Args:
        y: Targets in [0, 1].
        logits: Finite scores.

    Returns:
        One derivative for each element.

    Raises:
        ValueError: The shapes differ and neither argument is a scalar.
    """
    y, logits = _elementwise(y, logits)
    return np.asarray((1.0 - y) * sigmoid(logits) - y * sigmoid(-logits))


def one_hot(labels: ArrayLike, n_classes: int) -> FloatArray:
    """One-hot targets, one row for each label.

    Args:
        labels: Integers in 0 .. n_classes - 1, shape (N,).
        n_classes: The number of columns; a class may be missing from the labels.

    Returns:
        Shape (N, n_classes), with a single 1 in each row.

    Raises:
        ValueError: The labels are not one-dimensional, not integers or out of range.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels must be integers of shape (N,), not {labels.dtype} {labels.shape}"
        )
    if labels.size and not 0 <= labels.min() <= labels.max() < n_classes:
        raise ValueError(f"labels must lie in 0 .. {n_classes - 1}")
    return np.asarray(np.eye(n_classes)[labels])


def cross_entropy(
    targets: ArrayLike, probabilities: ArrayLike, reduction: Reduction = "mean"
) -> float:
    """Cross-entropy of class probabilities: -sum_k t_k log(p_k) for each row.

    0 * log(0) counts as 0; a probability of 0 for the right class costs 708.4 (see the
    module's text). Source: Bishop (2006), eq. 4.108.

    Args:
        targets: Integer labels (N,) or one-hot rows (N, K).
        probabilities: Shape (N, K). The loss is NaN where one lies outside [0, 1].
        reduction: "mean" over the N rows or their "sum".

    Returns:
        The loss of the batch.

    Raises:
        ValueError: Empty batch, or targets that do not fit the probabilities.
    """
    probabilities, one_hot_targets = _batch(targets, probabilities)
    total = -float(np.sum(one_hot_targets * np.log(_positive(probabilities)))) + 0.0
    return total / _divisor(probabilities, reduction)


def cross_entropy_gradient(
    targets: ArrayLike, probabilities: ArrayLike, reduction: Reduction = "mean"
) -> FloatArray:
    """Gradient of `cross_entropy` for the probabilities: -t / p, over N for the mean.

    Source: Bishop (2006), eq. 4.108, differentiated.

    Args:
        targets: Integer labels (N,) or one-hot rows (N, K).
        probabilities: Shape (N, K). The result is NaN where one lies outside [0, 1].
        reduction: "mean" over the N rows or their "sum".

    Returns:
        Shape (N, K); 0 for the classes that are not the target.

    Raises:
        ValueError: Empty batch, or targets that do not fit the probabilities.
    """
    probabilities, one_hot_targets = _batch(targets, probabilities)
    gradient = -one_hot_targets / _positive(probabilities) + 0.0
    return np.asarray(gradient / _divisor(probabilities, reduction))


def softmax_cross_entropy(
    targets: ArrayLike, logits: ArrayLike, reduction: Reduction = "mean"
) -> float:
    """Cross-entropy of softmax(logits): -sum_k t_k log_softmax(z)_k for each row.

    Source: Bishop (2006), eq. 4.108, on the log-softmax of Blanchard et al. (2021).

    Args:
        targets: Integer labels (N,) or one-hot rows (N, K).
        logits: Finite scores, shape (N, K).
        reduction: "mean" over the N rows or their "sum".

    Returns:
        The loss of the batch.

    Raises:
        ValueError: Empty batch, or targets that do not fit the logits.
    """
    logits, one_hot_targets = _batch(targets, logits)
    total = -float(np.sum(one_hot_targets * log_softmax(logits))) + 0.0
    return total / _divisor(logits, reduction)


def softmax_cross_entropy_gradient(
    targets: ArrayLike, logits: ArrayLike, reduction: Reduction = "mean"
) -> FloatArray:
    """Gradient of `softmax_cross_entropy` for the logits: softmax(z) - t, over N for the mean.

    For targets whose rows do not sum to 1 the softmax is multiplied by that sum, which keeps
    it the exact gradient. Source: Bishop (2006), eq. 4.109.

    Args:
        targets: Integer labels (N,) or one-hot rows (N, K).
        logits: Finite scores, shape (N, K).
        reduction: "mean" over the N rows or their "sum".

    Returns:
        Shape (N, K); each row sums to 0.

    Raises:
        ValueError: Empty batch, or targets that do not fit the logits.
    """
    logits, one_hot_targets = _batch(targets, logits)
    gradient = softmax(logits) * one_hot_targets.sum(axis=1, keepdims=True) - one_hot_targets
    return np.asarray(gradient / _divisor(logits, reduction))


def sum_squared_error(y: ArrayLike, y_hat: ArrayLike, half: bool = True) -> float:
    """Sum of squared errors (L2 loss): 1/2 sum (y_hat - y)^2, summed over all elements.

    Source: Bishop (2006), eq. 1.2, whose factor 1/2 cancels the 2 of the derivative.

    Args:
        y: Targets, any shape.
        y_hat: Predictions, of the shape of ``y``.
        half: Whether the factor 1/2 is there.

    Returns:
        The summed loss.

    Raises:
        ValueError: The shapes differ and neither argument is a scalar.
    """
    y, y_hat = _elementwise(y, y_hat)
    return float(np.sum((y_hat - y) ** 2)) * (0.5 if half else 1.0)


def sum_squared_error_gradient(y: ArrayLike, y_hat: ArrayLike, half: bool = True) -> FloatArray:
    """Gradient of `sum_squared_error` for ``y_hat``: y_hat - y, doubled without the factor 1/2.

    Args:
        y: Targets, any shape.
        y_hat: Predictions, of the shape of ``y``.
        half: Whether the loss has the factor 1/2.

    Returns:
        The gradient, of the shape of ``y_hat``.

    Raises:
        ValueError: The shapes differ and neither argument is a scalar.
    """
    y, y_hat = _elementwise(y, y_hat)
    return np.asarray((y_hat - y) * (1.0 if half else 2.0))


def mean_squared_error(y: ArrayLike, y_hat: ArrayLike) -> float:
    """Mean squared error: the mean of (y_hat - y)^2 over all elements.

    Source: Goodfellow et al. (2016), section 5.1.4 (eq. 5.4).

    Args:
        y: Targets, any shape.
        y_hat: Predictions, of the shape of ``y``.

    Returns:
        The mean loss.

    Raises:
        ValueError: No elements, or the shapes differ and neither argument is a scalar.
    """
    y, y_hat = _elementwise(y, y_hat)
    return float(np.sum((y_hat - y) ** 2)) / _count(y, y_hat)


def mean_squared_error_gradient(y: ArrayLike, y_hat: ArrayLike) -> FloatArray:
    """Gradient of `mean_squared_error` for ``y_hat``: 2 (y_hat - y) / (number of elements).

    Args:
        y: Targets, any shape.
        y_hat: Predictions, of the shape of ``y``.

    Returns:
        The gradient, of the shape of ``y_hat``.

    Raises:
        ValueError: No elements, or the shapes differ and neither argument is a scalar.
    """
    y, y_hat = _elementwise(y, y_hat)
    return np.asarray(2.0 * (y_hat - y) / _count(y, y_hat))


def _positive(probabilities: FloatArray) -> FloatArray:
    # NaN must be asked for: clipping alone would turn -0.1 into a valid probability.
    clipped = np.maximum(probabilities, SMALLEST_PROBABILITY)
    return np.where((probabilities >= 0) & (probabilities <= 1), clipped, np.nan)


def _elementwise(y: ArrayLike, y_hat: ArrayLike) -> tuple[FloatArray, FloatArray]:
    y, y_hat = np.asarray(y, dtype=np.float64), np.asarray(y_hat, dtype=np.float64)
    # (N,) against (N, 1) would broadcast to (N, N), a classic silent mistake.
    if y.ndim and y_hat.ndim and y.shape != y_hat.shape:
        raise ValueError(f"targets {y.shape} and predictions {y_hat.shape} differ in shape")
    return y, y_hat


def _batch(targets: ArrayLike, scores: ArrayLike) -> tuple[FloatArray, FloatArray]:
    scores, targets = np.asarray(scores, dtype=np.float64), np.asarray(targets)
    if scores.ndim != 2 or scores.size == 0:
        raise ValueError(f"scores must be of shape (N, K), not empty, not {scores.shape}")
    rows = one_hot(targets, scores.shape[1]) if targets.ndim == 1 else targets.astype(np.float64)
    if rows.shape != scores.shape:
        raise ValueError(f"targets {targets.shape} do not fit scores {scores.shape}")
    return scores, rows


def _divisor(scores: FloatArray, reduction: Reduction) -> int:
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction must be 'mean' or 'sum', not {reduction!r}")
    return scores.shape[0] if reduction == "mean" else 1


def _count(y: FloatArray, y_hat: FloatArray) -> int:
    count = max(y.size, y_hat.size)
    if min(y.size, y_hat.size) == 0:
        raise ValueError("the mean of no elements is not defined")
    return count
