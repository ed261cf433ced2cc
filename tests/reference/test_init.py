"""The package as a whole: what it exports and what it stands on."""

import ast
import importlib
from pathlib import Path

import pytest

import reference

FOLDER = Path(reference.__file__).parent
SOURCES = sorted(FOLDER.glob("*.py"))


def imported(tree: ast.Module) -> set[str]:
    """The modules that a source imports, by their full names."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_every_exported_name_is_there_with_a_docstring():
    """__all__ repeats no name, and each function and class in it is documented."""
    assert len(reference.__all__) == len(set(reference.__all__))
    for name in reference.__all__:
        value = getattr(reference, name)
        if callable(value) and getattr(value, "__module__", "").startswith("reference"):
            assert value.__doc__, name


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_modules_stand_on_numpy_alone(source):
    """Beyond numpy and the standard library a module imports nothing but the reference."""
    allowed = {"numpy", "reference", "re", "collections", "dataclasses", "typing"}
    tree = ast.parse(source.read_text(encoding="utf-8"))
    assert {name.split(".")[0] for name in imported(tree)} <= allowed


def test_modules_do_not_import_each_other_in_a_circle():
    """Ordered by their imports, the modules leave no circle."""
    needs = {
        f"reference.{path.stem}": {
            name
            for name in imported(ast.parse(path.read_text(encoding="utf-8")))
            if name.startswith("reference")
        }
        for path in SOURCES
        if path.stem != "__init__"
    }
    while needs:
        free = {name for name, wanted in needs.items() if not wanted & needs.keys()}
        assert free, f"a circle among {sorted(needs)}"
        needs = {name: wanted for name, wanted in needs.items() if name not in free}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_public_functions_are_exported(source):
    """Every public function and class of a module is exported by the package."""
    module = importlib.import_module(f"reference.{source.stem}")
    tree = ast.parse(source.read_text(encoding="utf-8"))
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }
    assert defined <= set(reference.__all__)
    assert all(getattr(reference, name) is getattr(module, name) for name in defined)
