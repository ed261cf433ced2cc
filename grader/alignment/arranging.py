"""A hand-in's notebook as it is run: cells taken apart, code in Markdown run, answers found."""

from __future__ import annotations

import copy
import functools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from nbformat import NotebookNode, v4

from grader.alignment.answers import answers, with_experiments
from grader.alignment.cells import Cell, released_cells, submitted_cells
from grader.alignment.mapping import NO_MAP, CellMap, check_map
from grader.alignment.parts import Home, homes_of, take_apart
from grader.alignment.reading import Reading
from grader.alignment.records import AlignedAnswer, Arrangement, Evidence, first_line
from grader.alignment.supplies import find_supplies, with_supplies
from grader.assignment import Assignment, Question
from grader.records import QuestionKind

RUN_AS_CODE = "cell {{{cell}}} is {kind} that holds code, and was run as code"
IN_PARTS = "cell {cell} answers several questions, and was run in {count} parts"
MAPPED = "taken from {cells}, as the map says"
_NUMBER = re.compile(r"\{(\d+)\}")


@dataclass(frozen=True)
class _Released:
    cells: Sequence[Cell]
    homes: Sequence[Home]


@functools.lru_cache(maxsize=4)
def _released(assignment: Assignment) -> _Released:
    """The release is read once, for however many hand-ins."""
    cells = released_cells(assignment)
    return _Released(cells, homes_of(cells, assignment))


def arrange(
    assignment: Assignment, notebook: NotebookNode, cell_map: CellMap = NO_MAP
) -> Arrangement:
    """The notebook as it is run, and the answers to the questions that cells answer.

    Raises:
        UsageError: the map names a question or a cell that there is not.
    """
    check_map(cell_map, assignment, len(notebook.cells))
    released = _released(assignment)
    origins, cells = _in_parts(notebook, released)
    split = _notebook(notebook, cells)
    counts = Counter(origins)
    parts = [j for j, origin in enumerate(origins) if counts[origin] > 1]
    reading = Reading.of(assignment, released.cells, submitted_cells(split), parts)
    found = answers(reading) | _mapped(reading, cell_map, origins)
    run, found, notes = _with_code_in_text(reading, split, found)
    arrangement = Arrangement(run, tuple(origins), found)
    told = {identity: _told(answer, arrangement) for identity, answer in found.items()}
    notes = [_numbered(note, origins) for note in notes] + [
        IN_PARTS.format(cell=cell, count=count) for cell, count in counts.items() if count > 1
    ]
    arrangement = replace(arrangement, answers=told, notes=tuple(notes))
    coded = [q for q in assignment.questions if q.kind is QuestionKind.CODE and not q.file]
    places = {q.id: min(reading.own_cells(q), default=0) for q in coded}
    answering = {j: places[q.id] for q in reversed(coded) for j in told[q.id].cells}
    supplies = find_supplies(run.cells, released.cells, reading.matched, answering)
    return with_supplies(arrangement, supplies)


def _notebook(notebook: NotebookNode, cells: list[NotebookNode]) -> NotebookNode:
    made = copy.copy(notebook)
    made.cells = cells
    return made


# --- cells in parts ---------------------------------------------------------------


def _in_parts(notebook: NotebookNode, released: _Released) -> tuple[list[int], list[NotebookNode]]:
    known = {cell.source for cell in released.cells}
    origins, cells = [], []
    for number, cell in enumerate(notebook.cells):
        is_code = cell.cell_type == "code" and str(cell.source) not in known
        parts = take_apart(str(cell.source), released.homes) if is_code else []
        for made in _parts(cell, parts) if len(parts) > 1 else [cell]:
            origins.append(number)
            cells.append(made)
    return origins, cells


def _parts(cell: NotebookNode, sources: Sequence[str]) -> Iterator[NotebookNode]:
    """A cell for each part; what was recorded cannot be told apart, and stays with the first."""
    for k, source in enumerate(sources):
        part = copy.copy(cell)
        part.source = source
        if k:
            part.update(id=f"{str(cell.get('id', 'cell'))[:50]}-part-{k}", metadata={}, outputs=[])
            part.metadata = NotebookNode()
        yield part


# --- code in Markdown --------------------------------------------------------------


def _with_code_in_text(
    reading: Reading, notebook: NotebookNode, found: Mapping[str, AlignedAnswer]
) -> tuple[NotebookNode, dict[str, AlignedAnswer], list[str]]:
    """The notebook with Markdown made code where an answer or the release's own code is in it."""
    made = {j for j in range(len(reading.cells)) if _is_released_code(reading, j)}
    settled = {}
    for identity, answer in found.items():
        question = reading.assignment.question(identity)
        settled[identity], run = _settle_text(reading, notebook, question, answer)
        made |= run
    cells = [
        _as_code(cell, reading.cells[j]) if j in made else cell
        for j, cell in enumerate(notebook.cells)
    ]
    return _notebook(notebook, cells), settled, [_run_as_code(notebook, j) for j in sorted(made)]


