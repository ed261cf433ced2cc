"""What a question asks, and what the assignment's solution answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nbformat import NotebookNode

from grader.answer_files import parts, whole
from grader.assignment import Assignment, Question
from grader.records import AnswerCell, AnswerFile
from grader.release import BEGIN, END, cell_question, cell_role

_MARKER = re.compile(rf"^[ \t]*(?:{BEGIN}|{END})[^\n]*\n?", re.MULTILINE)


@dataclass(frozen=True)
class ModelAnswer:
    """The prompt and the answer of the solution; each may be empty."""

    prompt: tuple[AnswerCell, ...] = ()
    answer: tuple[AnswerCell, ...] = ()
    files: tuple[AnswerFile, ...] = ()


def model_answer(assignment: Assignment | None, identity: str) -> ModelAnswer:
    """A question's model answer; empty where the assignment has no such question."""
    questions = {q.id: q for q in assignment.questions} if assignment else {}
    if assignment is None or identity not in questions:
        return ModelAnswer()
    question = questions[identity]
    cells = assignment.solution.cells
    prompt = _cells(cells, question.id, "prompt") or _cells(cells, question.part_of, "prompt")
    if assignment.is_release:
        return ModelAnswer(prompt)
    return ModelAnswer(prompt, _cells(cells, question.id, "answer"), _files(assignment, question))


def _cells(cells: Iterable[NotebookNode], identity: str, role: str) -> tuple[AnswerCell, ...]:
    return tuple(
        AnswerCell(place, cell.cell_type, _MARKER.sub("", cell.source))
        for place, cell in enumerate(cells)
        if identity and cell_question(cell) == identity and cell_role(cell) == role
    )


def _files(assignment: Assignment, question: Question) -> tuple[AnswerFile, ...]:
    text = assignment.solution_files.get(question.file, "") if question.file else ""
    if not text:
        return ()
    text = _MARKER.sub("", text)
    found = parts(question.file, text, question.place, assignment.places_beside(question))
    return found or (whole(question.file, text),)
