"""Right and wrong gradients on which gradient checks are compared.

Five kinds of problems in nine regimes, and a list of awkward programs. The
tests draw from the same generator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Function: TypeAlias = Callable[[Any], Any]

REGIMES = (
    "benign",
    "weights 1e-4..1e3",
    "saturated",
    "near 0 and 1",
    "gradients of 1e-12",
    "mixed scales",
    "offset of 1e6",
    "large batches",
    "kinks near",
)
KINDS = ("sigmoid", "bce", "softmax", "linear", "network")


@dataclass(frozen=True)
class Case:
    """A function, its gradient, a point, and the weight decay that the function holds."""

    f: Function
    grad: Function
    x: Array
    decay: float = 0.0


def sigmoid(z: Array) -> Array:
    """Precise at both ends."""
    result: Array = np.exp(-np.logaddexp(0.0, -z))
    return result


def draw(regime: str, rng: np.random.Generator, kind: str = "") -> Case:
    """A random right gradient of one regime, and of a random kind where none is asked for."""
    kind = kind or str(rng.choice(KINDS))
    if regime == "near 0 and 1":
        return bce_on_predictions(rng)
    if regime == "kinks near":
        return network(rng, batch=5, scale=1.0, kink=10.0 ** rng.uniform(-12, -2))
    scale = {
        "weights 1e-4..1e3": 10.0 ** rng.uniform(-4, 3),
        "saturated": 10.0 ** rng.uniform(1, 2),
    }.get(regime, 1.0)
    batch = 500 if regime == "large batches" else 5
    case = MAKERS[kind](rng, batch=batch, scale=scale)
    if regime == "gradients of 1e-12":
        return rescaled(case, 1e-12, 0.0)
    if regime == "offset of 1e6":
        return rescaled(case, 1.0, 1e6)
    if regime == "mixed scales":
        return of_mixed_scales(case, rng)
    return case


def rescaled(case: Case, factor: float, offset: float) -> Case:
    """The function times a factor plus an offset."""
    return Case(
        lambda x: factor * case.f(x) + offset, lambda x: factor * case.grad(x), case.x, case.decay
    )


def of_mixed_scales(case: Case, rng: np.random.Generator) -> Case:
    """Each coordinate in a unit of its own."""
    unit = 10.0 ** rng.uniform(-4, 4, case.x.shape)
    return Case(lambda x: case.f(x * unit), lambda x: case.grad(x * unit) * unit, case.x / unit)


def sigmoid_sum(rng: np.random.Generator, *, batch: int, scale: float) -> Case:
    """An upstream gradient through a sigmoid."""
    u = rng.normal(size=(3, 2))
    x = scale * rng.normal(size=(3, 2))
    return Case(lambda z: np.sum(u * sigmoid(z)), lambda z: u * sigmoid(z) * sigmoid(-z), x)


def bce_on_logits(rng: np.random.Generator, *, batch: int, scale: float) -> Case:
    """Logistic regression, in the form that does not overflow."""
    inputs, y = rng.normal(size=(batch, 3)), rng.integers(0, 2, batch).astype(float)

    def f(w: Array) -> Any:
        z = inputs @ w
        return np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))

    return Case(
        f, lambda w: inputs.T @ (sigmoid(inputs @ w) - y) / batch, scale * rng.normal(size=3)
    )


def bce_on_predictions(rng: np.random.Generator) -> Case:
    """Binary cross-entropy of predictions within 1e-6..1e-2 of 0 or 1."""
    y = rng.integers(0, 2, 4)
    near = 10.0 ** rng.uniform(-6, -2, 4)
    p = np.where(rng.random(4) < 0.5, near, 1 - near)
    return Case(
        lambda p: -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)),
        lambda p: ((1 - y) / (1 - p) - y / p) / 4,
        p,
    )


def softmax(rng: np.random.Generator, *, batch: int, scale: float) -> Case:
    """Softmax cross-entropy of a linear layer with weight decay."""
    inputs, labels = rng.normal(size=(batch, 3)), rng.integers(0, 3, batch)
    rows, decay = np.arange(batch), 10.0 ** rng.uniform(-4, -1)

    def log_p(w: Array) -> Array:
        z = inputs @ w
        z = z - z.max(axis=1, keepdims=True)
        result: Array = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return result

    def f(w: Array) -> Any:
        return -np.mean(log_p(w)[rows, labels]) + 0.5 * decay * np.sum(w * w)

    def grad(w: Array) -> Array:
        p = np.exp(log_p(w))
        p[rows, labels] -= 1
        result: Array = inputs.T @ p / batch + decay * w
        return result

    return Case(f, grad, scale * rng.normal(size=(3, 3)), decay)


def linear(rng: np.random.Generator, *, batch: int, scale: float) -> Case:
    """Least squares."""
    inputs, y = rng.normal(size=(batch, 3)), rng.normal(size=(batch, 2))
    return Case(
        lambda w: 0.5 * np.sum((inputs @ w - y) ** 2),
        lambda w: inputs.T @ (inputs @ w - y),
        scale * rng.normal(size=(3, 2)),
    )


def network(
    rng: np.random.Generator, *, batch: int, scale: float, kink: float = 0.0, decay: float = -1.0
) -> Case:
    """Two layers with tanh, or ReLU with one unit `kink` above 0, a logistic loss and decay."""
    inputs, y = rng.normal(size=(batch, 4)), rng.integers(0, 2, batch).astype(float)
    v, w = rng.normal(size=3), scale * rng.normal(size=(4, 3))
    decay = decay if decay >= 0.0 else 10.0 ** rng.uniform(-5, -1)
    if kink:
        w[0, 0] += (kink - (inputs @ w)[0, 0]) / inputs[0, 0]

    def hidden(w: Array) -> tuple[Array, Array]:
        z = inputs @ w
        return (np.maximum(z, 0), 1.0 * (z > 0)) if kink else (np.tanh(z), 1 / np.cosh(z) ** 2)

    def f(w: Array) -> Any:
        z = hidden(w)[0] @ v
        return np.mean(np.logaddexp(0, z) - y * z) + 0.5 * decay * np.sum(w * w)

    def grad(w: Array) -> Array:
        with np.errstate(over="ignore"):
            h, slope = hidden(w)
        dz = (sigmoid(h @ v) - y) / batch
        result: Array = inputs.T @ (np.outer(dz, v) * slope) + decay * w
        return result

    return Case(f, grad, w, decay)


MAKERS: dict[str, Callable[..., Case]] = {
    "sigmoid": sigmoid_sum,
    "bce": bce_on_logits,
    "softmax": softmax,
    "linear": linear,
    "network": network,
}


def with_decay(seed: int, decay: float) -> tuple[Case, Function]:
    """A network with weight decay, and the gradient that forgets it."""
    right = network(np.random.default_rng(seed), batch=5, scale=1.0, decay=decay)
    forgetful = network(np.random.default_rng(seed), batch=5, scale=1.0, decay=0.0)
    return right, forgetful.grad


def large(size: int, rng: np.random.Generator) -> Case:
    """A logistic loss of `size` weights through a tanh layer, in linear time."""
    rows = 5
    inputs = rng.normal(size=(rows, size)) / np.sqrt(size)
    y, u = rng.integers(0, 2, rows).astype(float), rng.normal(size=size) / np.sqrt(size)
    decay = 1e-4

    def f(w: Array) -> Any:
        z = inputs @ w * 3.0
        hidden = np.tanh(w)
        extra = np.sum(u * hidden)
        return (
            np.mean(np.logaddexp(0, z) - y * z) + np.sin(extra) + 0.5 * decay * np.sum(w * w) / size
        )

    def grad(w: Array) -> Array:
        z = inputs @ w * 3.0
        hidden = np.tanh(w)
        outer = np.cos(np.sum(u * hidden)) * u * (1 - hidden**2)
        result: Array = 3.0 * inputs.T @ (sigmoid(z) - y) / rows + outer + decay * w / size
        return result

    return Case(f, grad, rng.normal(size=size), decay)
