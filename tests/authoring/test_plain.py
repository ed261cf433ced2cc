"""Import of a notebook that belongs to no grading system."""

from __future__ import annotations

import pytest

from grader.errors import AssignmentError
from grader.records import QuestionKind

from .conftest import Import, code, text

ANSWER = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"


def test_marked_cells_become_questions(imported: Import) -> None:
    """Code with markers is a question with the text before it; text with markers is written."""
    assignment, draft = imported(
        text("# Week 1"),
        text("## Identity (2 points)\n\nReturn x."),
        code(ANSWER),
        code("f(1)"),
        text("Why?"),
        text("### BEGIN SOLUTION\nBecause.\n### END SOLUTION"),
    )
    found = [(q.id, q.title, q.kind, q.points, q.names) for q in assignment.questions]
    assert found == [
        ("q1", "Identity (2 points)", QuestionKind.CODE, 2.0, ("f",)),
        ("q2", "Why?", QuestionKind.WRITTEN, 1.0, ()),
    ]
    assert draft.left_out == [
        "q1: it has no check yet: write one in checks/",
        "q2: its points, which were taken to be 1",
    ]
    assert assignment.solution.cells[-1].source == "Because."


def test_unmarked_notebook(imported: Import) -> None:
    """Without any marks there is nothing to go by: the error says what to do."""
    with pytest.raises(AssignmentError, match="Put `### BEGIN SOLUTION`"):
        imported(text("# Week 1"), code("x = 1"))
