"""One submission, aligned and run: what it keeps for the checks, and what it leaves behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from grader import session as session_module
from grader.assignment import Assignment, load_assignment
from grader.errors import AssignmentError, UsageError
from grader.execution.isolation import Level
from grader.execution.probing import reached_level
from grader.execution.student import Student
from grader.session import Session, beside, open_session
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
    others = set(psutil.Process().children(recursive=True))
    session = open_session(tiny, answered())
    room = session.runs[0].room.path
    zygotes = {p for p in psutil.Process().children() if "zygote.py" in str(p.cmdline())}
    processes = set(psutil.Process().children(recursive=True)) - others - zygotes
    assert len(processes) >= len(session.execution.snapshots)
    assert room.is_dir()
    session.close()
    assert not room.exists()
    deadline = time.monotonic() + 3
    while any(is_alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [process for process in processes if is_alive(process)]


def test_too_weak_a_machine(
    tiny: Assignment, answered: Callable[..., Submission], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the assignment's level, or the one that is asked for, nothing is run."""
    monkeypatch.setattr(session_module, "reached_level", lambda: Level.NONE)
    monkeypatch.setattr(session_module, "run_notebook", None)
    with pytest.raises(UsageError, match="offers isolation 'none', and 'landlock' is the least"):
        open_session(tiny, answered())
    strict = replace(tiny, run=replace(tiny.run, isolation=Level.NAMESPACES))
    monkeypatch.setattr(session_module, "reached_level", lambda: Level.LANDLOCK)
    with pytest.raises(UsageError, match="'namespaces' is the least accepted"):
        open_session(strict, answered())
    with pytest.raises(UsageError, match="'root_namespaces' is the least accepted"):
        open_session(tiny, answered(), isolation=Level.ROOT_NAMESPACES)


def test_less_isolation_can_be_accepted(
    tiny: Assignment, answered: Callable[..., Submission], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who accepts none gets what the machine offers, none included."""
    with open_session(tiny, answered(), isolation=Level.NONE) as session:
        assert session.execution.level is reached_level()
    monkeypatch.setattr(session_module, "reached_level", lambda: Level.NONE)
    with open_session(tiny, answered(), isolation=Level.NONE) as session:
        assert session.execution.level is Level.NONE


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_missing_package(tiny: Assignment, answered: Callable[..., Submission]) -> None:
    """Without a package that the assignment needs, nothing is run and the cure is told."""
    needy = replace(tiny, requires=("no_such_package",))
    with pytest.raises(AssignmentError, match="python -m pip install"):
        open_session(needy, answered())


def test_the_releases_files_lie_beside_the_notebook(tiny_folder: Path) -> None:
    """What the release hands out is there, wherever in the hand-in the notebook stands."""
    (tiny_folder / "files" / "data").mkdir(parents=True)
    (tiny_folder / "files" / "data" / "points.csv").write_text("1,2")
    (tiny_folder / "files" / "helpers.py").write_text("course = 1")
    assignment = load_assignment(tiny_folder)
    notebook = assignment.solution
    submission = Submission("ann", "hw/a.ipynb", notebook, {"hw/helpers.py": b"own = 1"})
    assert beside(assignment, submission) == {
        "hw/data/points.csv": b"1,2",
        "hw/helpers.py": b"own = 1",
    }
