"""Whole verdicts, and that no hand-in can write its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from grader import grade
from grader.assignment import Assignment
from grader.errors import AssignmentError, SubmissionError
from grader.records import CheckResult, CheckStatus, QuestionStatus, Report
from grader.submission import Submission

Answer = Callable[..., Submission]
TINY = str(Path(__file__).parent / "tiny")
NOTHING = "def square(x):\n    return None\n\n\ndef square_grad(x):\n    return None"

ATTACKS = {
    "numpy.testing patched": (
        "import numpy.testing as t\n"
        "for name in dir(t):\n"
        "    if name.startswith('assert'):\n"
        "        setattr(t, name, lambda *a, **k: None)\n"
        "np.allclose = np.array_equal = np.isclose = lambda *a, **k: True\n"
    ),
    "builtins patched": (
        "import builtins\n"
        "real = builtins.compile\n"
        "def without_asserts(source, *a, **k):\n"
        "    text = source if isinstance(source, str) else 'pass'\n"
        "    return real(text.replace('assert', '0 and'), *a, **k)\n"
        "builtins.compile = without_asserts\n"
        "builtins.abs = builtins.sum = lambda *a: 0.0\n"
        "builtins.all = builtins.bool = lambda *a: True\n"
        "builtins.AssertionError = type('AssertionError', (BaseException,), {})\n"
    ),
    "always equal": (
        "class Equal(float):\n"
        "    __eq__ = __le__ = __lt__ = __ge__ = __gt__ = lambda *a: True\n"
        "    __ne__ = lambda *a: False\n"
        "    __hash__ = None\n"
        "    __array__ = lambda self, *a, **k: np.array(9.0)\n"
        "    __getattr__ = lambda self, name: self\n"
        "def square(x): return Equal()\n"
        "square_grad = sum_of_squares = square\n"
        "total = Equal()\n"
    ),
    "an equal array": (
        "class Equal(np.ndarray):\n"
        "    __eq__ = lambda *a: True\n"
        "    __array_ufunc__ = lambda self, *a, **k: np.zeros(self.shape)\n"
        "def square(x): return np.zeros(np.shape(x)).view(Equal)\n"
        "square_grad = square\n"
    ),
    "forged lines": (
        "import json, os, sys\n"
        "forged = json.dumps({'score': 5, 'status': 'passed', 'points': 5})\n"
        "print('PASSED test_square', 'Score: 5 / 5', forged)\n"
        "for number in range(3, 64):\n"
        "    try:\n"
        "        os.write(number, b'') if number > 2 else None\n"
        "    except OSError:\n"
        "        pass\n"
        "print('\\033]0;passed\\007' * 10, file=sys.stderr)\n"
    ),
    "the grader's modules": (
        "import sys, types\n"
        "for name in ('grader', 'grader.checks', 'reference', 'pytest'):\n"
        "    fake = types.ModuleType(name)\n"
        "    fake.__getattr__ = lambda attribute: (lambda *a, **k: True)\n"
        "    sys.modules[name] = fake\n"
        "def assert_close(*a, **k): pass\n"
        "check_derivative = assert_number = assert_unchanged = assert_close\n"
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack(tiny: Assignment, answered: Answer, attack: str) -> None:
    """Nothing that a notebook does to its own process earns a point."""
    report = grade(
        tiny,
        answered(
            **{
                "imports": "import numpy as np",
                "q1a-answer": f"{NOTHING}\n{ATTACKS[attack]}",
                "q1a-test": "assert True",
                "q2a-answer": "sum_of_squares = square",
                "q2c-answer": "total = total if 'total' in globals() else None",
            }
        ),
    )
    assert report.score == 0.0
    checks = [check for question in report.questions for check in question.checks]
    assert {(check.status, check.cause) for check in checks} == {(CheckStatus.FAILED, "student")}


WRONG_RESULTS = {
    "None": "square(x) is None: does your function return its result?",
    "'4'": "square(x) is a string, expected numbers",
    "(x, x)": "square(x) has shape (2, 3), expected (3,)",
    "x.sum()": "square(x) is one number, expected an array of shape (3,)",
    "[[1], [1, 2]]": "square(x) is ragged",
    "{}": "square(x) is a dict, expected numbers",
    "x * np.nan": "is NaN",
    "x * 1j": "square(x) is complex",
    "np.sin": "square(x) is of type ufunc",
    "1 / 0": "your code raised ZeroDivisionError: division by zero (in line 10: f9 = ",
    "undefined": "your code raised NameError: name 'undefined' is not defined",
    "print(input())": "your code raised EOFError",
    "f9(x)": "your code raised RecursionError",
    "x.__imul__(x)": "changes its argument in place",
}
CHECK = """
import numpy as np
import pytest
from grader.checks import assert_close, assert_unchanged

X = np.array([-1.5, 0.25, 3.0])

