"""The answer to a question that a file beside the notebook answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from grader.alignment.records import AlignedAnswer
from grader.answer_files import parts, readable, shows_work, whole
from grader.assignment import Assignment, Question
from grader.records import QuestionKind

# How a note says that the answer may be anywhere in the file.
PLACE_UNCLEAR = "the answer's place in it is not clear"


def align_file(
    assignment: Assignment, question: Question, files: Mapping[str, bytes]
) -> AlignedAnswer:
    """The answer to a question that a file answers."""
    path = _handed_in(question, files)
    if path is None:
        note = f"{question.file} is not among the files"
        return AlignedAnswer(question.id, (), True, False, (note,))
    text = readable(files[path])
    if text is None or PurePosixPath(path).suffix != PurePosixPath(question.file).suffix:
        note = f"handed in as {path}, which is not shown here"
        return AlignedAnswer(question.id, (), True, True, (note,))
    others = assignment.places_beside(question)
    released = assignment.files[question.file].decode()
    attempted = shows_work(question.file, text, released, question.place, others)
    shown = parts(question.file, text, question.place, others)
    notes = () if shown else (f"{path} is shown as a whole: {PLACE_UNCLEAR}",)
    shown = shown or (whole(question.file, text),)
    return AlignedAnswer(question.id, (), True, attempted, notes, files=shown)


def _handed_in(question: Question, files: Mapping[str, bytes]) -> str | None:
    """The question's file; a text for a person may be in another folder or format."""
    if question.file in files or question.kind is QuestionKind.CODE:
        return question.file if question.file in files else None
    stem = PurePosixPath(question.file).stem.lower()
    return next((path for path in files if PurePosixPath(path).stem.lower() == stem), None)
