"""Training loops against slow loops written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from reference.layers import Linear, Sigmoid, SoftmaxCrossEntropy
from reference.networks import MLP, Net
from reference.training import CATEGORICAL, a2, fit, fit_full_batch, minibatches

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)
SIZES = st.tuples(st.integers(0, 40), st.integers(1, 15))
N_IN, N_HID, N_CLASS = 5, 3, 4


@SETTINGS
@given(SIZES, st.booleans(), st.none() | st.integers(0, 99))
def test_minibatches_hold_every_index_once(sizes, drop_last, seed):
    """Together the batches are all the indices, or all but the last n mod batch_size."""
    n, batch_size = sizes
    rng = None if seed is None else np.random.default_rng(seed)
    batches = list(minibatches(n, batch_size, drop_last=drop_last, rng=rng))
    order = np.arange(n) if seed is None else np.random.default_rng(seed).permutation(n)
    kept = n - n % batch_size if drop_last else n
    assert_array_equal(np.concatenate([order[:0], *batches]), order[:kept])
    assert all(len(batch) == batch_size for batch in batches[:-1])
    assert all(0 < len(batch) <= batch_size for batch in batches)


def test_minibatches_refuse_impossible_sizes():
    """A batch size below 1 or a negative number of cases raises ValueError at the call."""
    for arguments in ((3, 0), (-1, 2)):
        with pytest.raises(ValueError, match="cannot be cut"):
            minibatches(*arguments)


def binary_data() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Two phases of a separable problem, whose sizes are no multiples of a batch."""
    rng = np.random.default_rng(1)
    x = {"train": rng.normal(size=(23, N_IN)), "test": rng.normal(size=(11, N_IN))}
    y = {phase: (value[:, :1] + value[:, 1:2] > 0).astype(float) for phase, value in x.items()}
    return x, y


def logistic_net(seed: int = 2) -> Net:
    """A logistic regression."""
    return Net([Linear(N_IN, 1, np.random.default_rng(seed)), Sigmoid()])


def slow_logistic_fit(layer: Linear, x, y, epochs: int, rate: float, size: int):
    """Logistic regression by summed mini-batch gradients, the rest of a phase left out."""
    w, b, rows = layer.W[:, 0].copy(), 0.0, []
    for _ in range(epochs):
        row = []
        for phase in ("train", "test"):
            loss, hits, steps = 0.0, 0.0, len(x[phase]) // size
            for step in range(steps):
                dw, db = np.zeros_like(w), 0.0
                for i in range(step * size, (step + 1) * size):
                    p, t = 1 / (1 + np.exp(-(x[phase][i] @ w + b))), y[phase][i, 0]
                    loss -= (np.log(p) if t == 1 else np.log(1 - p)) / size
                    hits += ((p > 0.5) == (t > 0.5)) / size
                    dw, db = dw + (p - t) * x[phase][i], db + p - t
                if phase == "train":
                    w, b = w - rate * dw, b - rate * db
            row += [loss / steps, hits / steps]
        rows.append(row)
    return np.array(rows), w, b


def test_fit_matches_a_slow_logistic_regression():
    """Losses, accuracies and weights equal those of a loop over single cases."""
    x, y = binary_data()
    net = logistic_net()
    expected, w, b = slow_logistic_fit(net.layers[0], x, y, epochs=4, rate=0.05, size=5)
    history = fit(net, x, y, epochs=4, learning_rate=0.05, batch_size=5)
    columns = (
        history.loss["train"],
        history.accuracy["train"],
        history.loss["test"],
        history.accuracy["test"],
    )
    assert_allclose(np.stack(columns, axis=1), expected, rtol=1e-12)
    assert_allclose(net.layers[0].W[:, 0], w, rtol=1e-12)
    assert_allclose(net.layers[0].b, [b], rtol=1e-12)


def test_fit_weighs_a_smaller_last_batch_by_its_size():
    """With drop_last off, the loss of a phase that does not move is the mean over its cases."""
    x, y = binary_data()
    runs = [
        fit(logistic_net(), x, y, epochs=1, learning_rate=0, batch_size=size, drop_last=False)
        for size in (4, 5, 100)
    ]
    for phase in x:
        for run in runs:
            assert_allclose(run.loss[phase], runs[-1].loss[phase], rtol=1e-14)
            assert_allclose(run.accuracy[phase], runs[-1].accuracy[phase], rtol=1e-14)


