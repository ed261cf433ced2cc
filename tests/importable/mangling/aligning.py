"""Compares which cells answer which question, without running anything."""

from __future__ import annotations

from collections.abc import Iterator

from grader.alignment import AlignedAnswer, align
from grader.assignment import Assignment, Question
from grader.records import QuestionKind
from grader.submission import read_notebook
from mangling.combining import deform_all
from mangling.judging import Difference, is_shown
from mangling.records import DEFORMATIONS, Cell, Expected, HandIn, Stage
from mangling.syntax import bound

RUN_TIME = (Stage.FILES, Stage.PACKING)


def alignment_differences(
    names: list[str], hand_in: HandIn, assignment: Assignment, seed: int = 0
) -> list[Difference]:
    """The questions whose answer is no longer found in the deformed notebook.

    An answer is found where the report would show its text and, of a question that names are
    asked for, its definitions.
    """
    chosen = [name for name in names if DEFORMATIONS[name].stage not in RUN_TIME]
    deformed = deform_all(chosen, hand_in, assignment, seed)
    saved = deformed.saved
    notebook = read_notebook(saved.files[saved.name], saved.name)
    answers = align(assignment, notebook)
    sources = [cell.source for cell in notebook.cells]
    found = []
    for question in assignment.questions:
        own = [c for c in hand_in.cells if c.question == question.id and c.role == "answer"]
        if not own or question.file or not question.points:
            continue
        expected = deformed.code if question.kind is QuestionKind.CODE else deformed.text
        found += _compared(question, own, answers[question.id], sources, expected)
    return found


def _compared(
    question: Question,
    own: list[Cell],
    answer: AlignedAnswer,
    sources: list[str],
    expected: Expected,
) -> Iterator[Difference]:
    if expected in (Expected.ANYTHING, Expected.REFUSED):
        return
    taken = [sources[index] for index in answer.cells]
    wrong = _what_is_wrong(question, own, answer, taken)
    is_sure = answer.found and getattr(answer, "is_sure", True)
    left_open = not is_sure and expected is Expected.OR_UNGRADED
    if wrong and not left_open:
        why = "; ".join(answer.notes)
        yield Difference(question.id, "found", f"{wrong}, cells {answer.cells}", why, False)


def _without_fence(source: str) -> str:
    return source.removeprefix("```python\n").removesuffix("\n```")


def _what_is_wrong(
    question: Question, own: list[Cell], answer: AlignedAnswer, taken: list[str]
) -> str:
    if not answer.found:
        return "no cell found"
    if not answer.attempted and not answer.in_text:
        return "not attempted"
    written = [cell.source for cell in own if not cell.is_code]
    if question.kind is not QuestionKind.CODE and written and not is_shown(written, taken):
        return "another text taken"
    asked = {n for cell in own if cell.is_code for n in bound(cell.source)} & set(question.names)
    missing = asked - {name for source in taken for name in bound(_without_fence(source))}
    if missing and not answer.in_text:
        return f"without {', '.join(sorted(missing))}"
    return ""
