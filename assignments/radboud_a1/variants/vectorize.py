# Scalar functions under np.vectorize, loops over elements, lists in place of arrays.

# %% 1.1a
def optimize_f(x, y, step_size, steps):
    path = [[x], [y]]
    remaining = steps
    while remaining > 0:
        here = path[0][-1], path[1][-1]
        path[0].append(here[0] - step_size * grad_x_f(*here))
        path[1].append(here[1] - step_size * grad_y_f(*here))
        remaining -= 1
    return path[0][-1], path[1][-1], f(path[0][-1], path[1][-1]), path[0], path[1]


# %% 1.1g
def optimize_f(x, y, step_size, steps, decay=1.0):
    x_hist, y_hist = [x], [y]
    eta = step_size
    for _ in range(steps):
        x, y = x - eta * grad_x_f(x, y), y - eta * grad_y_f(x, y)
        eta = eta * decay
        x_hist += [x]
        y_hist += [y]
    return [x, y, f(x, y), x_hist, y_hist]


# %% 1.1h
best = None
for step_size in (0.1, 0.2, 0.315, 0.5):
    for decay in (0.8, 0.9, 0.95):
        attempt = optimize_f(3, 2, step_size, 40, decay)
        if best is None or attempt[2] < best[2]:
            best = attempt
results = best
plot_gradient_descent_results(*results)

# %% 1.2b
import math


def sigmoid_of_number(x):
    if x < 0:
        return math.exp(x) / (1 + math.exp(x))
    return 1 / (1 + math.exp(-x))


sigmoid = np.vectorize(sigmoid_of_number, otypes=[float])


def sigmoid_grad(x):
    return np.vectorize(lambda v: sigmoid_of_number(v) * sigmoid_of_number(-v), otypes=[float])(x)


rng = np.random.default_rng(12345)
x = rng.uniform(-10, 10, size=5)
print(sigmoid(x), sigmoid_grad(x))

# %% 1.2c
rng = np.random.default_rng(12345)
x = rng.uniform(-2, 2, size=5)
h = 1e-5
numerical = []
for xi in x:
    after = sigmoid(xi + h)
    before = sigmoid(xi - h)
    numerical.append(float((after - before) / (2 * h)))
print("Symbolic ", sigmoid_grad(x))
print("Numerical", numerical)
assert np.allclose(numerical, sigmoid_grad(x))


# %% 1.2f
def relu(x):
    return np.vectorize(lambda v: v if v > 0 else 0.0, otypes=[float])(x)


relu_grad = np.vectorize(lambda v: float(v > 0), otypes=[float])

rng = np.random.default_rng(12345)
x = rng.uniform(-10, 10, size=5)


def slope(function, at, h=1e-6):
    return (function(at + h) - function(at)) / h


print([slope(relu, xi) for xi in x], relu_grad(x))


# %% 1.2k
def one_loss(y, p):
    if y == 1:
        return -math.log(p) if p > 0 else math.inf
    return -math.log(1 - p) if p < 1 else math.inf


bce_loss = np.vectorize(one_loss, otypes=[float])


def bce_loss_grad(y, y_hat):
    tiny = 1e-300
    return np.vectorize(
        lambda a, p: -1 / max(p, tiny) if a == 1 else 1 / max(1 - p, tiny), otypes=[float]
    )(y, y_hat)


rng = np.random.default_rng(12345)
y = rng.integers(2, size=5)
y_hat = rng.uniform(0, 1, size=5)
numerical = np.zeros(5)
for i in range(5):
    above, below = y_hat.copy(), y_hat.copy()
    above[i] += 1e-6
    below[i] -= 1e-6
    losses = bce_loss(y, above), bce_loss(y, below)
    numerical[i] = (losses[0][i] - losses[1][i]) / 2e-6
print(numerical, bce_loss_grad(y, y_hat))

# %% 1.3a
rng = np.random.default_rng(12345)
w = rng.normal(size=5)
b = rng.normal()


def fn(x, y):
    h = b + sum(w[i] * x[i] for i in range(len(w)))
    y_hat = float(sigmoid(h))
    loss = float(bce_loss(y, y_hat))
    grad_x = np.array([(y_hat - y) * w[i] for i in range(len(w))])
    return [loss, grad_x]


x = rng.uniform(size=5)
y = 1
loss, grad_x = fn(x, y)
print(loss, grad_x)


# %% 1.4a
class Linear:
    def __init__(self, n_in, n_out, rng=np.random.default_rng(12345)):
        a = math.sqrt(6) / math.sqrt(n_in + n_out)
        self.W = (2 * rng.random((n_in, n_out)) - 1) * a
        self.b = np.array([0.0] * n_out)

    def forward(self, x):
        return np.array([row.dot(self.W) + self.b for row in x])

    def backward(self, x, dy):
        dW = np.zeros(self.W.shape)
        db = np.zeros(self.b.shape)
        for row, row_dy in zip(x, dy):
            dW += np.outer(row, row_dy)
            db += row_dy
        self.dW, self.db = dW, db
        return np.array([self.W.dot(row_dy) for row_dy in dy])

    def step(self, step_size):
        self.W = self.W + -step_size * self.dW
        self.b = self.b + -step_size * self.db


# %% 1.4b
class Sigmoid:
    def forward(self, x):
        return sigmoid(x)

    def backward(self, x, dy):
        pairs = zip(np.ravel(x), np.ravel(dy))
        return np.array([g * sigmoid_grad(v) for v, g in pairs]).reshape(x.shape)

    def step(self, step_size):
        pass


# %% 1.4c
class ReLU:
    def forward(self, x):
        y = x.copy()
        y[y < 0] = 0
        return y

    def backward(self, x, dy):
        dx = dy.copy()
        dx[x < 0] = 0
        return dx

    def step(self, step_size):
        return None
