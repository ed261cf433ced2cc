"""Layers and nets of random sizes for benchmarks/diagnosis.py, each with its bugs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.checks import DiagnosisContext

Floats: TypeAlias = NDArray[Any]
Blocks: TypeAlias = Mapping[str, Floats]
Kind: TypeAlias = type[np.floating[Any]]

LEARNING_RATE, DECAY = 0.013, 0.037
PRIMES = (5, 7, 11, 13)


@dataclass(frozen=True)
class Setting:
    """A loss, its parameters, and its gradient: right (code "") and with each bug."""

    loss: Callable[[Blocks], Floats | float]
    parameters: Blocks
    formulas: Callable[[Kind], dict[str, Blocks]]
    context: DiagnosisContext

    def decay(self) -> Blocks:
        """What the weight decay contributes to the right gradient."""
        biases = self.context.is_bias
        if not self.context.weight_decay or isinstance(biases, bool):
            return {}
        return {k: DECAY * v for k, v in self.parameters.items() if k not in (biases or ())}


def sigmoid(x: Floats) -> Floats:
    """The logistic function."""
    value: Floats = 1 / (1 + np.exp(-x))
    return value


def slope(x: Floats) -> Floats:
    """Its derivative."""
    value: Floats = sigmoid(x) * (1 - sigmoid(x))
    return value


def softmax(x: Floats, axis: int | None = 1) -> Floats:
    """The softmax along an axis, or over everything."""
    e = np.exp(x - x.max())
    value: Floats = e / e.sum(axis=axis, keepdims=True)
    return value


def sizes(rng: np.random.Generator) -> tuple[int, ...]:
    """Distinct primes."""
    return tuple(int(n) for n in rng.permutation(PRIMES))


def alone(arrays: Mapping[str, Floats]) -> dict[str, Blocks]:
    """Gradients of a single parameter."""
    return {code: {"": array} for code, array in arrays.items()}


def off_zero(rng: np.random.Generator, *shape: int) -> Floats:
    """Numbers of both signs, none of them near 0."""
    signs: Floats = rng.choice([-1.0, 1.0], size=shape)
    return signs * rng.uniform(0.1, 3.0, size=shape)


def elementwise(
    rng: np.random.Generator,
    function: Callable[[Floats], Floats],
    derivative: Callable[[Floats], Floats],
) -> Setting:
    """An activation layer under a random upstream gradient."""
    n, d, _, _ = sizes(rng)
    x, dy = off_zero(rng, n, d), rng.normal(size=(n, d))

    def formulas(dtype: Kind) -> dict[str, Blocks]:
        a, u = x.astype(dtype), dy.astype(dtype)
        last = np.zeros_like(a)
        last[-1] = (u * derivative(a))[-1]
        return alone(
            {
                "": u * derivative(a),
                "missing_derivative": u,
                "upstream_ignored": derivative(a),
                "derivative_at_activation": u * derivative(function(a)),
                "activation_for_derivative": u * function(a),
                "derivative_of_upstream": u * derivative(u),
                "extra_derivative": u * derivative(a) ** 2,
                "one_example_only": last,
                "stale_cache": u * derivative(a[::-1] - dtype(0.1)),
            }
        )

    context = DiagnosisContext(
        batch_size=n, n_features=d, inputs=x, upstream=dy, learning_rate=LEARNING_RATE
    )
    return Setting(
        lambda p: np.sum(dy * function(p[""]), dtype=np.float64), {"": x}, formulas, context
    )


def sigmoid_layer(rng: np.random.Generator) -> Setting:
    """The logistic layer."""
    return elementwise(rng, sigmoid, slope)


def relu_layer(rng: np.random.Generator) -> Setting:
    """The ReLU layer."""
    return elementwise(rng, lambda x: np.maximum(x, 0), lambda x: (x > 0).astype(x.dtype))


def cross_entropy(rng: np.random.Generator) -> Setting:
    """Binary cross-entropy of probabilities, summed."""
    n, *_ = sizes(rng)
    n = 2 * n + 1
    p = rng.uniform(0.05, 0.95, size=n)
    y = np.arange(n) % 2 * 1.0

    def formulas(dtype: Kind) -> dict[str, Blocks]:
        a, t = p.astype(dtype), y.astype(dtype)
        return alone(
            {
                "": (1 - t) / (1 - a) - t / a,
                "gradient_for_logit": a - t,
                "second_term_sign": -t / a - (1 - t) / (1 - a),
                "second_term_missing": -t / a,
                "swapped_arguments": np.log((1 - a) / a),
                "broadcast": (1 - t) / (1 - a)[:, None] - t / a[:, None],
            }
        )

    def loss(blocks: Blocks) -> float:
        a = blocks[""]
        return float(-np.sum(y * np.log(a) + (1 - y) * np.log(1 - a), dtype=np.float64))

    context = DiagnosisContext(batch_size=n, inputs=p, learning_rate=LEARNING_RATE)
    return Setting(loss, {"": p}, formulas, context)


def one_hot(rng: np.random.Generator, n: int, k: int) -> Floats:
    """Labels; one class is missing."""
    labels: Floats = np.eye(k)[rng.integers(k - 1, size=n)]
    return labels


def softmax_loss(rng: np.random.Generator) -> Setting:
    """Softmax cross-entropy of scores, averaged over the batch."""
    n, k, _, _ = sizes(rng)
    z, y = rng.normal(size=(n, k)) * 2, one_hot(rng, n, k)

    def formulas(dtype: Kind) -> dict[str, Blocks]:
        a, t = z.astype(dtype), y.astype(dtype)
        s = softmax(a)
        return alone(
            {
                "": (s - t) / dtype(n),
                "softmax_whole_batch": (softmax(a, None) - t) / dtype(n),
                "softmax_wrong_axis": (softmax(a, 0) - t) / dtype(n),
                "labels_ignored": s / dtype(n),
                "missing_activation": (a - t) / dtype(n),
                "gradient_for_probability": -t / s / dtype(n),
                "extra_derivative": (s - t) * s * (1 - s) / dtype(n),
            }
        )

    def loss(blocks: Blocks) -> float:
        return float(-np.sum(y * np.log(softmax(blocks[""])), dtype=np.float64) / n)

    context = DiagnosisContext(batch_size=n, n_classes=k, inputs=z, learning_rate=LEARNING_RATE)
    return Setting(loss, {"": z}, formulas, context)


def linear_weights(rng: np.random.Generator) -> Setting:
    """The weights of a linear layer, with weight decay."""
    n, d, k, _ = sizes(rng)
    x, dy = rng.normal(size=(n, d)), rng.normal(size=(n, k))
    W = rng.normal(size=(d, k)) * 0.5

    def formulas(dtype: Kind) -> dict[str, Blocks]:
        a, u, w = (array.astype(dtype) for array in (x, dy, W))
        data, decay = a.T @ u, dtype(DECAY) * w
        parts = {
            "upstream_ignored": a.T @ np.ones_like(u),
            "one_example_only": a[-1:].T @ u[-1:],
            "missing_derivative": np.ones_like(a).T @ u,
            "stale_cache": a[::-1].T @ u,
        }
        found = {"": data + decay, **{code: part + decay for code, part in parts.items()}}
        return alone({**found, **decays(data, decay, n)})

    context = DiagnosisContext(
        parameters=W,
        weight_decay=DECAY,
        batch_size=n,
        n_features=d,
        n_classes=k,
        inputs=x,
        upstream=dy,
        learning_rate=LEARNING_RATE,
    )

    def loss(blocks: Blocks) -> float:
        w = blocks[""]
        data = np.sum(dy * (x.astype(w.dtype) @ w), dtype=np.float64)
        return float(data + DECAY / 2 * np.sum(w**2, dtype=np.float64))

    return Setting(loss, {"": W}, formulas, context)


def decays(data: Floats, decay: Floats, n: int) -> dict[str, Floats]:
    """What may be wrong with weight decay."""
    kind = data.dtype.type
    return {
        "weight_decay_missing": data,
        "weight_decay_sign": data - decay,
        "weight_decay_doubled": data + 2 * decay,
        "weight_decay_halved": data + decay / 2,
        "weight_decay_averaged": data + decay / kind(n),
        "weight_decay_summed": data + kind(n) * decay,
        "weight_decay_unscaled": data + decay / kind(DECAY),
    }


def linear_bias(rng: np.random.Generator) -> Setting:
    """The bias of a linear layer."""
    n, k, d, _ = sizes(rng)
    x, dy, b = rng.normal(size=(n, d)), rng.normal(size=(n, k)), rng.normal(size=k)

    def formulas(dtype: Kind) -> dict[str, Blocks]:
        u = dy.astype(dtype)
        return alone(
            {
                "": u.sum(axis=0),
                "not_summed": u,
                "wrong_axis": u.sum(axis=1),
                "summed_over_everything": u.sum(),
                "one_example_only": u[0],
                "upstream_ignored": np.full(k, dtype(n)),
                "weight_decay_on_bias": u.sum(axis=0) + dtype(DECAY) * b.astype(dtype),
            }
        )

    context = DiagnosisContext(
        parameters=b,
        weight_decay=DECAY,
        is_bias=True,
        batch_size=n,
        n_classes=k,
        n_features=d,
        inputs=x,
        upstream=dy,
        learning_rate=LEARNING_RATE,
    )
    return Setting(
        lambda p: np.sum(dy * p[""], dtype=np.float64),
        {"": b},
        formulas,
        context,
    )


@dataclass(frozen=True)
class Net:
    """A two-layer net with a softmax; `columns` keeps the examples in the columns."""

    x: Floats
    y: Floats
    columns: bool

    def forward(self, p: Blocks) -> tuple[Floats, Floats, Floats]:
        """Scores of the hidden layer, its outputs and the net's scores, examples in rows."""
        x, W1, W2 = self.x.astype(p["W1"].dtype), p["W1"], p["W2"]
        first, second = (W1.T, W2.T) if self.columns else (W1, W2)
        h = x @ first + p["b1"]
        return h, sigmoid(h), sigmoid(h) @ second + p["b2"]

    def loss(self, p: Blocks) -> float:
        """Mean cross-entropy and weight decay on both weights."""
        scores = self.forward(p)[2]
        data = -np.sum(self.y * np.log(softmax(scores)), dtype=np.float64) / len(self.x)
        decay = sum(np.sum(p[name] ** 2, dtype=np.float64) for name in ("W1", "W2"))
        return float(data + DECAY / 2 * decay)

    def gradient(self, p: Blocks, bug: str = "") -> Blocks:
        """The data part of the gradient, with one bug."""
        h, a, scores = self.forward(p)
        x, y = self.x.astype(h.dtype), self.y.astype(h.dtype)
        axis = {"softmax_whole_batch": None, "softmax_wrong_axis": 0}.get(bug, 1)
        target = np.zeros_like(y) if bug == "labels_ignored" else y
        delta = ((scores if bug == "missing_activation" else softmax(scores, axis)) - target) / (
            h.dtype.type(len(x))
        )
        if bug == "one_example_only":
            delta[:-1] = 0
        W2 = p["W2"].T if self.columns else p["W2"]
        dW2 = a.T @ delta
        used = W2 - h.dtype.type(LEARNING_RATE) * dW2 if bug == "updated_weights" else W2
        local = {
            "missing_derivative": np.ones_like(h),
            "derivative_at_activation": slope(a),
            "activation_for_derivative": a,
            "stale_cache": slope(h[::-1]),
        }.get(bug, slope(h))
        back = delta @ used.T * local
        dW1 = x.T @ back
        return {
            "W1": dW1.T if self.columns else dW1,
            "b1": back.sum(axis=0),
            "W2": dW2.T if self.columns else dW2,
            "b2": delta if bug == "not_summed" else delta.sum(axis=0),
        }


