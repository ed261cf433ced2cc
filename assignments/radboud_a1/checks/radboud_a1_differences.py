"""Recognises a student's own finite differences, in the code or in the results.

The code is decisive where it holds a quotient `(f(a) - f(b)) / c` with `a - b`
equal to `c`; this is computed with fractions, so names may stand for numbers.
Loops that fill an array hide the formula: there the array's values decide.
"""

import ast
import math
import re
from fractions import Fraction

import numpy as np

CENTRAL, ONE_SIDED, WRONG_WIDTH = "central", "one-sided", "wrong width"
MAX_DEPTH = 8

ARITHMETIC = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}
# Functions that take a function and differentiate it, SciPy's among them.
DIFFERENTIATOR = re.compile(r"grad|deriv|diff|numer|check|prime|central|jac|finite", re.IGNORECASE)


# --- in the code ------------------------------------------------------------


class Formulas:
    """A student's code, with arithmetic done on its names."""

    def __init__(self, source: str) -> None:
        self.tree = parse(source)
        self.meanings = single_assignments(self.tree)
        self.unknowns: dict[str, Fraction] = {}
        self.values: set[Fraction] = set()

    def quotients(self) -> set[str]:
        """Which kinds of difference quotient the code holds."""
        quotients = [node for node in ast.walk(self.tree) if is_quotient(node)]
        # In `a / 2 / h` the inner quotient is but a part of the outer one.
        inner = {id(node.left) for node in quotients}
        return {self._kind_of(node) for node in quotients if id(node) not in inner} - {""}

    def hands_over(self, name: str) -> bool:
        """Whether the function `name` is given to something that differentiates functions."""
        calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        return any(
            DIFFERENTIATOR.search(ast.unparse(call.func))
            and any(is_function(argument, name) for argument in call.args)
            for call in calls
        )

    def _kind_of(self, quotient: ast.BinOp) -> str:
        numerator, widths = quotient.left, [quotient.right]
        while is_quotient(numerator):
            widths.append(numerator.right)
            numerator = numerator.left
        if not isinstance(numerator, ast.BinOp) or not isinstance(numerator.op, ast.Sub):
            return ""
        points = different_arguments(self._resolve(numerator.left), self._resolve(numerator.right))
        if points is None:
            return ""
        above, below = (self._number(point) for point in points)
        width = math.prod(self._number(part) for part in widths)
        if above == below or above - below != width:
            can_tell = any(isinstance(self._resolve(point), ast.BinOp) for point in points)
            return WRONG_WIDTH if can_tell else ""
        return CENTRAL if (above + below) / 2 in self.values else ONE_SIDED

    def _resolve(self, node: ast.expr) -> ast.expr:
        seen = set()
        while isinstance(node, ast.Name) and node.id in self.meanings and node.id not in seen:
            seen.add(node.id)
            node = self.meanings[node.id]
        return node

    def _number(self, node: ast.expr, depth: int = 0) -> Fraction:
        """The value of an arithmetic expression; anything else gets a number of its own."""
        value = self._compute(self._resolve(node), depth)
        self.values.add(value)
        return value

    def _compute(self, node: ast.expr, depth: int) -> Fraction:
        if is_number(node):
            return Fraction(repr(node.value))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and depth < MAX_DEPTH:
            return -self._number(node.operand, depth + 1)
        if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC and depth < MAX_DEPTH:
            left, right = (self._number(side, depth + 1) for side in (node.left, node.right))
            if right != 0 or not isinstance(node.op, ast.Div):
                return ARITHMETIC[type(node.op)](left, right)
        power = constant_power(node)
        if power is not None:
            return power
        # Far apart, so that no two unknowns add up to a third by accident.
        count = len(self.unknowns)
        return self.unknowns.setdefault(ast.dump(node), Fraction(7919**2 + 104729 * 3**count, 541))


def is_quotient(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)


def is_number(node: ast.expr) -> bool:
    is_plain = isinstance(node, ast.Constant) and type(node.value) in (int, float)
    return is_plain and math.isfinite(node.value)


def parse(source: str) -> ast.Module:
    """The code without notebook commands; empty where it is no Python."""
    lines = ["" if re.match(r"\s*[%!?]", line) else line for line in source.splitlines()]
    try:
        return ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module(body=[], type_ignores=[])


def single_assignments(tree: ast.Module) -> dict[str, ast.expr]:
    """The values of names that are assigned once."""
    values: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            values.setdefault(node.targets[0].id, []).append(node.value)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            values.setdefault(node.target.id, []).extend([node.value] * 2)
    return {name: found[0] for name, found in values.items() if len(found) == 1}


def constant_power(node: ast.expr) -> Fraction | None:
    """The value of something like `10**-5` or `1e-2**2`."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Pow):
        return None
    try:
        base, exponent = ast.literal_eval(node.left), ast.literal_eval(node.right)
        is_small = abs(exponent) <= 20 and type(exponent) is int and base != 0
        return Fraction(repr(base)) ** exponent if is_small else None
    except (ValueError, TypeError, SyntaxError):
        return None


def different_arguments(first: ast.expr, second: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    """The one argument in which two calls of the same function differ."""
    if not isinstance(first, ast.Call) or not isinstance(second, ast.Call):
        return None
    if ast.dump(first.func) != ast.dump(second.func):
        return None
    pairs = list(zip(arguments_of(first), arguments_of(second), strict=False))
    different = [(a, b) for a, b in pairs if ast.dump(a) != ast.dump(b)]
    return different[0] if len(different) == 1 else None


def arguments_of(call: ast.Call) -> list[ast.expr]:
    return call.args + [keyword.value for keyword in call.keywords]


def is_function(argument: ast.expr, name: str) -> bool:
    """Whether an argument is the function `name`, or a lambda that calls it."""
    if isinstance(argument, ast.Lambda):
        return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(argument.body))
    return isinstance(argument, ast.Name) and argument.id == name


# --- in the results ---------------------------------------------------------


def is_difference(candidate: np.ndarray, derivative: np.ndarray) -> bool:
    """Whether the numbers are close to the derivative, with the error of a finite difference."""
    if candidate.size != derivative.size:
        return False
    error = np.max(np.abs(candidate.ravel() - derivative.ravel()), initial=0)
    scale = np.max(np.abs(derivative))
    # A formula is exact up to rounding; a difference loses more digits than that.
    return bool(4e-15 * scale < error <= 1e-2 * scale)


def is_central_difference(
    candidate: np.ndarray, derivative: np.ndarray, third_derivative: np.ndarray
) -> bool:
    """Whether the error is the one that a central difference makes."""
    if not is_difference(candidate, derivative):
        return False
    error = candidate.ravel() - derivative.ravel()
    pattern = third_derivative.ravel()
    size = np.max(np.abs(error))
    if size <= 1e-9:
        return True
    factor = (pattern @ error) / (pattern @ pattern)
    return bool(factor > 0 and np.max(np.abs(error - factor * pattern)) <= 0.1 * size)
