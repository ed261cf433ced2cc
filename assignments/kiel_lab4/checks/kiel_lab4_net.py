"""The 2-4-1 network of 2a, its step of gradient descent, and the mistakes that are made in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

X = np.array([[-1.0, 1.0], [2.0, -1.0]])
Y = np.array([1.0, -1.0])
W1 = np.array([[1.0, 2.0], [0.0, -1.0], [-1.0, -3.0], [-2.0, 2.0]])
B1 = np.array([-2.0, 2.0, 0.0, -2.0])
W2 = np.array([[1.0, 0.0, -1.0, 2.0]])
B2 = -2.0
TABLES = ("W1", "b1", "W2", "b2")
SHAPES = {"W1": (4, 2), "b1": (4,), "W2": (1, 4), "b2": ()}
SENTENCES = {
    "sum_without_half": "Your step is twice as long as it should be: the loss has a factor ½, "
    "which its derivative takes away.",
    "extra_batch_mean": "Your step is half as long as it should be: the loss is the sum over the "
    "two samples, not their mean.",
    "sign": "Your step goes uphill: which way does gradient descent go?",
    "first_sample_only": "Only the first sample enters your step: the mini-batch has two.",
    "last_sample_only": "Only the second sample enters your step: the mini-batch has two.",
    "relu_ignored": "Your error also flows back through hidden neurons that the ReLU has switched "
    "off.",
    "updated_weights": "The error of the hidden layer is computed with output weights that have "
    "been updated already: all gradients belong to the old weights.",
    "two_steps": "You make one step for each sample: a mini-batch makes a single step.",
    "gradient_only": "These are the gradients, not the weights and biases after the step.",
}


@dataclass(frozen=True)
class Forward:
    """The forward tables: `z1` and `a1` of shape (2, 4), `y_hat` of shape (2,)."""

    z1: np.ndarray
    a1: np.ndarray
    y_hat: np.ndarray


def forward(w1=W1, b1=B1, w2=W2, b2=B2):
    """The right tables."""
    z1 = X @ w1.T + b1
    a1 = np.maximum(z1, 0.0)
    return Forward(z1, a1, a1 @ np.ravel(w2) + b2)


def gradients(tables, mask, *, weights=W2):
    """The gradients of ½ Σ (ŷ - y)² by table; `mask` is the ReLU's derivative."""
    delta = tables.y_hat - Y
    hidden = delta[:, None] * weights * mask
    return {
        "W1": hidden.T @ X,
        "b1": hidden.sum(axis=0),
        "W2": (delta @ tables.a1)[None, :],
        "b2": delta.sum(),
    }


def step(gradient, eta):
    """The weights and biases after a step of this gradient."""
    start = {"W1": W1, "b1": B1, "W2": W2, "b2": B2}
    return {name: start[name] - eta * gradient[name] for name in TABLES}


def masks(tables):
    """What may be the ReLU's derivative: either value is right where its argument is 0."""
    return [tables.z1 > 0, tables.z1 >= 0, tables.a1 > 0]


def mistakes(tables, eta):
    """What each mistake gives in each table, with its sentence."""
    mask = tables.z1 > 0
    right = gradients(tables, mask)
    new_w2 = W2 - eta * right["W2"]
    found = {
        "sum_without_half": step(right, 2 * eta),
        "extra_batch_mean": step(right, eta / 2),
        "sign": step(right, -eta),
        "first_sample_only": step(gradients(_one(tables, 0), mask), eta),
        "last_sample_only": step(gradients(_one(tables, 1), mask), eta),
        "relu_ignored": step(gradients(tables, np.ones_like(mask)), eta),
        "updated_weights": step(gradients(tables, mask, weights=new_w2), eta),
        "two_steps": _two_steps(eta),
        "gradient_only": right,
    }
    return {
        code: {table: (SENTENCES[code], value[table]) for table in TABLES}
        for code, value in found.items()
    }


def _one(tables, sample):
    """The tables with an error in one sample alone."""
    y_hat = np.where(np.arange(len(Y)) == sample, tables.y_hat, Y)
    return Forward(tables.z1, tables.a1, y_hat)


def _two_steps(eta):
    """Plain online learning, a sample after the other."""
    now = {"W1": W1, "b1": B1, "W2": W2, "b2": B2}
    for sample in range(len(Y)):
        tables = _one(forward(*now.values()), sample)
        gradient = gradients(tables, tables.z1 > 0, weights=now["W2"])
        now = {name: now[name] - eta * gradient[name] for name in TABLES}
    return now
