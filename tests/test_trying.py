"""Whole verdicts on answers that stand elsewhere, in parts, in Markdown or several times."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from hand_ins import SQUARES, strip_both, submit
from nbformat import NotebookNode, v4

from grader import grade
from grader.assignment import Assignment
from grader.checks.running import run_checks
from grader.records import QuestionReport, QuestionStatus, Report
from grader.reports.html_report import render_instructor, render_student
from grader.selfcheck.checking import check_at_home
from grader.session import open_session
from grader.trying import check_all

WRONG = SQUARES.replace("x * x", "x * x * x").replace("2 * x", "0 * x + 7")
SUM = "def sum_of_squares(x):\n    return np.sum(square(x))"


def by_id(report: Report) -> dict[str, QuestionReport]:
    """The questions by their ids."""
    return {question.id: question for question in report.questions}


@pytest.fixture(scope="module")
def scattered(tiny: Assignment) -> NotebookNode:
    """Stubs below the prompts; at the end three squares, the second right, and a sum as text."""
    notebook = copy.deepcopy(tiny.release)
    strip_both(notebook)
    notebook.cells[14].source = "total = 14.0\nraise ValueError('not yet')"
    notebook.cells += [v4.new_code_cell(source) for source in (WRONG, SQUARES)]
    notebook.cells.append(v4.new_markdown_cell(f"Then:\n\n```python\n{SUM}\n```"))
    notebook.cells.append(v4.new_code_cell(f"# once more\n{WRONG}"))
    return notebook


@pytest.fixture(scope="module")
def report(tiny: Assignment, scattered: NotebookNode) -> Report:
    """The verdict on it."""
    return grade(tiny, submit(scattered))


def test_every_definition_is_tried(report: Report) -> None:
    """Of several definitions that no place tells apart, the one that fits counts."""
    square = by_id(report)["1a"]
    assert (square.points, square.status) == (2.0, QuestionStatus.PASSED)
    assert square.cells == (17,)
    assert [cell.source for cell in square.answer] == [SQUARES]
    assert square.notes[:2] == (
        "square and square_grad are defined in cells 16, 17, 19",
        "several definitions were tried (cell 16; cell 17; cell 19): what cell 17 defines counts",
    )


def test_an_answer_in_markdown(report: Report) -> None:
    """Code in Markdown behind the end gets its points, and that it was run is said."""
    answer = by_id(report)["2a"]
    assert (answer.points, answer.cells) == (1.0, (18,))
    assert answer.answer[0].cell_type == "markdown"
    note = "cell 18 is Markdown that holds code, and was run as code"
    assert note in answer.notes
    assert note in report.notes


def test_an_answer_that_raises(report: Report) -> None:
    """What a cell defined before it raised counts."""
    total = by_id(report)["2c"]
    assert (total.points, total.cells) == (1.0, (14,))
    assert "cell 14 raised ValueError: not yet" in total.notes


def test_every_definition_is_tried_at_home(tiny: Assignment, scattered: NotebookNode) -> None:
    """The self-check counts the same definition, and says so."""
    square = by_id(check_at_home(tiny, submit(scattered), {"1a"}))["1a"]
    assert (square.status, square.cells) == (QuestionStatus.PASSED, (17,))
    assert any("what cell 17 defines counts" in note for note in square.notes)


def test_every_definition_is_tried_by_pytest(
    tiny: Assignment, scattered: NotebookNode, tmp_path: Path
) -> None:
    """A run of pytest alone comes to the same points."""
    nbformat.write(scattered, tmp_path / "ann.ipynb")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", str(tiny.folder)]
    command += ["--submission", str(tmp_path / "ann.ipynb"), "-k", "square and not sum"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == pytest.ExitCode.OK, ran.stdout + ran.stderr


def test_what_pages_show(report: Report) -> None:
    """The teacher's page says how sure the cells are and why; the student's does not."""
    words = "the only cell that defines sum_of_squares: cell 18"
    assert words in render_instructor(report)
    assert "Cells found with a confidence of 90" in render_instructor(report)
    assert words not in render_student(report)


def test_nothing_is_tried_where_places_are_sure(
    tiny: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ordinary hand-in has no alternatives, and its checks run once, wrong as it may be."""
    notebook = copy.deepcopy(tiny.solution)
    notebook.cells[4].source = WRONG
    calls: list[object] = []

    def counted(*arguments: object, **options: object) -> list[object]:
        calls.append(arguments)
        return list(run_checks(*arguments, **options))  # type: ignore[arg-type]

    monkeypatch.setattr("grader.trying.run_checks", counted)
    with open_session(tiny, submit(notebook)) as session:
        checked = check_all(session)
    assert len(calls) == 1
    assert checked.session is session
    assert checked.notes == {}


FORMATTED = "def square(\n    x,\n):\n    # YOUR CODE HERE\n    raise NotImplementedError()\n"
ZEROS = "def square(x):\n    return np.zeros_like(x)\n\ndef square_grad(x):\n    return 0 * x"


@pytest.fixture(scope="module")
def statuses(tiny: Assignment) -> Callable[[str], QuestionReport]:
    """The verdict on 1a with this code in its cell."""

    def judge(source: str) -> QuestionReport:
        notebook = copy.deepcopy(tiny.release)
        notebook.cells[4].source = source
        return by_id(grade(tiny, submit(notebook)))["1a"]

    return judge


@pytest.mark.parametrize("source", [FORMATTED, ZEROS])
def test_blanks(statuses: Callable[[str], QuestionReport], source: str) -> None:
    """What only keeps a place is not attempted, whatever it raises or returns."""
    assert statuses(source).status is QuestionStatus.NOT_ATTEMPTED


def test_half_done(statuses: Callable[[str], QuestionReport]) -> None:
    """Work that was begun is graded, also where what is left of the stub still raises."""
    begun = "def square(x):\n    y = x * x\n    raise NotImplementedError"
    assert statuses(begun).status is QuestionStatus.FAILED
    done = "def square(x):\n    return x * x\n    raise NotImplementedError"
    half = statuses(done)
    assert (half.status, half.points) == (QuestionStatus.PARTIAL, 1.5)
