# A bias of one row, einsum, other formulas for the same functions, integer gradients.

# %% 1.1a
def optimize_f(x, y, step_size, steps):
    points = np.empty((steps + 1, 2))
    points[0] = x, y
    for t in range(steps):
        slope = np.array([grad_x_f(*points[t]), grad_y_f(*points[t])])
        points[t + 1] = points[t] - step_size * slope
    return points[-1, 0], points[-1, 1], f(*points[-1]), points[:, 0], points[:, 1]


# %% 1.1g
def optimize_f(x, y, step_size, steps, decay=1.0):
    points = np.empty((steps + 1, 2))
    points[0] = x, y
    sizes = step_size * np.power(decay, np.arange(steps))
    for t, eta in enumerate(sizes):
        slope = np.array([grad_x_f(*points[t]), grad_y_f(*points[t])])
        points[t + 1] = points[t] - eta * slope
    return points[-1, 0], points[-1, 1], f(*points[-1]), points[:, 0], points[:, 1]


# %% 1.1h
results = optimize_f(3.0, 2.0, step_size=0.5, steps=100, decay=0.93)


# %% 1.2b
def sigmoid(x):
    return (np.tanh(x / 2) + 1) / 2


def sigmoid_grad(x):
    return (1 - np.tanh(x / 2) ** 2) / 4


# %% 1.2c
x = np.random.default_rng(12345).uniform(-2, 2, size=5)


def differentiate(function, point, width):
    """The slope of the chord over an interval of this width."""
    above, below = function(point + 0.5 * width), function(point - 0.5 * width)
    return (above - below) / width


print(np.vstack([sigmoid_grad(x), differentiate(sigmoid, x, 1e-4)]))


# %% 1.2f
def relu(x):
    return x * (x > 0)


def relu_grad(x):
    return (np.asarray(x) >= 0).astype(int)


x = np.random.default_rng(12345).uniform(-10, 10, size=5)
print(differentiate(relu, x, 1e-4) - relu_grad(x))


# %% 1.2k
def bce_loss(y, y_hat):
    eps = 1e-12
    y_hat = np.clip(y_hat, eps, 1 - eps)
    return -np.log(y * y_hat + (1 - y) * (1 - y_hat))


def bce_loss_grad(y, y_hat):
    eps = 1e-12
    y_hat = np.clip(y_hat, eps, 1 - eps)
    return (y_hat - y) / (y_hat * (1 - y_hat))


rng = np.random.default_rng(12345)
y, y_hat = rng.integers(2, size=5), rng.uniform(0, 1, size=5)
print(differentiate(lambda p: bce_loss(y, p), y_hat, 1e-5) - bce_loss_grad(y, y_hat))

# %% 1.3a
rng = np.random.default_rng(12345)
w = rng.normal(size=5)
b = rng.normal()


def fn(x, y):
    h = np.einsum("i,i->", x, w) + b
    y_hat = sigmoid(h)
    grad_h = (1 - y) * y_hat - y * (1 - y_hat)
    return np.array(bce_loss(y, y_hat)), np.multiply(grad_h, w)


x = rng.uniform(size=5)
y = 1
loss, grad_x = fn(x, y)


# %% 1.4a
class Linear:
    """A layer whose bias is one row."""

    def __init__(self, n_in, n_out, rng=np.random.default_rng(12345)):
        self.shape = (n_in, n_out)
        scale = np.sqrt(2 / sum(self.shape))
        self.W = rng.normal(0, scale, self.shape)
        self.b = np.zeros((1, n_out))

    def forward(self, x):
        return np.einsum("ni,ij->nj", x, self.W) + self.b

    def backward(self, x, dy):
        self.dW = np.einsum("ni,nj->ij", x, dy)
        self.db = np.einsum("nj->j", dy)[None]
        return np.einsum("nj,ij->ni", dy, self.W)

    def step(self, step_size):
        self.W -= step_size * self.dW
        self.b -= step_size * self.db

    def __repr__(self):
        return f"Linear{self.shape}"


# %% 1.4b
class Sigmoid:
    def forward(self, x):
        return 1 / (1 + np.exp(-x))

    def backward(self, x, dy):
        return dy / (2 + np.exp(x) + np.exp(-x))

    def step(self, step_size):
        return 0


# %% 1.4c
class ReLU:
    def forward(self, x):
        return (x + np.abs(x)) / 2

    def backward(self, x, dy):
        return 0.5 * (np.sign(x) + 1) * dy

    def step(self, *ignored):
        pass


# %% 1.6d
rng = np.random.default_rng(3)
model = Net([Linear(64, 1, rng=rng), Sigmoid()])
fit(model, x, y, epochs=8, learning_rate=0.01, mb_size=20)

# %% 1.6f
rng = np.random.default_rng(3)
layers = [Linear(64, 10, rng), Linear(10, 1, rng), Sigmoid()]
net = Net(layers)
fit(net, x, y, 8, 0.01, 20)

# %% 1.6h
rng = np.random.default_rng(3)
net = Net(
    [
        Linear(64, 40, rng=rng),
        ReLU(),
        Linear(40, 30, rng=rng),
        ReLU(),
        Linear(30, 20, rng=rng),
        Sigmoid(),
        Linear(20, 10, rng=rng),
        ReLU(),
        Linear(10, 1, rng=rng),
        Sigmoid(),
    ]
)
fit(net, x, y, epochs=25, learning_rate=0.02, mb_size=10)