NET_BUGS = (
    *("softmax_whole_batch", "softmax_wrong_axis", "labels_ignored", "missing_activation"),
    *("one_example_only", "updated_weights", "missing_derivative", "derivative_at_activation"),
    *("activation_for_derivative", "stale_cache", "not_summed"),
)


def two_layers(rng: np.random.Generator, *, columns: bool) -> Setting:
    """A net with weight decay, its gradients in four blocks."""
    n, d, h, k = sizes(rng)
    net = Net(rng.normal(size=(n, d)), one_hot(rng, n, k), columns)
    shapes = {"W1": (h, d) if columns else (d, h), "W2": (k, h) if columns else (h, k)}
    start = {name: rng.normal(size=shape) * 0.7 for name, shape in shapes.items()}
    start |= {"b1": rng.normal(size=h), "b2": rng.normal(size=k)}

    def formulas(dtype: Kind) -> dict[str, Blocks]:
        p = {name: block.astype(dtype) for name, block in start.items()}
        decay = {name: dtype(DECAY) * p[name] for name in ("W1", "W2")}

        def plus(blocks: Blocks, others: Blocks) -> Blocks:
            return {k: v + others[k] if k in others else v for k, v in blocks.items()}

        data = net.gradient(p)
        found = {bug: plus(net.gradient(p, bug), decay) for bug in ("", *NET_BUGS)}
        every = {name: dtype(DECAY) * block for name, block in p.items()}
        found["weight_decay_on_bias"] = plus(data, every)
        wrong = {name: decays(data[name], decay[name], n) for name in decay}
        for code in wrong["W1"]:
            found[code] = {**data, **{name: wrong[name][code] for name in decay}}
        found["missing_batch_mean"] = plus({k: dtype(n) * v for k, v in data.items()}, decay)
        return found

    context = DiagnosisContext(
        parameters=start,
        weight_decay=DECAY,
        is_bias=frozenset(["b1", "b2"]),
        batch_size=n,
        n_features=d,
        n_hidden=h,
        n_classes=k,
        learning_rate=LEARNING_RATE,
    )
    return Setting(net.loss, start, formulas, context)


def rows_net(rng: np.random.Generator) -> Setting:
    """Examples in rows."""
    return two_layers(rng, columns=False)


def columns_net(rng: np.random.Generator) -> Setting:
    """Examples in columns, as Hinton's course has them."""
    return two_layers(rng, columns=True)


MAKERS = (
    sigmoid_layer,
    relu_layer,
    cross_entropy,
    softmax_loss,
    linear_weights,
    linear_bias,
    rows_net,
    columns_net,
)
