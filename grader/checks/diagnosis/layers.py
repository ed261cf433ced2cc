"""Wrong gradients of common layers and losses, made from what the context tells of them.

A layer is recognised by its right formula: only where that reproduces the
numeric gradient do the wrong ones count. So nothing has to be declared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import numpy as np

from grader.checks.diagnosis.context import Block, Floats, rms

Named: TypeAlias = Iterable[tuple[str, Floats]]
Elementwise: TypeAlias = Callable[[Floats], Floats]

RECOGNISED = 1e-6
"""In rms and in each element: a formula this close to the numbers is the layer's own."""


def layer_mistakes(block: Block) -> list[tuple[str, Floats]]:
    """Named wrong gradients of the layer or loss that the block belongs to, if it is known."""
    with np.errstate(all="ignore"):
        found = _mistakes_of(block, block.numeric)
        if found or not block.decays or block.parameters is None:
            return found
        decay = float(block.context.weight_decay or 0.0) * block.parameters
        without = _mistakes_of(block, block.numeric - decay)
        return [(code, array + decay) for code, array in without if array.shape == decay.shape]


def _mistakes_of(block: Block, numeric: Floats) -> list[tuple[str, Floats]]:
    context = block.context
    x = None if context.inputs is None else np.asarray(context.inputs, dtype=np.float64)
    upstream = None if context.upstream is None else np.asarray(context.upstream, dtype=np.float64)
    found: list[tuple[str, Floats]] = []
    if x is not None and x.shape == numeric.shape:
        found += _activation(x, upstream, numeric, block.error)
        if upstream is None:
            found += _losses(x, numeric, block)
    if upstream is not None:
        found += _upstream(upstream, numeric, block.error)
        if x is not None:
            found += _linear_weights(x, upstream, numeric, block.error)
    return [(code, array) for code, array in found if np.isfinite(array).all()]


def _is(numeric: Floats, formula: Floats, error: Floats) -> bool:
    if formula.shape != numeric.shape:
        return False
    tolerance = 4.0 * error + RECOGNISED * (np.abs(formula) + rms(formula))
    return bool(np.all(np.abs(numeric - formula) <= tolerance))


# --- activations ------------------------------------------------------------


def sigmoid(x: Floats) -> Floats:
    """The logistic function; it may overflow on the way, to the right limit."""
    value: Floats = 1.0 / (1.0 + np.exp(-x))
    return value


def sigmoid_slope(x: Floats) -> Floats:
    """Its derivative."""
    s = sigmoid(x)
    return s * (1.0 - s)


def relu(x: Floats) -> Floats:
    """The positive part."""
    return np.maximum(x, 0.0)


def relu_slope(x: Floats) -> Floats:
    """Its derivative, 0 at the kink."""
    return (x > 0.0).astype(np.float64)


def tanh_slope(x: Floats) -> Floats:
    """The derivative of the hyperbolic tangent."""
    value: Floats = 1.0 - np.tanh(x) ** 2
    return value


# Function, derivative, and the derivative written in terms of the output.
ACTIVATIONS: Mapping[str, tuple[Elementwise, Elementwise, Elementwise]] = {
    "sigmoid": (sigmoid, sigmoid_slope, lambda y: y * (1.0 - y)),
    "tanh": (np.tanh, tanh_slope, lambda y: 1.0 - y**2),
    "relu": (relu, relu_slope, relu_slope),
}


def _activation(x: Floats, upstream: Floats | None, numeric: Floats, error: Floats) -> Named:
    if upstream is not None and upstream.shape != x.shape:
        return
    above = np.ones_like(x) if upstream is None else upstream
    for value, slope, slope_of_output in ACTIVATIONS.values():
        if _is(numeric, above * slope(x), error):
            yield "derivative_at_activation", above * slope(value(x))
            yield "argument_as_output", above * slope_of_output(x)
            yield "activation_for_derivative", above * value(x)
            yield "extra_derivative", above * slope(x) ** 2
            yield "derivative_of_upstream", above * slope(above)
            yield "missing_derivative", above


