"""What is run for cells that lack it."""

from __future__ import annotations

import copy

import pytest
from hand_ins import SQUARES
from nbformat import NotebookNode, v4

from grader.alignment import arrange
from grader.assignment import Assignment

SUM = "def sum_of_squares(x):\n    return np.sum(square(x))"


def notebook_of(*sources: str) -> NotebookNode:
    """A notebook of code cells alone."""
    return v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])


def run(tiny: Assignment, *sources: str) -> tuple[list[str], tuple[str, ...]]:
    """The code that is run, and what is said of it."""
    arrangement = arrange(tiny, notebook_of(*sources))
    return [cell.source for cell in arrangement.notebook.cells], arrangement.notes


def test_nothing_is_lacking(tiny: Assignment, notebook: NotebookNode) -> None:
    """A notebook that defines what it needs is left alone, builtins and own names included."""
    assert -1 not in arrange(tiny, notebook).origins
    own = "import numpy as np\n%matplotlib inline\nfor i in range(3):\n    print([k for k in _])"
    assert run(tiny, own, SQUARES) == ([own, SQUARES], ())


def test_the_releases_imports(tiny: Assignment) -> None:
    """Functions alone get the imports that the release hands out, once, before they are needed."""
    sources, notes = run(tiny, SQUARES, SUM, "total = np.sum([1, 4, 9])")
    assert sources == [SQUARES, "import numpy as np", SUM, "total = np.sum([1, 4, 9])"]
    words = "which the release's own code sets: that was run first"
    assert notes == (f"cell 1 needs np, {words}",)
    answers = arrange(tiny, notebook_of(SQUARES, SUM)).answers
    assert (answers["1a"].cells, answers["2a"].cells) == ((0,), (2,))


def test_a_function_that_stands_later(tiny: Assignment) -> None:
    """Answers in another order: a function is defined before the answer that calls it, too."""
    imports = "import numpy as np"
    sources, notes = run(tiny, imports, SUM, SQUARES)
    assert len(sources) == 4
    assert sources[1].startswith("def square(x)")
    assert (sources[2], sources[3]) == (SUM, SQUARES)
    assert notes == ("cell 1 needs square, which only cell 2 defines: that was run first",)


def test_functions_that_call_later_ones(tiny: Assignment) -> None:
    """A student's own function may call what stands below: nothing runs it before."""
    helper = "def report():\n    return other()"
    assert run(tiny, helper, "def other():\n    return 3", "report()")[1] == ()


def test_values_and_unknown_names(tiny: Assignment) -> None:
    """Values of later cells are not moved, and what nobody defines stays missing."""
    assert run(tiny, "print(unknown, later)", "later = 3")[1] == ()


def test_names_from_elsewhere(tiny: Assignment) -> None:
    """Behind an import of all names, or a script that is run, nobody knows what is lacking."""
    for opaque in ("from numpy import *", "%run setup.py"):
        assert run(tiny, opaque, SUM)[1] == ()


def test_answers_are_never_supplied(tiny: Assignment) -> None:
    """What a question asks for is not given by the grader."""
    sources, _ = run(tiny, "total = sum_of_squares([1, 2, 3])")
    assert sources == ["total = sum_of_squares([1, 2, 3])"]


def test_a_deleted_cell_that_set_a_name_anew(tiny: Assignment, notebook: NotebookNode) -> None:
    """A deleted cell is put back where it stood, if what it sets is read before it is set again."""
    release = copy.deepcopy(tiny)
    data = v4.new_code_cell("points = np.array([1.0, 2.0, 3.0])")
    for cells in (release.release.cells, release.solution.cells):
        cells.insert(13, copy.deepcopy(data))
    notebook.cells[4].source += "\npoints = 5"
    notebook.cells[14].source = "total = sum_of_squares(points)"
    arrangement = arrange(release, notebook)
    assert arrangement.notebook.cells[14].source == data.source
    assert arrangement.answers["2c"].cells == (15,)
    notebook.cells.insert(13, v4.new_code_cell("points = [3]"))
    assert -1 not in arrange(release, notebook).origins


@pytest.mark.parametrize(("place", "is_supplied"), [(3, True), (9, False)])
def test_a_helper_that_stands_below_the_answer(
    tiny: Assignment, notebook: NotebookNode, place: int, is_supplied: bool
) -> None:
    """What the release has above a question, its checks may use wherever the student has it."""
    release = copy.deepcopy(tiny)
    helper = v4.new_code_cell("class Unit:\n    size = 1.0")
    for cells in (release.release.cells, release.solution.cells):
        cells.insert(place, copy.deepcopy(helper))
    notebook.cells.insert(5, helper)
    notes = arrange(release, notebook).notes
    said = "cell 4 needs Unit, which only cell 5 defines: that was run first"
    assert (said in notes) == is_supplied
