"""Import of otter's notebooks: the author's and the students'."""

from __future__ import annotations

import pytest

from grader.audit.promises import hand_ins, judge
from grader.audit.trial import grade_whole
from grader.authoring.otter_code import split_test, with_own_markers
from grader.errors import AssignmentError
from grader.records import QuestionKind

from .conftest import Import, code, raw, text

CONFIG = '""" # BEGIN TEST CONFIG\npoints: 2\nhidden: true\nname: big\n""" # END TEST CONFIG\n'
SOURCE = [
    raw("# ASSIGNMENT CONFIG\nname: hw01\ngenerate: true\nfiles:\n    - data.csv"),
    code("import numpy as np"),
    raw("# BEGIN QUESTION\nname: q1\nall_or_nothing: true"),
    text("**Question 1.** Define `double`."),
    raw("# BEGIN SOLUTION"),
    code("def double(n):\n    y = 2 * n # SOLUTION\n    return y # SOLUTION\n\nten = double(5)"),
    raw("# END SOLUTION"),
    raw("# BEGIN TESTS"),
    code("double(3) == 6", shown="True"),
    code(CONFIG + "double(100)", shown="200"),
    code("# HIDDEN\ndef test_ten(ten, double):\n    assert ten == double(5)"),
    raw("# END TESTS"),
    raw("# END QUESTION"),
    raw("# BEGIN QUESTION\nname: q2\nmanual: true\npoints: 1.5"),
    text("**Question 2.** Why?"),
    raw("# BEGIN SOLUTION"),
    text("Because."),
    raw("# END SOLUTION"),
    raw("# END QUESTION"),
    text("The end."),
]


def test_source(imported: Import) -> None:
    """Questions, points and kinds come from the raw cells, which do not stay."""
    assignment, draft = imported(*SOURCE)
    found = [(q.id, q.kind, q.points) for q in assignment.questions]
    assert found == [("q1", QuestionKind.CODE, 2.0), ("q2", QuestionKind.WRITTEN, 1.5)]
    assert assignment.title == "hw01"
    assert all(cell.cell_type != "raw" for cell in assignment.solution.cells)
    notes = "\n".join(draft.left_out)
    for words in ("data.csv into files/", "settings generate", "q1: all_or_nothing"):
        assert words in notes


def test_source_checks(imported: Import) -> None:
    """Tests become checks: shown values, configs, hidden ones, and test functions."""
    _, draft = imported(*SOURCE)
    checks = {check.name: check for check in draft.questions[0].checks}
    assert [c.hidden for c in checks.values()] == [False, True, True]
    assert checks["q1_1"].body.endswith("assert double(3) == 6")
    assert checks["big"].points == 2.0
    assert checks["big"].body.endswith("assert repr(double(100)) == '200'")
    assert checks["q1_3"].body.endswith("test_ten(ten, double)")


def test_source_keeps_its_promises(imported: Import) -> None:
    """The imported solution gets full marks for its code, and the release nothing."""
    assignment, _ = imported(*SOURCE)
    for hand_in in hand_ins(assignment):
        assert judge(hand_in, grade_whole(assignment, hand_in.submission)).kept
    released = "\n".join(cell.source for cell in assignment.release.cells)
    assert "ten = double(5)" in released
    for secret in ("2 * n", "200", "Because"):
        assert secret not in released


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([raw("# END QUESTION"), raw("# BEGIN QUESTION\nname: q")], "without its BEGIN"),
        ([raw("# BEGIN QUESTION\nname: q")], "ends before"),
        ([raw("# BEGIN QUESTION\nname: [q")], "broken YAML"),
        ([raw(f"# {word} QUESTION\nname: q") for word in 2 * ("BEGIN", "END")], "two questions"),
    ],
)
def test_broken_source(imported: Import, cells: list[object], message: str) -> None:
    """A block that is not closed, broken YAML and doubled names are errors."""
    with pytest.raises(AssignmentError, match=message):
        imported(*cells)


def test_markers() -> None:
    """Lines that are marked together share a region; what is ignored goes."""
    source = (
        "a = 1 # SOLUTION\nb = 2 # SOLUTION NO PROMPT\n# BEGIN IGNORE\nz = 1\n# END IGNORE\n"
        "c = 3\nif c:\n    # BEGIN SOLUTION\n    d = 4\n    # END SOLUTION\n"
        'w = 0 # IGNORE\n""" # BEGIN PROMPT\nx = ...\n""" # END PROMPT'
    )
    code_, notes = with_own_markers(source)
    assert code_.split("\n") == [
        *("### BEGIN SOLUTION", "a = 1", "b = 2", "### END SOLUTION", "c = 3", "if c:"),
        *("    ### BEGIN SOLUTION", "    d = 4", "    ### END SOLUTION"),
    ]
    assert len(notes) == 1
    assert "PROMPT" in notes[0]


def test_test_settings() -> None:
    """A test cell's settings come from its config, or from its first comment."""
    assert split_test(CONFIG + "f(1)") == ({"points": 2, "hidden": True, "name": "big"}, "f(1)")
    assert split_test("# HIDDEN\nf(1)") == ({"hidden": True}, "f(1)")
    assert split_test("## TEST ##\nf(1)") == ({"hidden": False}, "f(1)")
    assert split_test("f(1)") == ({}, "f(1)")
    with pytest.raises(AssignmentError, match="YAML"):
        split_test('""" # BEGIN TEST CONFIG\na: [\n""" # END TEST CONFIG\n')


def test_students_notebook(imported: Import) -> None:
    """Visible tests come from the metadata; that the solutions are missing is said."""
    cases = [
        {"code": ">>> double(3) == 6\nTrue", "hidden": False, "locked": False},
        {"code": ">>> x = double(4)\n>>> x\n8", "hidden": False, "locked": False},
    ]
    tests = {"q1": {"name": "q1", "points": 3, "suites": [{"cases": cases, "type": "doctest"}]}}
    assignment, draft = imported(
        code('import otter\ngrader = otter.Notebook("hw.ipynb")'),
        text("# Homework"),
        text("<!-- BEGIN QUESTION -->\n\nDefine `double`."),
        code("def double(n):\n    ...", tags=["otter_answer_cell"]),
        code('grader.check("q1")'),
        code("grader.check_all()"),
        otter={"OK_FORMAT": True, "tests": tests},
    )
    assert [(q.id, q.points) for q in assignment.questions] == [("q1", 3.0)]
    bodies = [check.body.split("\n")[-1] for check in draft.questions[0].checks]
    assert bodies == ["assert double(3) == 6", "assert repr(x) == '8'"]
    assert "the solutions" in draft.left_out[0]
    sources = "\n".join(cell.source for cell in assignment.solution.cells)
    assert "grader" not in sources
    assert "BEGIN QUESTION" not in sources
