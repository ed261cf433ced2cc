# A class for both passes, the loop over samples, numbers recorded as numpy scalars.

# %% 2a
class Network:
    def __init__(self):
        self.W1, self.b1, self.W2, self.b2 = W1.copy(), b1.copy(), W2.copy(), b2

    def forward(self, x):
        z = self.W1.dot(x) + self.b1
        a = np.where(z > 0, z, 0)
        return z, a, float(self.W2[0].dot(a) + self.b2)

    def gradients(self):
        total = [0, 0, 0, 0]
        for x, target in zip(X, y):
            z, a, out = self.forward(x)
            back = (out - target) * self.W2[0] * (z > 0)
            for k, part in enumerate([np.outer(back, x), back, (out - target) * a, out - target]):
                total[k] = total[k] + part
        return total


start = Network()
z1, a1, y_hat = (np.array(part) for part in zip(*[start.forward(x) for x in X]))
y_hat = y_hat[:, None]


def updated(eta):
    network = Network()
    dW1, db1, dW2, db2 = network.gradients()
    network.W1 -= eta * dW1
    network.b1 -= eta * db1
    network.W2 -= eta * dW2
    network.b2 -= eta * db2
    return [network.W1, network.b1, network.W2, network.b2]


# %% 2b
class Regressor:
    def __init__(self, seed):
        rng = np.random.RandomState(seed)
        self.slopes, self.places = rng.normal(0, 30, 8), rng.rand(8)

    def hidden(self, inputs):
        return 1 / (1 + np.exp(-(inputs - self.places) * self.slopes))

    def fit(self, inputs, targets):
        design = np.column_stack([self.hidden(inputs), np.ones(len(inputs))])
        ridge = design.T.dot(design) + 0.01 * np.eye(9)
        self.out = np.linalg.solve(ridge, design.T.dot(targets))
        return self

    def predict(self, inputs):
        return np.column_stack([self.hidden(inputs), np.ones(len(inputs))]).dot(self.out)


predictions = tuple(Regressor(s).fit(X_train, y_train).predict(X_test) for s in (1, 2, 3, 4))
errors = np.array([[((p - y_test) ** 2).mean()] for p in predictions])
mean, std = np.mean(errors), np.std(errors, ddof=1)


# %% 4b
class Neuron:
    def __init__(self, w, b, activation):
        self.w, self.b, self.activation = w, b, activation

    def forward(self, a):
        self.z = self.w * a + self.b
        if self.activation == "sigmoid":
            self.slope = np.tanh(self.z / 2)
            self.slope = (1 - self.slope**2) / 4
            return (np.tanh(self.z / 2) + 1) / 2
        self.slope = 1 if self.z > 0 else 0
        return abs(self.z) / 2 + self.z / 2


def bias_gradient(x, weights, biases, dC_da3, activation):
    neurons = [Neuron(w, b, activation) for w, b in zip(weights, biases)]
    for neuron in neurons:
        x = neuron.forward(x)
    delta = dC_da3
    for neuron in reversed(neurons):
        delta *= neuron.slope
        if neuron is not neurons[0]:
            delta *= neuron.w
    return delta
