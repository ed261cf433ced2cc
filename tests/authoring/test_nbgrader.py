"""Import of nbgrader's source notebooks."""

from __future__ import annotations

from typing import Any

from grader.audit.promises import hand_ins, judge
from grader.audit.trial import grade_whole
from grader.records import QuestionKind
from grader.release import cell_question, cell_role

from .conftest import Import, code, text

ANSWER = "def double(n):\n    ### BEGIN SOLUTION\n    return 2 * n\n    ### END SOLUTION"
TESTS = (
    '"""double(n) is right."""\nstart = 3\nassert double(start) == 6\n'
    "### BEGIN HIDDEN TESTS\nassert double(start + 100) == 206\n### END HIDDEN TESTS"
)


def settings(grade_id: str, **more: Any) -> dict[str, Any]:
    """A cell's metadata as nbgrader writes it."""
    common = {"grade": False, "solution": False, "locked": False, "schema_version": 3}
    return {"nbgrader": {**common, "grade_id": grade_id, **more}}


CELLS = [
    text("# Week 1"),
    code("import numpy as np"),
    text("## Part A (3 points)\n\nDouble a number.", **settings("intro", locked=True)),
    code(ANSWER, **settings("double", solution=True)),
    text("Try it:"),
    code("double(10)"),
    code(TESTS, **settings("test_double", grade=True, points=2)),
    code(
        "try:\n    double(None)\nexcept TypeError:\n    pass",
        **settings("double_none", grade=True, points=1),
    ),
    text("## Part B\n\nWhy?"),
    text("Because.", **settings("why", grade=True, solution=True, points=1)),
    text(
        "State a law.\n\n=== BEGIN MARK SCHEME ===\nany law\n=== END MARK SCHEME ===",
        **settings("law", task=True, points=4),
    ),
]


def test_questions(imported: Import) -> None:
    """Answers, tests that follow them, hand-graded cells and tasks become questions."""
    assignment, _ = imported(*CELLS)
    found = [(q.id, q.kind, q.points) for q in assignment.questions]
    assert found == [
        ("double", QuestionKind.CODE, 3.0),
        ("why", QuestionKind.WRITTEN, 1.0),
        ("law", QuestionKind.WRITTEN, 4.0),
    ]
    assert assignment.title == "Week 1"
    assert assignment.question("double").title == "Part A (3 points)"
    assert assignment.question("double").names == ("double",)


def test_cells(imported: Import) -> None:
    """Cells keep their order; hidden tests and mark schemes leave the notebook."""
    assignment, _ = imported(*CELLS)
    roles = [(cell_question(c), cell_role(c)) for c in assignment.solution.cells]
    assert roles[2:7] == [
        *(("double", "prompt"), ("double", "answer"), ("", ""), ("", "")),
        ("double", "test"),
    ]
    released = "\n".join(cell.source for cell in assignment.release.cells)
    for secret in ("206", "HIDDEN", "return 2 * n", "any law", "Because"):
        assert secret not in released
    assert "assert double(start) == 6" in released


def test_checks_and_what_is_left_out(imported: Import) -> None:
    """Visible and hidden tests become checks; what expects an exception is named."""
    _, draft = imported(*CELLS)
    checks = {check.name: check for check in draft.questions[0].checks}
    assert checks.keys() == {"test_double", "test_double_hidden"}
    assert not checks["test_double"].hidden
    assert checks["test_double"].description == "double(n) is right."
    assert checks["test_double_hidden"].hidden
    assert checks["test_double_hidden"].points == 1.0
    assert "start = 3" in checks["test_double_hidden"].body
    text_of_notes = "\n".join(draft.left_out)
    assert "the test double_none (1 points): it expects an exception" in text_of_notes
    assert "halved" in text_of_notes
    assert "law: a task" in text_of_notes


def test_imported_assignment_keeps_its_promises(imported: Import) -> None:
    """The imported solution gets full marks for its code, and the release nothing."""
    assignment, _ = imported(*CELLS)
    for hand_in in hand_ins(assignment):
        assert judge(hand_in, grade_whole(assignment, hand_in.submission)).kept


def test_older_schema_and_other_markers(imported: Import) -> None:
    """Metadata of another schema is said, and ANSWER markers become SOLUTION markers."""
    answer = ANSWER.replace("SOLUTION", "ANSWER")
    assignment, draft = imported(
        code(answer, **settings("double", solution=True, schema_version=1)),
        code("assert double(1) == 2", **settings("t", grade=True, points=1)),
    )
    assert "return 2" not in "".join(cell.source for cell in assignment.release.cells)
    notes = "\n".join(draft.left_out)
    assert "schema 1, not 3" in notes
    assert "ANSWER markers" in notes
    assert "a prompt was made" in notes
