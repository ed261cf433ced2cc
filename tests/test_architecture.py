"""The direction of imports and the size of modules, held by reading the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAX_LINES = 400
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("grader", "reference")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "assignments" not in path.relative_to(ROOT).parts
}
GRADER = [name for name in MODULES if name.startswith("grader")]
# What must not be imported from where; a package stands for all of its modules.
FORBIDDEN = {
    "grader.execution": [
        *("grader.checks", "grader.scoring", "grader.reports", "grader.reporting"),
        *("grader.assignment", "grader.alignment", "grader.session", "grader.pipeline"),
        *("grader.commands", "grader.cli", "grader.audit", "reference"),
    ],
    "grader.checks.gradients": ["grader.execution", "grader.assignment", "reference"],
    "grader.checks.closeness": ["grader.execution", "grader.assignment", "reference"],
    "grader.checks.diagnosis": ["grader.execution", "grader.assignment", "reference"],
    "grader.batch": ["grader.review", "grader.commands"],
    "grader.gradebook": ["grader.review", "grader.batch", "grader.commands"],
    "grader.ci": ["grader.commands", "grader.cli", "grader.audit", "grader.authoring"],
    "grader.scoring": ["grader.session", "grader.reports", "grader.commands"],
}
# What alone of our own packages may be imported.
ALLOWED = {
    "reference": ["reference"],
    "grader.execution.inside": ["grader.execution.inside"],
    "grader.records": [],
    "grader.errors": [],
    "grader.reports": ["grader.reports", "grader.records", "grader.errors"],
    "grader.privacy": ["grader.privacy", "grader.records", "grader.errors"],
    "grader.similarity": ["grader.similarity", "grader.submission"],
    "grader.lms": [
        *("grader.lms", "grader.records", "grader.errors", "grader.reports"),
        "grader.submission",
    ],
}


@cache
def parsed(name: str) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def is_within(name: str, package: str) -> bool:
    """Whether a module is a package or lies in it."""
    return name == package or name.startswith(f"{package}.")


def imports(name: str, *, at_load: bool) -> set[str]:
    """The modules of ours that a module imports; `at_load` leaves out those for types alone.

    `from package import module` counts as the module.
    """
    nodes = loaded(parsed(name)) if at_load else ast.walk(parsed(name))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = absolute(node, name)
            found |= {f"{source}.{alias.name}" for alias in node.names} & MODULES.keys() or {source}
    return {module for module in found if module.split(".")[0] in ("grader", "reference")}


def absolute(node: ast.ImportFrom, name: str) -> str:
    """The module from which a `from` statement in the module `name` imports."""
    if not node.level:
        return str(node.module)
    inside = MODULES[name].name == "__init__.py"
    parts = name.split(".")[: len(name.split(".")) + inside - node.level]
    return ".".join([*parts, node.module] if node.module else parts)


def loaded(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when the module is loaded."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from loaded(node)


@pytest.mark.parametrize(("package", "allowed"), ALLOWED.items())
def test_allowed_imports(package: str, allowed: list[str]) -> None:
    """These modules import nothing of ours but what is listed."""
    importers = [name for name in MODULES if is_within(name, package)]
    assert importers
    for name in importers:
        foreign = {
            m for m in imports(name, at_load=False) if not any(is_within(m, a) for a in allowed)
        }
        assert not foreign, f"{name} imports {foreign}"


@pytest.mark.parametrize(("package", "forbidden"), FORBIDDEN.items())
def test_forbidden_imports(package: str, forbidden: list[str]) -> None:
    """These modules import nothing that lies above them."""
    importers = [name for name in MODULES if is_within(name, package)]
    assert importers
    for name in importers:
        wrong = {m for m in imports(name, at_load=True) if any(is_within(m, f) for f in forbidden)}
        assert not wrong, f"{name} imports {wrong}"


def test_records_and_errors_need_the_standard_library_alone() -> None:
    """The records and errors can be read without any other package."""
    known = {"__future__", "dataclasses", "enum"}
    for name in ("grader.records", "grader.errors"):
        nodes = [n for n in ast.walk(parsed(name)) if isinstance(n, ast.Import | ast.ImportFrom)]
        assert all(isinstance(n, ast.ImportFrom) and n.module in known for n in nodes)


def test_no_cycles() -> None:
    """No module of the grader's needs itself in order to be loaded."""
    # A package's __init__ gathers what its modules offer, and runs before each of them.
    packages = {name for name in GRADER if MODULES[name].name == "__init__.py"}
    graph = {name: imports(name, at_load=True) & set(GRADER) - packages for name in GRADER}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name not in done:
            for needed in sorted(graph[name]):
                visit(needed, (*path, name))
            done.add(name)

    for name in GRADER:
        visit(name, ())


@pytest.mark.parametrize("name", MODULES)
def test_module(name: str) -> None:
    """A module says in a docstring what it is for, and is short enough to be read at once."""
    assert ast.get_docstring(parsed(name)), f"{name} has no docstring"
    lines = MODULES[name].read_text(encoding="utf-8").count("\n")
    assert lines <= MAX_LINES, f"{name} has {lines} lines"
