"""Training loops: mini-batches, `fit` with a history, full-batch descent, Hinton's `a2`.

Every loop is silent, and seeded by the generator it is given.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reference.activations import log_softmax
from reference.arrays import FloatArray, IntArray, Parameters
from reference.hinton import (
    hinton_classification_loss,
    hinton_error_rate,
    hinton_gradient,
    hinton_initial_model,
    hinton_loss,
)
from reference.losses import (
    binary_cross_entropy,
    binary_cross_entropy_gradient,
    softmax_cross_entropy_gradient,
)
from reference.networks import MLP, Net
from reference.optimizers import EarlyStopping, Momentum, sgd_step

TRAIN = "train"


@dataclass(frozen=True)
class Objective:
    """What `fit` minimises and reports, from the targets and outputs of one mini-batch.

    Attributes:
        loss: One loss for each element or case; `fit` reports their mean.
        gradient: Gradient of the *summed* loss for the outputs.
        correct: Whether each element or case is classified rightly.
    """

    loss: Callable[[FloatArray, FloatArray], FloatArray]
    gradient: Callable[[FloatArray, FloatArray], FloatArray]
    correct: Callable[[FloatArray, FloatArray], NDArray[np.bool_]]


BINARY = Objective(
    loss=binary_cross_entropy,
    gradient=binary_cross_entropy_gradient,
    correct=lambda y, y_hat: (y > 0.5) == (y_hat > 0.5),
)
"""Targets (N, 1) of 0 and 1, outputs that are probabilities (a sigmoid comes last)."""

CATEGORICAL = Objective(
    loss=lambda targets, logits: -(targets * log_softmax(logits)).sum(axis=1),
    gradient=lambda targets, logits: softmax_cross_entropy_gradient(targets, logits, "sum"),
    correct=lambda targets, logits: targets.argmax(axis=1) == logits.argmax(axis=1),
)
"""One-hot targets (N, K), outputs that are logits (a linear layer comes last)."""


@dataclass(frozen=True)
class History:
    """Mean loss and accuracy of each phase, one number for each epoch.

    The numbers of the training phase are taken while the parameters move, before each step.

    Attributes:
        loss: By phase, shape (epochs,).
        accuracy: By phase, shape (epochs,).
    """

    loss: Mapping[str, FloatArray]
    accuracy: Mapping[str, FloatArray]


def minibatches(
    n: int, batch_size: int, *, drop_last: bool = False, rng: np.random.Generator | None = None
) -> Iterator[IntArray]:
    """The indices 0 .. n - 1, cut into mini-batches.

    Source: Goodfellow et al. (2016), section 8.1.3.

    Args:
        n: Number of cases.
        batch_size: Cases in each batch.
        drop_last: Whether a last, smaller batch is left out.
        rng: Shuffles the indices first; None keeps them in order.

    Returns:
        An iterator of index arrays (batch_size,), the last one perhaps shorter.

    Raises:
        ValueError: ``n`` is negative or ``batch_size`` not positive.
    """
    if n < 0 or batch_size < 1:
        raise ValueError(f"{n} cases cannot be cut into batches of {batch_size}")
    order = np.arange(n) if rng is None else rng.permutation(n)
    stop = n - n % batch_size if drop_last else n
    return (order[start : start + batch_size] for start in range(0, stop, batch_size))


def fit(
    net: Net,
    x: Mapping[str, FloatArray],
    y: Mapping[str, FloatArray],
    *,
    epochs: int,
    learning_rate: float,
    batch_size: int,
    objective: Objective = BINARY,
    drop_last: bool = True,
    rng: np.random.Generator | None = None,
) -> History:
    """Train a net by mini-batch gradient descent, and evaluate every phase after each epoch.

    Each step follows the gradient of the loss *summed* over the mini-batch. The other phases
    are evaluated in mini-batches too, so ``drop_last`` leaves their last cases out as well.
    Source: assignment 1 of NWI-IMC070, Deep Learning (Radboud University), section 1.6.

    Args:
        net: The net; it is changed.
        x: Inputs by phase, cases in rows; the phase "train" is trained on, in each epoch
            before the others are evaluated.
        y: Targets by phase, in the form that the objective asks for.
        epochs: How often to go through the training data.
        learning_rate: The step size.
        batch_size: Cases in each mini-batch.
        objective: The loss and the accuracy.
        drop_last: Whether a last, smaller mini-batch is left out.
        rng: Shuffles the training data anew in each epoch; None keeps them in order.

    Returns:
        The history.

    Raises:
        ValueError: The phases differ, none is "train", the inputs and targets of a phase
            differ in length, or a phase has no whole mini-batch.
    """
    _check_phases(x, y)
    phases = [TRAIN, *(phase for phase in x if phase != TRAIN)]
    loss: dict[str, list[float]] = {phase: [] for phase in phases}
    accuracy: dict[str, list[float]] = {phase: [] for phase in phases}
    for _ in range(epochs):
        for phase in phases:
            rate, order = (learning_rate, rng) if phase == TRAIN else (None, None)
            batches = _batches(x[phase], y[phase], batch_size, drop_last, order)
            means = _epoch(net, batches, objective, rate)
            loss[phase].append(means[0])
            accuracy[phase].append(means[1])
    return History(*({p: np.array(v) for p, v in table.items()} for table in (loss, accuracy)))


def fit_full_batch(
    model: MLP,
    x: FloatArray,
    targets: ArrayLike,
    *,
    epochs: int,
    learning_rate: float,
    weight_decay: float = 0.0,
) -> FloatArray:
    """Train a perceptron on all cases at once, with weight decay on weights, not on biases.

    Source: Goodfellow et al. (2016), algorithm 8.1 and eq. 7.4, with one batch of all cases.

    Args:
        model: The perceptron; its parameters are replaced.
        x: Shape (N, n_in).
        targets: As for `MLP.loss`.
        epochs: Number of steps.
        learning_rate: The step size.
        weight_decay: The coefficient of the L2 penalty.

    Returns:
        Shape (epochs,): the loss before each step, without the penalty.

    Raises:
        ValueError: The targets do not fit the outputs.
    """
    history = np.zeros(epochs)
    for epoch in range(epochs):
        history[epoch] = model.loss(x, targets)
        gradients = model.gradient(x, targets)
        model.parameters = sgd_step(model.parameters, gradients, learning_rate, weight_decay)
    return history


@dataclass(frozen=True)
class A2Result:
    """What `a2` found.

    Attributes:
        model: The last model, or the best one with early stopping.
        training_losses: Total loss on all training cases after each step, with weight decay.
        validation_losses: The same on the validation cases.
        best_iteration: With early stopping the step, from 1, of the best model; else None.
        loss: Total loss of the model by the data's name.
        classification_loss: The same without weight decay.
        error_rate: The share of wrong classifications by the data's name.
    """

    model: Parameters
    training_losses: FloatArray
    validation_losses: FloatArray
    best_iteration: int | None
    loss: dict[str, float]
    classification_loss: dict[str, float]
    error_rate: dict[str, float]


def a2(
    weight_decay: float,
    n_hid: int,
    n_iterations: int,
    learning_rate: float,
    momentum: float,
    early_stopping: bool,
    batch_size: int,
    data: Mapping[str, Mapping[str, FloatArray]],
) -> A2Result:
    """Hinton's optimisation of his softmax net, from the fixed start.

    Step i, from 1, takes the training cases from (i - 1) batch_size mod N on, in order; a
    batch that reaches the end of the cases is cut off there, it does not wrap. The rule is
    that of `Momentum`. Early stopping goes through all steps and returns the model with the
    lowest total validation loss, the start if there is none. Source: programming assignment 2
    of CSC321 (University of Toronto).

    Args:
        weight_decay: The coefficient of the L2 penalty, on all weights.
        n_hid: Number of hidden units.
        n_iterations: Number of steps.
        learning_rate: The step size.
        momentum: The share of the velocity that is kept.
        early_stopping: Whether to return the best model rather than the last.
        batch_size: Cases in each mini-batch.
        data: 'train', 'val' and perhaps others, each with 'inputs' (n_in, N) and 'target'
            (n_class, N).

    Returns:
        The model and how it came about.

    Raises:
        ValueError: A number of units or of cases, or ``batch_size``, is not positive.
    """
    train, val = data["train"], data["val"]
    start = model = hinton_initial_model(n_hid, len(train["inputs"]), len(train["target"]))
    optimizer, best = Momentum(learning_rate, momentum), EarlyStopping()
    training_losses, validation_losses = np.zeros(n_iterations), np.zeros(n_iterations)
    for i in range(n_iterations):
        batch = _batch_at(train, i, batch_size)
        model = optimizer.step(model, hinton_gradient(model, batch, weight_decay))
        training_losses[i] = hinton_loss(model, train, weight_decay)
        validation_losses[i] = hinton_loss(model, val, weight_decay)
        if early_stopping:
            best.update(i + 1, float(validation_losses[i]), model)
    if early_stopping:
        model = best.best_parameters or start
    return A2Result(
        model=model,
        training_losses=training_losses,
        validation_losses=validation_losses,
        best_iteration=best.best_iteration,
        loss={name: hinton_loss(model, part, weight_decay) for name, part in data.items()},
        classification_loss={n: hinton_classification_loss(model, p) for n, p in data.items()},
        error_rate={name: hinton_error_rate(model, part) for name, part in data.items()},
    )


def _batches(
    x: FloatArray,
    y: FloatArray,
    batch_size: int,
    drop_last: bool,
    rng: np.random.Generator | None,
) -> Iterator[tuple[FloatArray, FloatArray, float]]:
    for batch in minibatches(len(x), batch_size, drop_last=drop_last, rng=rng):
        # Exactly 1 for whole mini-batches, so that their mean is rounded as it is by hand.
        yield x[batch], y[batch], len(batch) / batch_size


def _epoch(
    net: Net,
    batches: Iterator[tuple[FloatArray, FloatArray, float]],
    objective: Objective,
    learning_rate: float | None,
) -> tuple[float, float]:
    loss = accuracy = total = 0.0
    for x, y, share in batches:
        outputs, trace = net.forward(x)
        loss += share * float(np.mean(objective.loss(y, outputs)))
        accuracy += share * float(np.mean(objective.correct(y, outputs)))
        total += share
        if learning_rate is not None:
            net.backward(trace, objective.gradient(y, outputs))
            net.step(learning_rate)
    if total == 0:
        raise ValueError("a phase has no whole mini-batch")
    return loss / total, accuracy / total


def _check_phases(x: Mapping[str, FloatArray], y: Mapping[str, FloatArray]) -> None:
    if set(x) != set(y) or TRAIN not in x:
        raise ValueError(f"phases {sorted(x)} and {sorted(y)} must agree and contain {TRAIN!r}")
    if any(len(x[phase]) != len(y[phase]) for phase in x):
        raise ValueError("the inputs and targets of a phase differ in length")


def _batch_at(
    data: Mapping[str, FloatArray], iteration: int, batch_size: int
) -> dict[str, FloatArray]:
    n_cases = data["inputs"].shape[1]
    if n_cases == 0 or batch_size < 1:
        raise ValueError(f"{n_cases} cases cannot be cut into batches of {batch_size}")
    start = iteration * batch_size % n_cases
    return {name: part[:, start : start + batch_size] for name, part in data.items()}
