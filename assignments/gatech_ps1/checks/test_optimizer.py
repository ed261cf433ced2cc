"""5.regularization and 5.sgd: what the optimizer does to gradients and weights."""

import numpy as np
import pytest
from gatech_ps1_shared import TOLERANCE, made, method, model_for_optimizers, parameters

import reference
from grader.checks import assert_close

RATE, REG = 0.3, 0.07
DECAYED_BIAS = "The penalty acts on the biases, too: which parameters does it leave alone?"
NOT_MOVED = "The step leaves this parameter as it was: does it reach everything in model.weights?"
UPHILL = "The step goes up the hill: which way does the loss fall?"
NO_RATE = "The step does not depend on the learning rate."
SHAPES = {
    "SoftmaxRegression": {"W1": (11, 5)},
    "TwoLayerNet": {"W1": (11, 3), "b1": (3,), "W2": (3, 5), "b2": (5,)},
}
MODULES = {"SoftmaxRegression": "models.softmax_regression", "TwoLayerNet": "models.two_layer_nn"}
OPTIMIZERS = {"_BaseOptimizer": "optimizer._base_optimizer", "SGD": "optimizer.sgd"}


def optimizer(student, name, rate=RATE, reg=REG):
    made_by = method(student.module(OPTIMIZERS[name]), name)
    return made(made_by(learning_rate=rate, reg=reg), name)


def values(seed, network):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in SHAPES[network].items()}


def decay_known(weight, gradient, is_bias, reg):
    """Wrong ways to add the penalty's gradient, which have names."""
    if is_bias:
        return {"weight_decay_on_bias": (DECAYED_BIAS, gradient + reg * weight)}
    return {
        "weight_decay_missing": gradient,
        "weight_decay_sign": gradient - reg * weight,
        "weight_decay_doubled": gradient + 2 * reg * weight,
        "weight_decay_halved": gradient + reg / 2 * weight,
        "weight_decay_unscaled": gradient + weight,
    }


# --- regularisation


def assert_regularized(student, network, seed, reg=REG):
    weights, gradients = values(seed, network), values(seed + 1, network)
    model = model_for_optimizers(student, MODULES[network], network, weights, gradients)
    method(optimizer(student, "_BaseOptimizer", reg=reg), "apply_regularization")(model)
    after = parameters(model, "gradients", SHAPES[network])
    expected = reference.add_weight_decay(weights, gradients, reg)
    for name in expected:
        known = decay_known(weights[name], gradients[name], name.startswith("b"), reg)
        title = f"gradients[{name!r}] after apply_regularization"
        assert_close(after[name], expected[name], name=title, known=known, **TOLERANCE)
    kept = parameters(model, "weights", SHAPES[network])
    for name, value in weights.items():
        assert_close(kept[name], value, name=f"weights[{name!r}] after apply_regularization")


@pytest.mark.question("5.regularization", points=0.6)
def test_regularization_of_softmax_regression(student):
    """apply_regularization adds the penalty's gradient for the weights of a SoftmaxRegression."""
    assert_regularized(student, "SoftmaxRegression", 1)


@pytest.mark.question("5.regularization", points=1.0)
def test_regularization_of_two_layer_net(student):
    """apply_regularization adds it for both weights of a TwoLayerNet, and for no bias."""
    assert_regularized(student, "TwoLayerNet", 3)


@pytest.mark.question("5.regularization", points=0.4, hidden=True)
def test_regularization_strength(student):
    """apply_regularization uses the optimizer's own coefficient."""
    for reg in (0.0, 1.0, 1e-4):
        assert_regularized(student, "TwoLayerNet", 5, reg)


# --- stochastic gradient descent


def assert_step(student, network, seed, reg, steps=1):
    weights, gradients = values(seed, network), values(seed + 1, network)
    model = model_for_optimizers(student, MODULES[network], network, weights, gradients)
    update = method(optimizer(student, "SGD", reg=reg), "update")
    for step in range(steps):
        start = weights
        # A step may leave the penalty in the gradients.
        model.gradients = dict(gradients)
        update(model)
        weights = reference.sgd_step(start, gradients, RATE, reg)
        after = parameters(model, "weights", SHAPES[network])
        for name in weights:
            moved = weights[name] - start[name]
            known = {
                "not_updated": (NOT_MOVED, start[name]),
                "uphill": (UPHILL, start[name] - moved),
                "rate_missing": (NO_RATE, start[name] + moved / RATE),
            }
            title = f"weights[{name!r}] after step {step + 1}"
            assert_close(after[name], weights[name], name=title, known=known, **TOLERANCE)


@pytest.mark.question("5.sgd", points=0.25)
def test_step_of_softmax_regression(student):
    """SGD.update takes a step for the weights of a SoftmaxRegression."""
    assert_step(student, "SoftmaxRegression", 11, reg=0.0)


@pytest.mark.question("5.sgd", points=0.35)
def test_step_of_two_layer_net(student):
    """SGD.update takes a step for every parameter of a TwoLayerNet."""
    assert_step(student, "TwoLayerNet", 13, reg=0.0)


@pytest.mark.question("5.sgd", points=0.25, needs=["5.regularization"])
def test_step_with_penalty(student):
    """SGD.update applies the regularisation before the step, once."""
    assert_step(student, "TwoLayerNet", 15, reg=REG)


@pytest.mark.question("5.sgd", points=0.15, needs=["5.regularization"], hidden=True)
def test_more_steps(student):
    """Each further step of SGD.update starts from the last one's weights."""
    assert_step(student, "TwoLayerNet", 17, reg=REG, steps=3)
