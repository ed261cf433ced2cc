"""One hand-in of an audit, graded in part or as a whole."""

from __future__ import annotations

from grader.assignment import Assignment
from grader.audit.trial import grade_question, grade_whole, lost_to, tightened, up_to, with_cell
from grader.execution.limits import COURSEWORK
from grader.release import cell_question

WRONG = "def square(x):\n    return x + x\n\n\ndef square_grad(x):\n    return 2 * x"


def test_part_and_whole_agree(tiny: Assignment) -> None:
    """A question's own checks say the same after a shortened run as in a whole grading."""
    wrong = with_cell(tiny, 4, WRONG, "wrong")
    part = grade_question(tiny, wrong, "1a")
    whole = grade_whole(tiny, wrong)
    assert part == tuple(check for check in whole.checks if check.question == "1a")
    assert lost_to(part) == ("test_square", "test_square_grad", "test_square_of_many")
    assert whole.losses == {"1a"}
    assert whole.ungraded == set()


def test_shortened_notebook(tiny: Assignment) -> None:
    """The notebook ends with the question's last cell, and the submission stays as it was."""
    submission = with_cell(tiny, 4, WRONG, "wrong")
    count = len(submission.notebook.cells)
    shortened = up_to(submission, "2a")
    assert cell_question(shortened.notebook.cells[-1]) == "2a"
    assert "2b" not in {cell_question(cell) for cell in shortened.notebook.cells}
    assert len(submission.notebook.cells) == count


def test_tightened_limits() -> None:
    """Mutants get ten times the solution's time, and never more than the assignment allows."""
    quick = tightened(COURSEWORK, cell=0.1, whole=1.0)
    assert quick.cell == 6.0
    assert quick.check == 15.0
    assert quick.notebook == 40.0
    assert tightened(COURSEWORK, cell=1000.0, whole=1000.0) == COURSEWORK
