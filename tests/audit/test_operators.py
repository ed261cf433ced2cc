"""Each operator by small examples: the wrong code that it makes, and nothing else."""

from __future__ import annotations

import ast

import pytest

from grader.audit.operators import OPERATORS, Scope

# A function, and the wrong versions of its body's lines that an operator must make of it.
EXAMPLES = [
    ("sign", "return a + b", ["return a - b", "return -(a + b)"]),
    ("sign", "return y_hat - y", ["return y_hat + y", "return y - y_hat"]),
    ("sign", "return np.exp(-x)", ["return np.exp(x)", "return -np.exp(-x)"]),
    ("sign", "w += step", ["w -= step"]),
    ("sign", "t = [1] + a", []),
    ("factor", "return x / n", ["return x * n", "return 2 * (x / n)"]),
    ("factor", "self.dW = g", ["self.dW = 2 * g"]),
    ("drop_factor", "h = a * b", ["h = a", "h = b"]),
    ("drop_factor", "h = s / n", ["h = s"]),
    ("power", "h = np.sum(w ** 2)", ["h = np.sum(w)"]),
    ("power", "h = np.sqrt(v)", ["h = v"]),
    ("drop_term", "h = a + c", ["h = a", "h = c"]),
    ("drop_term", "h = a - c", ["h = a", "h = -c"]),
    ("drop_bias", "h = x @ w + b", ["h = x @ w"]),
    ("drop_bias", "h = x @ self.W + self.b1", ["h = x @ self.W"]),
    ("drop_term", "h = x @ w + b", ["h = b"]),
    ("drop_decay", "g = g + reg * w", ["g = g", "g = g + w"]),
    ("drop_decay", "eta = rate * decay ** t", ["eta = rate"]),
    ("axis", "s = x.sum(axis=0)", ["s = x.sum(axis=1)", "s = x.sum()"]),
    ("axis", "s = np.max(x, axis=1, keepdims=True)", [
        "s = np.max(x, keepdims=True, axis=0)",
        "s = np.max(x, keepdims=True)",
        "s = np.max(x, axis=1)",
    ]),
    ("axis", "s = np.sum(x, 0)", ["s = np.sum(x, 1)"]),
    ("axis", "s = x.mean(0)", ["s = x.mean(1)"]),
    ("transpose", "g = x.T @ d", ["g = d @ x.T", "g = x @ d"]),
    ("transpose", "g = np.dot(a, b)", ["g = np.dot(b, a)"]),
    ("mean_sum", "s = np.mean(x)", ["s = np.sum(x)"]),
    ("mean_sum", "s = x.sum(axis=0)", ["s = x.mean(axis=0)"]),
    ("mean_sum", "s = sum(x)", []),
    ("extremum", "h = np.maximum(0, x)", ["h = np.minimum(0, x)"]),
    ("extremum", "k = p.argmax(axis=1)", ["k = p.argmin(axis=1)"]),
    ("dtype", "return p", ["return np.asarray(p).astype(int)"]),
    ("dtype", "z = m.astype(float)", ["z = m"]),
    ("dtype", "z = np.zeros(3, dtype=float)", ["z = np.zeros(3, dtype=int)"]),
    ("in_place", "x = x - step", ["x -= step"]),
    ("in_place", "z = z - step", []),
    ("in_place", "h = np.exp(x)", ["h = np.exp(x, out=x)"]),
    ("comparison", "m = x > 0", ["m = x >= 0", "m = x < 0"]),
    ("comparison", "m = k == 0", ["m = k != 0"]),
    ("off_by_one", "for i in range(n): pass", [
        "for i in range(n - 1): pass", "for i in range(n + 1): pass",
    ]),
    ("off_by_one", "h = x[:n]", ["h = x[:n - 1]"]),
    ("off_by_one", "h = x[1:]", ["h = x[2:]"]),
    ("off_by_one", "h = x[-1]", ["h = x[-2]"]),
    ("off_by_one", "eta = d ** t", ["eta = d ** (t + 1)"]),
    ("stale", "h = x * 2\nout = relu(h)", ["h = x * 2\nout = relu(x)"]),
    ("stale", "h = x * y\nout = relu(h)", []),
    ("swapped", "l = bce(y, p)", ["l = bce(p, y)"]),
    ("swapped", "l = np.maximum(y, p)", []),
    ("no_op", "self.W = self.W - g", ["pass"]),
    ("no_op", "x = x - g", ["pass"]),
    ("no_op", "h = x - g", []),
    ("no_op", "fit(net)", ["pass"]),
    ("zero_stub", "return x @ w", ["return 0 * (x @ w)"]),
    ("zero_stub", "return np.zeros(3)", []),
    ("constant_stub", "return x @ w", [
        "return np.ones_like(x @ w, dtype=float)", "return x",
    ]),
]  # fmt: skip


def wrong_versions(operator: str, body: str) -> set[str]:
    """The bodies that an operator makes of a function's body."""
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    source = f"def f(x, y, w):\n{lines}"
    places = len(list(ast.walk(ast.parse(source))))
    return {text for place in range(places) for text in changed(operator, source, place)}


def changed(operator: str, source: str, place: int) -> list[str]:
    """The bodies after an operator changed the node at this place of the tree."""
    found = []
    count = len(list(OPERATORS[operator](*at(source, place))))
    for number in range(count):
        node, scope = at(source, place)
        new = list(OPERATORS[operator](node, scope))[number]
        replace(scope.module, node, new)
        function = ast.parse(ast.unparse(ast.fix_missing_locations(scope.module))).body[0]
        assert isinstance(function, ast.FunctionDef)
        found.append("\n".join(map(ast.unparse, function.body)))
    return found


def at(source: str, place: int) -> tuple[ast.AST, Scope]:
    """A node of the parsed source, and its scope."""
    module = ast.parse(source)
    parents: dict[ast.AST, ast.AST] = {
        child: node for node in ast.walk(module) for child in ast.iter_child_nodes(node)
    }
    node = list(ast.walk(module))[place]
    chain, above = [], node
    while above in parents:
        above = parents[above]
        chain.append(above)
    return node, Scope(module, tuple(chain), "np")


def replace(module: ast.Module, old: ast.AST, new: ast.AST) -> None:
    """Puts a node in another's place."""
    for parent in ast.walk(module):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list):
                setattr(parent, name, [new if item is old else item for item in value])


def normal(body: str) -> str:
    """A body as `ast.unparse` writes it."""
    return "\n".join(map(ast.unparse, ast.parse(body).body))


@pytest.mark.parametrize(("operator", "body", "expected"), EXAMPLES)
def test_operator(operator: str, body: str, expected: list[str]) -> None:
    """An operator makes exactly these mistakes of this code."""
    assert wrong_versions(operator, body) == set(map(normal, expected))


def test_every_operator_has_an_example() -> None:
    """No operator goes untried, and each says what mistake it makes."""
    tried = {operator for operator, _, expected in EXAMPLES if expected}
    assert tried == OPERATORS.keys()
    assert all(operator.__doc__ for operator in OPERATORS.values())
