"""Written answers that were handed in as files beside the notebook, such as a scan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from grader.alignment import AlignedAnswer
from grader.assignment import Assignment, Question
from grader.submission import Submission


def with_scans(
    alignment: Mapping[str, AlignedAnswer], assignment: Assignment, submission: Submission
) -> dict[str, AlignedAnswer]:
    """The alignment, where the questions that allow it count files as answers too."""
    return {
        question.id: _with_scans(alignment[question.id], question, assignment, submission)
        for question in assignment.questions
    }


def _with_scans(
    answer: AlignedAnswer, question: Question, assignment: Assignment, submission: Submission
) -> AlignedAnswer:
    if not question.scans:
        return answer
    found = [
        name
        for name, content in submission.files.items()
        if _is_scan(name, question) and content not in assignment.files.values()
    ]
    if found:
        note = f"handed in as a file: {', '.join(sorted(found))}"
        sure = replace(answer, doubts=(), candidates=()) if answer.doubts else answer
        return replace(sure, found=True, attempted=True, notes=(*answer.notes, note))
    if answer.attempted:
        return answer
    note = f"may be handed in as a file ({', '.join(question.scans)}), but none came with this one"
    return replace(answer, notes=(*answer.notes, note))


def _is_scan(name: str, question: Question) -> bool:
    lowered = PurePosixPath(name).name.lower()
    return any(fnmatchcase(lowered, pattern.lower()) for pattern in question.scans)
