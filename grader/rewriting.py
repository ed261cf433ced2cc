"""Reads and changes a cell's code by its syntax tree, so that all other text stays as it is."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

# What TOML can write as the value of a constant.
Constant: TypeAlias = "int | float | bool | str | list[Constant]"
# Stands for the unknown names of `from module import *`.
STAR = "*"
MAX_SHOWN = 60
# A line of an expression may begin with the operator % or != .
_MAGIC = re.compile(r"^([ \t]*)(?:%{1,2}[A-Za-z]|!(?!=)|\?)[^\n]*", re.MULTILINE)
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|$)")
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class Rewritten:
    """A cell's code, and what was done to it, a phrase each."""

    source: str
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edit:
    """What takes the place of a piece of the tree."""

    node: ast.stmt | ast.expr
    text: str


def parse_cell(source: str) -> ast.Module | None:
    """A cell's syntax tree, magics passed over; None where it cannot be parsed."""
    return parse_python(source) or parse_python(_MAGIC.sub(r"\1pass", source))


def parse_python(source: str) -> ast.Module | None:
    """The syntax tree of Python; None where it cannot be parsed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def replace_constants(source: str, constants: Mapping[str, Constant]) -> Rewritten:
    """Replaces the value in each plain assignment `name = ...` of these names."""
    tree = parse_cell(source)
    values = dict(_assigned_values(tree, constants)) if tree else {}
    edits = [Edit(value, repr(constants[name])) for value, name in values.items()]
    changes = [
        f"{name} = {constants[name]!r} in place of {_shown(_segment(source, value))}"
        for value, name in values.items()
    ]
    return Rewritten(apply_edits(source, edits), tuple(changes))


def remove_imports(source: str, modules: Collection[str]) -> tuple[Rewritten, dict[str, str]]:
    """Takes the imports of these modules out of a cell's own statements.

    Returns the code and, by name, the module that it would have come from.
    """
    tree = parse_cell(source)
    found = [node for node in tree.body if _imported(node, modules)] if tree else []
    edits = [Edit(node, _kept_imports(node, modules)) for node in found]
    names = {name: root for node in found for name, root in _imported(node, modules).items()}
    changes = [f"without its imports of {listed(names.values())}"] if names else []
    return Rewritten(apply_edits(source, edits), tuple(changes)), names


def listed(words: Iterable[str]) -> str:
    """Words in a row, each once: "a", "a and b", "a, b and c"."""
    *others, last = sorted(set(words))
    return f"{', '.join(others)} and {last}" if others else last


def bound_names(node: ast.AST) -> set[str]:
    """The names that a statement, or a whole cell, binds or writes into."""
    return {name for child in _same_scope(node) for name in _bound_by(child)}


def read_names(node: ast.AST) -> set[str]:
    """The names that a statement reads, its functions' bodies included, their parameters not."""
    nodes = list(ast.walk(node))
    names = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return names - {n.arg for n in nodes if isinstance(n, ast.arg)}


def imported_modules(node: ast.AST) -> set[str]:
    """The packages that a piece of code imports, its functions' bodies included."""
    nodes = list(ast.walk(node))
    plain = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    named = {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom) and not n.level}
    return {name.partition(".")[0] for name in plain | named}


# --- names --------------------------------------------------------------------


def _same_scope(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes whose names belong to the notebook, not to a function of its own."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        if not isinstance(current, (*_SCOPES, *_COMPREHENSIONS)):
            waiting.extend(ast.iter_child_nodes(current))


def _bound_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return [node.id]
    if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
        return [_base(node)]
    return []


def _base(node: ast.expr) -> str:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


# --- what is changed ------------------------------------------------------------


def _assigned_values(tree: ast.Module, names: Collection[str]) -> Iterator[tuple[ast.expr, str]]:
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        plain = [t.id for t in targets if isinstance(t, ast.Name) and t.id in names]
        if plain and isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            yield node.value, plain[0]


def _imported(node: ast.stmt, modules: Collection[str]) -> dict[str, str]:
    """The names that an import of these modules binds, and the module of each."""
    if isinstance(node, ast.Import):
        roots = {alias: alias.name.partition(".")[0] for alias in node.names}
        return {a.asname or root: root for a, root in roots.items() if root in modules}
    root = (node.module or "").partition(".")[0] if isinstance(node, ast.ImportFrom) else ""
    if not isinstance(node, ast.ImportFrom) or node.level or root not in modules:
        return {}
    return {alias.asname or alias.name: root for alias in node.names}


def _kept_imports(node: ast.stmt, modules: Collection[str]) -> str:
    """The import without these modules."""
    kept = [a for a in _aliases(node) if a.name.partition(".")[0] not in modules]
    return ast.unparse(ast.Import(kept)) if isinstance(node, ast.Import) and kept else "pass"


def _aliases(node: ast.stmt) -> list[ast.alias]:
    return node.names if isinstance(node, ast.Import | ast.ImportFrom) else []


def apply_edits(source: str, edits: Collection[Edit]) -> str:
    """The code with these pieces replaced; the tree counts its columns in bytes."""
    if not edits:
        return source
    text = source.encode()
    for edit in sorted(edits, key=lambda e: (e.node.lineno, e.node.col_offset), reverse=True):
        place = _place(text, edit.node)
        text = text[: place.start] + edit.text.encode() + text[place.stop :]
    return text.decode()


def _segment(source: str, node: ast.expr) -> str:
    text = source.encode()
    return text[_place(text, node)].decode()


def _place(text: bytes, node: ast.stmt | ast.expr) -> slice:
    starts = [line.start() for line in _LINE.finditer(text)]
    last_line, last_column = node.end_lineno or 0, node.end_col_offset or 0
    first = starts[node.lineno - 1] + node.col_offset
    return slice(first, starts[last_line - 1] + last_column)


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN else f"{line[: MAX_SHOWN - 3]}..."
