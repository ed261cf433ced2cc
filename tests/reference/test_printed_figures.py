"""Figures that two courses' notebooks print, reproduced from the same seeds and data.

The data folder holds the printed numbers: the tables and epoch lines of Radboud's first
assignment, and the scores of the Q3 network. A number agrees where it rounds to what was
printed; where it lies on the border between two roundings, either counts.
"""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from reference.activations import relu, relu_derivative, sigmoid, sigmoid_derivative
from reference.layers import Linear, ReLU, Sigmoid
from reference.losses import binary_cross_entropy, binary_cross_entropy_gradient, one_hot
from reference.networks import MLP, Net
from reference.training import fit, fit_full_batch

DATA = Path(__file__).parent / "data"
SEED = 12345


def rows_of(name: str) -> list[dict[str, str]]:
    """The lines of a data file."""
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table(name: str) -> np.ndarray:
    """The numbers of one printed table."""
    rows = rows_of("radboud_a1_tables.csv")
    return np.array([float(row["value"]) for row in rows if row["table"] == name])


def assert_prints(values, printed, digits: int) -> None:
    """Each value must round to the number printed with so many digits."""
    half = 0.5 * 10.0**-digits
    assert_allclose(np.ravel(values), np.ravel(printed), rtol=0, atol=half * (1 + 1e-6))


def seeded() -> np.random.Generator:
    """The hand-in's generator, from its start."""
    return np.random.default_rng(SEED)


def course_linear(n_in: int, n_out: int, rng: np.random.Generator) -> Linear:
    """The hand-in's layer, whose bound has the product of the sizes and not their sum."""
    return Linear(n_in, n_out, rng, scale=np.sqrt(6 / (n_in * n_out)))


def test_sigmoid_table():
    """Sigmoid and its derivative round to the six printed digits."""
    x = seeded().uniform(-10, 10, size=5)
    assert_prints(x, table("sigmoid.x"), 6)
    assert_prints(sigmoid(x), table("sigmoid.value"), 6)
    assert_prints(sigmoid_derivative(x), table("sigmoid.derivative"), 6)
    near_zero = seeded().uniform(-2, 2, size=5)
    assert_prints(sigmoid_derivative(near_zero), table("sigmoid_near_zero.derivative"), 6)


def test_relu_table():
    """ReLU and its derivative round to the six printed digits."""
    x = seeded().uniform(-10, 10, size=5)
    assert_prints(relu(x), table("relu.value"), 6)
    assert_prints(relu_derivative(x), table("relu.derivative"), 6)


def test_binary_cross_entropy_table():
    """Binary cross-entropy and its derivative round to the six printed digits."""
    rng = seeded()
    y, y_hat = rng.integers(2, size=5), rng.uniform(0, 1, size=5)
    assert_prints(y, table("bce.y"), 6)
    assert_prints(y_hat, table("bce.y_hat"), 6)
    assert_prints(binary_cross_entropy(y, y_hat), table("bce.loss"), 6)
    assert_prints(binary_cross_entropy_gradient(y, y_hat), table("bce.gradient"), 6)


def test_one_layer_model():
    """Loss and input gradient of one linear unit with a sigmoid are the printed ones."""
    rng = seeded()
    layer = Linear(5, 1, rng, scale=0.0)
    rng = seeded()
    layer.W, layer.b = rng.normal(size=(5, 1)), rng.normal(size=1)
    net = Net([layer, Sigmoid()])

    def loss_and_gradient(x):
        y_hat, trace = net.forward(x[None])
        dx = net.backward(trace, binary_cross_entropy_gradient(1.0, y_hat))
        return binary_cross_entropy(1.0, y_hat), dx

    loss, gradient = loss_and_gradient(rng.uniform(size=5))
    assert_allclose(loss.ravel(), table("one_layer.loss"), rtol=1e-14)
    assert_prints(gradient, table("one_layer.gradient"), 6)
    second = loss_and_gradient(seeded().uniform(size=5))[1]
    assert_prints(second, table("one_layer_second.gradient"), 6)


def linear_case() -> tuple[Linear, np.ndarray]:
    """Inputs and layer from one generator, the inputs first."""
    rng = seeded()
    x = rng.uniform(size=(3, 5))
    return course_linear(5, 7, rng), x


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("linear_layer", linear_case),
        ("sigmoid_layer", lambda: (Sigmoid(), seeded().normal(size=(3, 5)))),
        ("relu_layer", lambda: (ReLU(), seeded().uniform(-10, 10, size=(3, 5)))),
    ],
)
def test_layer_tables(name: str, case: Callable):
    """Output and input gradient of each layer round to the six printed digits."""
    layer, x = case()
    y = layer.forward(x)
    assert_prints(y, table(f"{name}.y"), 6)
    assert_prints(layer.backward(x, np.ones_like(y)), table(f"{name}.dx"), 6)


@pytest.fixture(scope="module")
def load_digits() -> Iterator[Callable]:
    """Scikit-learn's digits; the products are so small that a second thread only waits."""
    datasets = pytest.importorskip("sklearn.datasets")
    with pytest.importorskip("threadpoolctl").threadpool_limits(limits=1):
        yield datasets.load_digits