def _upstream(upstream: Floats, numeric: Floats, error: Floats) -> Named:
    """What an elementwise layer or a bias may do with the gradient from above."""
    if upstream.shape == numeric.shape and upstream.all():
        yield "missing_derivative", upstream
        yield "upstream_ignored", numeric / upstream
    rows = upstream.reshape(len(upstream), -1) if upstream.ndim > 1 else upstream.reshape(-1, 1)
    right = rows.sum(axis=0)
    if len(rows) > 1 and _is(numeric.reshape(-1), right, error.reshape(-1)):
        yield "not_summed", upstream
        yield "wrong_axis", rows.sum(axis=1)
        yield "one_example_only", rows[0]
        yield "one_example_only", rows[-1]
        yield "upstream_ignored", np.full_like(right, len(rows))


def _linear_weights(x: Floats, upstream: Floats, numeric: Floats, error: Floats) -> Named:
    """A linear layer's weights: inputs and upstream gradient meet in a sum over the examples."""
    if x.ndim != 2 or upstream.ndim != 2 or len(x) != len(upstream):
        return
    if not _is(numeric, x.T @ upstream, error):
        # Some courses keep one row of weights for each output.
        if _is(numeric, upstream.T @ x, error):
            mistakes = _linear_weights(x, upstream, numeric.T, error.T)
            yield from ((code, array.T) for code, array in mistakes)
        return
    yield "upstream_ignored", x.T @ np.ones_like(upstream)
    yield "one_example_only", x[:1].T @ upstream[:1]
    yield "one_example_only", x[-1:].T @ upstream[-1:]
    yield "missing_derivative", np.ones_like(x).T @ upstream


# --- losses -----------------------------------------------------------------


def softmax(x: Floats, axis: int | None) -> Floats:
    """The softmax along an axis, or over the whole array."""
    e = np.exp(x - x.max())
    value: Floats = e / e.sum(axis=axis, keepdims=True)
    return value


def _losses(x: Floats, numeric: Floats, block: Block) -> Named:
    """Losses that sum, or average over the examples or the elements."""
    for count in sorted({1, len(x) if x.ndim else 1, x.size}):
        scaled, error = count * numeric, count * block.error
        mistakes = (
            *_softmax_cross_entropy(x, scaled, error),
            *_cross_entropy(x, scaled, error),
            *_cross_entropy_of_scores(x, scaled, error),
        )
        yield from ((code, array / count) for code, array in mistakes)


def _is_binary(labels: Floats, error: Floats) -> bool:
    return _is(labels, np.round(labels), error) and set(np.round(labels).flat) <= {0.0, 1.0}


def _softmax_cross_entropy(x: Floats, numeric: Floats, error: Floats) -> Named:
    if x.ndim != 2 or x.shape[1] < 2:
        return
    right = softmax(x, 1)
    labels = right - numeric
    if not _is_binary(labels, error) or not (np.round(labels).sum(axis=1) == 1.0).all():
        return
    labels = np.round(labels)
    yield "softmax_whole_batch", softmax(x, None) - labels
    yield "softmax_wrong_axis", softmax(x, 0) - labels
    yield "labels_ignored", right
    yield "missing_activation", x - labels
    yield "gradient_for_probability", -labels / right
    yield "extra_derivative", (right - labels) * right * (1.0 - right)


def _cross_entropy(y_hat: Floats, numeric: Floats, error: Floats) -> Named:
    """Binary cross-entropy as a function of probabilities."""
    if not ((y_hat > 0.0) & (y_hat < 1.0)).all():
        return
    labels = np.where(numeric < 0.0, 1.0, 0.0)
    positive, negative = labels / y_hat, (1.0 - labels) / (1.0 - y_hat)
    if not _is(numeric, negative - positive, error):
        return
    yield "gradient_for_logit", y_hat - labels
    yield "second_term_sign", -positive - negative
    yield "second_term_missing", -positive
    yield "second_term_missing", negative


def _cross_entropy_of_scores(x: Floats, numeric: Floats, error: Floats) -> Named:
    """Binary cross-entropy as a function of what goes into the sigmoid."""
    right = sigmoid(x)
    labels = right - numeric
    if not _is_binary(labels, error):
        return
    labels = np.round(labels)
    yield "missing_activation", x - labels
    yield "labels_ignored", right
    yield "extra_derivative", (right - labels) * right * (1.0 - right)
    yield "gradient_for_probability", (right - labels) / (right * (1.0 - right))
