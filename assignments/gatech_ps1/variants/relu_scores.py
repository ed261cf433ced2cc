# A ReLU on the scores of the softmax regression, one-hot targets, parameters changed in place.

# %% models/_base_network.py
import numpy as np


class _baseNetwork:
    def __init__(self, input_size=28 * 28, num_classes=10):
        self.input_size = input_size
        self.num_classes = num_classes
        self.weights = dict()
        self.gradients = dict()

    def forward(self, X, y, mode="train"):
        pass

    def softmax(self, scores):
        prob = None
        e = np.exp(scores - scores.max(axis=-1).reshape(-1, 1))
        prob = e / e.sum(axis=-1)[:, None]
        return prob

    def cross_entropy_loss(self, x_pred, y):
        N, K = x_pred.shape
        one_hot = np.zeros((N, K))
        one_hot[np.arange(N), y] = 1
        return float(-np.sum(one_hot * np.log(x_pred + 1e-9)) / N)

    def compute_accuracy(self, x_pred, y):
        return (x_pred.argmax(1) == y).sum() / x_pred.shape[0]

    def sigmoid(self, X):
        return np.where(X >= 0, 1 / (1 + np.exp(-np.abs(X))), 1 - 1 / (1 + np.exp(-np.abs(X))))

    def sigmoid_dev(self, x):
        return self.sigmoid(x) * self.sigmoid(-x)

    def ReLU(self, X):
        return X * (X > 0)

    def ReLU_dev(self, X):
        return (X >= 0).astype(int)


# %% models/softmax_regression.py
import numpy as np

from ._base_network import _baseNetwork


class SoftmaxRegression(_baseNetwork):
    def __init__(self, input_size=28 * 28, num_classes=10):
        super().__init__(input_size, num_classes)
        self._weight_init()

    def _weight_init(self):
        np.random.seed(1024)
        self.weights["W1"] = 0.001 * np.random.randn(self.input_size, self.num_classes)
        self.gradients["W1"] = np.zeros((self.input_size, self.num_classes))

    def forward(self, X, y, mode="train"):
        loss = None
        gradient = None
        accuracy = None
        Z = X.dot(self.weights["W1"])
        A = self.ReLU(Z)
        p = self.softmax(A)
        loss = self.cross_entropy_loss(p, y)
        accuracy = self.compute_accuracy(p, y)
        if mode != "train":
            return loss, accuracy
        one_hot = np.eye(p.shape[1])[y]
        dA = (p - one_hot) / X.shape[0]
        dZ = dA * self.ReLU_dev(Z)
        self.gradients["W1"][...] = X.T.dot(dZ)
        return loss, accuracy


# %% optimizer/_base_optimizer.py
class _BaseOptimizer:
    def __init__(self, learning_rate=1e-4, reg=1e-3):
        self.learning_rate = learning_rate
        self.reg = reg

    def update(self, model):
        pass

    def apply_regularization(self, model):
        model.gradients["W1"] += self.reg * model.weights["W1"]
        if "W2" in model.weights:
            model.gradients["W2"] += self.reg * model.weights["W2"]


# %% optimizer/sgd.py
from ._base_optimizer import _BaseOptimizer


class SGD(_BaseOptimizer):
    def __init__(self, learning_rate=1e-4, reg=1e-3):
        super().__init__(learning_rate, reg)

    def update(self, model):
        self.apply_regularization(model)
        for key, gradient in model.gradients.items():
            model.weights[key] -= self.learning_rate * gradient
