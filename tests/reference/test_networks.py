"""Networks with cases in rows: worked examples, written-out sums, central differences."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reference.activations import sigmoid
from reference.layers import Linear, ReLU, Sigmoid, SoftmaxCrossEntropy
from reference.networks import MLP, Net, SoftmaxRegression, TwoLayerNet

N, N_IN, N_HID, N_CLASS = 7, 5, 3, 4
LABELS = np.array([0, 3, 3, 1, 0, 1, 3])  # class 2 is missing


def inputs(seed: int = 0) -> np.ndarray:
    """Standard normal inputs, cases in rows."""
    return np.random.default_rng(seed).normal(size=(N, N_IN))


def randomise(net: MLP, seed: int = 1) -> MLP:
    """Parameters of order one, so that no gradient hides behind small weights or zero biases."""
    rng = np.random.default_rng(seed)
    net.parameters = {name: rng.normal(size=p.shape) for name, p in net.parameters.items()}
    return net


def away_from_kinks(pre_activations: Callable) -> np.ndarray:
    """The first inputs for which no ReLU comes so near 0 that a stencil would cross it."""
    candidates = (inputs(seed) for seed in range(1000))
    return next(x for x in candidates if min(np.abs(z).min() for z in pre_activations(x)) > 0.03)


def check_gradient(net: MLP, x, targets, parameter_gradients: Callable) -> None:
    """Compare the gradient of every parameter with central differences of the net's own loss."""
    start = net.parameters
    analytic = net.gradient(x, targets)

    def loss(parameters):
        net.parameters = parameters
        return net.loss(x, targets)

    numeric = parameter_gradients(loss, start)
    assert list(analytic) == list(start)
    for name, gradient in analytic.items():
        assert_allclose(gradient, numeric[name], rtol=1e-7, atol=1e-10, err_msg=name)


def test_net_gradients_match_central_differences(numeric_gradient: Callable):
    """Through a chain of layers the gradients of x and of every parameter are right."""
    rng = np.random.default_rng(2)
    first, second, third = Linear(N_IN, N_HID, rng), Linear(N_HID, 6, rng), Linear(6, N_CLASS, rng)
    for layer in (first, second, third):
        layer.b = rng.normal(size=layer.b.shape)
    net = Net([first, Sigmoid(), second, ReLU(), third, SoftmaxCrossEntropy(LABELS)])
    x = away_from_kinks(lambda value: [net.forward(value)[1][3][1]])
    dx = net.backward(net.forward(x)[1], np.array(1.0))
    assert_allclose(dx, numeric_gradient(lambda value: net.forward(value)[0], x, 1e-3), atol=1e-9)
    for layer in (first, second, third):
        for name, analytic in (("W", layer.dW), ("b", layer.db)):
            start = getattr(layer, name)

            def loss(value, layer=layer, name=name):
                setattr(layer, name, value)
                return net.forward(x)[0]

            numeric = numeric_gradient(loss, start, 1e-3)
            setattr(layer, name, start)
            assert_allclose(analytic, numeric, atol=1e-9)


def test_net_trace_holds_each_layer_with_its_input():
    """The trace pairs every layer with what it was given, in order."""
    layers = [Linear(N_IN, 2, np.random.default_rng(3)), Sigmoid()]
    x = inputs()
    y, trace = Net(layers).forward(x)
    assert [layer for layer, _ in trace] == layers
    assert_array_equal(trace[0][1], x)
    assert_array_equal(y, sigmoid(trace[1][1]))


def test_net_step_moves_every_layer():
    """One small step along the gradient lowers the loss and changes all parameters."""
    rng = np.random.default_rng(4)
    layers = [Linear(N_IN, N_HID, rng), Sigmoid(), Linear(N_HID, N_CLASS, rng)]
    net = Net([*layers, SoftmaxCrossEntropy(LABELS)])
    before, trace = net.forward(inputs())
    weights = layers[0].W, layers[2].W
    net.backward(trace, np.array(1.0))
    net.step(0.01)
    assert net.forward(inputs())[0] < before
    assert not np.allclose(layers[0].W, weights[0])
    assert not np.allclose(layers[2].W, weights[1])


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("add_bias", [True, False])
@pytest.mark.parametrize(
    ("hidden", "output", "loss"),
    [
        ("sigmoid", "identity", "cross_entropy"),
        ("tanh", "relu", "cross_entropy"),
        ("relu", "identity", "binary_cross_entropy"),
        ("sigmoid", "sigmoid", "sum_squared_error"),
        ("relu", "identity", "sum_squared_error"),
        ("identity", "tanh", "sum_squared_error"),
    ],
)
def test_mlp_gradients_match_central_differences(
    parameter_gradients: Callable, hidden, output, loss, add_bias, reduction
):
    """For each activation and loss, three layers deep, every parameter's gradient is right."""
    net = randomise(
        MLP(
            [N_IN, N_HID, 6, N_CLASS],
            np.random.default_rng(5),
            hidden=hidden,
            output=output,
            loss=loss,
            reduction=reduction,
            add_bias=add_bias,
        )
    )
    rng = np.random.default_rng(6)
    targets = LABELS if loss == "cross_entropy" else rng.uniform(size=(N, N_CLASS))
    check_gradient(net, away_from_kinks(net.pre_activations), targets, parameter_gradients)


