"""What an operator may ask about the place of a node in the solution's code."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False)
class Scope:
    """A node's surroundings.

    `parents` are its ancestors, nearest first; `numpy` is the name by which the
    notebook knows NumPy, `""` where it does not; `module` is the cell's tree.
    """

    module: ast.Module
    parents: tuple[ast.AST, ...]
    numpy: str = ""
    results: frozenset[str] = field(default_factory=frozenset)

    @property
    def parent(self) -> ast.AST:
        """The node's nearest ancestor."""
        return self.parents[0] if self.parents else self.module

    @cached_property
    def function(self) -> Function | None:
        """The innermost function that the node is in."""
        return next((p for p in self.parents if isinstance(p, Function)), None)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of that function's parameters, without `self`."""
        if self.function is None:
            return ()
        given = self.function.args
        named = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        return tuple(name for name in named if name != "self")

    @cached_property
    def body(self) -> list[ast.AST]:
        """Every node of that function, or of the whole cell."""
        return list(ast.walk(self.function or self.module))

    @cached_property
    def returned(self) -> frozenset[str]:
        """The names that the function returns; outside of functions, those that are asked for."""
        if self.function is None:
            return self.results
        values = [node.value for node in self.body if isinstance(node, ast.Return) and node.value]
        parts = [part for value in values for part in elements(value)]
        return frozenset(part.id for part in parts if isinstance(part, ast.Name))

    def is_result(self, node: ast.AST) -> bool:
        """Whether the node's value is what somebody gets: returned, or stored where it stays."""
        if not isinstance(node, ast.expr) or isinstance(node, ast.Tuple) or is_text(node):
            return False
        if self.function is None and isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            # A network, or what a function of the student's returned: seldom a number.
            return False
        holder = self.parent
        if isinstance(holder, ast.Tuple) and len(self.parents) > 1:
            holder = self.parents[1]
        if isinstance(holder, ast.Return):
            return True
        if not isinstance(holder, ast.Assign) or holder.value is not node:
            return False
        return any(self._lasts(target) for target in holder.targets)

    def _lasts(self, target: ast.expr) -> bool:
        if isinstance(target, ast.Name):
            return target.id in self.returned
        return isinstance(target, ast.Attribute | ast.Subscript)


Operator = Callable[[ast.AST, Scope], Iterator[ast.AST]]
"""The wrong nodes that may stand in the place of a right one; none where it does not apply."""


def elements(value: ast.expr) -> list[ast.expr]:
    """The parts of a tuple, or the value itself."""
    return value.elts if isinstance(value, ast.Tuple) else [value]


def called(node: ast.AST) -> str:
    """The last part of the name of what is called: `sum` for `np.sum(x)` and `x.sum()`."""
    if not isinstance(node, ast.Call):
        return ""
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def calls_module(node: ast.Call, module: str) -> bool:
    """Whether a function of this module is called, not a method of a value."""
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    return isinstance(owner, ast.Name) and owner.id == module


def renamed(node: ast.Call, name: str) -> ast.Call:
    """The same call of another function or method."""
    if isinstance(node.func, ast.Attribute):
        func: ast.expr = ast.Attribute(node.func.value, name, ast.Load())
    else:
        func = ast.Name(name, ast.Load())
    return ast.Call(func, node.args, node.keywords)


def names_in(node: ast.AST) -> list[str]:
    """Every name and attribute in an expression, in order."""
    found = []
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            found.append(part.id)
        elif isinstance(part, ast.Attribute):
            found.append(part.attr)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            found.append(part.value)
    return found


def number(node: ast.AST) -> float | None:
    """The value of a literal number, with its sign."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = number(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return None if isinstance(node.value, bool) else float(node.value)
    return None


def is_text(node: ast.AST) -> bool:
    """Whether an operand is text or a list, which `+` joins instead of adding."""
    joined = isinstance(node, ast.JoinedStr | ast.List | ast.Tuple | ast.ListComp)
    return joined or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def is_zero(node: ast.AST) -> bool:
    """Whether an expression is zero whatever happens."""
    return number(node) == 0 or called(node) in ("zeros", "zeros_like")
