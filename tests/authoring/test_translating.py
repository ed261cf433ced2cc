"""Tests of a notebook, turned into checks that ask from outside."""

from __future__ import annotations

import pytest

from grader.authoring.translating import CannotTranslate, description_of, translated


def test_students_names_are_asked_for() -> None:
    """Names that the test does not define come from `student`, each once, modules do not."""
    body = translated("y = square(3)\nassert np.allclose(y, square(limit))", {"np"})
    assert body.split("\n") == [
        "square = student['square']".replace("'", '"'),
        'limit = student["limit"]',
        "y = square(3)",
        "assert np.allclose(y, square(limit))",
    ]


def test_own_names_stay() -> None:
    """Functions, parameters, loop variables and imports of the test are its own."""
    code = (
        "import math\ndef twice(v):\n    return 2 * v\n"
        "for k in range(3):\n    assert twice(k) == double(k) + math.floor(0.5)"
    )
    body = translated(code, set())
    assert body.split("\n")[0] == 'double = student["double"]'
    assert body.count("student[") == 1


@pytest.mark.parametrize(
    ("code", "expected", "last"),
    [
        ("square(3) == 9", "True", "assert square(3) == 9"),
        ("square(3)", "9", "assert repr(square(3)) == '9'"),
        ("x = square(3)", "9", "x = square(3)"),
        ("square(3) == 9", None, "square(3) == 9"),
    ],
)
def test_expectation(code: str, expected: str | None, last: str) -> None:
    """A last expression must have the value that its author saw, as in a doctest."""
    assert translated(code, set(), expected).split("\n")[-1] == last


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("try:\n    f(0)\nexcept ValueError:\n    pass", "expects an exception"),
        ("with pytest.raises(ValueError):\n    f(0)", "expects an exception"),
        ("del f", "deletes names"),
        ("assert 'np' in inspect.getsource(f)", "source code"),
        ("get_ipython().run_line_magic('ls')", "kernel"),
        ("%timeit f(3)", "not Python"),
        ("import student_file\nassert student_file.N == f(3)", "imports student_file"),
        ('"""nothing"""', "nothing in it"),
    ],
)
def test_what_cannot_be_carried(code: str, reason: str) -> None:
    """A test that needs the student's process is refused with the reason."""
    with pytest.raises(CannotTranslate, match=reason):
        translated(code, {"pytest", "inspect"})


def test_description() -> None:
    """A docstring or a first comment describes a test."""
    assert description_of('"""It is\nright."""\nassert x') == "It is right."
    assert description_of("# it is right\nassert x") == "it is right"
    assert description_of("assert x") == ""
