"""Programs that a gradient check meets in coursework and may stumble over.

The right ones must not be refused, the wrong ones not be passed. Each call of
`programs` makes them anew, since some keep state.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Function = Callable[[Any], Any]

AT = np.array([0.3, -1.2, 0.7])
ZERO = np.array([-1.0, 0.0, 2.0])
CLOSE = np.array([0.5, 1e-6, 1 - 1e-6])
EYE = np.eye(3)


@dataclass(frozen=True)
class Program:
    """A function and its gradient, right or wrong; `elementwise` gives df for f."""

    name: str
    f: Function
    grad: Function
    at: Any = field(default_factory=AT.copy)
    right: bool = True
    elementwise: bool = False


def relu(x: Any) -> Any:
    """Of arrays and numbers."""
    return np.maximum(x, 0)


def total(x: Any) -> Any:
    """Half the sum of squares; its gradient is x."""
    return 0.5 * np.sum(np.square(x))


def sigmoid(x: Any) -> Any:
    """Precise at both ends."""
    return np.exp(-np.logaddexp(0.0, -x))


def programs() -> list[Program]:
    """About 50 right and 13 wrong ones."""
    makers = (kinks, randoms, singles, forms, states, borders, scales, wrongs)
    return list(itertools.chain.from_iterable(make() for make in makers))


def kinks() -> Iterator[Program]:
    """Points at and near which the slope jumps."""
    for at_zero in (0.0, 0.5, 1.0):
        slope = lambda x, v=at_zero: np.where(x == 0, v, x > 0)  # noqa: E731
        yield Program(f"relu'(0) = {at_zero}", lambda x: np.sum(relu(x)), slope, ZERO)
    yield Program(
        "relu'(0) = 0, elementwise", relu, lambda x: 1.0 * (x > 0), ZERO, elementwise=True
    )
    yield Program("|x| at 0", lambda x: np.sum(np.abs(x)), np.sign, ZERO)
    yield Program(
        "leaky relu at 0",
        lambda x: np.sum(np.where(x > 0, x, 0.01 * x)),
        lambda x: np.where(x > 0, 1.0, 0.01),
        ZERO,
    )
    yield Program(
        "hinge at the margin",
        lambda x: np.sum(relu(1 - x)),
        lambda x: -1.0 * (x < 1),
        [1.0, 2.0, 0.0],
    )
    yield Program("max of equals, first", np.max, lambda x: EYE[np.argmax(x)], [2.0, 2.0, 1.0])
    yield Program(
        "max of equals, shared",
        np.max,
        lambda x: (x == x.max()) / np.sum(x == x.max()),
        [2.0, 2.0, 1.0],
    )
    for gap in (1e-4, 1e-9, 1e-13):
        yield Program(
            f"relu {gap} from its kink",
            lambda x: np.sum(relu(x) * AT),
            lambda x: AT * (x > 0),
            [gap, -gap, 1.0],
        )
    yield Program(
        "clip at its border",
        lambda x: np.sum(np.clip(x, 0, 1) ** 2),
        lambda x: 2 * x * ((x >= 0) & (x <= 1)),
        [0.5, 1.0, 0.2],
    )
    yield Program(
        "lasso at 0",
        lambda x: total(x - 1) + 0.1 * np.sum(np.abs(x)),
        lambda x: x - 1 + 0.1 * np.sign(x),
        ZERO,
    )
    yield Program(
        "two kinks in one point",
        lambda x: np.sum(relu(x) - 0.5 * relu(-x)),
        lambda x: 1.0 * (x > 0) + 0.5 * (x < 0),
        np.zeros(2),
    )
    yield Program(
        "sorted weights", lambda x: np.sort(x) @ AT, lambda x: AT[np.argsort(np.argsort(x))]
    )


def randoms() -> Iterator[Program]:
    """Dropout and noise, wherever the generator lives."""
    own, state, plain = np.random.default_rng(1), np.random.RandomState(1), random.Random(1)  # noqa: S311
    draws: dict[str, Callable[[], float]] = {
        "own generator": own.random,
        "RandomState": state.rand,
        "random.Random": plain.random,
        "numpy's global state": lambda: np.random.rand(),  # noqa: NPY002, PLW0108
        "random's global state": lambda: random.random(),  # noqa: S311, PLW0108
    }
    for name, draw in draws.items():
        mask = lambda x, d=draw: np.array([d() for _ in x]) > 0.4  # noqa: E731
        yield Program(
            f"dropout, {name}",
            lambda x, m=mask: np.sum(np.sin(x) * m(x)) + x[0],
            lambda x, m=mask: np.cos(x) * m(x) + EYE[0],
        )
    seeded = lambda x: np.random.default_rng(3).random(x.shape) > 0.5  # noqa: E731
    yield Program(
        "dropout, seeded inside",
        lambda x: np.sum(np.sin(x) * seeded(x)),
        lambda x: np.cos(x) * seeded(x),
        np.linspace(0.1, 1, 6),
    )
    yield Program(
        "noise on the input",
        lambda x: np.sum(np.sin(x + own.normal(size=3))),
        lambda x: np.cos(x + own.normal(size=3)),
    )


def singles() -> Iterator[Program]:
    """Code that computes in float32."""
    single = np.float32
    yield Program("float32", lambda x: np.sum(np.sin(single(x))), lambda x: np.cos(single(x)))
    yield Program("float32 loss", lambda x: np.sum(np.sin(single(x))), np.cos)
    yield Program("float32 gradient", lambda x: np.sum(np.sin(x)), lambda x: single(np.cos(x)))
    yield Program(
        "float32 mean of squares",
        lambda x: single(np.mean(single(x) ** 2)),
        lambda x: single(2) * single(x) / single(3),
    )
    yield Program(
        "float32 sigmoid",
        lambda x: np.sum(1 / (1 + np.exp(-single(x)))),
        lambda x: single(sigmoid(x)) * (1 - single(sigmoid(x))),
    )
    yield Program(
        "float32, as a Python float",
        lambda x: float(np.sum(np.tanh(single(x)))),
        lambda x: 1 - np.tanh(single(x)) ** 2,
    )


def forms() -> Iterator[Program]:
    """Results of another form than one expects."""
    yield Program("gradient as a list", total, lambda x: x.tolist())
    yield Program("gradient as a tuple", total, tuple)
    yield Program("gradient of shape (1, 3)", total, lambda x: x.reshape(1, 3))
    yield Program("gradient of shape (3, 1)", total, lambda x: x.reshape(3, 1))
    yield Program("loss of shape (1,)", lambda x: np.array([total(x)]), lambda x: x)
    yield Program("loss of shape (1, 1)", lambda x: np.array([[total(x)]]), lambda x: x)
    yield Program("loss as a Python float", lambda x: float(total(x)), lambda x: x)
    yield Program("a plain number", math.sin, math.cos, 0.3)
    yield Program("a 0-d array", np.sin, np.cos, np.array(0.3))
    yield Program("an integer point", total, lambda x: x, np.array([1, 2, 3]))
    yield Program("an integer gradient", total, lambda x: x.astype(int), np.array([1.0, 2.0, -3.0]))
    yield Program("a boolean gradient", lambda x: np.sum(relu(x)), lambda x: x > 0)
    yield Program("Fortran order", total, np.asfortranarray, np.arange(1.0, 7.0).reshape(2, 3))
    yield Program(
        "a transposed view",
        lambda x: total(x.T),
        lambda x: x.T.copy().T,
        np.arange(1.0, 7.0).reshape(2, 3),
    )
    yield Program("three axes", total, lambda x: x, np.arange(1.0, 9.0).reshape(2, 2, 2))
    yield Program("loss as a long double", lambda x: np.longdouble(total(x)), lambda x: x)


def states() -> Iterator[Program]:
    """Functions that keep or touch something."""
    calls = itertools.count()
    yield Program("counts its calls", lambda x: total(x) + 0 * next(calls), lambda x: x)
    yield Program("changes x and restores it", _restoring, np.copy)
    cache: dict[str, Any] = {}

    def forward(x: Any) -> Any:
        cache["x"] = x
        return total(x)

    def backward(x: Any) -> Any:
        forward(x)
        return cache["x"]

    yield Program("a cache that is refreshed", forward, backward)


def _restoring(x: Any) -> Any:
    value = total(x)
    x *= 2.0
    x /= 2.0
    return value


def borders() -> Iterator[Program]:
    """Domains that end close to the point."""
    y = np.array([1.0, 0.0, 1.0])
    yield Program(
        "cross-entropy near 0 and 1",
        lambda p: -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)),
        lambda p: (1 - y) / (1 - p) - y / p,
        CLOSE,
    )
    yield Program("a domain that is asserted", _asserting, lambda p: -1 / p, CLOSE)
    yield Program(
        "math.log raises", lambda p: -sum(math.log(v) for v in p), lambda p: -1 / p, CLOSE
    )
    yield Program("sqrt near 0", lambda p: np.sum(np.sqrt(p)), lambda p: 0.5 / np.sqrt(p), CLOSE)
    yield Program(
        "arcsin near 1",
        lambda p: np.sum(np.arcsin(p)),
        lambda p: 1 / np.sqrt((1 - p) * (1 + p)),
        CLOSE,
    )


def _asserting(p: Any) -> Any:
    assert ((p > 0) & (p < 1)).all()
    return -np.sum(np.log(p))


def scales() -> Iterator[Program]:
    """Extreme and cancelling values."""
    yield Program(
        "values of 1e300", lambda x: 1e300 * np.sum(np.sin(x)), lambda x: 1e300 * np.cos(x)
    )
    yield Program(
        "values of 1e-300", lambda x: 1e-300 * np.sum(np.sin(x)), lambda x: 1e-300 * np.cos(x)
    )
    yield Program("fast waves", lambda x: np.sum(np.sin(1e4 * x)), lambda x: 1e4 * np.cos(1e4 * x))
    yield Program(
        "overflow beside the point",
        lambda x: np.sum(np.exp(500 * x)),
        lambda x: 500 * np.exp(500 * x),
        [1.4, 1.0, 0.5],
    )
    yield Program(
        "elements without effect",
        lambda x: np.sin(x[0]),
        lambda x: np.array([np.cos(x[0]), 0.0, 0.0]),
    )
    yield Program(
        "a slope that is 0 by symmetry",
        lambda x: np.sum(np.cos(x)),
        lambda x: -np.sin(x),
        [0.0, 1.0, 2.0],
    )
    yield Program("logits of 1000", _stable_loss, _stable_grad, np.array([1000.0, 999.0, 0.0]))
    yield Program(
        "sigmoid(30) - 1",
        lambda z: np.sum(np.log1p(np.exp(-z))),
        lambda z: 1 / (1 + np.exp(-z)) - 1,
        np.array([30.0, 33.0]),
    )


def _stable_loss(z: Any) -> Any:
    z = z - z.max()
    return np.log(np.sum(np.exp(z))) - z[1]


def _stable_grad(z: Any) -> Any:
    p = np.exp(z - z.max())
    return p / p.sum() - EYE[1]


def wrongs() -> Iterator[Program]:
    """What must not pass."""
    single, rng, cache = np.float32, np.random.default_rng(5), {"x": AT}

    def forward(x: Any) -> Any:
        cache["x"] = x
        return total(x)

    def spoils(x: Any) -> Any:
        value = total(x)
        x += 1.0
        return value

    mask = lambda x: rng.random(3) > 0.3  # noqa: E731
    wrong: list[tuple[str, Function, Function, Any]] = [
        ("relu'(0) = 2", relu, lambda x: np.where(x == 0, 2.0, x > 0), ZERO),
        ("|x|' = 3 at 0", np.abs, lambda x: np.where(x == 0, 3.0, np.sign(x)), ZERO),
        (
            "leaky slope 0 near the kink",
            lambda x: np.sum(np.where(x > 0, x, 0.01 * x)),
            lambda x: 1.0 * (x > 0),
            [1e-9, -1e-9, -1.0],
        ),
        ("dropout, gradient unmasked", lambda x: np.sum(np.sin(x) * mask(x)), np.cos, AT),
        ("a stale cache", forward, lambda x: cache["x"], AT),
        (
            "2 % in float32",
            lambda x: np.sum(np.sin(single(x))),
            lambda x: single(1.02) * np.cos(single(x)),
            AT,
        ),
        (
            "0.1 % in float32",
            lambda x: np.sum(np.sin(single(x))),
            lambda x: single(1.001) * np.cos(single(x)),
            AT,
        ),
        ("loss and gradient are 0", lambda x: 0.0, lambda x: 0 * x, AT),
        ("gradient is None", total, lambda x: None, AT),
        ("loss is NaN", lambda x: math.nan, lambda x: math.nan * x, AT),
        ("changes x in place", spoils, lambda x: x, AT),
        ("1e-5 off near 0", lambda p: -np.sum(np.log(p)), lambda p: -(1 + 1e-5) / p, CLOSE),
        ("gradient is random", total, lambda x: rng.normal(size=3), AT),
    ]
    for name, f, grad, at in wrong:
        yield Program(name, f, grad, at, right=False, elementwise=f in (relu, np.abs))
