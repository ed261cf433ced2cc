"""What each reader of a report may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from grader.records import CheckResult, GivenScore, QuestionReport, QuestionStatus, Report


@dataclass(frozen=True)
class Kept:
    """A question's points that come from hidden checks, summed: their number stays hidden."""

    points: float
    max_points: float


@dataclass(frozen=True)
class QuestionView:
    """One question as a page shows it; `kept` is set where points have no visible check.

    `given` is what a person gave, in points or words.
    """

    anchor: str
    question: QuestionReport
    kept: Kept | None
    open: bool
    given: GivenScore | None = None


def for_student(report: Report) -> Report:
    """Return the report without hidden checks, and without notes that speak of one."""
    hidden = [check for question in report.questions for check in question.checks if check.hidden]
    return replace(
        report,
        questions=tuple(_visible(question, hidden) for question in report.questions),
        notes=_silent(report.notes, hidden),
    )


def question_views(
    report: Report, full: Report, given: Mapping[str, GivenScore]
) -> list[QuestionView]:
    """Return the questions of `report`; `full` is the same one with nothing taken out."""
    pairs = zip(report.questions, full.questions, strict=True)
    return [
        QuestionView(
            anchor=f"question-{place}",
            question=shown,
            kept=_kept(whole, shown),
            open=shown.status is not QuestionStatus.PASSED or shown.id in given,
            given=given.get(shown.id),
        )
        for place, (shown, whole) in enumerate(pairs, start=1)
    ]


def _visible(question: QuestionReport, hidden: list[CheckResult]) -> QuestionReport:
    checks = tuple(check for check in question.checks if not check.hidden)
    return replace(question, checks=checks, notes=_silent(question.notes, hidden))


def _silent(notes: tuple[str, ...], hidden: list[CheckResult]) -> tuple[str, ...]:
    secrets = [text for check in hidden for text in _secrets(check) if text.strip()]
    return tuple(note for note in notes if not any(secret in note for secret in secrets))


def _secrets(check: CheckResult) -> tuple[str, ...]:
    diagnosis = (check.diagnosis.code, check.diagnosis.text) if check.diagnosis else ()
    return (check.name, check.description, check.message, *diagnosis)


def _kept(whole: QuestionReport, shown: QuestionReport) -> Kept | None:
    missing = [check for check in whole.checks if check not in shown.checks]
    maximum = sum(check.max_points for check in missing)
    return Kept(sum(check.points for check in missing), maximum) if maximum else None
