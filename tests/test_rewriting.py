"""Code that is changed in one place stays as it is in all others."""

from __future__ import annotations

import ast

import pytest

from grader.rewriting import (
    STAR,
    bound_names,
    listed,
    parse_cell,
    read_names,
    remove_imports,
    replace_constants,
)

MODULES = frozenset(["tensorflow", "keras"])


def test_a_constant_is_replaced_where_it_is_assigned() -> None:
    """The value changes, and comments, spaces and every other line stay."""
    source = "é = 'ü'; num_epochs  =  3 * 10   # long\nfit(num_epochs)\n"
    made = replace_constants(source, {"num_epochs": 2})
    assert made.source == "é = 'ü'; num_epochs  =  2   # long\nfit(num_epochs)\n"
    assert made.changes == ("num_epochs = 2 in place of 3 * 10",)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = num = 9", "a = num = 2"),
        ("num: int = 9", "num: int = 2"),
        ("num: int", "num: int"),
        ("def f():\n    num = 9", "def f():\n    num = 2"),
        (
            "for k in y:\n    num = (1 +\n        2)\n    z = 1",
            "for k in y:\n    num = (2)\n    z = 1",
        ),
        ("num += 1\nfit(num=3)\nnum, b = 1, 2", "num += 1\nfit(num=3)\nnum, b = 1, 2"),
        ("%matplotlib inline\nnum = 9\n!ls", "%matplotlib inline\nnum = 2\n!ls"),
        ("num = 9\r\nx = 'num = 9'\r\nnum = 8", "num = 2\r\nx = 'num = 9'\r\nnum = 2"),
        ("num = 9\nprint 'old'", "num = 9\nprint 'old'"),
        ("num = 9\n\ud800", "num = 9\n\ud800"),
        ("x = 1", "x = 1"),
    ],
)
def test_plain_assignments_alone_are_replaced(source: str, expected: str) -> None:
    """Other forms, texts and what cannot be parsed stay as they are, and nothing is claimed."""
    made = replace_constants(source, {"num": 2})
    assert made.source == expected
    assert bool(made.changes) == (source != expected)


@pytest.mark.parametrize("value", [[20, 10], "relu", True, 0.5])
def test_values_of_every_kind(value: object) -> None:
    """Lists, strings, booleans and numbers are written as Python writes them."""
    made = replace_constants("a = 1", {"a": value})  # type: ignore[dict-item]
    assert ast.literal_eval(made.source.removeprefix("a = ")) == value


def test_long_values_are_shortened_in_the_note() -> None:
    """What was replaced is told on one short line."""
    made = replace_constants("a = [" + "1,\n" * 90 + "]", {"a": 1})
    assert len(made.changes[0]) < 100
    assert "\n" not in made.changes[0]


@pytest.mark.parametrize(
    ("source", "expected", "names"),
    [
        ("import tensorflow as tf\nimport numpy as np", "pass\nimport numpy as np", {"tf"}),
        ("import numpy as np, tensorflow.keras", "import numpy as np", {"tensorflow"}),
        ("x = 1; import keras; y = 2", "x = 1; pass; y = 2", {"keras"}),
        ("from keras.layers import (\n  Dense,\n  A as B)\nx = 1", "pass\nx = 1", {"Dense", "B"}),
        ("from keras import *", "pass", {STAR}),
        ("from .keras import a\nimport kerasx", "from .keras import a\nimport kerasx", set()),
        ("try:\n    import keras\nexcept ImportError:\n    pass", None, set()),
        ("def f():\n    import keras", None, set()),
        ("import keras\nprint 'old'", None, set()),
    ],
)
def test_imports_of_a_module_are_removed(
    source: str, expected: str | None, names: set[str]
) -> None:
    """Only a cell's own imports of that module go; those that the code guards stay."""
    made, removed = remove_imports(source, MODULES)
    assert made.source == (source if expected is None else expected)
    assert set(removed) == names
    assert set(removed.values()) <= MODULES
    assert bool(made.changes) == bool(names)


def test_removed_imports_are_told() -> None:
    """The note names each module once, and none that stays."""
    source = "import numpy, keras as k\nfrom keras import layers"
    assert remove_imports(source, MODULES)[0].changes == ("without its imports of keras",)
    both = remove_imports(source + "\nimport tensorflow", MODULES)[0]
    assert both.changes == ("without its imports of keras and tensorflow",)
    assert listed("cabb") == "a, b and c"


def test_names() -> None:
    """What a cell binds and reads: functions count by their names, what is inside them is read."""
    source = (
        "import os.path, re as r\na, (b, *c) = x\nfor i in y:\n    d[0] = e.f\n    g.h += 1\n"
        "def fun(p):\n    inner = q\n    return p\nk = [m for m in n]\nwith o as s: pass"
    )
    tree = parse_cell(source)
    assert tree is not None
    bound = {"os", "r", "a", "b", "c", "i", "d", "g", "fun", "k", "s"}
    assert bound_names(tree) == bound
    assert read_names(tree) >= {"x", "y", "d", "e", "g", "q", "n", "o"}
    assert not read_names(tree) & {"p", "fun", "a", "inner"}


def test_deeply_nested_code() -> None:
    """A hand-in cannot break the grader by the depth of its expressions."""
    source = "x = " + "+".join(["1"] * 5000)
    assert replace_constants(source, {"x": 2}).source in ("x = 2", source)
    tree = parse_cell(source)
    assert tree is None or bound_names(tree) == {"x"}


def test_operators_that_begin_a_line() -> None:
    """An expression that goes on with % or != holds no magic, beside one that is."""
    source = "%matplotlib inline\n?print\nx = ('%d'\n     % 3)\ny = (x\n     != 3)\n!ls"
    tree = parse_cell(source)
    assert tree is not None
    assert [ast.unparse(node) for node in tree.body[2:-1]] == ["x = '%d' % 3", "y = x != 3"]
