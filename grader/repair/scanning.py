"""Which names of which libraries code asks for, read from its syntax tree."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from grader.rewriting import STAR, bound_names, read_names

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
# How pyplot calls other modules of its package.
_INNER = {
    "matplotlib.pyplot.cm.": "matplotlib.cm.",
    "matplotlib.pyplot.style.": "matplotlib.style.",
}

_STYLES = ("matplotlib.style.use", "matplotlib.style.context")
_BACKENDS = ("matplotlib.use", "matplotlib.pyplot.switch_backend")


@dataclass
class Uses:
    """What a piece of code asks for, all names dotted and in full: `numpy.int`.

    `names` are attributes of imported modules and names imported from them,
    `modules` what is imported, except for what is imported inside a `try` that
    goes on without it. `styles` and `backends` are those of matplotlib that it names.
    """

    names: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    styles: set[str] = field(default_factory=set)
    backends: set[str] = field(default_factory=set)


def imported_names(trees: Sequence[ast.Module]) -> dict[str, str]:
    """What each name that an import binds stands for: `np` for `numpy`.

    With `from numpy import *`, that are all names that nothing else defines.
    """
    found: dict[str, str] = {}
    stars: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                found[alias.asname or root] = alias.name if alias.asname else root
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            stars |= {node.module or ""} if node.names[0].name == STAR else set()
    if stars & {"numpy", "pylab"}:
        found = {name: f"numpy.{name}" for name in _loose_names(trees)} | found
    return found


def _loose_names(trees: Sequence[ast.Module]) -> set[str]:
    """The names that code reads and nowhere defines, Python's own left out."""
    read = {name for tree in trees for name in read_names(tree)}
    return read - {name for tree in trees for name in bound_names(tree)} - set(dir(builtins))


def uses(tree: ast.Module, known: Mapping[str, str]) -> Uses:
    """What `tree` asks for, where `known` is what names stand for.

    A name that the code itself defines, and does not import, stands for nothing else.
    """
    own = bound_names(tree) & known.keys()
    own -= imported_names([tree]).keys() if own else set()
    reader = _Reader({name: module for name, module in known.items() if name not in own})
    # Of code that is nested without end, what was seen until then counts.
    with suppress(RecursionError):
        reader.visit(tree)
    return reader.found


class _Reader(ast.NodeVisitor):
    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = dict(known)
        self._guards = 0
        self.found = Uses()

    def visit_Import(self, node: ast.Import) -> None:
        self._import([alias.name for alias in node.names])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if not node.level and node.module:
            # What is imported from a package may be a module of it.
            names = {f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*"}
            self._import([node.module, *names])
            self.found.names |= names

    def _import(self, modules: list[str]) -> None:
        if not self._guards:
            self.found.modules.update(modules)

    def visit_Try(self, node: ast.Try) -> None:
        self._guards += bool(node.handlers)
        for statement in node.body:
            self.visit(statement)
        self._guards -= bool(node.handlers)
        for other in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(other)

    def generic_visit(self, node: ast.AST) -> None:
        if not isinstance(node, _FUNCTIONS):
            super().generic_visit(node)
            return
        # A parameter hides a module of the same name.
        arguments = node.args
        parameters = {
            a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        }
        outer = self._known
        self._known = {n: m for n, m in outer.items() if n not in parameters}
        super().generic_visit(node)
        self._known = outer

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if dotted := self._dotted(node):
            self.found.names.add(dotted)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and "." in self._known.get(node.id, ""):
            self.found.names.add(self._known[node.id])

    def visit_Call(self, node: ast.Call) -> None:
        called = self._dotted(node.func)
        found = {
            **dict.fromkeys(_STYLES, self.found.styles),
            **dict.fromkeys(_BACKENDS, self.found.backends),
        }.get(called, set())
        arguments = [n for a in (*node.args, *node.keywords) for n in ast.walk(a)]
        texts = [n.value for n in arguments if isinstance(n, ast.Constant)]
        found |= {text for text in texts if isinstance(text, str)}
        self.generic_visit(node)

    def _dotted(self, node: ast.expr) -> str:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self._known:
            return ""
        dotted = ".".join([self._known[node.id], *reversed(parts)])
        for inner, name in _INNER.items():
            dotted = dotted.replace(inner, name) if dotted.startswith(inner) else dotted
        return dotted