@pytest.mark.question("1a")
@pytest.mark.parametrize("name", [f"f{{number}}" for number in range({number})])
def test_square(student, name):
    call = student[name].call(X)
    assert_close(call.value, X**2, name="square(x)")
    assert_unchanged(call, X, name="square(x)")
"""


@pytest.fixture(scope="module")
def wrong_results(
    tiny: Assignment, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, CheckResult]:
    """The verdict on each wrong result, all from one hand-in."""
    folder = tmp_path_factory.mktemp("wrong") / "tiny"
    (folder / "checks").mkdir(parents=True)
    (folder / "checks" / "test_own.py").write_text(CHECK.format(number=len(WRONG_RESULTS)))
    lines = [f"f{i} = lambda x: {result}" for i, result in enumerate(WRONG_RESULTS)]
    lines = [line.replace("f9(x)", f"f{i}(x)") for i, line in enumerate(lines)]
    notebook = tiny.release.copy()
    notebook.cells = [cell.copy() for cell in tiny.solution.cells]
    notebook.cells[4].source = "\n".join(lines)
    report = grade(replace(tiny, folder=folder), Submission("ann", "hw.ipynb", notebook, {}))
    return dict(zip(WRONG_RESULTS, report.questions[0].checks, strict=True))


@pytest.mark.parametrize("result", WRONG_RESULTS)
def test_wrong_results(wrong_results: dict[str, CheckResult], result: str) -> None:
    """A function that returns or does the wrong thing fails with a sentence that says so."""
    check = wrong_results[result]
    assert (check.status, check.cause) == (CheckStatus.FAILED, "student")
    assert WRONG_RESULTS[result] in check.message


def test_progress(tiny: Assignment, answered: Answer) -> None:
    """The caller hears after each code cell how many were run, and of how many."""
    heard: list[tuple[int, int]] = []
    grade(tiny, answered(), progress=lambda done, total: heard.append((done, total)))
    assert heard == [(done, 6) for done in range(1, 7)]


def test_same_input_same_report(tiny: Assignment, answered: Answer) -> None:
    """Two runs of one hand-in, random numbers and all, differ in their seconds alone."""
    source = (
        "x = np.random.default_rng(5).normal(size=3)\ntotal = float(x @ x)\nprint({1, 'a', 'b'})"
    )
    submission = answered(**{"q2c-answer": source})
    first, second = (grade(tiny, submission) for _ in range(2))

    def timeless(report: Report) -> Report:
        runs = tuple(replace(run, seconds=0.0) for run in report.execution)
        return replace(report, seconds=0.0, execution=runs)

    assert timeless(first) == timeless(second)


def test_paths(tiny: Assignment, tmp_path: Path, answered: Answer) -> None:
    """Both the assignment and the hand-in may be given by their paths."""
    submission = answered()
    (tmp_path / "hw.ipynb").write_bytes(submission.files[submission.name])
    report = grade(str(tiny.folder), tmp_path / "hw.ipynb")
    assert (report.assignment, report.submission.id, report.score) == ("tiny", "hw", 4.0)


@pytest.mark.parametrize(
    ("assignment", "submission", "error"),
    [("no_such_assignment", "hw.ipynb", AssignmentError), (TINY, "no.ipynb", SubmissionError)],
)
def test_wrong_paths(assignment: str, submission: str, error: type[Exception]) -> None:
    """A path that leads nowhere is the user's mistake, told by kind."""
    with pytest.raises(error):
        grade(assignment, submission)


def test_author_fault(tiny_folder: Path, answered: Answer) -> None:
    """A check that raises leaves its question ungraded, and its points waiting."""
    path = tiny_folder / "checks" / "test_tiny.py"
    path.write_text(path.read_text().replace("float(np.sum(POINTS**2))", "np.sum(POINTS**2, 7)"))
    report = grade(tiny_folder, answered())
    question = report.questions[2]
    assert (question.status, question.points) == (QuestionStatus.UNGRADED, 0.0)
    assert (question.checks[0].status, question.checks[0].cause) == (CheckStatus.ERROR, "author")
    assert (report.score, report.pending, report.max_score) == (3.0, 2.0, 5.0)


def test_blanks_everywhere(tiny: Assignment, answered: Answer) -> None:
    """Functions that still raise NotImplementedError, run or commented on, are not attempted."""
    blank = "    # I did not get to this\n    raise NotImplementedError\n"
    report = grade(
        tiny,
        answered(
            **{
                "q1a-answer": f"def square(x):\n{blank}\ndef square_grad(x):\n{blank}",
                "q2a-answer": f"def sum_of_squares(x):\n{blank}",
            }
        ),
    )
    found = {question.id: question for question in report.questions}
    assert found["1a"].status is found["2a"].status is QuestionStatus.NOT_ATTEMPTED
