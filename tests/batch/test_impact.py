"""What a regrade changes."""

from __future__ import annotations

from dataclasses import replace

from grader.batch.impact import CheckChange, compare
from grader.records import (
    CheckResult,
    CheckStatus,
    QuestionKind,
    QuestionReport,
    QuestionStatus,
    Report,
    SubmissionRecord,
)


def check(name: str, status: CheckStatus) -> CheckResult:
    """A check of one point."""
    points = float(status is CheckStatus.PASSED)
    return CheckResult(f"test_{name}", "", False, status, points, 1.0)


def report(**statuses: str) -> Report:
    """A report with a question a check, one point each."""
    questions = tuple(
        QuestionReport(
            *(name, name, QuestionKind.CODE, float(status == "passed"), 1.0),
            QuestionStatus.PASSED if status == "passed" else QuestionStatus.FAILED,
            checks=(check(name, CheckStatus(status)),),
        )
        for name, status in statuses.items()
    )
    return Report("a", "A", SubmissionRecord("ann", (), ""), 0, 0, 0, "", {}, 0, questions)


def test_nothing_changes() -> None:
    """The same points have no impact, whatever else differs."""
    before = report(q1="passed")
    assert compare(before, replace(before, seconds=9.0)) == ()


def test_a_change_names_its_check() -> None:
    """A question that loses points says which check now ends otherwise, and how."""
    (impact,) = compare(report(q1="passed", q2="failed"), report(q1="failed", q2="failed"))
    assert (impact.submission, impact.question, impact.before, impact.after) == ("ann", "q1", 1, 0)
    assert impact.checks == (CheckChange("test_q1", "passed", "failed"),)


def test_questions_come_and_go() -> None:
    """A question that is new or gone changes the score too."""
    added, removed = compare(report(q1="passed"), report(q2="passed"))
    assert (added.question, added.before, added.after) == ("q2", 0, 1)
    assert (removed.question, removed.before, removed.after) == ("q1", 1, 0)
    assert removed.checks == (CheckChange("test_q1", "passed", ""),)
