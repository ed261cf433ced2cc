"""Which submissions a person should look at, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from grader.alignment import PLACE_UNCLEAR
from grader.batch.failures import short
from grader.records import (
    LEAST_CONFIDENCE,
    CellEnding,
    CheckStatus,
    QuestionReport,
    QuestionStatus,
    Report,
)
from grader.reporting import SOLUTION_MARKERS


class Concern(StrEnum):
    """Why, the gravest first."""

    NOT_GRADED = "nothing of it could be graded"
    GRADER_FAULT = "a fault of the grader's"
    CHECK_FAULT = "the check itself is at fault"
    UNDECIDED = "a check could not decide"
    NOT_RUN = "what the answer needs was not run"
    UNGRADED = "not graded"
    CRASHED = "cells that ended their kernel, did not stop or were not reached"
    UNSURE = "the answer's place is not certain"
    SOLUTION = "it has the markers of an assignment's solution"


CRASHES = (CellEnding.DIED, CellEnding.KILLED, CellEnding.NOT_REACHED)
CAUSES = {
    "grader": Concern.GRADER_FAULT,
    "author": Concern.CHECK_FAULT,
    "environment": Concern.NOT_RUN,
}
# A failed check of an answer that is found with less than this is worth a look.
RATHER_SURE = 0.8
GRAVITY = {concern: place for place, concern in enumerate(Concern)}


@dataclass(frozen=True)
class Reason:
    """One concern: the questions that it is about, or none for all, and what is known of it."""

    concern: Concern
    questions: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True)
class Attention:
    """A submission that a person should look at; `reasons` begin with the gravest."""

    submission: str
    reasons: tuple[Reason, ...]

    @property
    def severity(self) -> int:
        """A number to sort by: less is graver."""
        return GRAVITY[self.reasons[0].concern]


def needs_a_look(report: Report, by_hand: Collection[str] = ()) -> Attention | None:
    """Why somebody should look, or None; what a person has decided `by_hand` is done."""
    open_questions = [q for q in report.questions if q.id not in by_hand]
    reasons = list(_of_whole(report, open_questions)) or [
        *_of_questions(open_questions),
        *_of_cells(report),
    ]
    reasons.sort(key=lambda reason: GRAVITY[reason.concern])
    return Attention(report.submission.id, tuple(reasons)) if reasons else None


def _of_whole(report: Report, questions: list[QuestionReport]) -> Iterator[Reason]:
    ungraded = [q for q in questions if q.status is QuestionStatus.UNGRADED]
    if ungraded and not report.environment:
        yield Reason(Concern.NOT_GRADED, detail=short("; ".join(report.notes)))


def _of_questions(questions: list[QuestionReport]) -> Iterator[Reason]:
    found: defaultdict[tuple[Concern, str], list[str]] = defaultdict(list)
    for question in questions:
        if question.status is QuestionStatus.UNGRADED:
            found[_why(question)].append(question.id)
        # An answer that passed was the right one, wherever it was found.
        elif question.status is not QuestionStatus.PASSED and _is_unsure(question):
            found[Concern.UNSURE, ""].append(question.id)
    for (concern, detail), identities in found.items():
        yield Reason(concern, tuple(identities), detail)


def _why(question: QuestionReport) -> tuple[Concern, str]:
    if _is_below(question, LEAST_CONFIDENCE):
        cells = ", ".join(str(candidate.cell) for candidate in question.candidates)
        where = f" (cell {cells}?)" if cells else ""
        return Concern.UNSURE, short(f"{'; '.join(question.notes[:1])}{where}")
    checks = [check for check in question.checks if check.status is not CheckStatus.PASSED]
    if any(check.status is CheckStatus.INCONCLUSIVE for check in checks):
        return Concern.UNDECIDED, ""
    causes = {check.cause for check in checks}
    known = next((concern for cause, concern in CAUSES.items() if cause in causes), None)
    return (known, "") if known else (Concern.UNGRADED, short("; ".join(question.notes)))


def _is_unsure(question: QuestionReport) -> bool:
    in_file = any(PLACE_UNCLEAR in note for note in question.notes)
    return in_file or _is_below(question, RATHER_SURE)


def _is_below(question: QuestionReport, confidence: float) -> bool:
    return question.confidence is not None and question.confidence < confidence


def _of_cells(report: Report) -> Iterator[Reason]:
    crashed = [run for run in report.execution if run.ending in CRASHES]
    if crashed:
        cells = ", ".join(str(run.cell) for run in crashed)
        yield Reason(Concern.CRASHED, detail=short(f"cell {cells}: {crashed[0].error}"))
    if any(SOLUTION_MARKERS in note for note in report.notes):
        yield Reason(Concern.SOLUTION)