@pytest.fixture(scope="module")
def digits(load_digits: Callable) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The digits below five against the others, standardised, shuffled and cut in half."""
    inputs, labels = load_digits(return_X_y=True)
    inputs = (inputs - inputs.mean()) / np.std(inputs - inputs.mean())
    assert_allclose(inputs.min(), table("digits.min"), rtol=1e-14)
    assert_allclose(inputs.max(), table("digits.max"), rtol=1e-14)
    halves = np.split(seeded().permutation(len(inputs)), [len(inputs) // 2])
    x = {phase: inputs[half] for phase, half in zip(("train", "test"), halves, strict=True)}
    targets = (labels < 5).astype(float)[:, None]
    y = {phase: targets[half] for phase, half in zip(("train", "test"), halves, strict=True)}
    return x, y


def two_layers(rng: np.random.Generator) -> Net:
    """64-32-1 with a ReLU between."""
    return Net([course_linear(64, 32, rng), ReLU(), course_linear(32, 1, rng), Sigmoid()])


def one_layer(rng: np.random.Generator) -> Net:
    """64-1, a logistic regression."""
    return Net([course_linear(64, 1, rng), Sigmoid()])


def two_linear_layers(rng: np.random.Generator) -> Net:
    """64-64-1 with nothing between."""
    return Net([course_linear(64, 64, rng), course_linear(64, 1, rng), Sigmoid()])


def four_layers(rng: np.random.Generator) -> Net:
    """64-64-32-16-1 with ReLUs between."""
    hidden = [(64, 64), (64, 32), (32, 16)]
    layers = [layer for sizes in hidden for layer in (course_linear(*sizes, rng), ReLU())]
    return Net([*layers, course_linear(16, 1, rng), Sigmoid()])


def training_runs() -> Iterator[tuple[Net, int, float, int]]:
    """Net, epochs, learning rate and batch size of each run, in the order of the notebook.

    The third to fifth net take what the generator gives after the second: it is seeded anew
    only where ``seeded`` is called.
    """
    yield two_layers(seeded()), 10, 0.001, 10
    rng = seeded()
    yield two_layers(rng), 50, 0.001, 10
    yield two_layers(rng), 100, 0.01, 10
    yield two_layers(rng), 100, 0.001, 10
    yield two_layers(rng), 25, 0.001, 1
    yield two_layers(seeded()), 25, 0.001, 100
    yield one_layer(seeded()), 25, 0.001, 10
    yield two_linear_layers(seeded()), 100, 0.001, 10
    yield four_layers(seeded()), 100, 0.001, 10


def test_all_epoch_lines_are_there():
    """The data hold 535 lines, as many for each run as it has epochs."""
    lines = rows_of("radboud_a1_epochs.csv")
    counts = [sum(line["run"] == str(run) for line in lines) for run in range(1, 10)]
    assert counts == [epochs for _, epochs, _, _ in training_runs()]
    assert len(lines) == 535


@pytest.mark.parametrize("run", range(1, 10))
def test_epoch_lines(digits, run: int):
    """Every loss and accuracy of the run rounds to the four printed digits."""
    x, y = digits
    net, epochs, learning_rate, batch_size = list(training_runs())[run - 1]
    history = fit(net, x, y, epochs=epochs, learning_rate=learning_rate, batch_size=batch_size)
    lines = [line for line in rows_of("radboud_a1_epochs.csv") if line["run"] == str(run)]
    for phase in ("train", "test"):
        for name, curve in (("loss", history.loss), ("accuracy", history.accuracy)):
            printed = [float(line[f"{phase}_{name}"]) for line in lines]
            assert_prints(curve[phase], printed, 4)


def macro_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    """The mean over the classes of 2 TP / (2 TP + FP + FN)."""
    hits, truth, votes = (
        np.bincount(values, minlength=10)
        for values in (labels[labels == predicted], labels, predicted)
    )
    return float(np.mean(2 * hits / (truth + votes)))


def score_id(line: dict[str, str]) -> str:
    """What tells a configuration from the others."""
    return "-".join(line[name] for name in ("epochs", "learning_rate", "weight_decay"))


@pytest.mark.parametrize("line", rows_of("q3_network_scores.csv"), ids=score_id)
def test_q3_network_scores(load_digits: Callable, line: dict[str, str]):
    """Accuracy and macro F1 of the 64-32-10 net round to the three printed digits."""
    x, labels = load_digits(return_X_y=True)
    x, n_train = x / 16, len(x) // 2
    net = MLP([64, 32, 10], [np.random.default_rng(2) for _ in range(2)])
    fit_full_batch(
        net,
        x[:n_train],
        one_hot(labels[:n_train], 10),
        epochs=int(line["epochs"]),
        learning_rate=float(line["learning_rate"]),
        weight_decay=float(line["weight_decay"]),
    )
    for phase, part in (("train", slice(n_train)), ("test", slice(n_train, None))):
        accuracy = net.accuracy(x[part], labels[part])
        f1 = macro_f1(labels[part], net.predict(x[part]))
        assert_prints([accuracy, f1], [float(line[f"{phase}_{s}"]) for s in ("accuracy", "f1")], 3)
