"""A release in which something stands that students must not have is refused."""

from __future__ import annotations

import json

import pytest

from grader.assignment import Assignment
from grader.errors import AssignmentError
from grader.releasing.leaks import refuse_leaks


def notebook(source: str, **more: object) -> bytes:
    """A notebook of one cell."""
    return json.dumps({"cells": [{"cell_type": "code", "source": source, **more}]}).encode()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.ipynb", notebook("x = 1\n### BEGIN SOLUTION\n"), "cell 0, line 2: the marker"),
        ("a.ipynb", notebook("### BEGIN HIDDEN TESTS\n"), "HIDDEN TESTS"),
        ("a.ipynb", notebook("=== BEGIN MARK SCHEME ===\n"), "MARK SCHEME"),
        ("utils.py", b"#  END  SOLUTION\n".replace(b"  ", b" "), "utils.py, line 1"),
        ("a.ipynb", notebook("print(2)", outputs=[{"text": "4"}]), "recorded output"),
        ("checks/test_a.py", b"@q('1a', hidden=True)\ndef test_a(): pass", "marked as hidden"),
        ("checks/test_a.py", b"def test_secret(student): pass", "hidden check test_secret"),
        (
            "utils.py",
            b"# the same\ntotal = sum_of_squares(np.array([1.0, 2.0, 3.0])) # !\n",
            "an answer of the solution",
        ),
    ],
)
def test_leak(tiny: Assignment, name: str, content: bytes, message: str) -> None:
    """Each kind of leak is refused, and the message says where it is."""
    with pytest.raises(AssignmentError, match=message):
        refuse_leaks(tiny, {name: content}, ["test_a.py::test_secret"])


def test_own_files(tiny: Assignment) -> None:
    """A copy of the solution under another name is recognised."""
    content = (tiny.folder / "solution.ipynb").read_bytes()
    with pytest.raises(
        AssignmentError, match=r"backup\.txt is the assignment's own solution\.ipynb"
    ):
        refuse_leaks(tiny, {"backup.txt": content}, [])


def test_harmless(tiny: Assignment) -> None:
    """Data, prose about solutions and checks of the same name in other files are no leaks."""
    files = {
        "data.bin": bytes(range(256)),
        "README.md": b"The solution begins where the hidden layer ends.",
        "checks/test_b.py": b"def test_secret(student): pass",
        "a.ipynb": notebook("x = [1]", outputs=[]),
    }
    refuse_leaks(tiny, files, ["test_a.py::test_secret"])
