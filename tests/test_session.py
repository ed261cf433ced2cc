"""One submission, aligned and run: what it keeps for the checks, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from grader.assignment import Assignment
from grader.errors import AssignmentError
from grader.execution.student import Student
from grader.session import Session, open_session
from grader.submission import Submission

WRONG = "print('hello')\ndef square(x):\n    return 3 * x"


@pytest.fixture(scope="module")
def session(tiny: Assignment) -> Iterator[Session]:
    """A hand-in with a wrong square that prints, run."""
    notebook = tiny.release.copy()
    notebook.cells = [cell.copy() for cell in tiny.solution.cells]
    notebook.cells[4].source = WRONG
    with open_session(tiny, Submission("ann", "hw.ipynb", notebook, {})) as opened:
        yield opened


def test_answered(session: Session) -> None:
    """A question's namespace is the one at its last cell, with its own code and output."""
    student = Student(session.answered("1a"))
    assert student.square(2) == 6
    assert "sum_of_squares" not in student
    assert (student.source.splitlines()[0], student.output) == ("print('hello')", "hello\n")
    student.close()


def test_before(session: Session) -> None:
    """Before a question's first cell, its names are not there yet."""
    student = Student(session.answered("2c"))
    assert "total" in student
    assert "total" not in student.before()
    student.close()


def test_repaired(session: Session) -> None:
    """In a repaired copy the named questions' work is the solution's, the rest the student's."""
    student = Student(session.repaired("2c", ["1a"], rerun=False))
    assert (student.square(2), student.total) == (4, 18.0)
    student.close()


def test_repaired_and_run_again(session: Session) -> None:
    """Run again, the question's own cells compute with what was replaced."""
    student = Student(session.repaired("2c", ["1a"], rerun=True))
    assert student.total == 14.0
    student.close()


def test_nothing_is_left(tiny: Assignment, answered: Callable[..., Submission]) -> None:
    """Closing ends the processes and removes the folder."""
    session = open_session(tiny, answered())
    room = session.room.path
    processes = [kernel._client.km.provisioner.process for kernel in session.execution.kernels]
    assert room.is_dir()
    session.close()
    assert not room.exists()
    assert all(process.poll() is not None for process in processes)


def test_missing_package(tiny: Assignment, answered: Callable[..., Submission]) -> None:
    """Without a package that the assignment needs, nothing is run and the cure is told."""
    needy = replace(tiny, requires=("no_such_package",))
    with pytest.raises(AssignmentError, match="python -m pip install"):
        open_session(needy, answered())
