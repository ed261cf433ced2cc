# Loops over examples and classes, and networks that share no code with their base class.

# %% models/_base_network.py
import math

import numpy as np


class _baseNetwork(object):
    def __init__(self, input_size=784, num_classes=10):
        self.input_size, self.num_classes = input_size, num_classes
        self.weights, self.gradients = {}, {}

    def softmax(self, scores):
        rows = []
        for row in scores:
            top = max(row)
            exponentials = [math.exp(s - top) for s in row]
            rows.append([e / sum(exponentials) for e in exponentials])
        return np.array(rows)

    def cross_entropy_loss(self, x_pred, y):
        total = 0
        for i in range(len(y)):
            total -= math.log(max(x_pred[i][y[i]], 1e-15))
        return total / len(y)

    def compute_accuracy(self, x_pred, y):
        right = 0
        for i, label in enumerate(y):
            if list(x_pred[i]).index(max(x_pred[i])) == label:
                right += 1
        return right / len(y)

    def sigmoid(self, X):
        return 0.5 * (1 + np.tanh(X / 2))

    def sigmoid_dev(self, x):
        return 0.25 * (1 - np.tanh(x / 2) ** 2)

    def ReLU(self, X):
        out = X.copy()
        out[out < 0] = 0
        return out

    def ReLU_dev(self, X):
        return X > 0


# %% models/two_layer_nn.py
import numpy as np
from models._base_network import _baseNetwork


class TwoLayerNet(_baseNetwork):
    def __init__(self, input_size=28 * 28, num_classes=10, hidden_size=128):
        super().__init__(input_size, num_classes)
        self.hidden_size = hidden_size
        self.weights["b1"] = np.zeros(hidden_size)
        self.weights["b2"] = np.zeros(num_classes)
        self.weights["W1"] = 0.001 * np.random.randn(input_size, hidden_size)
        self.weights["W2"] = 0.001 * np.random.randn(hidden_size, num_classes)
        for k in self.weights:
            self.gradients[k] = np.zeros(self.weights[k].shape)

    def forward(self, X, y, mode="train"):
        N = len(X)
        self.z1 = np.matmul(X, self.weights["W1"]) + self.weights["b1"].reshape(1, -1)
        self.a1 = 1.0 / (1.0 + np.exp(-self.z1))
        self.z2 = np.matmul(self.a1, self.weights["W2"]) + self.weights["b2"].reshape(1, -1)
        log_p = self.z2 - self.z2.max(1, keepdims=True)
        log_p = log_p - np.log(np.exp(log_p).sum(1, keepdims=True))
        loss = -sum(log_p[i, y[i]] for i in range(N)) / N
        accuracy = np.count_nonzero(log_p.argmax(1) == y) / N
        if mode == "train":
            grads = {k: np.zeros_like(w) for k, w in self.weights.items()}
            for i in range(N):
                dz2 = np.exp(log_p[i])
                dz2[y[i]] -= 1
                grads["W2"] += np.outer(self.a1[i], dz2) / N
                grads["b2"] += dz2 / N
                dz1 = self.weights["W2"].dot(dz2) * self.a1[i] * (1 - self.a1[i])
                grads["W1"] += np.outer(X[i], dz1) / N
                grads["b1"] += dz1 / N
            self.gradients = grads
        return loss, accuracy


# %% utils.py
import random

import numpy as np


def generate_batched_data(data, label, batch_size=32, shuffle=False, seed=None):
    if seed:
        random.seed(seed)
    pairs = [(d, l) for d, l in zip(data, label)]
    if shuffle:
        random.shuffle(pairs)
    batched_data, batched_label = [], []
    while pairs:
        now, pairs = pairs[:batch_size], pairs[batch_size:]
        batched_data.append(np.array([d for d, _ in now]))
        batched_label.append(np.array([l for _, l in now]))
    return batched_data, batched_label
