"""Gradient descent with decay, stochastic gradient descent, momentum and early stopping.

Parameters and gradients are dictionaries of arrays with the same keys. Nothing is changed in
place: a step returns new parameters.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reference.arrays import FloatArray, Parameters

_BIAS = re.compile(r"b\d*|bias\d*")


@dataclass(frozen=True)
class Descent:
    """What `gradient_descent` went through.

    Attributes:
        points: Shape (steps + 1, ...): the start and the point after each step.
        values: Shape (steps + 1,): the function at each of the points.
    """

    points: FloatArray
    values: FloatArray


def gradient_descent(
    function: Callable[[FloatArray], float],
    gradient: Callable[[FloatArray], ArrayLike],
    start: ArrayLike,
    step_size: float,
    steps: int,
    decay: float = 1.0,
) -> Descent:
    """Gradient descent with a decaying step size: x_{t+1} = x_t - eta_0 d^t grad f(x_t).

    t counts from 0, so the first step has the full step size. Source: Goodfellow et al.
    (2016), section 4.3 (eq. 4.5); the schedule is the exponential one of Senior et al., An
    empirical study of learning rates in deep neural networks for speech recognition (ICASSP
    2013), section 2.

    Args:
        function: The function to minimise, from an array of the shape of ``start``.
        gradient: Its gradient, of the same shape.
        start: The first point, any shape.
        step_size: eta_0.
        steps: How many steps; 0 returns the start alone.
        decay: d, the factor on the step size after each step.

    Returns:
        Every point with its value.

    Raises:
        ValueError: ``steps`` is negative.
    """
    if steps < 0:
        raise ValueError(f"steps must not be negative, is {steps}")
    point = np.asarray(start, dtype=np.float64)
    points = [point]
    for t in range(steps):
        slope = np.asarray(gradient(point), dtype=np.float64)
        point = np.asarray(point - step_size * decay**t * slope)
        points.append(point)
    return Descent(np.stack(points), np.array([float(function(point)) for point in points]))


def is_bias(name: str) -> bool:
    """Whether a parameter's name says that it is a bias: b, b1, b2, ... or bias, bias1, ..."""
    return _BIAS.fullmatch(name) is not None


def add_weight_decay(
    parameters: Mapping[str, FloatArray],
    gradients: Mapping[str, FloatArray],
    weight_decay: float,
) -> Parameters:
    """Gradients with those of the penalty weight_decay/2 ||W||^2 added, weights only.

    Biases (see `is_bias`) stay as they are. Source: Goodfellow et al. (2016), section 7.1.1
    (eq. 7.3), and section 7.1 for leaving out the biases.

    Args:
        parameters: The parameters, by name.
        gradients: Their gradients, same names and shapes.
        weight_decay: The coefficient, 0 for no penalty.

    Returns:
        New gradients, by name.

    Raises:
        ValueError: Names or shapes differ.
    """
    _check_same(parameters, gradients)
    return {
        name: gradient if is_bias(name) else gradient + weight_decay * parameters[name]
        for name, gradient in gradients.items()
    }


def sgd_step(
    parameters: Mapping[str, FloatArray],
    gradients: Mapping[str, FloatArray],
    learning_rate: float,
    weight_decay: float = 0.0,
) -> Parameters:
    """One step of stochastic gradient descent: theta - learning_rate (g + weight_decay theta).

    The decay acts on weights only, not on biases. Source: Goodfellow et al. (2016),
    algorithm 8.1 and eq. 7.4.

    Args:
        parameters: The parameters, by name.
        gradients: The gradients of the mini-batch's loss, same names and shapes.
        learning_rate: The step size.
        weight_decay: The coefficient of the L2 penalty.

    Returns:
        New parameters, by name.

    Raises:
        ValueError: Names or shapes differ.
    """
    total = add_weight_decay(parameters, gradients, weight_decay)
    return {name: value - learning_rate * total[name] for name, value in parameters.items()}