def test_fit_is_seeded_and_silent(capsys):
    """The same seed gives the same history, another shuffle another one, and nothing prints."""
    x, y = binary_data()
    options = {"epochs": 3, "learning_rate": 0.1, "batch_size": 4}
    first, again, other, unshuffled = (
        fit(logistic_net(), x, y, rng=rng, **options).loss["train"]
        for rng in (*(np.random.default_rng(seed) for seed in (7, 7, 8)), None)
    )
    assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert not np.allclose(first, unshuffled)
    assert capsys.readouterr() == ("", "")


def test_fit_learns_classes_from_logits():
    """With the categorical objective a linear net learns separable classes."""
    rng = np.random.default_rng(3)
    labels = rng.integers(3, size=60)
    x = np.eye(3)[labels] * 4 + rng.normal(size=(60, 3))
    net = Net([Linear(3, 3, rng)])
    history = fit(
        net,
        {"train": x},
        {"train": np.eye(3)[labels]},
        epochs=30,
        learning_rate=0.02,
        batch_size=10,
        objective=CATEGORICAL,
    )
    assert history.loss["train"].shape == (30,)
    assert history.loss["train"][-1] < 0.2 < history.loss["train"][0]
    assert history.accuracy["train"][-1] > 0.95


def test_fit_follows_the_summed_cross_entropy():
    """One categorical step moves as the summed loss layer does, and reports its mean."""
    rng = np.random.default_rng(6)
    x, labels = rng.normal(size=(7, 5)), np.array([0, 3, 3, 1, 0, 1, 3])
    fitted, stepped = (Linear(5, 4, np.random.default_rng(9)) for _ in range(2))
    net = Net([stepped, SoftmaxCrossEntropy(labels, "sum")])
    loss, trace = net.forward(x)
    net.backward(trace, np.array(1.0))
    net.step(0.1)
    data = {"train": x}, {"train": np.eye(4)[labels]}
    options = {"epochs": 1, "learning_rate": 0.1, "batch_size": 7}
    history = fit(Net([fitted]), *data, objective=CATEGORICAL, **options)
    assert_allclose(fitted.W, stepped.W, rtol=1e-13)
    assert_allclose(fitted.b, stepped.b, rtol=1e-13)
    assert_allclose(history.loss["train"], [loss / 7], rtol=1e-13)


def test_fit_without_epochs_has_an_empty_history():
    """No epochs leave the net alone and give empty curves for each phase."""
    x, y = binary_data()
    history = fit(logistic_net(), x, y, epochs=0, learning_rate=0.1, batch_size=4)
    assert {phase: len(curve) for phase, curve in history.loss.items()} == {"train": 0, "test": 0}


def test_fit_refuses_data_that_do_not_match():
    """Other phases, other lengths, flat targets and too few cases raise ValueError."""
    x, y = binary_data()
    flat = {phase: value[:, 0] for phase, value in y.items()}
    short = {**y, "test": y["test"][1:]}
    cases = [
        (x, {"train": y["train"]}, 4, "must agree"),
        ({"test": x["test"]}, {"test": y["test"]}, 4, "must agree"),
        (x, short, 4, "differ in length"),
        (x, flat, 4, "differ in shape"),
        (x, y, 12, "no whole mini-batch"),
    ]
    for inputs, targets, batch_size, message in cases:
        with pytest.raises(ValueError, match=message):
            fit(logistic_net(), inputs, targets, epochs=1, learning_rate=0.1, batch_size=batch_size)


def slow_full_batch(p, x, y, epochs: int, rate: float, decay: float):
    """A sigmoid net with the L2 loss, one case at a time, gradients averaged, biases undecayed."""
    p, history = {name: value.copy() for name, value in p.items()}, []
    for _ in range(epochs):
        total, sums = 0.0, {name: np.zeros_like(value) for name, value in p.items()}
        for row, target in zip(x, y, strict=True):
            hidden = 1 / (1 + np.exp(-(row @ p["W1"] + p["b1"])))
            out = 1 / (1 + np.exp(-(hidden @ p["W2"] + p["b2"])))
            total += 0.5 * np.sum((out - target) ** 2)
            delta = (out - target) * out * (1 - out)
            hidden_delta = p["W2"] @ delta * hidden * (1 - hidden)
            sums["W2"] += np.outer(hidden, delta)
            sums["b2"] += delta
            sums["W1"] += np.outer(row, hidden_delta)
            sums["b1"] += hidden_delta
        for name in p:
            penalty = decay * p[name] if name.startswith("W") else 0.0
            p[name] = p[name] - rate * (sums[name] / len(x) + penalty)
        history.append(total / len(x))
    return history, p


