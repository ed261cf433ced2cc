"""The notebook that students get, made from the solution."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence

from nbformat import NotebookNode

from grader.errors import AssignmentError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
CODE_PLACEHOLDER = ("# YOUR CODE HERE", "raise NotImplementedError")
TEXT_PLACEHOLDER = "*Your answer here.*"
# A line of an expression may begin with the operator % or != .
_MAGIC = re.compile(r"^[ \t]*(?:%{1,2}[A-Za-z]|!(?!=)|\?).*$", re.MULTILINE)
_REGION = re.compile(
    rf"^(?P<indent>[ \t]*){BEGIN}[^\n]*\n.*?^[ \t]*{END}[^\n]*$", re.MULTILINE | re.DOTALL
)


def make_release(solution: NotebookNode) -> NotebookNode:
    """A copy of `solution` without its answers and outputs.

    Raises:
        AssignmentError: a solution region is not closed, or not opened.
    """
    release = copy.deepcopy(solution)
    for index, cell in enumerate(release.cells):
        if cell_role(cell) == "answer":
            is_code = cell.cell_type == "code"
            cell.source = _strip(cell.source, index) if is_code else TEXT_PLACEHOLDER
        elif BEGIN in cell.source or END in cell.source:
            raise AssignmentError(f"solution cell {index} has a solution region but no answer role")
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return release


def cell_role(cell: NotebookNode) -> str:
    """`prompt`, `answer`, `given`, `test`, or `""` for a cell of no question."""
    return str(cell.metadata.get("nn_grader", {}).get("role", ""))


def cell_question(cell: NotebookNode) -> str:
    """The id of the question that a cell belongs to, or `""`."""
    return str(cell.metadata.get("nn_grader", {}).get("question", ""))


def is_experiment(cell: NotebookNode) -> bool:
    """Whether a cell is a long experiment, whose recorded outputs a person judges."""
    return cell.metadata.get("nn_grader", {}).get("experiment") is True


def without_magics(source: str) -> str:
    """A cell's code without IPython's magics, so that Python can parse it."""
    return _MAGIC.sub("", source)


def is_solution(notebook: NotebookNode) -> bool:
    """Whether a notebook still carries the markers around a solution's answers."""
    return any(BEGIN in cell.source for cell in notebook.cells if cell.cell_type == "code")


def strip_regions(text: str, where: str, placeholder: Sequence[str] = CODE_PLACEHOLDER) -> str:
    """`text` with `placeholder`, indented as the region was, for each solution region.

    Raises:
        AssignmentError: a region is not closed, or not opened; `where` begins the sentence.
    """

    def blank(region: re.Match[str]) -> str:
        return "\n".join(region["indent"] + line for line in placeholder)

    stripped = _REGION.sub(blank, text)
    if BEGIN in stripped or END in stripped:
        raise AssignmentError(f"{where} has a solution region that is not closed")
    return stripped


def _strip(source: str, index: int) -> str:
    stripped = strip_regions(source, f"solution cell {index}")
    return stripped if stripped != source else "\n".join(CODE_PLACEHOLDER)
