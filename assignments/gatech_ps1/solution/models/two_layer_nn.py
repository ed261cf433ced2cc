import numpy as np

from ._base_network import _baseNetwork


class TwoLayerNet(_baseNetwork):
    """Linear, sigmoid, linear, softmax: W1 (input_size, H), b1 (H,), W2 (H, num_classes), b2."""

    def __init__(self, input_size=28 * 28, num_classes=10, hidden_size=128):
        super().__init__(input_size, num_classes)
        self.hidden_size = hidden_size
        np.random.seed(1024)
        self.weights["b1"] = np.zeros(self.hidden_size)
        self.weights["b2"] = np.zeros(self.num_classes)
        self.weights["W1"] = 0.01 * np.random.randn(self.input_size, self.hidden_size)
        self.weights["W2"] = 0.01 * np.random.randn(self.hidden_size, self.num_classes)
        for name, value in self.weights.items():
            self.gradients[name] = np.zeros_like(value)

    def forward(self, X, y, mode="train"):
        """The mean cross-entropy and the accuracy of a batch X (N, input_size), y (N,).

        In the mode "train" it also stores the gradients of the loss in self.gradients, under the
        names of the weights. The loss has no penalty: regularisation is the optimizer's.
        """
        ### BEGIN SOLUTION
        W1, b1, W2, b2 = (self.weights[name] for name in ("W1", "b1", "W2", "b2"))
        before = X @ W1 + b1
        hidden = self.sigmoid(before)
        probabilities = self.softmax(hidden @ W2 + b2)
        loss = self.cross_entropy_loss(probabilities, y)
        accuracy = self.compute_accuracy(probabilities, y)
        if mode == "train":
            d_scores = probabilities.copy()
            d_scores[np.arange(len(y)), y] -= 1
            d_scores /= len(y)
            d_hidden = d_scores @ W2.T
            d_before = d_hidden * self.sigmoid_dev(before)
            self.gradients["W1"] = X.T @ d_before
            self.gradients["b1"] = np.sum(d_before, axis=0)
            self.gradients["W2"] = hidden.T @ d_scores
            self.gradients["b2"] = np.sum(d_scores, axis=0)
        return loss, accuracy
        ### END SOLUTION
