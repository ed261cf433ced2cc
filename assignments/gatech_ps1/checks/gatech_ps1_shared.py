"""What the checks of several modules need."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grader.checks import agrees, assert_shape
from grader.errors import StudentFault

TOLERANCE = {"relative_tolerance": 1e-8, "absolute_tolerance": 1e-10}
# Many add a small number to the probabilities before they take the logarithm.
LOSS_TOLERANCE = {"relative_tolerance": 1e-5, "absolute_tolerance": 1e-7}

# Runs in the student's process: the loss as a function of one of the model's parameters.
LOSS_AT = """
def nn_loss_at(model, name, X, y):
    def loss(value):
        model.weights[name] = value
        return model.forward(X, y)[0]
    return loss
"""
# Runs in the student's process: a model for optimizers, where the networks cannot be imported.
PLAIN_MODEL = """
class NNPlainModel:
    def __init__(self):
        self.weights, self.gradients = {}, {}
"""


def method(owner: Any, name: str) -> Any:
    """A method of the student's object; fails where the name holds a plain value."""
    found = getattr(owner, name)
    assert callable(found), f"`{name}` is not a method, but a {type(found).__name__}"
    return found


def base_network(student: Any) -> Any:
    """An instance of the class that both networks share."""
    return made(method(student.module("models._base_network"), "_baseNetwork")(), "_baseNetwork")


def made(value: Any, name: str) -> Any:
    """An object of the student's, and no plain value."""
    assert hasattr(value, "type_name"), f"`{name}(...)` does not make an object with methods"
    return value


def numbers(value: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    """An array of this shape, to compare with: it must not hold NaN or infinity."""
    array = np.asarray(assert_shape(value, shape, name=name), dtype=float)
    assert np.all(np.isfinite(array)), f"{name} holds NaN or infinity"
    return array


def parameters(holder: Any, attribute: str, shapes: Mapping[str, tuple[int, ...]]) -> dict:
    """The arrays of `model.weights` or `model.gradients`, all of them there."""
    found = getattr(holder, attribute)
    assert isinstance(found, dict), f"`{attribute}` is not a dict of arrays any more"
    for name in shapes:
        assert name in found, f"`{attribute}` has no {name!r}"
    return {name: np.asarray(found[name]) for name in shapes}


def fitting(actual: Any, candidates: Sequence[np.ndarray]) -> np.ndarray:
    """Of several ways to make the same mistake the one that was taken, or the first."""
    return next((c for c in candidates if agrees(actual, c, **TOLERANCE)), candidates[0])


def model_for_optimizers(
    student: Any, module: str, class_name: str, weights: Mapping, gradients: Mapping
) -> Any:
    """The student's own network with these values, or a plain object that has nothing else."""
    sizes = {"input_size": weights["W1"].shape[0], "num_classes": list(weights.values())[-1].size}
    try:
        model = made(method(student.module(module), class_name)(**sizes), class_name)
    except (StudentFault, AssertionError):
        student.execute(PLAIN_MODEL)
        model = student.NNPlainModel()
    model.weights, model.gradients = dict(weights), dict(gradients)
    return model