class Momentum:
    """SGD with momentum as in Hinton's course: v = momentum v - g, theta = theta + rate v.

    The learning rate multiplies the velocity, it does not enter it: with a changing rate this
    differs from the classical form of Polyak (1964) and Sutskever et al. (ICML 2013, eq. 1),
    where v = momentum v - rate g; with a constant one both take the same steps. Source: the
    optimisation loop of programming assignment 2, CSC321 (University of Toronto).

    Attributes:
        learning_rate: The step size.
        momentum: The share of the velocity that is kept, 0 for plain SGD.
        weight_decay: The coefficient of the L2 penalty, on weights only.
        velocity: The only state: v by name, a discounted sum of negative gradients. Empty
            before the first step, which counts as zero.
    """

    def __init__(self, learning_rate: float, momentum: float, weight_decay: float = 0.0) -> None:
        """Start at rest.

        Args:
            learning_rate: The step size.
            momentum: The share of the velocity that is kept.
            weight_decay: The coefficient of the L2 penalty.
        """
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.velocity: Parameters = {}

    def step(
        self, parameters: Mapping[str, FloatArray], gradients: Mapping[str, FloatArray]
    ) -> Parameters:
        """Update the velocity and move the parameters along it.

        Args:
            parameters: The parameters, by name.
            gradients: The gradients of the mini-batch's loss, same names and shapes.

        Returns:
            New parameters, by name.

        Raises:
            ValueError: Names or shapes differ, also from those of the step before.
        """
        if self.velocity:
            _check_same(parameters, self.velocity)
        total = add_weight_decay(parameters, gradients, self.weight_decay)
        self.velocity = {
            name: self.momentum * self.velocity.get(name, np.zeros_like(gradient)) - gradient
            for name, gradient in total.items()
        }
        return {
            name: value + self.learning_rate * self.velocity[name]
            for name, value in parameters.items()
        }


class EarlyStopping:
    """Keeps the parameters with the lowest validation loss.

    Source: Goodfellow et al. (2016), algorithm 7.1; Prechelt, Early Stopping - But When?
    (1998).

    Attributes:
        patience: How many updates without improvement exhaust it; None for any number.
        best_loss: The lowest loss so far, infinite before the first update.
        best_iteration: When it was seen; None before any improvement.
        best_parameters: A copy of the parameters then; None before any improvement.
    """

    def __init__(self, patience: int | None = None) -> None:
        """Start with nothing seen.

        Args:
            patience: How many updates without improvement exhaust it; None for any number.
        """
        self.patience = patience
        self.best_loss = float("inf")
        self.best_iteration: int | None = None
        self.best_parameters: Parameters | None = None
        self._without_improvement = 0

    def update(self, iteration: int, loss: float, parameters: Mapping[str, FloatArray]) -> bool:
        """Take note of a validation loss; only a strictly lower one improves, NaN never does.

        Args:
            iteration: The number that ``best_iteration`` will report.
            loss: The validation loss.
            parameters: The parameters that gave it; they are copied.

        Returns:
            Whether the loss is the lowest so far.
        """
        if not loss < self.best_loss:
            self._without_improvement += 1
            return False
        self._without_improvement = 0
        self.best_loss, self.best_iteration = loss, iteration
        self.best_parameters = {name: value.copy() for name, value in parameters.items()}
        return True

    @property
    def exhausted(self) -> bool:
        """Whether the last ``patience`` updates brought no improvement."""
        return self.patience is not None and self._without_improvement >= self.patience


def _check_same(parameters: Mapping[str, FloatArray], gradients: Mapping[str, FloatArray]) -> None:
    shapes = {name: value.shape for name, value in parameters.items()}
    theirs = {name: value.shape for name, value in gradients.items()}
    if shapes != theirs:
        raise ValueError(f"parameters {shapes} and gradients {theirs} differ")
