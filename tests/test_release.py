"""The students' notebook: no answer left in it, everything else as it was."""

from __future__ import annotations

import copy

import pytest
from nbformat import NotebookNode, v4

from grader.assignment import Assignment
from grader.errors import AssignmentError
from grader.release import TEXT_PLACEHOLDER, is_solution, make_release, without_magics


def solution(cell: NotebookNode, role: str) -> NotebookNode:
    """A solution of this one cell."""
    cell.metadata = {"nn_grader": {"question": "1a", "role": role}}
    return v4.new_notebook(cells=[cell])


def test_answers_are_gone(tiny: Assignment) -> None:
    """Nothing between the markers, nor the markers, is in the release."""
    text = "\n".join(cell.source for cell in tiny.release.cells)
    for secret in ("x * x", "2 * x", "np.sum", "SOLUTION", "changes sign"):
        assert secret not in text
    assert not is_solution(tiny.release)
    assert is_solution(tiny.solution)


def test_the_rest_stays(tiny: Assignment) -> None:
    """Cells that are no answers are as in the solution, ids and metadata included."""
    kept = (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 13, 15)
    assert [tiny.release.cells[i] for i in kept] == [tiny.solution.cells[i] for i in kept]


def test_code_placeholder(tiny: Assignment) -> None:
    """Each region becomes a blank of its own indentation that raises until it is filled in."""
    assert tiny.release.cells[4].source == (
        "def square(x):\n    # YOUR CODE HERE\n    raise NotImplementedError\n\n\n"
        "def square_grad(x):\n    # YOUR CODE HERE\n    raise NotImplementedError"
    )
    assert tiny.release.cells[14].source.startswith("# YOUR CODE HERE\nraise NotImplementedError\n")


def test_answer_without_a_region() -> None:
    """An answer cell without markers is blanked as a whole."""
    release = make_release(solution(v4.new_code_cell("secret = 42"), "answer"))
    assert release.cells[0].source == "# YOUR CODE HERE\nraise NotImplementedError"


def test_written_answer() -> None:
    """A written answer becomes a placeholder."""
    release = make_release(solution(v4.new_markdown_cell("Because."), "answer"))
    assert release.cells[0].source == TEXT_PLACEHOLDER


def test_outputs_are_gone() -> None:
    """What the author's run printed, in whatever cell, is not handed out."""
    cell = v4.new_code_cell("f(3)", outputs=[v4.new_output("stream", text="9")], execution_count=2)
    released = make_release(solution(cell, "given")).cells[0]
    assert (released.outputs, released.execution_count) == ([], None)


def test_the_solution_is_not_touched(tiny: Assignment) -> None:
    """Making a release leaves the solution as it was."""
    before = copy.deepcopy(tiny.solution)
    make_release(tiny.solution)
    assert tiny.solution == before


@pytest.mark.parametrize(
    "source",
    [
        "### BEGIN SOLUTION\nx = 1",
        "x = 1\n### END SOLUTION",
        "### END SOLUTION\nx = 1\n### BEGIN SOLUTION",
    ],
)
def test_open_regions(source: str) -> None:
    """A region that is not closed, or not opened, would hand out the answer: it is refused."""
    with pytest.raises(AssignmentError, match="not closed"):
        make_release(solution(v4.new_code_cell(source), "answer"))


@pytest.mark.parametrize("role", ["given", "test", "prompt"])
def test_region_outside_an_answer(role: str) -> None:
    """A region in a cell that is not an answer is refused."""
    source = "### BEGIN SOLUTION\nx = 1\n### END SOLUTION"
    with pytest.raises(AssignmentError, match="no answer role"):
        make_release(solution(v4.new_code_cell(source), role))


def test_magics_and_operators() -> None:
    """Magics are taken out, and lines of an expression that begin with an operator are kept."""
    kept = "x = ('%d'\n     % 3)\ny = (x\n     != 3)"
    assert without_magics(f"%matplotlib inline\n{kept}\n!ls\n%%time").strip() == kept
