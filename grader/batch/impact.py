"""What a regrade changes: whose score, by how much, because of which check."""

from __future__ import annotations

from dataclasses import dataclass

from grader.records import CheckResult, QuestionReport, Report


@dataclass(frozen=True)
class CheckChange:
    """A check that now ends otherwise; `""` stands for a check that is not there."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Impact:
    """How one question's points of one submission change."""

    submission: str
    question: str
    before: float
    after: float
    checks: tuple[CheckChange, ...]


def compare(before: Report, after: Report) -> tuple[Impact, ...]:
    """Every question whose points differ between two reports on one submission."""
    old = {question.id: question for question in before.questions}
    new = {question.id: question for question in after.questions}
    identities = [*new, *(identity for identity in old if identity not in new)]
    impacts = (_impact(after, i, old.get(i), new.get(i)) for i in identities)
    return tuple(impact for impact in impacts if impact.before != impact.after)


def _impact(
    report: Report, identity: str, old: QuestionReport | None, new: QuestionReport | None
) -> Impact:
    before, after = _checks(old), _checks(new)
    names = [*after, *(name for name in before if name not in after)]
    changes = (CheckChange(n, _status(before.get(n)), _status(after.get(n))) for n in names)
    return Impact(
        submission=report.submission.id,
        question=identity,
        before=old.points if old else 0.0,
        after=new.points if new else 0.0,
        checks=tuple(change for change in changes if change.before != change.after),
    )


def _checks(question: QuestionReport | None) -> dict[str, CheckResult]:
    return {check.name: check for check in question.checks} if question else {}


def _status(check: CheckResult | None) -> str:
    return check.status.value if check else ""