def test_fit_full_batch_matches_a_loop_over_cases():
    """Losses without the penalty and decayed parameters equal those of a slow loop."""
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(7, N_IN)), rng.uniform(size=(7, 2))
    net = MLP([N_IN, N_HID, 2], rng, output="sigmoid", loss="sum_squared_error")
    expected, parameters = slow_full_batch(net.parameters, x, y, epochs=6, rate=0.7, decay=0.03)
    history = fit_full_batch(net, x, y, epochs=6, learning_rate=0.7, weight_decay=0.03)
    assert_allclose(history, expected, rtol=1e-12)
    for name, value in parameters.items():
        assert_allclose(net.parameters[name], value, rtol=1e-11)


def a2_data() -> dict[str, dict[str, np.ndarray]]:
    """Three sets of unequal odd sizes, cases in columns."""
    rng = np.random.default_rng(5)
    parts = {}
    for name, n in (("train", 23), ("val", 9), ("test", 11)):
        labels = rng.integers(N_CLASS, size=n)
        inputs = rng.normal(size=(N_IN, n)) + 1.5 * np.eye(N_IN)[:, labels]
        parts[name] = {"inputs": inputs, "target": np.eye(N_CLASS)[:, labels]}
    return parts


def slow_states(u, v, x):
    """Hidden outputs and class probabilities of one case."""
    hidden = [1 / (1 + np.exp(-sum(u[j][k] * x[k] for k in range(N_IN)))) for j in range(N_HID)]
    scores = [sum(v[c][j] * hidden[j] for j in range(N_HID)) for c in range(N_CLASS)]
    norm = sum(np.exp(score) for score in scores)
    return hidden, [np.exp(score) / norm for score in scores]


def slow_loss(u, v, part, decay):
    """Mean cross-entropy and penalty, summed number by number."""
    cross = 0.0
    for x, t in zip(part["inputs"].T, part["target"].T, strict=True):
        cross -= np.log(slow_states(u, v, x)[1][int(np.argmax(t))])
    squares = sum(w * w for matrix in (u, v) for row in matrix for w in row)
    return cross / part["inputs"].shape[1] + decay / 2 * squares


def slow_gradient(u, v, cases, decay):
    """Backpropagation of single cases, written out."""
    du = [[decay * u[j][k] for k in range(N_IN)] for j in range(N_HID)]
    dv = [[decay * v[c][j] for j in range(N_HID)] for c in range(N_CLASS)]
    for x, t in cases:
        hidden, p = slow_states(u, v, x)
        error = [(p[c] - t[c]) / len(cases) for c in range(N_CLASS)]
        for j in range(N_HID):
            back = sum(v[c][j] * error[c] for c in range(N_CLASS)) * hidden[j] * (1 - hidden[j])
            for c in range(N_CLASS):
                dv[c][j] += error[c] * hidden[j]
            for k in range(N_IN):
                du[j][k] += back * x[k]
    return du, dv


