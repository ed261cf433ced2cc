"""Q2.3: the training and the predictions of the class Network."""

from dataclasses import replace

import numpy as np
import pytest
from q3_network_shared import (
    FUNCTIONS,
    OURS,
    SENTENCES,
    StudentNetwork,
    assert_trains,
    named,
    words,
)
from q3_network_training import (
    Settings,
    forward,
    fresh_net,
    mean_gradients,
    mean_loss,
    objective,
    random_net,
    train,
    without_biases,
)

from grader.checks import (
    DiagnosisContext,
    assert_close,
    assert_shape,
    assert_unchanged,
    check_gradient,
)

# Distinct primes, so that no two sizes can be taken for one another.
N_SAMPLES, N_IN, N_HIDDEN, N_OUT = 11, 3, 7, 5
SIZES = (N_IN, N_HIDDEN, N_OUT)
SIGMOIDS = ("sigmoid", "sigmoid")
STEP = Settings(learning_rate=0.5)


def cases(seed):
    """Inputs, and targets that differ in every entry."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N_SAMPLES, N_IN)), rng.uniform(size=(N_SAMPLES, N_OUT))


def one_hot_cases(seed):
    X, _ = cases(seed)
    labels = np.random.default_rng(seed + 1).integers(N_OUT, size=N_SAMPLES)
    return X, np.eye(N_OUT)[labels]


def step_gradient(theirs, kind, layer, X, Y, settings):
    """What one epoch moves the parameter against, as a function of the parameter."""

    def gradient(point):
        theirs.set_parameters(theirs.net.with_block(kind, layer, point))
        theirs.fit(X, Y, settings)
        return (point - theirs.parameter(kind, layer)) / settings.learning_rate

    return gradient


def wrong_gradients(net, kind, layer, X, Y, settings):
    """What a step of a training with one bug moves the parameter against."""
    start = getattr(net, kind)[layer]
    variants = {}
    for code in (*SENTENCES, *OURS):
        # The framework finds wrong factors and weight decays by itself.
        if code.startswith(("weight_decay", "missing_batch", "sign", "loss", "accumulated")):
            continue
        end = getattr(train(net, X, Y, settings, code)[1], kind)[layer]
        wrong = (start - end) / settings.learning_rate
        right = getattr(train(net, X, Y, settings)[1], kind)[layer]
        if not np.allclose(end, right, rtol=1e-9, atol=0):
            variants[code] = named(code, wrong)
    return variants


def assert_step(student, net, kind, settings, seed):
    """In each layer, a step goes against the gradient of the loss and its penalty."""
    X, Y = cases(seed)
    theirs = StudentNetwork(student, net)
    for layer in reversed(range(len(net.weights))):
        start = getattr(net, kind)[layer]
        right = mean_gradients(net, X, Y, settings)[("weights", "biases").index(kind)][layer]
        gradient = step_gradient(theirs, kind, layer, X, Y, settings)
        actual = gradient(start)
        if not np.any(actual):
            stays = f"{kind.replace('biases', 'bias')}_not_updated"
            known = {stays: named(stays, actual)}
            assert_close(actual, right, name=f"the step of {words(kind, layer)}", known=known)
        if not np.allclose(actual, right, rtol=1e-9, atol=1e-12):
            check_gradient(
                lambda point, layer=layer: objective(
                    net.with_block(kind, layer, point), X, Y, settings.reg_lambda
                ),
                gradient,
                at=start,
                name=f"the step of {words(kind, layer)}",
                context=step_context(net, kind, layer, X, Y, settings),
            )


def step_context(net, kind, layer, X, Y, settings):
    return DiagnosisContext(
        batch_size=N_SAMPLES,
        n_features=N_IN,
        n_hidden=N_HIDDEN,
        n_classes=N_OUT,
        learning_rate=settings.learning_rate,
        parameters=getattr(net, kind)[layer],
        weight_decay=settings.reg_lambda or None,
        is_bias=kind == "biases",
        variants=wrong_gradients(net, kind, layer, X, Y, settings),
    )


@pytest.mark.question("Q2.3", points=3, needs=FUNCTIONS)
def test_loss_curve(student):
    """fit returns the mean loss of each epoch (sigmoids, L2 loss, no weight decay)."""
    X, Y = cases(21)
    theirs = StudentNetwork(student, random_net(22, SIZES, SIGMOIDS, "l2_loss"))
    first = theirs.fit(X, Y, Settings())
    assert_close(
        first,
        [mean_loss(theirs.net, X, Y)],
        name="the first loss",
        known=last_loss(theirs.net, X, Y),
    )
    assert_trains(student, theirs.net, X, Y, Settings(epochs=5, learning_rate=0.7))


def last_loss(net, X, Y):
    """Losses of the first epoch that are wrong before any step."""
    n = len(X)
    last = mean_loss(net, X[-1:], Y[-1:])
    return {
        "loss_summed": named("loss_summed", [mean_loss(net, X, Y) * n]),
        "loss_after_step": named("loss_after_step", train(net, X, Y, STEP, "loss_after_step")[0]),
        "loss_of_last_sample": named("loss_of_last_sample", [last]),
    }


@pytest.mark.question("Q2.3", points=4, needs=FUNCTIONS)
def test_weight_steps(student):
    """A step moves the weights of each layer against their mean gradient."""
    net = random_net(23, SIZES, SIGMOIDS, "l2_loss")
    assert_step(student, net, "weights", STEP, seed=24)


@pytest.mark.question("Q2.3", points=3, needs=FUNCTIONS)
def test_bias_steps(student):
    """A step moves the bias of each layer against its mean gradient."""
    net = random_net(25, SIZES, SIGMOIDS, "l2_loss")
    assert_step(student, net, "biases", STEP, seed=26)


@pytest.mark.question("Q2.3", points=3, needs=FUNCTIONS)
def test_weight_decay(student):
    """With reg_lambda, a step also lets the weights decay, and not the biases."""
    net = random_net(27, SIZES, ("sigmoid", "tanh"), "l2_loss")
    settings = replace(STEP, reg_lambda=0.3)
    assert_step(student, net, "weights", settings, seed=28)
    assert_step_of_biases_is_free(student, net, settings)


def assert_step_of_biases_is_free(student, net, settings):
    X, Y = cases(29)
    theirs = StudentNetwork(student, net)
    theirs.fit(X, Y, settings)
    expected = train(net, X, Y, settings)[1]
    wrong = train(net, X, Y, settings, "weight_decay_on_bias")[1]
    for layer in range(len(net.biases)):
        assert_close(
            theirs.parameter("biases", layer),
            expected.biases[layer],
            name=f"{words('biases', layer)} after a step",
            known={"weight_decay_on_bias": wrong.biases[layer]},
        )


@pytest.mark.question("Q2.3", points=1, needs=FUNCTIONS)
def test_loss_with_decay(student):
    """The loss that fit returns has no penalty in it, whatever reg_lambda is."""
    X, Y = cases(31)
    net = random_net(32, SIZES, SIGMOIDS, "l2_loss")
    assert_trains(student, net, X, Y, Settings(epochs=3, learning_rate=0.7, reg_lambda=0.2))


@pytest.mark.question("Q2.3", points=2, needs=FUNCTIONS)
def test_softmax_cross_entropy(student):
    """A network with softmax and cross-entropy trains as it should, with and without decay."""
    X, Y = one_hot_cases(33)
    net = fresh_net(SIZES, ("sigmoid", "softmax"), "cross_entropy_loss")
    for reg_lambda in (0.0, 0.05):
        settings = Settings(epochs=4, learning_rate=0.6, reg_lambda=reg_lambda)
        assert_trains(student, net, X, Y, settings)


@pytest.mark.question("Q2.3", points=1, needs=FUNCTIONS)
def test_three_layers_without_biases(student):
    """A network of three layers without biases, the last one linear, trains as it should."""
    X, Y = cases(35)
    activations = ("sigmoid", "sigmoid", "linear")
    net = without_biases(random_net(36, (N_IN, N_HIDDEN, 2, N_OUT), activations, "l2_loss"))
    settings = Settings(epochs=3, learning_rate=0.1, reg_lambda=0.1)
    assert_trains(student, net, X, Y, settings)


@pytest.mark.question("Q2.3", points=0.5, needs=FUNCTIONS, hidden=True)
def test_single_output(student):
    """One output node and plain numbers as targets work, and the data stay as they were."""
    X, _ = cases(37)
    Y = np.random.default_rng(38).integers(2, size=N_SAMPLES)
    net = fresh_net((N_IN, N_HIDDEN, 1), SIGMOIDS, "l2_loss")
    settings = Settings(epochs=2, learning_rate=0.4)
    assert_trains(student, net, X, Y[:, None].astype(float), settings, targets=Y)
    call = StudentNetwork(student, net).network.fit.call(X, Y, 1, 0.1, 0.0)
    assert_unchanged(call, (X, Y, 1, 0.1, 0.0), name="fit")


# --- predict ------------------------------------------------------------------

OUTPUTS = "You return the outputs of the last layer: which label does each row of them stand for?"


@pytest.mark.question("Q2.3", points=1.25, needs=FUNCTIONS, credit={"outputs_for_labels": 0.5})
def test_predict(student):
    """Without a threshold, predict returns the index of the largest output."""
    X, _ = cases(41)
    net = random_net(76, SIZES, ("sigmoid", "softmax"), "cross_entropy_loss")
    outputs = forward(net, X)[1][-1]
    known = {
        "outputs_for_labels": (OUTPUTS, outputs),
        "labels_from_one": (
            "Your labels count from 1: where does an index begin?",
            outputs.argmax(axis=1) + 1,
        ),
        "smallest_output": ("Your label is that of the smallest output.", outputs.argmin(axis=1)),
        "largest_for_label": (
            "You return the largest output: which label does it stand for?",
            outputs.max(axis=1),
        ),
    }
    labels = column_as_vector(StudentNetwork(student, net).network.predict(X))
    assert_close(labels, outputs.argmax(axis=1), name="predict(X)", known=known)


@pytest.mark.question("Q2.3", points=1.25, needs=FUNCTIONS)
@pytest.mark.parametrize("threshold", [0.2, 0.3])
def test_predict_with_threshold(student, threshold):
    """With a threshold, predict returns 1 where the single output is above it, else 0."""
    X, _ = cases(43)
    net = random_net(46, (N_IN, N_HIDDEN, 1), SIGMOIDS, "l2_loss")
    outputs = forward(net, X)[1][-1].ravel()
    known = {
        "below_threshold": (
            "Your labels are swapped: on which side of the threshold lies a 1?",
            outputs <= threshold,
        ),
        "outputs_for_labels": (OUTPUTS, outputs),
        "threshold_ignored": ("You do not use the threshold that is given.", outputs > 0.5),
    }
    network = StudentNetwork(student, net).network
    labels = column_as_vector(network.predict(X, threshold))
    assert_close(labels, outputs > threshold, name=f"predict(X, {threshold})", known=known)


def column_as_vector(value):
    """One label a row is as good as a vector of labels."""
    is_column = isinstance(value, np.ndarray) and value.shape == (N_SAMPLES, 1)
    return assert_shape(value, (N_SAMPLES, 1)).reshape(-1) if is_column else value