def test_two_layer_net_gradient_matches_central_differences(parameter_gradients: Callable):
    """With nonzero biases and a missing class the gradient is that of the mean cross-entropy."""
    net = randomise(TwoLayerNet(N_IN, N_HID, N_CLASS, np.random.default_rng(7)))
    check_gradient(net, inputs(), LABELS, parameter_gradients)


@pytest.mark.parametrize("relu_scores", [False, True])
def test_softmax_regression_gradient_matches_central_differences(
    parameter_gradients: Callable, relu_scores
):
    """With and without the ReLU on the scores the gradient is right, for a missing class too."""
    net = randomise(
        SoftmaxRegression(N_IN, N_CLASS, np.random.default_rng(8), relu_scores=relu_scores)
    )
    check_gradient(net, away_from_kinks(net.pre_activations), LABELS, parameter_gradients)


def test_two_layer_net_loss_matches_a_loop_over_cases():
    """The loss is the mean of -log p of the label, written out case by case."""
    net = randomise(TwoLayerNet(N_IN, N_HID, N_CLASS, np.random.default_rng(9)))
    p = net.parameters
    total = 0.0
    for row, label in zip(inputs(), LABELS, strict=True):
        hidden = [1 / (1 + np.exp(-(row @ p["W1"][:, j] + p["b1"][j]))) for j in range(N_HID)]
        scores = [np.dot(hidden, p["W2"][:, k]) + p["b2"][k] for k in range(N_CLASS)]
        total -= scores[label] - np.log(sum(np.exp(scores)))
    assert_allclose(net.loss(inputs(), LABELS), total / N, rtol=1e-13)
    assert_allclose(net.outputs(inputs()).sum(axis=1), 1.0)


def test_small_starts_have_the_documented_shapes():
    """The classifiers start from small weights and zero biases, with the course's names."""
    net = TwoLayerNet(N_IN, N_HID, N_CLASS, np.random.default_rng(10), scale=0.5)
    drawn = MLP([N_IN, N_HID, N_CLASS], np.random.default_rng(10)).parameters
    shapes = {name: p.shape for name, p in net.parameters.items()}
    expected = {"W1": (N_IN, N_HID), "b1": (N_HID,), "W2": (N_HID, N_CLASS), "b2": (N_CLASS,)}
    assert shapes == expected
    assert_array_equal(net.parameters["W2"], drawn["W2"] * 0.5)
    assert not net.parameters["b1"].any()
    assert not net.parameters["b2"].any()
    regression = SoftmaxRegression(N_IN, N_CLASS, np.random.default_rng(10))
    assert list(regression.parameters) == ["W1"]
    assert np.abs(regression.parameters["W1"]).max() < 0.1


def test_relu_scores_change_negative_scores_only():
    """With the ReLU, negative scores count as 0 in the softmax."""
    net = SoftmaxRegression(1, 2, np.random.default_rng(11), relu_scores=True)
    net.parameters = {"W1": np.array([[-3.0, 0.0]])}
    assert_array_equal(net.outputs(np.array([[1.0]])), [[0.5, 0.5]])
    assert net.outputs(np.array([[-1.0]]))[0, 0] > 0.9


def test_mlp_draws_each_layers_weights_before_its_biases():
    """One generator serves all layers in turn; a generator for each layer starts anew."""
    seeded = MLP([2, 3, 1], [np.random.default_rng(2), np.random.default_rng(2)]).parameters
    rng = np.random.default_rng(2)
    assert_array_equal(seeded["W2"].ravel(), seeded["W1"].ravel()[:3])
    shared = MLP([2, 3, 1], np.random.default_rng(2)).parameters
    for name, shape in (("W1", (2, 3)), ("b1", 3), ("W2", (3, 1)), ("b2", 1)):
        assert_array_equal(shared[name], rng.standard_normal(shape))