def _run_as_code(notebook: NotebookNode, j: int) -> str:
    kind = "Markdown" if notebook.cells[j].cell_type == "markdown" else "raw text"
    return RUN_AS_CODE.format(cell=j, kind=kind)


def _is_released_code(reading: Reading, j: int) -> bool:
    """Whether a cell is code of the release's that stands in Markdown."""
    cell, owner = reading.cells[j], reading.owner(j)
    return bool(cell.held_code) and cell.kind == "code" and owner is not None


def _settle_text(
    reading: Reading, notebook: NotebookNode, question: Question, answer: AlignedAnswer
) -> tuple[AlignedAnswer, set[int]]:
    """An answer of code, and the Markdown among its cells that is run as code."""
    if question.kind is not QuestionKind.CODE:
        return answer, set()
    text = [j for j in answer.cells if notebook.cells[j].cell_type != "code"]
    code = [j for j in answer.cells if j not in text]
    held = [j for j in text if reading.cells[j].held_code]
    run = {j for j in held if _is_needed(reading, question, j, code)}
    kept = tuple(
        j for j in answer.cells if j not in held or j in run or question.markdown or answer.in_text
    )
    if answer.in_text and run:
        answer = replace(answer, in_text=False, attempted=True)
    note = [_run_as_code(notebook, j) for j in sorted(run)]
    attempted = answer.attempted and (bool(kept) or not answer.cells)
    return replace(answer, cells=kept, attempted=attempted, notes=(*answer.notes, *note)), run


def _is_needed(reading: Reading, question: Question, j: int, code: Sequence[int]) -> bool:
    """Whether no cell of code says the same; a snippet beside an answer is only an illustration."""
    if question.markdown and reading.cells[j].kind != "code":
        return False
    new = {d.name for d in reading.new_definitions(j, question.names)}
    coded = {d.name for k in code for d in reading.new_definitions(k, question.names)}
    return bool(new - coded) or not any(reading.is_own(k) for k in code)


def _as_code(cell: NotebookNode, read: Cell) -> NotebookNode:
    made = v4.new_code_cell(read.held_code, metadata=cell.metadata)
    made.id = cell.get("id", made.id)
    return made


# --- a person's word -----------------------------------------------------------------


def _mapped(
    reading: Reading, cell_map: CellMap, origins: Sequence[int]
) -> dict[str, AlignedAnswer]:
    return {
        identity: _by_map(reading, reading.assignment.question(identity), cells, origins)
        for identity, cells in cell_map.items()
    }


def _by_map(
    reading: Reading, question: Question, chosen: Sequence[int], origins: Sequence[int]
) -> AlignedAnswer:
    cells = [j for j, origin in enumerate(origins) if origin in chosen]
    defining = [j for j in cells if reading.new_definitions(j, question.names)]
    parted = {j for j in cells if origins.count(origins[j]) > 1}
    # Of a cell that was taken apart, what defines other questions' names is not meant.
    kept = [j for j in cells if j not in parted or j in defining or not parted & set(defining)]
    named = ", ".join(map(str, chosen)) or "no cell"
    words = f"cell{'s' if chosen[1:] else ''} {named}" if chosen else named
    takes_text = question.kind is not QuestionKind.CODE or question.markdown
    has_code = any(reading.cells[j].code.leaves for j in kept)
    answer = AlignedAnswer(
        question=question.id,
        in_text=not takes_text and not has_code,
        cells=tuple(kept),
        found=True,
        attempted=reading.is_attempted(question, kept),
        notes=(MAPPED.format(cells=words),),
        defines=bool(defining),
        evidence=(Evidence("the map", 1.0),),
    )
    return with_experiments(reading, answer)


# --- what is told ----------------------------------------------------------------------


def _told(answer: AlignedAnswer, arrangement: Arrangement) -> AlignedAnswer:
    """The answer with the numbers of the notebook as it was handed in in its sentences."""
    origins = arrangement.origins
    return replace(
        answer,
        notes=tuple(dict.fromkeys(_numbered(note, origins) for note in answer.notes)),
        evidence=tuple(replace(e, text=_numbered(e.text, origins)) for e in answer.evidence),
    )


def _numbered(text: str, origins: Sequence[int]) -> str:
    """The sentence with each cell's number in the notebook as it was handed in, each once."""
    numbers: list[str] = []

    def number(found: re.Match[str]) -> str:
        numbers.append(str(origins[int(found[1])]))
        return numbers[-1]

    plain = _NUMBER.sub(number, text)
    if len(set(numbers)) == len(numbers):
        return plain
    once = ", ".join(dict.fromkeys(numbers))
    listed = ", ".join(numbers)
    word = "cells" if len(set(numbers)) > 1 else "cell"
    return plain.replace(f"cells {listed}", f"{word} {once}")


def candidate_lines(arrangement: Arrangement, cells: Sequence[int]) -> list[tuple[int, str]]:
    """The number and the first line of each cell, for somebody who has to find an answer."""
    sources = {
        arrangement.origins[j]: arrangement.notebook.cells[j].source for j in reversed(cells)
    }
    numbers = arrangement.handed_in(cells)
    return [(number, first_line(str(sources[number]))) for number in numbers]
