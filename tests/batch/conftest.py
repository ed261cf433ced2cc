"""Reports for statistics: short to write, and complete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grader.batch.statistics import Graded
from grader.records import (
    CheckResult,
    CheckStatus,
    Diagnosis,
    QuestionKind,
    QuestionReport,
    QuestionStatus,
    Report,
    SubmissionRecord,
)


def make_check(name: str, passes: bool = True, **fields: Any) -> CheckResult:
    """A check of one point; `code` is that of a diagnosis."""
    code = fields.pop("code", "")
    given = {
        "status": CheckStatus.PASSED if passes else CheckStatus.FAILED,
        "cause": "" if passes else "student",
        "description": f"{name} holds.",
        "diagnosis": Diagnosis(code, f"The {code} is wrong.", 0.9) if code else None,
        **fields,
    }
    return CheckResult(name, hidden=False, points=float(passes), max_points=1.0, **given)


def make_question(
    identity: str, points: float = 0.0, *checks: CheckResult, **fields: Any
) -> QuestionReport:
    """A question of four points."""
    status = QuestionStatus.PASSED if points == 4 else QuestionStatus.FAILED
    given = {"kind": QuestionKind.CODE, "max_points": 4.0, "status": status, **fields}
    return QuestionReport(identity, f"title of {identity}", points=points, checks=checks, **given)


def make_report(identity: str, *questions: QuestionReport, **fields: Any) -> Report:
    """A report on these questions, with the sums that belong to it."""
    waiting = (QuestionStatus.PENDING, QuestionStatus.UNGRADED)
    given = {
        "score": sum(q.points for q in questions),
        "max_score": sum(q.max_points for q in questions),
        "pending": sum(q.max_points for q in questions if q.status in waiting),
        "isolation": "namespaces",
        "environment": {"python": "3"},
        "seconds": 1.0,
        **fields,
    }
    record = SubmissionRecord(identity, ("hw.ipynb",), "00")
    return Report("tiny", "Tiny", record, questions=questions, **given)


def make_graded(report: Report, name: str = "", **by_hand: float) -> Graded:
    """What the gradebook says of a report, with what a person gave."""
    waiting = (QuestionStatus.PENDING, QuestionStatus.UNGRADED)
    points = {q.id: None if q.status in waiting else q.points for q in report.questions}
    identity = report.submission.id
    return Graded(identity, name, report, {**points, **by_hand}, frozenset(by_hand))


@pytest.fixture(scope="session")
def check() -> Callable[..., CheckResult]:
    """Makes a check."""
    return make_check


@pytest.fixture(scope="session")
def question() -> Callable[..., QuestionReport]:
    """Makes a question."""
    return make_question


@pytest.fixture(scope="session")
def report() -> Callable[..., Report]:
    """Makes a report."""
    return make_report


@pytest.fixture(scope="session")
def graded() -> Callable[..., Graded]:
    """Makes an entry of a batch."""
    return make_graded
