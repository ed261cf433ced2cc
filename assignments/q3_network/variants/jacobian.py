# The derivatives of softmax and cross-entropy each for itself, plain vectors, a bias that is
# reassigned; squared loss and sigmoid outputs for the digits.

# %% Q1.1
z_hidden = [1 * 0.4 + 1 * 0.3 + 1, 1 * 0.6 + 1 * 0.9 + 1, 1 * 0.2 + 1 * 0.5 + 1]
e = 2.718281828459045
a_hidden = [1 / (1 + e ** (-z)) for z in z_hidden]
z_out = sum(w * a for w, a in zip([0.2, 0.2, 0.8], a_hidden)) + 0.5
network_output = round(1 / (1 + e ** (-z_out)), 2)
print(network_output)


# %% Q2.1
def sigmoid(x):
    return np.where(x >= 0, 1, np.exp(-np.abs(x))) / (1 + np.exp(-np.abs(x)))


def d_sigmoid(x):
    return sigmoid(x) * sigmoid(-x)


def l2_loss(YTrue, YPredict):
    return ((YTrue - YPredict) ** 2).sum() / 2


def d_l2_loss(YTrue, YPredict):
    return -(YTrue - YPredict)


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def cross_entropy_loss(YTrue, YPredict):
    return sum(-t * np.log(p) for t, p in zip(np.ravel(YTrue), np.ravel(YPredict)))


# %% Q2.3
def d_softmax(x):
    p = softmax(x).ravel()
    return np.diag(p) - np.outer(p, p)


def d_cross_entropy_loss(YTrue, YPredict):
    return -YTrue / YPredict


class Network:
    def __init__(self, layers, activation_list, d_activation_list, loss_function, d_loss_function):
        self.layers = layers
        self.activation_list = activation_list
        self.d_activation_list = d_activation_list
        self.loss_function = loss_function
        self.d_loss_function = d_loss_function

    def fit(self, X, Y, epochs, learning_rate, reg_lambda):
        history = []
        for _ in range(epochs):
            total = 0
            sums = [[0, 0] for _ in self.layers]
            for n in range(len(X)):
                inputs, slopes, a = [], [], X[n]
                for layer, f, df in zip(self.layers, self.activation_list, self.d_activation_list):
                    inputs.append(a)
                    z = a @ layer.weights
                    if layer.add_bias:
                        z = z + layer.bias[0]
                    a = f(z)
                    slopes.append(df(z))
                total += self.loss_function(Y[n], a)
                grad = self.d_loss_function(Y[n], a)
                for i in range(len(self.layers) - 1, -1, -1):
                    grad = grad @ slopes[i] if slopes[i].ndim == 2 else grad * slopes[i]
                    sums[i][0] = sums[i][0] + np.outer(inputs[i], grad)
                    sums[i][1] = sums[i][1] + grad
                    grad = self.layers[i].weights @ grad
            for layer, (dw, db) in zip(self.layers, sums):
                dw = dw / len(X) + reg_lambda * layer.weights
                layer.weights = layer.weights - learning_rate * dw
                if layer.add_bias:
                    layer.bias = layer.bias - learning_rate * db / len(X)
            history.append(total / len(X))
        return np.array(history)

    def output(self, x):
        for layer, f in zip(self.layers, self.activation_list):
            x = f(x @ layer.weights + (layer.bias[0] if layer.add_bias else 0))
        return x

    def predict(self, X, threshold=None):
        outputs = [self.output(x) for x in X]
        if threshold is not None:
            return np.array([bool(a[0] > threshold) for a in outputs])
        return np.array([int(np.argmax(a)) for a in outputs])


# %% Q3.1
epochs = [1, 2, 3, 4, 6]


def run(n_epochs, rate, decay):
    model = Network(
        [Layer(64, 16), Layer(16, 10)],
        [sigmoid, sigmoid],
        [d_sigmoid, d_sigmoid],
        l2_loss,
        d_l2_loss,
    )
    model.fit(XTrain, YTrain_encoded, n_epochs, rate, decay)
    train, test = model.predict(XTrain), model.predict(XTest)
    y_train, y_test = YTrain[:, 0], YTest[:, 0]
    return (
        round(accuracy_score(y_train, train), 3),
        round(f1_score(y_train, train, average="macro"), 3),
        round(accuracy_score(y_test, test), 3),
        round(f1_score(y_test, test, average="macro"), 3),
    )


def columns(rows):
    a, b, c, d = zip(*rows)
    return {"Accuracy": a, "F1 (Macro)": b}, {"Accuracy": c, "F1 (Macro)": d}


scores_train, scores_test = columns([run(n, 1.0, 0.0) for n in epochs])
plt.plot(epochs, scores_train["Accuracy"])
plt.show()

# %% Q3.2
LRs = [0.1, 0.5, 1, 2, 4]
scores_train, scores_test = columns([run(2, rate, 0.0) for rate in LRs])

# %% Q3.3
lambdas = [0, 1e-3, 1e-2, 1e-1, 0.9]
scores_train, scores_test = columns([run(2, 1.0, decay) for decay in lambdas])
