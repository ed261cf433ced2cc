"""The notebook as it is run: taken apart, with code out of Markdown, by a person's map."""

from __future__ import annotations

import pytest
from hand_ins import SQUARES, strip_both
from nbformat import NotebookNode, v4

from grader.alignment import arrange, candidate_lines
from grader.assignment import Assignment
from grader.errors import UsageError

SUM = "def sum_of_squares(x):\n    return sum(square(v) for v in x)"


def markdown(notebook: NotebookNode, index: int, source: str) -> None:
    """Turns a cell to Markdown."""
    notebook.cells[index] = v4.new_markdown_cell(source)


def test_as_it_is(tiny: Assignment, notebook: NotebookNode) -> None:
    """An ordinary hand-in is run as it is, and nothing is said of it."""
    arrangement = arrange(tiny, notebook)
    assert arrangement.notebook.cells == notebook.cells
    assert arrangement.origins == tuple(range(len(notebook.cells)))
    assert arrangement.notes == ()


@pytest.mark.parametrize("form", ["{}", "```python\n{}\n```", "My answer:\n\n```\n{}\n```"])
def test_code_in_markdown(tiny: Assignment, notebook: NotebookNode, form: str) -> None:
    """An answer's code in Markdown, fenced or plain, is run as code, and that is said."""
    strip_both(notebook)
    markdown(notebook, 10, form.format(SUM))
    arrangement = arrange(tiny, notebook)
    answer = arrangement.answers["2a"]
    assert (answer.cells, answer.attempted, answer.in_text) == ((10,), True, False)
    assert arrangement.notebook.cells[10].cell_type == "code"
    assert arrangement.notebook.cells[10].source == SUM
    note = "cell 10 is Markdown that holds code, and was run as code"
    assert note in answer.notes
    assert arrangement.notes == (note,)
    assert notebook.cells[10].cell_type == "markdown"


def test_the_releases_code_in_markdown(tiny: Assignment, notebook: NotebookNode) -> None:
    """Cells of the release's that were turned to Markdown are run as well."""
    strip_both(notebook)
    markdown(notebook, 1, notebook.cells[1].source)
    arrangement = arrange(tiny, notebook)
    assert arrangement.notebook.cells[1].cell_type == "code"
    assert arrangement.notes == ("cell 1 is Markdown that holds code, and was run as code",)


@pytest.mark.parametrize("index", [5, 8])
def test_an_illustration(tiny: Assignment, notebook: NotebookNode, index: int) -> None:
    """Code that is shown beside an answer of code, or in an answer of words, is not run."""
    notebook.cells.insert(index, v4.new_markdown_cell("```python\nsquare = None\n```"))
    arrangement = arrange(tiny, notebook)
    assert arrangement.notebook.cells[index].cell_type == "markdown"
    assert arrangement.answers["1a"].cells == ((4, 6) if index == 5 else (4, 5))
    assert arrangement.answers["1b"].cells == ((8,) if index == 5 else (7, 8))


def test_all_in_one_cell(tiny: Assignment, notebook: NotebookNode) -> None:
    """One cell with every answer is run in parts, each question with its own, counted as one."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    whole = v4.new_notebook(cells=[v4.new_code_cell("\n\n".join(code))])
    arrangement = arrange(tiny, whole)
    answers = arrangement.answers
    for identity, name in (("1a", "square"), ("2a", "sum_of_squares"), ("2c", "total")):
        answer = answers[identity]
        source = "\n".join(arrangement.notebook.cells[j].source for j in answer.cells)
        assert f"{name}(x)" in source or f"{name} =" in source
        assert arrangement.handed_in(answer.cells) == (0,)
        assert answer.is_sure
    assert answers["1a"].last(9) <= answers["2a"].first(9)
    assert answers["2a"].last(9) <= answers["2c"].first(9)
    count = len(arrangement.origins)
    assert arrangement.notes == (f"cell 0 answers several questions, and was run in {count} parts",)
    assert len({cell.id for cell in arrangement.notebook.cells}) == count
    joined = "\n".join(cell.source for cell in arrangement.notebook.cells)
    assert joined.split() == whole.cells[0].source.split()


def test_numbers_behind_a_cell_in_parts(tiny: Assignment, notebook: NotebookNode) -> None:
    """Notes, evidence and candidates count cells as in the notebook that was handed in."""
    strip_both(notebook)
    notebook.cells[4].source = f"{SQUARES}\n\n{SUM}"
    notebook.cells[10].source = tiny.release.cells[10].source
    notebook.cells[14].source = tiny.release.cells[14].source
    notebook.cells.append(v4.new_code_cell("total = 14"))
    arrangement = arrange(tiny, notebook)
    total = arrangement.answers["2c"]
    assert arrangement.origins[total.cells[0]] == 16
    assert total.notes == ("found by the name it defines, in cell 16",)
    assert candidate_lines(arrangement, total.cells) == [(16, "total = 14")]
    assert arrangement.handed_in(arrangement.answers["2a"].cells) == (4,)


def test_a_map(tiny: Assignment, notebook: NotebookNode) -> None:
    """What a person says counts: of cells in parts, what defines the question's names."""
    strip_both(notebook)
    notebook.cells.append(v4.new_code_cell(f"{SQUARES}\n\n{SUM}"))
    arrangement = arrange(tiny, notebook, {"1a": (16,), "1b": (0, 2)})
    answer = arrangement.answers["1a"]
    assert [arrangement.notebook.cells[j].source for j in answer.cells] == [SQUARES]
    assert (answer.confidence, answer.attempted, answer.defines) == (1.0, True, True)
    assert answer.notes == ("taken from cell 16, as the map says",)
    assert arrangement.answers["1b"].cells == (0, 2)
    assert arrangement.answers["1b"].notes == ("taken from cells 0, 2, as the map says",)


def test_a_map_to_text(tiny: Assignment, notebook: NotebookNode) -> None:
    """Text that a person names as an answer of code is left to a person to judge."""
    answer = arrange(tiny, notebook, {"2a": (7,)}).answers["2a"]
    assert answer.in_text


def test_a_map_to_nothing(tiny: Assignment, notebook: NotebookNode) -> None:
    """A cell that there is not is refused."""
    with pytest.raises(UsageError, match="has 16 cells"):
        arrange(tiny, notebook, {"2a": (99,)})
