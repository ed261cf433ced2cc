"""Which cells or files of a submission answer which question of the assignment.

`cells` says what a cell shows of where it belongs, `code` what its code does.
`parts` takes cells apart that answer several questions; `matching` follows all
of them through the release; `reading` says by that where each stands and what
is new in it; `definitions` finds answers by the names that they define;
`answers` puts it together, with a confidence and the evidence for it; `lost`
looks for what stands elsewhere.
`arranging` makes of it the notebook that is run; `mapping` is a person's word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from nbformat import NotebookNode, v4

from grader.alignment.arranging import arrange, candidate_lines
from grader.alignment.files import PLACE_UNCLEAR, align_file
from grader.alignment.mapping import NO_MAP, CellMap, check_map, parse_maps, read_map
from grader.alignment.records import AlignedAnswer, Arrangement, Evidence
from grader.assignment import Assignment

NO_FILES: Mapping[str, bytes] = MappingProxyType({})
__all__ = [
    "NO_MAP",
    "PLACE_UNCLEAR",
    "AlignedAnswer",
    "Arrangement",
    "CellMap",
    "Evidence",
    "align",
    "arrange",
    "arrange_all",
    "candidate_lines",
    "check_map",
    "parse_maps",
    "read_map",
]


def arrange_all(
    assignment: Assignment,
    notebook: NotebookNode | None,
    files: Mapping[str, bytes] = NO_FILES,
    cell_map: CellMap = NO_MAP,
) -> Arrangement:
    """The notebook as it is run, and every question's answer, by question id.

    `files` are those beside the notebook, by the paths that the assignment gives them.

    Raises:
        UsageError: the map names a question or a cell that there is not.
    """
    arrangement = (
        _without_notebook(assignment, cell_map)
        if notebook is None
        else arrange(assignment, notebook, cell_map)
    )
    answers = {
        question.id: align_file(assignment, question, files)
        if question.file
        else arrangement.answers[question.id]
        for question in assignment.questions
    }
    return Arrangement(arrangement.notebook, arrangement.origins, answers, arrangement.notes)


def align(
    assignment: Assignment, notebook: NotebookNode | None, files: Mapping[str, bytes] = NO_FILES
) -> dict[str, AlignedAnswer]:
    """Every question's answer, by the numbers of the cells in the notebook as it was handed in."""
    arrangement = arrange_all(assignment, notebook, files)
    number = arrangement.handed_in
    return {
        identity: replace(
            answer,
            cells=number(answer.cells),
            experiments=number(answer.experiments),
            candidates=number(answer.candidates),
            alternatives=tuple(map(number, answer.alternatives)),
        )
        for identity, answer in arrangement.answers.items()
    }


def _without_notebook(assignment: Assignment, cell_map: CellMap) -> Arrangement:
    """What there is of answers in cells where no notebook was handed in."""
    check_map(cell_map, assignment, 0)
    note = "no notebook (.ipynb) is among the files"
    answers = {q.id: AlignedAnswer(q.id, (), True, False, (note,)) for q in assignment.questions}
    return Arrangement(v4.new_notebook(), (), answers)
