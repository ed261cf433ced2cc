"""Tests for `grader.execution.inside.modules`, through the requests that use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from grader.assignment import Assignment
from grader.errors import StudentRaised
from grader.execution.answered import ModuleReplacement
from grader.execution.student import Student
from grader.session import open_session
from grader.submission import load_submission

BROKEN = "def double(x)\n    return 2 * x\n"
HandIn = Callable[..., Path]


@contextmanager
def handed(
    modular: Assignment, folder: Path, replacements: tuple[ModuleReplacement, ...] = ()
) -> Iterator[Student]:
    """The student's modules, as the checks of question c get them."""
    submission = load_submission(folder, modular.answer_files)
    with open_session(modular, submission) as session:
        student = Student(replace(session.answered("c"), modules=replacements))
        try:
            yield student
        finally:
            student.close()


def replacement(source: str, *names: str, whole: bool = False) -> tuple[ModuleReplacement]:
    """The author's work for net.layers."""
    return (ModuleReplacement("net.layers", source, names, whole),)


def test_a_module_is_found_wherever_the_code_went(modular: Assignment, handed_in: HandIn) -> None:
    """Modules are imported from the student's folder, also after a change of directory."""
    folder = handed_in({"net/loss.py": "import os\nos.chdir('/')\nx = 1\n"})
    with handed(modular, folder) as student:
        assert student.module("net.loss").x == 1
        assert student.module("net.layers").double(2) == 4


def test_a_broken_module_costs_no_other(modular: Assignment, handed_in: HandIn) -> None:
    """A package whose own import fails over one module still gives the others."""
    with handed(modular, handed_in({"net/loss.py": BROKEN})) as student:
        assert student.module("net.layers").double(2) == 4
        with pytest.raises(StudentRaised, match=r"SyntaxError"):
            student.module("net.loss")


def test_a_package_that_exits_costs_no_module(modular: Assignment, handed_in: HandIn) -> None:
    """An `__init__` that raises or exits does not hide the modules beside it."""
    for init in ("raise ValueError", "import sys\nsys.exit(3)"):
        with handed(modular, handed_in({"net/__init__.py": init})) as student:
            assert student.module("net.loss").Loss(1).forward(2) == 5


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (BROKEN, r"SyntaxError: expected ':' \(in net/loss.py, line 1: def double\(x\)\)"),
        (
            "import numpy\nimport nowhere\nnowhere.go()\n",
            r"ModuleNotFoundError: No module named 'nowhere' .*in net/loss.py, line 3: nowhere.go",
        ),
        ("\n\nx = 1 / 0\n", r"ZeroDivisionError: division by zero \(in net/loss.py, line 3: x = 1"),
    ],
)
def test_the_error_of_an_import(
    modular: Assignment, handed_in: HandIn, source: str, sentence: str
) -> None:
    """The sentence names the error, the file, the line, and what stands there."""
    with (
        handed(modular, handed_in({"net/loss.py": source})) as student,
        pytest.raises(StudentRaised, match=sentence),
    ):
        student.module("net.loss")


def test_the_error_of_a_call(modular: Assignment, handed_in: HandIn) -> None:
    """Of a call through several files the sentence names the innermost line of the student's."""
    layers = "import numpy as np\n\ndef double(x):\n    return np.ones(2) @ np.ones(3)\n"
    with (
        handed(modular, handed_in({"net/layers.py": layers})) as student,
        pytest.raises(StudentRaised, match=r"\(in net/layers.py, line 4: return np.ones"),
    ):
        student.module("net.loss").Loss(1).forward(2)


def test_replaced_names(modular: Assignment, handed_in: HandIn) -> None:
    """A replaced function is used by name; the module's others stay the student's."""
    with handed(
        modular,
        handed_in({"net/layers.py": "def double(x): return 3 * x\ndef half(x): return 'mine'\n"}),
        replacement(modular.solution_files["net/layers.py"], "double"),
    ) as student:
        assert student.module("net.layers").double(2) == 4
        assert student.module("net.layers").half(2) == "mine"
        assert student.module("net.loss").Loss(1).forward(2) == 5


def test_replaced_methods(modular: Assignment, handed_in: HandIn) -> None:
    """A replaced method works for instances of the student's class."""
    theirs = "class Net:\n    def f(self): return 1\n    def g(self): return self.f()\n"
    ours = "class Net:\n    @staticmethod\n    def f(): return 2\n    def g(self): return 'ours'\n"
    with handed(
        modular, handed_in({"net/layers.py": theirs}), replacement(ours, "Net.f")
    ) as student:
        assert student.module("net.layers").Net().g() == 2


def test_a_broken_module_is_replaced_whole(modular: Assignment, handed_in: HandIn) -> None:
    """What cannot be imported is replaced where that is allowed, and only there."""
    folder = handed_in({"net/layers.py": BROKEN})
    source = modular.solution_files["net/layers.py"]
    with handed(modular, folder, replacement(source, "double", whole=True)) as student:
        assert student.module("net.loss").Loss(1).forward(2) == 5
    with (
        handed(modular, folder, replacement(source, "double")) as student,
        pytest.raises(StudentRaised, match="SyntaxError"),
    ):
        student.module("net.loss")
