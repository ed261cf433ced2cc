"""Files beside the notebook as written answers."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace

import pytest

from grader.alignment import AlignedAnswer, align
from grader.assignment import Assignment
from grader.audit import release_submission
from grader.records import QuestionKind
from grader.scans import with_scans


@pytest.fixture
def scanned(tiny: Assignment) -> Assignment:
    """The tiny assignment, where a PDF or a PNG may answer what is asked in words."""
    questions = tuple(
        replace(q, scans=("*.pdf", "page*.png")) if q.kind is QuestionKind.WRITTEN else q
        for q in tiny.questions
    )
    return replace(tiny, questions=questions)


def aligned(assignment: Assignment, files: Mapping[str, bytes]) -> Mapping[str, AlignedAnswer]:
    """The untouched release, with these files beside it."""
    release = release_submission(assignment)
    submission = replace(release, files={**release.files, **files})
    return with_scans(align(assignment, release.notebook), assignment, submission)


def written(assignment: Assignment) -> str:
    """The id of a question that may be scanned."""
    return next(q.id for q in assignment.questions if q.scans)


@pytest.mark.parametrize("name", ["answer.pdf", "deep/down/Answer.PDF", "page2.png"])
def test_file_answers(scanned: Assignment, name: str) -> None:
    """A file whose name fits, wherever it lies, counts as an attempt, and the report names it."""
    answer = aligned(scanned, {name: b"%PDF"})[written(scanned)]
    assert answer.attempted
    assert answer.notes == (f"handed in as a file: {name}",)


def test_other_files_do_not_answer(scanned: Assignment) -> None:
    """Other files, and code questions, are left as they were; the report says what was missed."""
    plain = align(scanned, scanned.release)
    found = aligned(scanned, {"data.csv": b"1,2", "photo.png": b"x", "answer.pdf.py": b""})
    for question in scanned.questions:
        assert found[question.id].attempted == plain[question.id].attempted
    assert "(*.pdf, page*.png)" in found[written(scanned)].notes[-1]
    coded = next(q.id for q in scanned.questions if q.kind is QuestionKind.CODE)
    assert aligned(scanned, {"answer.pdf": b"%PDF"})[coded] == plain[coded]


def test_file_of_the_release_does_not_answer(scanned: Assignment) -> None:
    """A PDF that was handed out and comes back as it was is no answer."""
    assignment = copy.copy(scanned)
    assignment.__dict__["files"] = {"sheet.pdf": b"%PDF questions"}
    answer = aligned(assignment, {"sheet.pdf": b"%PDF questions"})[written(assignment)]
    assert not answer.attempted


def test_scan_in_place_of_a_text_that_is_not_found(scanned: Assignment) -> None:
    """Where a file answers, it does not matter which text of the notebook may answer as well."""
    release = release_submission(scanned)
    identity = written(scanned)
    lost = replace(align(scanned, release.notebook)[identity], candidates=(3,), doubts=("where?",))
    submission = replace(release, files={"answer.pdf": b"%PDF"})
    found = with_scans({**align(scanned, release.notebook), identity: lost}, scanned, submission)
    assert (found[identity].is_sure, found[identity].candidates) == (True, ())
