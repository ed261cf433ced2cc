"""Runs the visible checks of some questions, and no more of the notebook than they need."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from grader.assignment import Assignment, Experiments
from grader.checks.outcome import CheckOutcome
from grader.errors import UsageError
from grader.execution.isolation import Level
from grader.execution.runner import Progress
from grader.records import (
    CheckResult,
    CheckStatus,
    QuestionKind,
    QuestionReport,
    QuestionStatus,
    Report,
)
from grader.reporting import report_on
from grader.scoring import totals
from grader.session import Session, open_session
from grader.submission import Submission
from grader.trying import check_all

FAILED = (CheckStatus.FAILED, CheckStatus.TIMEOUT)
NO_CHECK = "no check of this question can be run at home"
PARTLY = "self-check: visible checks only, so these are not the points that the work will get"


def select(assignment: Assignment, asked: Sequence[str]) -> frozenset[str] | None:
    """The questions that are meant; None for all of them.

    `1.2` stands for 1.2a, 1.2b and so on, where no question has that very id.

    Raises:
        UsageError: there is no such question, or a person reads all that is meant.
    """
    if not asked:
        return None
    return frozenset(found for name in asked for found in _meant(assignment, name))


def _meant(assignment: Assignment, name: str) -> list[str]:
    exact = [q for q in assignment.questions if q.id.lower() == name.lower()]
    found = exact or [q for q in assignment.questions if q.id.lower().startswith(name.lower())]
    if not found or not name:
        known = ", ".join(q.id for q in assignment.questions if q.kind is QuestionKind.CODE)
        raise UsageError(f"there is no question {name!r}; code is asked for in {known}")
    coded = [question.id for question in found if question.kind is QuestionKind.CODE]
    if not coded:
        raise UsageError(f"question {found[0].id} is read by a person: there is nothing to check")
    return coded


def check_at_home(
    assignment: Assignment,
    submission: Submission,
    only: Collection[str] | None = None,
    *,
    isolation: Level | None = None,
    progress: Progress | None = None,
) -> Report:
    """The outcome of the visible checks; the experiments of the notebook are not run.

    `only` are the questions that are checked, all where it is None. Hidden checks
    are neither run nor counted.

    Raises:
        UsageError, ExecutionFault: as `grader.pipeline.grade`.
    """
    start = time.monotonic()
    settings = replace(assignment.run, experiments=Experiments.SKIP)
    assignment = replace(assignment, run=settings)
    opened = open_session(
        assignment, submission, isolation=isolation or Level.NONE, progress=progress, only=only
    )
    with opened as session:
        return check_session(session, only, start)


def check_session(session: Session, only: Collection[str] | None, start: float) -> Report:
    """The same of a session that is open; `start` is when it began, by `time.monotonic`."""
    checked = check_all(session, only, visible_only=True)
    outcomes = _with_weights(checked.outcomes)
    report = report_on(checked.session, outcomes, time.monotonic() - start, checked.notes)
    questions = tuple(_at_home(q) for q in report.questions if only is None or q.id in only)
    return replace(with_questions(report, questions), notes=(PARTLY, *report.notes))


def with_questions(report: Report, questions: Sequence[QuestionReport]) -> Report:
    """The report on these questions, and the totals that go with them."""
    score, maximum, pending = totals(questions)
    return replace(
        report, questions=tuple(questions), score=score, max_score=maximum, pending=pending
    )


def exit_code(report: Report) -> int:
    """0 where every check passed that could be judged, 1 where one failed, 3 for faults of ours."""
    checks = [check for question in report.questions for check in question.checks]
    if any(check.status in FAILED for check in checks):
        return 1
    return 3 if any(check.status is CheckStatus.ERROR for check in checks) else 0


def _with_weights(outcomes: Sequence[CheckOutcome]) -> list[CheckOutcome]:
    """Where all that carry points are kept back, those that are there count alike."""
    weights: dict[str, float] = defaultdict(float)
    for outcome in outcomes:
        weights[outcome.question] += outcome.weight
    return [o if weights[o.question] else replace(o, weight=1.0) for o in outcomes]


def _at_home(question: QuestionReport) -> QuestionReport:
    if question.kind is QuestionKind.CODE and not question.checks:
        return replace(question, status=QuestionStatus.UNGRADED, notes=(NO_CHECK,))
    return question


def failures(question: QuestionReport) -> list[CheckResult]:
    """The checks of a question that did not pass, the student's own faults first."""
    rest = [check for check in question.checks if check.status is not CheckStatus.PASSED]
    return sorted(rest, key=lambda check: check.status not in FAILED)
