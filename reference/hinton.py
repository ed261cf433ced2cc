"""Hinton's two-layer softmax net, cases in columns and no biases.

A model is a dictionary of 'input_to_hid' (n_hid, n_in) and 'hid_to_class' (n_class, n_hid);
data are a dictionary of 'inputs' (n_in, N) and 'target' (n_class, N), one-hot columns. The
hidden units are logistic. Source: programming assignment 2 of CSC321, Introduction to Neural
Networks and Machine Learning (University of Toronto); the gradients follow Bishop (2006),
sections 5.3.1 and 5.3.2.
"""

from collections.abc import Mapping

import numpy as np

from reference.activations import log_softmax, sigmoid
from reference.arrays import FloatArray, Parameters


def hinton_initial_model(n_hid: int, n_in: int = 256, n_class: int = 10) -> Parameters:
    """The fixed start: theta = 0.1 cos(0, 1, 2, ...).

    Args:
        n_hid: Number of hidden units.
        n_in: Number of inputs.
        n_class: Number of classes.

    Returns:
        A model.

    Raises:
        ValueError: ``n_hid`` is not positive.
    """
    return theta_to_model(0.1 * np.cos(np.arange(n_hid * (n_in + n_class))), n_in, n_class)


def model_to_theta(model: Mapping[str, FloatArray]) -> FloatArray:
    """Both matrices row by row, input_to_hid first, as one column.

    Args:
        model: The model, or its gradient.

    Returns:
        Shape (n_hid * (n_in + n_class), 1).
    """
    return np.concatenate([model["input_to_hid"], model["hid_to_class"]], axis=None)[:, None]


def theta_to_model(theta: FloatArray, n_in: int = 256, n_class: int = 10) -> Parameters:
    """The inverse of `model_to_theta`.

    Args:
        theta: As many numbers as the model has, in any shape.
        n_in: Number of inputs.
        n_class: Number of classes.

    Returns:
        A model; n_hid follows from the size of ``theta``.

    Raises:
        ValueError: The size of ``theta`` is not a positive multiple of n_in + n_class.
    """
    n_hid, rest = divmod(theta.size, n_in + n_class)
    if rest or n_hid < 1:
        raise ValueError(f"{theta.size} numbers are no model of {n_in} inputs, {n_class} classes")
    input_to_hid, hid_to_class = np.split(theta.ravel(), [n_hid * n_in])
    return {
        "input_to_hid": input_to_hid.reshape(n_hid, n_in),
        "hid_to_class": hid_to_class.reshape(n_class, n_hid),
    }


def hinton_forward(
    model: Mapping[str, FloatArray], inputs: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The states of the units.

    Args:
        model: The model.
        inputs: Shape (n_in, N).

    Returns:
        The hidden units' inputs and outputs, (n_hid, N) each, and the logarithms of the class
        probabilities, (n_class, N).
    """
    hid_input = model["input_to_hid"] @ inputs
    hid_output = sigmoid(hid_input)
    return hid_input, hid_output, log_softmax(model["hid_to_class"] @ hid_output, axis=0)


def hinton_classification_loss(
    model: Mapping[str, FloatArray], data: Mapping[str, FloatArray]
) -> float:
    """Mean cross-entropy over the cases, without weight decay.

    Args:
        model: The model.
        data: The inputs (n_in, N) and the target (n_class, N).

    Returns:
        The loss.

    Raises:
        ValueError: There are no cases.
    """
    log_class_prob = hinton_forward(model, data["inputs"])[2]
    return -float(np.sum(log_class_prob * data["target"])) / _n_cases(data)


def hinton_loss(
    model: Mapping[str, FloatArray], data: Mapping[str, FloatArray], weight_decay: float
) -> float:
    """Mean cross-entropy plus weight_decay/2 times the sum of all squared weights.

    Args:
        model: The model.
        data: The inputs (n_in, N) and the target (n_class, N).
        weight_decay: The coefficient of the penalty.

    Returns:
        The loss.

    Raises:
        ValueError: There are no cases.
    """
    squares = sum(float(np.sum(weights**2)) for weights in model.values())
    return hinton_classification_loss(model, data) + weight_decay / 2.0 * squares


def hinton_gradient(
    model: Mapping[str, FloatArray], data: Mapping[str, FloatArray], weight_decay: float
) -> Parameters:
    """The gradient of `hinton_loss`.

    With p the class probabilities, t the target, h the hidden outputs and x the inputs:
    (p - t) h^T / N for hid_to_class, and (hid_to_class^T (p - t) * h (1 - h)) x^T / N for
    input_to_hid, plus weight_decay times the weights in each.

    Args:
        model: The model.
        data: The inputs (n_in, N) and the target (n_class, N), one-hot.
        weight_decay: The coefficient of the penalty.

    Returns:
        A dictionary like the model.

    Raises:
        ValueError: There are no cases.
    """
    n_cases = _n_cases(data)
    hid_input, hid_output, log_class_prob = hinton_forward(model, data["inputs"])
    class_delta = (np.exp(log_class_prob) - data["target"]) / n_cases
    # sigmoid(-z) is 1 - sigmoid(z) without its cancellation at saturated units.
    hid_delta = model["hid_to_class"].T @ class_delta * hid_output * sigmoid(-hid_input)
    return {
        "input_to_hid": hid_delta @ data["inputs"].T + weight_decay * model["input_to_hid"],
        "hid_to_class": class_delta @ hid_output.T + weight_decay * model["hid_to_class"],
    }


def hinton_error_rate(model: Mapping[str, FloatArray], data: Mapping[str, FloatArray]) -> float:
    """The share of the cases whose most probable class is not the target.

    Args:
        model: The model.
        data: The inputs (n_in, N) and the target (n_class, N).

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: There are no cases.
    """
    choices = hinton_forward(model, data["inputs"])[2].argmax(axis=0)
    return int(np.sum(choices != data["target"].argmax(axis=0))) / _n_cases(data)


def _n_cases(data: Mapping[str, FloatArray]) -> int:
    n_cases = int(data["inputs"].shape[1])
    if n_cases == 0:
        raise ValueError("the data hold no cases")
    return n_cases
