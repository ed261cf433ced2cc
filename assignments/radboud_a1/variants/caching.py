# Layers that keep what forward computed and share a base class, parameters in one flat array,
# helpers of their own, several networks of which the last is a bad one.

# %% 1.1a
def descent_step(x, y, step_size):
    gradient = np.array([grad_x_f(x, y), grad_y_f(x, y)])
    return tuple(np.array([x, y]) - step_size * gradient)


def optimize_f(x, y, step_size, steps):
    path = [(x, y)]
    for _ in range(steps):
        path.append(descent_step(*path[-1], step_size))
    x_hist, y_hist = map(list, zip(*path))
    return np.array([x_hist[-1]]), np.array([y_hist[-1]]), f(*path[-1]), x_hist, y_hist


# %% 1.1g
def optimize_f(x, y, step_size, steps, decay=1.0):
    if steps == 0:
        return x, y, f(x, y), [x], [y]
    # the last step follows from a run that is one step shorter
    *_, x_hist, y_hist = optimize_f(x, y, step_size, steps - 1, decay)
    x, y = descent_step(x_hist[-1], y_hist[-1], step_size * decay ** (steps - 1))
    return x, y, f(x, y), x_hist + [x], y_hist + [y]


# %% 1.1h
settings = dict(step_size=0.35, steps=30, decay=0.95)
results = optimize_f(3, 2, **settings)
print(settings, results[2])
plot_gradient_descent_results(*results)


# %% 1.2b
def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def sigmoid_grad(x):
    return sigmoid(x) * sigmoid(-x)


# %% 1.2c
rng = np.random.default_rng(12345)
x = rng.uniform(-2, 2, size=5)
numerical_grad = np.empty_like(x)
for i, epsilon in enumerate([1e-3] * 5):
    shifted = [x[i] + epsilon / 2, x[i] - epsilon / 2]
    values = [sigmoid(s) for s in shifted]
    numerical_grad[i] = (values[0] - values[1]) / epsilon
print(np.abs(numerical_grad - sigmoid_grad(x)).max())


# %% 1.2f
def relu(x):
    return np.where(np.greater(x, 0), x, 0)


def relu_grad(x):
    return np.heaviside(x, 0.5)


rng = np.random.default_rng(12345)
x = rng.uniform(-10, 10, size=5)
error = scipy.optimize.check_grad(lambda v: relu(v).sum(), relu_grad, x)
print("error:", error)


# %% 1.2k
def safe_log(p):
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(p), -100)


def bce_loss(y, y_hat):
    return -y * safe_log(y_hat) - (1 - y) * safe_log(1 - y_hat)


def bce_loss_grad(y, y_hat):
    return np.where(np.equal(y, 1), -1 / np.maximum(y_hat, 1e-50), 1 / np.maximum(1 - y_hat, 1e-50))


rng = np.random.default_rng(12345)
y = rng.integers(2, size=5)
y_hat = rng.uniform(0, 1, size=5)
step = 2.0**-16
difference = bce_loss(y, y_hat + step) - bce_loss(y, y_hat - step)
numerical_grad = difference * 0.5 / step
print(numerical_grad, bce_loss_grad(y, y_hat))

# %% 1.3a
rng = np.random.default_rng(12345)
w = rng.normal(size=5)
b = rng.normal()


def forward_pass(x, y):
    h = np.dot(x, w.T) + b
    return h, sigmoid(h), bce_loss(y, sigmoid(h))


def fn(x, y):
    h, y_hat, loss = forward_pass(x, y)
    grad_h = bce_loss_grad(y, y_hat) * sigmoid_grad(h)
    return loss, grad_h * w


loss, grad_x = fn(rng.uniform(size=5), 1)


# %% 1.4a
class Layer:
    x = None

    def remember(self, x):
        """Runs forward again where its last input was another one."""
        if self.x is not x:
            self.forward(x)

    def step(self, step_size):
        """Layers without parameters have nothing to do."""

    def __str__(self):
        return type(self).__name__


class Linear(Layer):
    def __init__(self, n_in, n_out, rng=np.random.default_rng(12345)):
        bound = (6 / (n_in + n_out)) ** 0.5
        self.W = rng.uniform(-bound, bound, (n_in, n_out))
        self.b = np.zeros((n_out,))
        self.dW = np.zeros_like(self.W)
        self.db = np.zeros_like(self.b)

    def forward(self, x):
        self.x = x
        self.y = np.dot(self.x, self.W)
        self.y += self.b
        return self.y

    def backward(self, x, dy):
        self.remember(x)
        self.dW[:] = np.dot(self.x.T, dy)
        self.db[...] = np.ones(len(dy)) @ dy
        return np.dot(dy, self.W.T)

    def step(self, step_size):
        for parameter, gradient in ((self.W, self.dW), (self.b, self.db)):
            parameter -= step_size * gradient


# %% 1.4b
class Sigmoid(Layer):
    def forward(self, x):
        self.x, self.y = x, sigmoid(x)
        return self.y

    def backward(self, x, dy):
        self.remember(x)
        return dy * self.y * (1 - self.y)


# %% 1.4c
class ReLU(Layer):
    def forward(self, x):
        self.x, self.mask = x, x > 0
        return x * self.mask

    def backward(self, x, dy):
        self.remember(x)
        return np.where(self.mask, dy, 0)


# %% 1.6b
def build(*sizes, seed=12345):
    rng = np.random.default_rng(seed)
    layers = []
    for n_in, n_out in zip(sizes, sizes[1:]):
        layers += [Linear(n_in, n_out, rng=rng), ReLU()]
    return Net(layers[:-1] + [Sigmoid()])


for learning_rate in (0.01, 0.00001):
    print("learning rate", learning_rate)
    net = build(64, 32, 1)
    fit(net, x, y, epochs=10, learning_rate=learning_rate, mb_size=10)

# %% 1.6d
single = build(64, 1)
fit(single, x, y, epochs=10, learning_rate=0.005)
net = build(64, 1)
fit(net, x, y, epochs=1, learning_rate=1e-6)

# %% 1.6h
net = build(64, 32, 32, 16, 1)
fit(net, x, y, epochs=10, learning_rate=0.01, mb_size=10)
fit(net, x, y, epochs=5, learning_rate=0.002, mb_size=10)