def test_worked_example_of_a_2_3_1_net():
    """The 2-3-1 sigmoid net of the network course answers 0.82 to the input (1, 1)."""
    net = MLP([2, 3, 1], np.random.default_rng(0), output="sigmoid", loss="sum_squared_error")
    net.parameters = {
        "W1": np.array([[0.4, 0.6, 0.2], [0.3, 0.9, 0.5]]),
        "b1": np.ones(3),
        "W2": np.array([[0.2], [0.2], [0.8]]),
        "b2": np.array([0.5]),
    }
    assert_allclose(net.outputs(np.ones((1, 2))), 0.82, atol=0.005)


def test_worked_example_of_a_2_4_1_net():
    """The 2-4-1 ReLU net of the backpropagation lab gives its values and summed gradients."""
    net = MLP(
        [2, 4, 1],
        np.random.default_rng(0),
        hidden="relu",
        loss="sum_squared_error",
        reduction="sum",
    )
    net.parameters = {
        "W1": np.array([[1.0, 2], [0, -1], [-1, -3], [-2, 2]]).T,
        "b1": np.array([-2.0, 2, 0, -2]),
        "W2": np.array([[1.0, 0, -1, 2]]).T,
        "b2": np.array([-2.0]),
    }
    x, y = np.array([[-1.0, 1], [2, -1]]), np.array([[1.0], [-1]])
    assert_array_equal(net.pre_activations(x)[0], [[-1, 1, -2, 2], [-2, 3, 1, -8]])
    assert_array_equal(net.outputs(x), [[2], [-3]])
    assert net.loss(x, y) == 2.5
    gradients = net.gradient(x, y)
    assert_array_equal(gradients["W2"], [[0], [-5], [-2], [2]])
    assert_array_equal(gradients["b2"], [-1])
    assert_array_equal(gradients["W1"].T, [[0, 0], [0, 0], [4, -2], [-2, 2]])
    assert_array_equal(gradients["b1"], [0, 0, 2, 2])


def test_predictions_are_the_largest_output_or_a_threshold():
    """Several units vote by argmax, a single one by its threshold; accuracy counts the hits."""
    net = SoftmaxRegression(2, 2, np.random.default_rng(12))
    net.parameters = {"W1": np.eye(2)}
    x = np.array([[2.0, 1], [0, 1], [3, 4]])
    assert_array_equal(net.predict(x), [0, 1, 1])
    assert net.accuracy(x, [0, 1, 0]) == pytest.approx(2 / 3)
    single = MLP([1, 1], np.random.default_rng(13), output="sigmoid", loss="sum_squared_error")
    single.parameters = {"W1": np.ones((1, 1)), "b1": np.zeros(1)}
    column = np.array([[-1.0], [0.0], [1.0]])
    assert_array_equal(single.predict(column), [0, 0, 1])
    assert_array_equal(single.predict(column, threshold=0.2), [1, 1, 1])


def test_gradients_stay_finite_at_saturation():
    """Inputs of 1000 times the usual size give finite losses and gradients, with no warning."""
    net = randomise(TwoLayerNet(N_IN, N_HID, N_CLASS, np.random.default_rng(14)))
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert np.isfinite(net.loss(1000 * inputs(), LABELS))
        for gradient in net.gradient(1000 * inputs(), LABELS).values():
            assert np.isfinite(gradient).all()


def test_mlp_refuses_what_it_cannot_build():
    """Too few widths, unknown names and a wrong number of generators raise ValueError."""
    rng = np.random.default_rng(15)
    for widths in ([3], [3, 0]):
        with pytest.raises(ValueError, match="widths"):
            MLP(widths, rng)
    for option in ("hidden", "output", "loss", "reduction"):
        with pytest.raises(ValueError, match="none of"):
            MLP([2, 3], rng, **{option: "quadratic"})
    with pytest.raises(ValueError, match="generators"):
        MLP([2, 3, 4], [rng])


def test_mlp_refuses_batches_that_do_not_fit():
    """Targets of another shape and empty batches raise ValueError."""
    net = MLP([N_IN, 1], np.random.default_rng(16), loss="sum_squared_error")
    with pytest.raises(ValueError, match="differ in shape"):
        net.loss(inputs(), np.zeros(N))
    with pytest.raises(ValueError, match="at least one case"):
        net.gradient(np.zeros((0, N_IN)), np.zeros((0, 1)))
