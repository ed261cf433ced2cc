"""The layers and losses whose bugs are named from inputs and upstream gradient alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.checks import DiagnosisContext, diagnose

Floats = NDArray[np.float64]

N, D, K = 11, 5, 7
RNG = np.random.default_rng(8)
X = RNG.choice([-1.0, 1.0], size=(N, D)) * RNG.uniform(0.1, 2.0, size=(N, D))
UP = RNG.normal(size=(N, D))
DY = RNG.normal(size=(N, K))


def sigmoid(x: Floats) -> Floats:
    """The logistic function."""
    value: Floats = 1 / (1 + np.exp(-x))
    return value


def slope(x: Floats) -> Floats:
    """Its derivative."""
    return sigmoid(x) * (1 - sigmoid(x))


def softmax(x: Floats, axis: int | None = 1) -> Floats:
    """The softmax."""
    e = np.exp(x)
    value: Floats = e / e.sum(axis=axis, keepdims=True)
    return value


LAYER = DiagnosisContext(inputs=X, upstream=UP)
LINEAR = DiagnosisContext(inputs=X, upstream=DY, batch_size=N, n_features=D, n_classes=K)
LABELS = np.eye(D)[RNG.integers(D - 1, size=N)]
P = RNG.uniform(0.1, 0.9, size=9)
Y = np.arange(9) % 2 * 1.0

# The right gradient, the context, and the bugs with their names.
Family = tuple[Floats, DiagnosisContext, Mapping[str, Floats]]
FAMILIES: dict[str, Family] = {
    "sigmoid": (
        UP * slope(X),
        LAYER,
        {
            "missing_derivative": UP,
            "upstream_ignored": slope(X),
            "derivative_at_activation": UP * slope(sigmoid(X)),
            "argument_as_output": UP * X * (1 - X),
            "activation_for_derivative": UP * sigmoid(X),
            "derivative_of_upstream": UP * slope(UP),
            "extra_derivative": UP * slope(X) ** 2,
        },
    ),
    "tanh": (
        UP * (1 - np.tanh(X) ** 2),
        LAYER,
        {
            "derivative_at_activation": UP * (1 - np.tanh(np.tanh(X)) ** 2),
            "argument_as_output": UP * (1 - X**2),
        },
    ),
    "relu": (
        UP * (X > 0),
        LAYER,
        {
            "missing_derivative": UP,
            "upstream_ignored": (X > 0).astype(float),
            "activation_for_derivative": UP * np.maximum(X, 0),
            "derivative_of_upstream": UP * (UP > 0),
        },
    ),
    "derivative": (
        slope(X),
        DiagnosisContext(inputs=X),
        {
            "activation_for_derivative": sigmoid(X),
            "derivative_at_activation": slope(sigmoid(X)),
            "argument_as_output": X * (1 - X),
        },
    ),
    "linear weights": (
        X.T @ DY,
        LINEAR,
        {
            "upstream_ignored": X.T @ np.ones_like(DY),
            "one_example_only": X[:1].T @ DY[:1],
            "missing_derivative": np.ones_like(X).T @ DY,
            "extra_batch_mean": X.T @ DY / N,
        },
    ),
    "linear weights, a row for each output": (
        DY.T @ X,
        LINEAR,
        {"upstream_ignored": np.ones_like(DY).T @ X, "one_example_only": DY[-1:].T @ X[-1:]},
    ),
    "bias": (
        DY.sum(axis=0),
        LINEAR,
        {
            "not_summed": DY,
            "wrong_axis": DY.sum(axis=1),
            "summed_over_everything": DY.sum(),
            "one_example_only": DY[-1],
            "upstream_ignored": np.full(K, float(N)),
            "extra_batch_mean": DY.mean(axis=0),
        },
    ),
    "softmax": (
        (softmax(X) - LABELS) / N,
        DiagnosisContext(inputs=X, batch_size=N, n_classes=D),
        {
            "softmax_whole_batch": (softmax(X, None) - LABELS) / N,
            "softmax_wrong_axis": (softmax(X, 0) - LABELS) / N,
            "labels_ignored": softmax(X) / N,
            "missing_activation": (X - LABELS) / N,
            "gradient_for_probability": -LABELS / softmax(X) / N,
            "missing_batch_mean": softmax(X) - LABELS,
        },
    ),
    "cross-entropy": (
        (1 - Y) / (1 - P) - Y / P,
        DiagnosisContext(inputs=P, batch_size=9),
        {
            "gradient_for_logit": P - Y,
            "second_term_sign": -Y / P - (1 - Y) / (1 - P),
            "second_term_missing": -Y / P,
            "extra_batch_mean": ((1 - Y) / (1 - P) - Y / P) / 9,
            "broadcast": (1 - Y) / (1 - P)[:, None] - Y / P[:, None],
        },
    ),
    "cross-entropy of scores": (
        (sigmoid(5 * P - 2) - Y) / 9,
        DiagnosisContext(inputs=5 * P - 2, batch_size=9),
        {
            "missing_activation": (5 * P - 2 - Y) / 9,
            "labels_ignored": sigmoid(5 * P - 2) / 9,
            "extra_derivative": (sigmoid(5 * P - 2) - Y) * slope(5 * P - 2) / 9,
            "gradient_for_probability": (sigmoid(5 * P - 2) - Y) / slope(5 * P - 2) / 9,
        },
    ),
}
BUGS = [(family, name) for family, (_, _, bugs) in FAMILIES.items() for name in bugs]
NEARBY: dict[str, Callable[[Floats], Floats]] = {
    "an odd factor": lambda a: 1.0173 * a,
    "a little noise": lambda a: a + 1e-3 * RNG.normal(size=np.shape(a)),
    "a power": lambda a: np.sign(a) * np.abs(a) ** 1.5 + 0.01,
}


def code(analytic: Floats, numeric: Floats, context: DiagnosisContext) -> str:
    """The code of the diagnosis, empty where there is none."""
    found = diagnose(analytic, numeric, context)
    return found.code if found else ""


@pytest.mark.parametrize(("family", "name"), BUGS)
def test_bug(family: str, name: str) -> None:
    """A typical bug of a layer that the context lets recognise has its name."""
    right, context, bugs = FAMILIES[family]
    assert code(bugs[name], right, context) == name


@pytest.mark.parametrize("nearby", NEARBY)
@pytest.mark.parametrize(("family", "name"), BUGS)
def test_lookalike(family: str, name: str, nearby: str) -> None:
    """Something like the bug is not the bug."""
    right, context, bugs = FAMILIES[family]
    assert code(NEARBY[nearby](bugs[name]), right, context) == ""


@pytest.mark.parametrize("family", FAMILIES)
def test_right(family: str) -> None:
    """Nothing is said of the right gradient of a layer."""
    right, context, _ = FAMILIES[family]
    assert code(right.copy(), right, context) == ""


@pytest.mark.parametrize(("family", "name"), BUGS)
def test_another_layer(family: str, name: str) -> None:
    """Where the right numbers are not those of the layer, its bugs are not looked for."""
    right, context, bugs = FAMILIES[family]
    if name not in ("extra_batch_mean", "missing_batch_mean") and bugs[name].shape == right.shape:
        other = right * np.linspace(1.0, 1.5, right.size).reshape(right.shape)
        assert code(bugs[name], other, replace(context, upstream=None)) == ""


def test_layer_with_weight_decay() -> None:
    """The layer is recognised behind its weight decay, and so are its bugs."""
    theta = RNG.normal(size=(D, K))
    context = replace(LINEAR, parameters=theta, weight_decay=0.1)
    right = X.T @ DY + 0.1 * theta
    wrong = X.T @ np.ones_like(DY)
    assert code(wrong + 0.1 * theta, right, context) == "upstream_ignored"
    assert code(wrong, right, context) == "upstream_ignored+weight_decay_missing"


def test_upstream_of_ones_tells_less() -> None:
    """Under a gradient of ones, passing it on and taking its derivative look alike."""
    context = DiagnosisContext(inputs=X, upstream=np.ones_like(X))
    right = (X > 0).astype(float)
    assert code(np.ones_like(X), right, context) == ""
    assert code(np.ones_like(X), slope(X), context) == "missing_derivative"


def test_variant_has_the_first_word() -> None:
    """Numbers that the author has named have that name alone."""
    right, context, bugs = FAMILIES["sigmoid"]
    named = replace(context, variants={"own": ("It is our own.", bugs["missing_derivative"])})
    assert code(bugs["missing_derivative"], right, named) == "own"
