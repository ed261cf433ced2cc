# All samples at once, einsum, other formulas for the same functions, labels as a column of integers.

# %% Q1.1
import numpy as np

hidden = 1 / (1 + np.exp(-(np.array([[1, 1]]) @ [[0.4, 0.6, 0.2], [0.3, 0.9, 0.5]] + 1)))
network_output = 1 / (1 + np.exp(-(hidden @ [[0.2], [0.2], [0.8]] + 0.5)))
network_output


# %% Q2.1
def sigmoid(x):
    return (np.tanh(np.asarray(x) / 2) + 1) / 2


def d_sigmoid(x):
    return (1 - np.tanh(np.asarray(x) / 2) ** 2) / 4


def softmax(x):
    return np.exp(x - np.logaddexp.reduce(x, axis=-1, keepdims=True))


def l2_loss(YTrue, YPredict):
    difference = np.ravel(YTrue) - np.ravel(YPredict)
    return np.dot(difference, difference) / 2


def d_l2_loss(YTrue, YPredict):
    return np.subtract(YPredict, YTrue)


def cross_entropy_loss(YTrue, YPredict):
    return np.einsum("...k,...k->...", YTrue, -np.log(np.maximum(YPredict, 1e-300)))


# %% Q2.3
class Network:
    def __init__(self, layers, activation_list, d_activation_list, loss_function, d_loss_function):
        self.layers = layers
        self.activation_list = activation_list
        self.d_activation_list = d_activation_list
        self.loss_function = loss_function
        self.d_loss_function = d_loss_function

    def run(self, X):
        states = [(None, X)]
        for layer, activation in zip(self.layers, self.activation_list):
            z = states[-1][1] @ layer.weights + getattr(layer, "bias", 0)
            states.append((z, activation(z)))
        return states

    def fit(self, X, Y, epochs, learning_rate, reg_lambda):
        X = np.array(X, dtype=float)
        Y = np.array(Y, dtype=float).reshape(len(X), -1)
        return np.array([self.epoch(X, Y, learning_rate, reg_lambda) for _ in range(epochs)])

    def epoch(self, X, Y, learning_rate, reg_lambda):
        states = self.run(X)
        outputs = states[-1][1]
        loss = sum(self.loss_function(y, a) for y, a in zip(Y, outputs)) / len(X)
        delta = self.d_loss_function(Y, outputs) * self.d_activation_list[-1](states[-1][0])
        steps = []
        for i in range(len(self.layers), 0, -1):
            steps.append((states[i - 1][1].T @ delta / len(X), delta.mean(axis=0, keepdims=True)))
            if i > 1:
                slope = self.d_activation_list[i - 2](states[i - 1][0])
                delta = delta @ self.layers[i - 1].weights.T * slope
        for layer, (d_weights, d_bias) in zip(reversed(self.layers), steps):
            layer.weights = (1 - learning_rate * reg_lambda) * layer.weights
            layer.weights = layer.weights - learning_rate * d_weights
            if layer.add_bias:
                layer.bias = layer.bias - learning_rate * d_bias
        return loss

    def predict(self, X, threshold=None):
        outputs = self.run(np.asarray(X))[-1][1]
        if threshold is None:
            return outputs.argmax(axis=1)[:, None]
        return (outputs > threshold).astype(int)


# %% Q3.1
epochs = [1, 2, 3, 5, 9]
scores_train, scores_test = ({"Accuracy": [], "F1 (Macro)": []} for _ in range(2))


def make_model():
    parts = [Layer(64, 20), Layer(20, 10)], [sigmoid, softmax], [d_sigmoid, d_softmax]
    return Network(*parts, cross_entropy_loss, d_cross_entropy_loss)


def add_scores(model):
    for scores, x, y in ((scores_train, XTrain, YTrain), (scores_test, XTest, YTest)):
        predicted = model.predict(x)
        scores["Accuracy"] += [accuracy_score(y, predicted)]
        scores["F1 (Macro)"] += [f1_score(y, predicted, average="macro")]


for n in epochs:
    model = make_model()
    model.fit(XTrain, YTrain_encoded, epochs=n, learning_rate=0.8, reg_lambda=0)
    add_scores(model)

# %% Q3.2
LRs = np.array([0.05, 0.1, 0.3, 0.6, 1.2])
scores_train, scores_test = ({"Accuracy": [], "F1 (Macro)": []} for _ in range(2))
for rate in LRs:
    model = make_model()
    model.fit(XTrain, YTrain_encoded, 3, rate, reg_lambda=0.0)
    add_scores(model)

# %% Q3.3
lambdas = (0, 0.001, 0.01, 0.1, 0.3, 0.6)
scores_train, scores_test = ({"Accuracy": [], "F1 (Macro)": []} for _ in range(2))
for strength in lambdas:
    model = make_model()
    model.fit(XTrain, YTrain_encoded, 3, 0.8, strength)
    add_scores(model)