def slow_a2(decay, n_iterations, rate, momentum, batch_size, data):
    """Number by number, and the batches by indices: no matrix, no slice, no momentum class."""
    start = [0.1 * np.cos(i) for i in range(N_HID * (N_IN + N_CLASS))]
    u = [start[j * N_IN : (j + 1) * N_IN] for j in range(N_HID)]
    rest = start[N_HID * N_IN :]
    v = [rest[c * N_HID : (c + 1) * N_HID] for c in range(N_CLASS)]
    speed_u, speed_v = np.zeros((N_HID, N_IN)), np.zeros((N_CLASS, N_HID))
    train, n = data["train"], data["train"]["inputs"].shape[1]
    rows, models, position = [], [], 0
    for _ in range(n_iterations):
        indices = [i for i in range(position, position + batch_size) if i < n]
        cases = [(train["inputs"][:, i], train["target"][:, i]) for i in indices]
        du, dv = slow_gradient(u, v, cases, decay)
        speed_u, speed_v = momentum * speed_u - np.array(du), momentum * speed_v - np.array(dv)
        u, v = (u + rate * speed_u).tolist(), (v + rate * speed_v).tolist()
        rows.append([slow_loss(u, v, data[part], decay) for part in ("train", "val")])
        models.append((u, v))
        position = (position + batch_size) % n
    return np.array(rows), models


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(
    ("decay", "rate", "momentum", "batch_size"),
    [(0.0, 0.5, 0.0, 4), (0.02, 2.0, 0.9, 5), (0.3, 0.2, 0.5, 23), (0.01, 1.0, 0.9, 40)],
)
def test_a2_matches_a_slow_loop(decay, rate, momentum, batch_size, early_stopping):
    """Losses, best iteration and model equal those of an independent loop over numbers."""
    data = a2_data()
    rows, models = slow_a2(decay, 14, rate, momentum, batch_size, data)
    result = a2(decay, N_HID, 14, rate, momentum, early_stopping, batch_size, data)
    assert_allclose(result.training_losses, rows[:, 0], rtol=1e-10)
    assert_allclose(result.validation_losses, rows[:, 1], rtol=1e-10)
    chosen = int(np.argmin(rows[:, 1])) if early_stopping else 13
    assert result.best_iteration == (chosen + 1 if early_stopping else None)
    u, v = models[chosen]
    assert_allclose(result.model["input_to_hid"], u, rtol=1e-9, atol=1e-12)
    assert_allclose(result.model["hid_to_class"], v, rtol=1e-9, atol=1e-12)
    for name, part in data.items():
        assert_allclose(result.loss[name], slow_loss(u, v, part, decay), rtol=1e-10)
        expected = slow_loss(u, v, part, 0.0)
        assert_allclose(result.classification_loss[name], expected, rtol=1e-10)
        choices = [np.argmax(slow_states(u, v, x)[1]) for x in part["inputs"].T]
        wrong = np.mean(choices != part["target"].argmax(axis=0))
        assert result.error_rate[name] == pytest.approx(wrong)


def test_a2_early_stopping_can_choose_an_earlier_model():
    """With a rate so high that the loss rises again, the best step is not the last."""
    result = a2(0.0, N_HID, 14, 8.0, 0.9, True, 5, a2_data())
    assert result.best_iteration is not None
    assert result.best_iteration < 14
    best = result.validation_losses[result.best_iteration - 1]
    assert best == result.validation_losses.min() == result.loss["val"]


def test_a2_early_stopping_returns_the_start_where_nothing_improves():
    """Where every validation loss is NaN, no step is best and the start comes back."""
    data = a2_data()
    data["val"] = {**data["val"], "inputs": np.full((N_IN, 9), np.nan)}
    result = a2(0.0, N_HID, 3, 0.5, 0.0, True, 5, data)
    assert result.best_iteration is None
    assert_allclose(result.model["input_to_hid"][0], 0.1 * np.cos(np.arange(N_IN)))


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a2_without_steps_returns_the_start(early_stopping):
    """No steps give the initial model and no losses, with early stopping too."""
    result = a2(0.0, N_HID, 0, 0.1, 0.9, early_stopping, 5, a2_data())
    assert result.training_losses.shape == (0,)
    assert result.best_iteration is None
    assert_allclose(result.model["input_to_hid"][0], 0.1 * np.cos(np.arange(N_IN)))


def test_a2_refuses_impossible_sizes():
    """No hidden units, an empty batch and no training cases raise ValueError."""
    data = a2_data()
    with pytest.raises(ValueError, match="no model"):
        a2(0.0, 0, 3, 0.1, 0.9, False, 5, data)
    with pytest.raises(ValueError, match="cannot be cut"):
        a2(0.0, N_HID, 3, 0.1, 0.9, False, 0, data)
    data["train"] = {name: part[:, :0] for name, part in data["train"].items()}
    with pytest.raises(ValueError, match="cannot be cut"):
        a2(0.0, N_HID, 3, 0.1, 0.9, False, 5, data)
