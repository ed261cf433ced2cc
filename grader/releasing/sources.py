"""A Python file as top-level statements that can be kept or left out, its text untouched."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass, field

Test = ast.FunctionDef | ast.AsyncFunctionDef
FIXTURE_TAKERS = {"usefixtures", "getfixturevalue"}
BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True, eq=False)
class Statement:
    """One top-level statement: what it defines, and the names that it uses."""

    node: ast.stmt
    defines: frozenset[str]
    uses: frozenset[str]


@dataclass(frozen=True, eq=False)
class Source:
    """A file of checks. `name` is its path below checks/."""

    name: str
    text: str
    tree: ast.Module
    statements: tuple[Statement, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Splits the file."""
        found = tuple(Statement(n, _defined(n), _used(n)) for n in self.tree.body)
        object.__setattr__(self, "statements", found)

    @property
    def module(self) -> str:
        """The name by which other files import it."""
        return self.name.removesuffix(".py").replace("/", ".")

    @property
    def is_test_file(self) -> bool:
        """Whether pytest looks for checks in it."""
        name = self.name.rpartition("/")[2]
        return name.startswith("test_") or name.endswith("_test.py")


def without(source: Source, left_out: list[ast.stmt], imports: dict[ast.stmt, set[str]]) -> str:
    """The file's text without some statements; `imports` are cut down to the names given."""
    lines: list[str | None] = list(source.text.split("\n"))
    for node in left_out:
        first, last = _extent(node, source.text.split("\n"))
        lines[first:last] = [None] * (last - first)
    for node, names in imports.items():
        first, last = node.lineno - 1, node.end_lineno or node.lineno
        lines[first:last] = [_cut_down(node, names), *[None] * (last - first - 1)]
    return _tidied([line for line in lines if line is not None])


def imported(node: ast.stmt) -> list[tuple[str, ast.alias]]:
    """The names that an import binds, each with its alias."""
    if isinstance(node, ast.Import):
        return [((a.asname or a.name).split(".")[0], a) for a in node.names]
    if isinstance(node, ast.ImportFrom):
        return [(a.asname or a.name, a) for a in node.names]
    return []


def _cut_down(node: ast.stmt, names: set[str]) -> str:
    kept = [alias for name, alias in imported(node) if name in names]
    if isinstance(node, ast.Import):
        return ast.unparse(ast.Import(kept))
    assert isinstance(node, ast.ImportFrom)
    return ast.unparse(ast.ImportFrom(node.module, kept, node.level))


def _defined(node: ast.stmt) -> frozenset[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return frozenset([node.name])
    if bound := [name for name, _ in imported(node)]:
        return frozenset(bound)
    parts = [p for p in ast.walk(node) if isinstance(p, ast.Name)]
    return frozenset(p.id for p in parts if isinstance(p.ctx, ast.Store))


def _used(node: ast.stmt) -> frozenset[str]:
    """Every name that is read; a function's parameters may name fixtures."""
    names = {p.id for p in ast.walk(node) if isinstance(p, ast.Name)}
    names |= {p.arg for p in ast.walk(node) if isinstance(p, ast.arg)}
    calls = [p for p in ast.walk(node) if isinstance(p, ast.Call) and _takes_fixtures(p)]
    texts = [a.value for call in calls for a in call.args if isinstance(a, ast.Constant)]
    names |= {text for text in texts if isinstance(text, str)}
    return frozenset(names - BUILTINS)


def _takes_fixtures(call: ast.Call) -> bool:
    """Whether a call names fixtures by text."""
    function = call.func
    return isinstance(function, ast.Attribute) and function.attr in FIXTURE_TAKERS


def _extent(node: ast.stmt, lines: list[str]) -> tuple[int, int]:
    """The lines of a statement, with its decorators and the comment right above it."""
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(d.lineno for d in decorators)]) - 1
    while first > 0 and lines[first - 1].lstrip().startswith("#") and node.col_offset == 0:
        first -= 1
    return first, node.end_lineno or node.lineno


def _tidied(lines: list[str]) -> str:
    """No more than two empty lines in a row, and one newline at the end."""
    kept: list[str] = []
    for line in lines:
        if line.strip() or [text.strip() for text in kept[-2:]] != ["", ""]:
            kept.append(line)
    return "\n".join(kept).strip("\n") + "\n"
