"""A report in which everything that a student can write is hostile."""

from __future__ import annotations

import pytest
from ci_reports import SECRET, check, question

from grader.records import (
    AnswerCell,
    AnswerFile,
    CheckStatus,
    QuestionKind,
    QuestionReport,
    QuestionStatus,
    Report,
    SubmissionRecord,
)


@pytest.fixture
def report() -> Report:
    """Five questions: passed, failed in cell 1, failed in a file; and two for people."""
    hidden = check(hidden=True, name="test_secret", description=SECRET, message=SECRET)
    answer = (AnswerCell(0, "markdown", "text"), AnswerCell(1, "code", "x = 1"))
    file = AnswerFile("net/loss.py", 7, "def loss(): ...")
    questions = (
        question("1a", QuestionStatus.PASSED, check(CheckStatus.PASSED)),
        question("1b", QuestionStatus.FAILED, check(), hidden, cells=(0, 1), answer=answer),
        question("2", QuestionStatus.PARTIAL, check(), files=(file,)),
        QuestionReport("3", "why", QuestionKind.WRITTEN, 0.0, 2.0, QuestionStatus.PENDING),
        QuestionReport(
            "4", "why not", QuestionKind.WRITTEN, 0.0, 0.0, QuestionStatus.NOT_ATTEMPTED
        ),
    )
    record = SubmissionRecord("ann", ("code/net/loss.py", "hw.ipynb"), "0")
    return Report(
        "tiny", "A tiny assignment", record, 2.0, 6.5, 2.0, "namespaces", {}, 1.0, questions
    )
