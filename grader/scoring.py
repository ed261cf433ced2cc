"""From check outcomes to points: pure functions, and the only place where points arise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from grader.alignment import AlignedAnswer
from grader.assignment import Question
from grader.checks.outcome import CheckOutcome
from grader.records import (
    AnswerCell,
    CandidateCell,
    CheckResult,
    CheckStatus,
    QuestionKind,
    QuestionReport,
    QuestionStatus,
)

DECIMALS = 6
# Outcomes that say nothing about the student's work.
NOT_THE_STUDENTS = (CheckStatus.ERROR, CheckStatus.SKIPPED, CheckStatus.INCONCLUSIVE)
UNCERTAIN = "which cells answer this question is not certain"
WAITING = (QuestionStatus.PENDING, QuestionStatus.UNGRADED)


def score_question(
    question: Question,
    answer: AlignedAnswer,
    outcomes: Sequence[CheckOutcome],
    cells: tuple[AnswerCell, ...],
    notes: Sequence[str] = (),
    candidates: tuple[CandidateCell, ...] = (),
) -> QuestionReport:
    """One question's report. Points come only from checks that ran and passed.

    The one exception is what the assignment's author wrote down: the share
    that a failed check gives for a mistake that was named (`credit`).
    """
    checks = _share_points(question, outcomes)
    earned = _earned(question, outcomes)
    status, reasons = _status(question, answer, outcomes, earned)
    counted = status not in (*WAITING, QuestionStatus.NOT_ATTEMPTED)
    return QuestionReport(
        id=question.id,
        title=question.title,
        kind=question.kind,
        points=earned if counted else 0.0,
        max_points=question.points,
        status=status,
        cells=answer.cells,
        checks=checks,
        answer=cells,
        files=answer.files,
        notes=(*reasons, *answer.notes, *notes, *_replacements(outcomes)),
        confidence=answer.confidence,
        evidence=tuple(evidence.text for evidence in answer.evidence),
        candidates=candidates,
    )


def totals(questions: Sequence[QuestionReport]) -> tuple[float, float, float]:
    """Score, maximum and the points that wait for a person."""
    score = _sum(q.points for q in questions)
    maximum = _sum(q.max_points for q in questions)
    pending = _sum(q.max_points for q in questions if q.status in WAITING)
    return score, maximum, pending


def _sum(points: Iterable[float]) -> float:
    return round(math.fsum(points), DECIMALS)


def earned_share(outcomes: Sequence[CheckOutcome]) -> float:
    """The share of a question's points that its checks give, by their weights."""
    given = math.fsum(outcome.weight * outcome.share for outcome in outcomes)
    total = math.fsum(outcome.weight for outcome in outcomes)
    return given / total if total else 0.0


def _earned(question: Question, outcomes: Sequence[CheckOutcome]) -> float:
    return round(question.points * earned_share(outcomes), DECIMALS)


def _share_points(question: Question, outcomes: Sequence[CheckOutcome]) -> tuple[CheckResult, ...]:
    weights = sum(outcome.weight for outcome in outcomes)
    return tuple(
        _result(outcome, question.points * outcome.weight / weights if weights else 0.0)
        for outcome in outcomes
    )


def _result(outcome: CheckOutcome, max_points: float) -> CheckResult:
    verdict = outcome.verdict
    max_points = round(max_points, DECIMALS)
    return CheckResult(
        name=outcome.name,
        description=outcome.description,
        hidden=outcome.hidden,
        status=verdict.status,
        points=round(max_points * outcome.share, DECIMALS),
        max_points=max_points,
        message=verdict.message + _credit_words(outcome),
        cause=verdict.cause,
        diagnosis=verdict.diagnosis,
        evidence=verdict.evidence,
    )


def _credit_words(outcome: CheckOutcome) -> str:
    """What the message of a failed check adds where it gives points all the same."""
    if outcome.verdict.status is CheckStatus.PASSED or not outcome.share:
        return ""
    return f" (this mistake still gives {outcome.share:.0%} of the check's points)"


def _status(
    question: Question, answer: AlignedAnswer, outcomes: Sequence[CheckOutcome], earned: float
) -> tuple[QuestionStatus, list[str]]:
    if question.kind is not QuestionKind.CODE:
        return _status_of_text(answer)
    if not outcomes:
        return QuestionStatus.UNGRADED, ["the assignment has no check for this question"]
    if question.points and not any(outcome.weight for outcome in outcomes):
        return QuestionStatus.UNGRADED, ["no check of this question carries points"]
    statuses = [outcome.verdict.status for outcome in outcomes]
    if not answer.found and not earned:
        reason = "no cell of the notebook could be matched with this question"
        return QuestionStatus.UNGRADED, [reason]
    if not earned and answer.in_text:
        return QuestionStatus.UNGRADED, ["answered in text, where code is asked for"]
    has_all = all(status is CheckStatus.PASSED for status in statuses)
    if not answer.is_sure and not has_all and (answer.attempted or answer.doubts):
        return QuestionStatus.UNGRADED, _doubts(answer)
    unfinished = _is_unfinished(outcomes) and not answer.defines
    if not earned and (not answer.attempted or unfinished):
        return QuestionStatus.NOT_ATTEMPTED, []
    if any(status in NOT_THE_STUDENTS for status in statuses):
        return QuestionStatus.UNGRADED, ["a check could not decide, and not by the student's fault"]
    if has_all:
        return QuestionStatus.PASSED, []
    return (QuestionStatus.PARTIAL if earned else QuestionStatus.FAILED), []


def _status_of_text(answer: AlignedAnswer) -> tuple[QuestionStatus, list[str]]:
    if not answer.is_sure and (answer.attempted or answer.doubts):
        return QuestionStatus.UNGRADED, _doubts(answer)
    if answer.attempted:
        return QuestionStatus.PENDING, []
    if answer.found:
        return QuestionStatus.NOT_ATTEMPTED, []
    return QuestionStatus.UNGRADED, ["no cell of the notebook could be matched with this question"]


def _doubts(answer: AlignedAnswer) -> list[str]:
    """Why it is not sure which cells answer a question."""
    if answer.doubts:
        return list(answer.doubts)
    return [f"{UNCERTAIN} (confidence {answer.confidence or 0.0:.0%})"]


def _is_unfinished(outcomes: Sequence[CheckOutcome]) -> bool:
    """Whether every check met the release's own `raise NotImplementedError`."""
    return all(outcome.verdict.exception == "NotImplementedError" for outcome in outcomes)


def _replacements(outcomes: Sequence[CheckOutcome]) -> list[str]:
    replaced = sorted({question for outcome in outcomes for question in outcome.replaced})
    if not replaced:
        return []
    return [f"checked with the solution's work in place of yours for {', '.join(replaced)}"]
