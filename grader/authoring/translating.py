"""Turns tests that run inside a notebook into checks that ask from outside.

A test's names that it does not define itself are the student's: they come from
`student`. What needs the student's process (exceptions that are expected,
source code, names that are deleted) cannot be carried over.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Collection, Iterator
from importlib.util import find_spec

BUILTINS = frozenset(dir(builtins))
INSIDE_ONLY = {
    "get_ipython": "it asks the notebook's kernel",
    "getsource": "it reads the student's source code (student.source has it)",
    "globals": "it reads the notebook's global names",
    "locals": "it reads the notebook's local names",
    "patch": "it replaces functions in the student's process",
    "assert_raises": "it expects an exception",
    "assertRaises": "it expects an exception",
    "raises": "it expects an exception",
}


class CannotTranslate(Exception):
    """The test needs the student's process; the message says why."""


def translated(code: str, modules: Collection[str], expected: str | None = None) -> str:
    """The body of a check that does what the test does.

    `modules` are the names of modules that the checks' file imports. With
    `expected`, the test's last expression must have this repr, as in a doctest.

    Raises:
        CannotTranslate: it needs the student's process, or is not Python.
    """
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise CannotTranslate(f"it is not Python ({error.msg})") from error
    _refuse_inside_only(tree)
    if expected is not None:
        tree.body = _with_expectation(tree.body, expected)
    names = _students_names(tree, modules)
    lines = [f'{name} = student["{name}"]' for name in names]
    body = [node for node in tree.body if not _is_text(node)]
    if not body:
        raise CannotTranslate("there is nothing in it that could fail")
    return "\n".join([*lines, *(ast.unparse(node) for node in body)])


def description_of(code: str) -> str:
    """A test's docstring or first comment."""
    try:
        text = ast.get_docstring(ast.parse(code))
    except SyntaxError:
        text = None
    if not text:
        comments = [line for line in code.split("\n") if line.startswith("# ")]
        text = comments[0].lstrip("# ") if comments else ""
    return " ".join(text.split())


def _refuse_inside_only(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            raise CannotTranslate("it expects an exception")
        if isinstance(node, ast.Delete):
            raise CannotTranslate("it deletes names of the student's")
        for module in _imported(node):
            if find_spec(module.partition(".")[0]) is None:
                raise CannotTranslate(f"it imports {module}, which is not installed here")
        name = getattr(node, "attr", "") or getattr(node, "id", "")
        if name in INSIDE_ONLY:
            raise CannotTranslate(INSIDE_ONLY[name])


def _imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def _students_names(tree: ast.Module, modules: Collection[str]) -> list[str]:
    """The global names that the test, or a function in it, reads and does not make."""
    top = symtable.symtable(ast.unparse(tree), "test", "exec")
    own = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    tables = list(_tables(top))
    # At the top of a module every name is a global one, but is_global() says otherwise.
    found = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    found |= {s.get_name() for table in tables[1:] for s in table.get_symbols() if s.is_global()}
    wanted = found - own - BUILTINS - set(modules)
    order = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name)]
    return sorted(wanted, key=order.index)


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _tables(child)


def _with_expectation(body: list[ast.stmt], expected: str) -> list[ast.stmt]:
    """The statements, the last of which now asserts what it was."""
    last = body[-1] if body else None
    if not isinstance(last, ast.Expr):
        return body
    if expected == "True":
        return [*body[:-1], ast.Assert(last.value)]
    shown = ast.Call(ast.Name("repr", ast.Load()), [last.value], [])
    equal = ast.Compare(shown, [ast.Eq()], [ast.Constant(expected)])
    return [*body[:-1], ast.fix_missing_locations(ast.Assert(equal))]


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
