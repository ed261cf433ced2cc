"""What people gave, in the place of the grader's points."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from grader.records import GivenScore, QuestionReport, QuestionStatus, Report

_WAITING = {QuestionStatus.PENDING, QuestionStatus.UNGRADED}


def with_given(report: Report, given: Mapping[str, GivenScore]) -> Report:
    """Return the report with people's points; a comment alone changes none."""
    questions = tuple(_scored(question, given.get(question.id)) for question in report.questions)
    return replace(
        report,
        questions=questions,
        score=math.fsum(q.points for q in questions),
        pending=math.fsum(q.max_points for q in questions if q.status in _WAITING),
    )


def _scored(question: QuestionReport, given: GivenScore | None) -> QuestionReport:
    if given is None or given.points is None:
        return question
    return replace(question, points=given.points, status=_status(given.points, question.max_points))


def _status(points: float, most: float) -> QuestionStatus:
    if points >= most:
        return QuestionStatus.PASSED
    return QuestionStatus.PARTIAL if points > 0 else QuestionStatus.FAILED
