"""Which definition of a name counts, where none stands at its question or several are there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hand_ins import SQUARES, strip_both
from nbformat import NotebookNode, v4

from grader.alignment import AlignedAnswer, align
from grader.assignment import Assignment

SUM = "def sum_of_squares(x):\n    return sum(square(v) for v in x)"
BROKEN = "def sum_of_squares(x):\n    return 0 * len(x) + 1"
STUB = "def sum_of_squares(x):\n    # YOUR CODE HERE\n    raise NotImplementedError"


@pytest.fixture
def left(tiny: Assignment, notebook: NotebookNode) -> NotebookNode:
    """A hand-in without ids, with the stub of 2a as it was handed out."""
    notebook.cells[10].source = tiny.release.cells[10].source
    strip_both(notebook)
    return notebook


def sum_answer(tiny: Assignment, notebook: NotebookNode, *sources: str) -> AlignedAnswer:
    """The answer to 2a where these cells stand at the notebook's end, from number 16 on."""
    notebook.cells += [v4.new_code_cell(source) for source in sources]
    return align(tiny, notebook)["2a"]


def test_a_stub_below_the_prompt(tiny: Assignment, left: NotebookNode) -> None:
    """Where a stub is left below the prompt and the answer stands elsewhere, that is the answer."""
    found = sum_answer(tiny, left, SUM)
    assert (found.cells, found.attempted, found.is_sure) == ((16,), True, True)
    assert found.notes == ("found by the name it defines, in cell 16",)
    assert found.evidence[0].text == "the only cell that defines sum_of_squares: cell 16"


def test_several_definitions(tiny: Assignment, left: NotebookNode) -> None:
    """Of several definitions each is there to be tried, in the notebook's order."""
    found = sum_answer(tiny, left, BROKEN, SUM, BROKEN.replace("1", "2"))
    assert sorted({found.cells, *found.alternatives}) == [(16,), (17,), (18,)]
    assert list(found.alternatives) == sorted(found.alternatives)


def test_a_definition_that_is_wrapped(tiny: Assignment, left: NotebookNode) -> None:
    """What wraps a function is no other definition of it, but belongs to the answer."""
    wrap = "sum_of_squares = np.vectorize(sum_of_squares)"
    found = sum_answer(tiny, left, SUM, wrap)
    assert (found.cells, found.alternatives, found.is_sure) == ((16, 17), (), True)


def test_wrapped_later(tiny: Assignment, notebook: NotebookNode) -> None:
    """An answer in its place that a later cell wraps is tried wrapped where it fails as it is."""
    found = sum_answer(tiny, notebook, "sum_of_squares = np.vectorize(sum_of_squares)")
    assert (found.cells, found.alternatives) == ((10,), ((10, 16),))
    assert found.is_sure


def test_an_answer_in_place(tiny: Assignment, notebook: NotebookNode) -> None:
    """What stands below its own prompt is the answer, whatever is defined later."""
    found = sum_answer(tiny, notebook, BROKEN, SUM)
    assert (found.cells, found.alternatives, found.is_sure) == ((10,), (), True)


def test_names_in_several_cells(tiny: Assignment, notebook: NotebookNode) -> None:
    """Where two functions are asked for, the answer is both, wherever the second one stands."""
    strip_both(notebook)
    first, second = SQUARES.split("\n\n\n")
    notebook.cells[4].source = first
    notebook.cells.append(v4.new_code_cell(second))
    found = align(tiny, notebook)["1a"]
    assert found.cells == (4, 5, 16)
    assert found.is_sure


def test_another_function_below_the_prompt(tiny: Assignment, left: NotebookNode) -> None:
    """A function of another name below the prompt may be the answer: the other is not certain."""
    left.cells[10].source = "def add_squares(x):\n    return sum(v * v for v in x)"
    found = sum_answer(tiny, left, SUM)
    assert not found.is_sure
    assert {10, 16} <= set(found.candidates) | set(found.cells)


def test_a_variable_of_another_question(tiny: Assignment, notebook: NotebookNode) -> None:
    """A variable that another question's cell sets by the way is no answer."""
    strip_both(notebook)
    del notebook.cells[13:15]
    notebook.cells[12].source += "\ntotal = 3"
    found = align(tiny, notebook)["2c"]
    assert (found.cells, found.attempted) == ((), False)


def test_the_answer_to_another_question(tiny: Assignment, notebook: NotebookNode) -> None:
    """A deleted answer whose function another answer brings along is found, but not certain."""
    strip_both(notebook)
    square = notebook.cells[4].source
    notebook.cells[10].source = f"{square}\n\n\n{notebook.cells[10].source}"
    del notebook.cells[3:6]
    found = align(tiny, notebook)["1a"]
    assert found.cells == (7,)


def test_a_stub_is_no_definition(tiny: Assignment, left: NotebookNode) -> None:
    """Another copy of the stub, formatted otherwise, defines nothing."""
    found = sum_answer(
        tiny, left, "def sum_of_squares(x: list) -> float:\n    '''Sum.'''\n    pass"
    )
    assert (found.attempted, found.defines, found.alternatives) == (False, False, ())
    assert tiny.release.cells[10].source == STUB


@pytest.mark.parametrize(
    ("source", "is_found"), [("total = 14.0\nmean = 14.0 / 3", True), ("mean = 14.0 / 3", False)]
)
def test_all_variables_elsewhere(
    tiny: Assignment, notebook: NotebookNode, source: str, is_found: bool
) -> None:
    """A cell elsewhere with all of several variables is the answer, whatever was tried below."""
    named = [replace(q, names=("total", "mean")) if q.id == "2c" else q for q in tiny.questions]
    strip_both(notebook)
    notebook.cells[14].source = "print(sum_of_squares([7, 8, 9]))"
    notebook.cells.insert(5, v4.new_code_cell(source))
    found = align(replace(tiny, questions=tuple(named)), notebook)["2c"]
    assert (5 in found.cells, found.defines) == (is_found, is_found)


def test_names_that_are_nowhere(tiny: Assignment, notebook: NotebookNode) -> None:
    """Where a prompt and some of the names are gone with it, what is left is not charged."""
    strip_both(notebook)
    notebook.cells[4].source = SQUARES.split("\n\n\n")[0]
    assert align(tiny, notebook)["1a"].is_sure
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    found = align(tiny, notebook)["1a"]
    assert found.attempted
    assert found.doubts == (
        "neither its prompt nor any cell that defines square_grad is in the notebook",
    )
