# The release's skeleton as comments above the code, softmax recognised by its name, probabilities
# kept away from 0 and 1, one network class derived from another, a hidden layer of ReLUs.

# %% Q1.1
# network_output = ?
network_output = 0.822


# %% Q2.1
# def sigmoid(x):
#     raise NotImplementedError
#
# def softmax(x):
#     raise NotImplementedError

# Q2.1: my functions


def sigmoid(x):
    """The logistic function."""
    return 1.0 / (1.0 + np.exp(-x))


def d_sigmoid(x):
    return np.exp(-x) / (1.0 + np.exp(-x)) ** 2


def l2_loss(YTrue, YPredict):
    return np.linalg.norm(YTrue - YPredict) ** 2 * 0.5


def d_l2_loss(YTrue, YPredict):
    return (YPredict - YTrue) * 1.0


def softmax(x):
    e = np.exp(x - np.amax(x, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def cross_entropy_loss(YTrue, YPredict):
    safe = np.clip(YPredict, 1e-15, 1 - 1e-15)
    return float(-(YTrue * np.log(safe)).sum())


# %% Q2.3
# class Network:
#     def fit(self, X, Y, epochs, learning_rate, reg_lambda):
#         raise NotImplementedError


class Base:
    def __init__(self, layers, activation_list, d_activation_list, loss_function, d_loss_function):
        self.layers = layers
        self.activation_list = activation_list
        self.d_activation_list = d_activation_list
        self.loss_function = loss_function
        self.d_loss_function = d_loss_function

    def pass_forward(self, x):
        pre, post = [], [np.reshape(x, (1, -1))]
        for k, layer in enumerate(self.layers):
            z = np.dot(post[k], layer.weights)
            if layer.add_bias:
                z += layer.bias
            pre.append(z)
            post.append(self.activation_list[k](z))
        return pre, post


class Network(Base):
    def fit(self, X, Y, epochs, learning_rate, reg_lambda):
        n = len(X)
        loss = np.zeros(epochs)
        depth = len(self.layers)
        for epoch in range(epochs):
            grad_w = {k: 0 for k in range(depth)}
            grad_b = {k: 0 for k in range(depth)}
            for i in range(n):
                y = np.reshape(Y[i], (1, -1))
                pre, post = self.pass_forward(X[i])
                loss[epoch] += self.loss_function(y, post[-1]) / n
                if self.activation_list[-1].__name__ == "softmax":
                    delta = post[-1] - y
                else:
                    delta = self.d_loss_function(y, post[-1]) * self.d_activation_list[-1](pre[-1])
                for k in reversed(range(depth)):
                    grad_w[k] = grad_w[k] + post[k].T @ delta / n
                    grad_b[k] = grad_b[k] + delta / n
                    if k:
                        back = delta @ self.layers[k].weights.T
                        delta = back * self.d_activation_list[k - 1](pre[k - 1])
            for k, layer in enumerate(self.layers):
                layer.weights -= learning_rate * (grad_w[k] + reg_lambda * layer.weights)
                if layer.add_bias:
                    layer.bias -= learning_rate * grad_b[k]
        return loss

    def predict(self, X, threshold=None):
        labels = []
        for x in X:
            out = self.pass_forward(x)[1][-1][0]
            labels.append(out.argmax() if threshold is None else 1 if out[0] > threshold else 0)
        return labels


# %% Q3.1
def relu(x):
    return np.maximum(0, x)


def d_relu(x):
    return np.where(x > 0, 1.0, 0.0)


epochs = [2, 1, 3, 4, 5]
scores_train = {"Accuracy": [], "F1 (Macro)": []}
scores_test = {"Accuracy": [], "F1 (Macro)": []}
for epoch_count in epochs:
    network = Network(
        [Layer(64, 12), Layer(12, 10)],
        [relu, softmax],
        [d_relu, d_softmax],
        cross_entropy_loss,
        d_cross_entropy_loss,
    )
    network.fit(XTrain, YTrain_encoded, epoch_count, 0.01, 0.0)
    for data, target, table in [(XTrain, YTrain, scores_train), (XTest, YTest, scores_test)]:
        guess = network.predict(data)
        table["Accuracy"].append(accuracy_score(target.flatten(), guess))
        table["F1 (Macro)"].append(f1_score(target.flatten(), guess, average="macro"))
