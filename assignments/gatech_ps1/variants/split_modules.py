# Helpers in modules of their own, a decay that looks at dimensions, an optimizer that asks for types.

# %% models/softmax_regression.py
import numpy as np

from ._base_network import _baseNetwork


def log_softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


class SoftmaxRegression(_baseNetwork):
    def __init__(self, input_size=28 * 28, num_classes=10):
        super().__init__(input_size, num_classes)
        self.weights["W1"] = np.random.default_rng(0).normal(0, 0.01, (input_size, num_classes))
        self.gradients["W1"] = 0

    def forward(self, X, y, mode="train"):
        scores = X @ self.weights["W1"]
        logs = log_softmax(scores)
        targets = np.zeros_like(logs)
        targets[range(len(y)), y] = 1
        loss = -(targets * logs).sum(axis=1).mean()
        accuracy = float((scores.argmax(axis=1) == y).mean())
        if mode == "train":
            self.gradients = {"W1": np.einsum("ni,nk->ik", X, np.exp(logs) - targets) / len(X)}
        return loss, accuracy


# %% models/two_layer_nn.py
import numpy as np
from scipy.special import expit

from ._base_network import _baseNetwork
from .softmax_regression import log_softmax


class TwoLayerNet(_baseNetwork):
    def __init__(self, input_size=28 * 28, num_classes=10, hidden_size=128):
        super().__init__(input_size, num_classes)
        rng = np.random.default_rng(0)
        self.weights = {
            "W1": rng.normal(0, 0.01, (input_size, hidden_size)),
            "b1": np.zeros(hidden_size),
            "W2": rng.normal(0, 0.01, (hidden_size, num_classes)),
            "b2": np.zeros(num_classes),
        }

    def forward(self, X, y, mode="train"):
        w = self.weights
        hidden = expit(X @ w["W1"] + w["b1"])
        logs = log_softmax(hidden @ w["W2"] + w["b2"])
        N = len(y)
        loss = -logs[np.arange(N), y].mean()
        accuracy = np.mean(logs.argmax(axis=1) == y)
        if mode == "train":
            delta = np.exp(logs)
            delta[np.arange(N), y] -= 1.0
            self.gradients["W2"] = hidden.T @ delta / N
            self.gradients["b2"] = delta.mean(axis=0, keepdims=True)
            back = (delta @ w["W2"].T) * hidden * (1 - hidden)
            self.gradients["W1"] = X.T @ back / N
            self.gradients["b1"] = back.mean(axis=0, keepdims=True)
        return loss, accuracy


# %% optimizer/_base_optimizer.py
import numpy as np


class _BaseOptimizer:
    def __init__(self, learning_rate=1e-4, reg=1e-3):
        self.learning_rate = learning_rate
        self.reg = reg

    def update(self, model):
        pass

    def apply_regularization(self, model):
        for key in model.gradients:
            if np.ndim(model.weights[key]) > 1:
                penalty = 0.5 * self.reg * 2 * model.weights[key]
                model.gradients[key] = np.add(model.gradients[key], penalty)


# %% optimizer/sgd.py
from models import SoftmaxRegression, TwoLayerNet

from ._base_optimizer import _BaseOptimizer


class SGD(_BaseOptimizer):
    def update(self, model):
        self.apply_regularization(model)
        if isinstance(model, SoftmaxRegression):
            keys = ["W1"]
        elif isinstance(model, TwoLayerNet):
            keys = ["W1", "b1", "W2", "b2"]
        for k in keys:
            model.weights[k] = model.weights[k] - self.learning_rate * model.gradients[k]


# %% utils.py
import matplotlib.pyplot as plt
import numpy as np


def generate_batched_data(data, label, batch_size=32, shuffle=False, seed=None):
    data, label = np.array(data), np.array(label)
    if shuffle:
        np.random.seed(seed)
        order = np.random.permutation(len(data))
        data, label = data[order], label[order]
    cuts = np.arange(batch_size, len(data), batch_size)
    return np.split(data, cuts), np.split(label, cuts)
