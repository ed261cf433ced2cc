"""Points: only from passes, in proportion, and never lost through a fault of somebody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grader.alignment import AlignedAnswer, Evidence
from grader.assignment import Question
from grader.checks.outcome import CheckOutcome, Verdict
from grader.records import (
    CheckStatus,
    Diagnosis,
    QuestionKind,
    QuestionReport,
    QuestionStatus,
)
from grader.scoring import score_question, totals

QUESTION = Question("1a", "the square", QuestionKind.CODE, 2.0)
ANSWER = AlignedAnswer("1a", (4,), found=True, attempted=True)
PASSED = Verdict(CheckStatus.PASSED)
FAILED = Verdict(CheckStatus.FAILED, "it is wrong", "student")
UNFINISHED = replace(FAILED, exception="NotImplementedError")
NOT_THE_STUDENTS = [
    Verdict(CheckStatus.ERROR, "TypeError", "author"),
    Verdict(CheckStatus.ERROR, "lost", "grader"),
    Verdict(CheckStatus.SKIPPED, "skipped", "author"),
    Verdict(CheckStatus.INCONCLUSIVE, "noise", "grader"),
]


def outcome(verdict: Verdict, weight: float = 1.0, **fields: Any) -> CheckOutcome:
    """A check's outcome."""
    return CheckOutcome("1a", "test_square", "squares", False, weight, verdict, **fields)


def score(
    *outcomes: CheckOutcome,
    kind: QuestionKind = QuestionKind.CODE,
    points: float = 2.0,
    answer: AlignedAnswer = ANSWER,
) -> QuestionReport:
    """The report on one question with these outcomes."""
    return score_question(replace(QUESTION, kind=kind, points=points), answer, outcomes, ())


def test_all_pass() -> None:
    """Full marks need every check to pass."""
    report = score(outcome(PASSED), outcome(PASSED))
    assert (report.status, report.points) == (QuestionStatus.PASSED, 2.0)


def test_shares() -> None:
    """A question's points are shared in proportion to its checks' weights."""
    report = score(outcome(PASSED, 3), outcome(FAILED, 1))
    assert (report.status, report.points) == (QuestionStatus.PARTIAL, 1.5)
    assert [(c.points, c.max_points) for c in report.checks] == [(1.5, 1.5), (0.0, 0.5)]


@pytest.mark.parametrize("verdict", [FAILED, Verdict(CheckStatus.TIMEOUT, "late", "student")])
def test_all_fail(verdict: Verdict) -> None:
    """A question without a passing check gives nothing, and says why."""
    report = score(outcome(verdict), outcome(verdict))
    assert (report.status, report.points) == (QuestionStatus.FAILED, 0.0)
    assert all(check.cause == "student" and check.message for check in report.checks)


@pytest.mark.parametrize("verdict", NOT_THE_STUDENTS)
@pytest.mark.parametrize("other", [PASSED, FAILED])
def test_faults_of_others(verdict: Verdict, other: Verdict) -> None:
    """A fault of the author's or ours leaves a question ungraded: its points wait."""
    report = score(outcome(other), outcome(verdict))
    assert (report.status, report.points) == (QuestionStatus.UNGRADED, 0.0)
    assert totals([report]) == (0.0, 2.0, 2.0)
    assert "not by the student's fault" in report.notes[0]


def test_unfinished() -> None:
    """Where every check meets the release's own NotImplementedError, nothing was attempted."""
    assert score(outcome(UNFINISHED), outcome(UNFINISHED)).status is QuestionStatus.NOT_ATTEMPTED
    assert score(outcome(UNFINISHED), outcome(FAILED)).status is QuestionStatus.FAILED
    assert score(outcome(UNFINISHED), outcome(PASSED)).status is QuestionStatus.PARTIAL


NAMED = replace(FAILED, diagnosis=Diagnosis("sign", "It has the wrong sign.", 0.99))
CREDIT = {"sign": 0.5, "sign+transposed": 0.25}


def test_credit() -> None:
    """A failed check gives what its author's marker says for the mistake that was named."""
    report = score(outcome(PASSED), outcome(NAMED, credit=CREDIT))
    assert (report.status, report.points) == (QuestionStatus.PARTIAL, 1.5)
    check = report.checks[1]
    assert (check.status, check.points, check.max_points) == (CheckStatus.FAILED, 0.5, 1.0)
    assert check.message == "it is wrong (this mistake still gives 50% of the check's points)"


def test_credit_of_the_only_check() -> None:
    """Credit alone makes a question partly right, never passed."""
    report = score(outcome(NAMED, credit={"sign": 0.999}))
    assert (report.status, report.points) == (QuestionStatus.PARTIAL, 1.998)


@pytest.mark.parametrize(
    "verdict",
    [
        FAILED,
        replace(NAMED, diagnosis=Diagnosis("factor_two", "It is twice as large.", 0.99)),
        replace(NAMED, diagnosis=Diagnosis("sign+factor_two", "Both.", 0.95)),
        replace(NAMED, status=CheckStatus.TIMEOUT),
    ],
)
def test_no_credit(verdict: Verdict) -> None:
    """Another mistake, one more mistake, or no name at all gives nothing."""
    report = score(outcome(verdict, credit=CREDIT))
    assert (report.status, report.points) == (QuestionStatus.FAILED, 0.0)
    assert report.checks[0].message == "it is wrong"


def test_no_credit_without_the_authors_word() -> None:
    """A name alone gives no points."""
    assert score(outcome(NAMED)).points == 0.0


def test_credit_beside_a_fault_of_others() -> None:
    """Credit does not make up for a check that could not decide."""
    report = score(outcome(NAMED, credit=CREDIT), outcome(NOT_THE_STUDENTS[0]))
    assert (report.status, report.points) == (QuestionStatus.UNGRADED, 0.0)


def test_pass_needs_no_credit() -> None:
    """A check that passed gives all of its points, and says nothing of credit."""
    report = score(outcome(PASSED, credit=CREDIT))
    assert (report.points, report.checks[0].message) == (2.0, "")


def test_not_attempted() -> None:
    """An answer that is the release's gives nothing."""
    answer = replace(ANSWER, attempted=False)
    assert score(outcome(FAILED), answer=answer).status is QuestionStatus.NOT_ATTEMPTED


def test_not_found() -> None:
    """A question that was not found in the notebook waits for a person."""
    answer = AlignedAnswer("1a", (), found=False, attempted=False)
    report = score(outcome(FAILED), answer=answer)
    assert (report.status, report.points) == (QuestionStatus.UNGRADED, 0.0)
    assert "no cell of the notebook" in report.notes[0]


def test_no_checks() -> None:
    """A code question that has no check is ungraded, not passed."""
    report = score()
    assert (report.status, report.points) == (QuestionStatus.UNGRADED, 0.0)


def test_checks_without_weight() -> None:
    """Checks that carry no points cannot pass a question that does."""
    report = score(outcome(PASSED, 0), outcome(PASSED, 0))
    assert (report.status, report.points) == (QuestionStatus.UNGRADED, 0.0)


def test_weightless_check_beside_others() -> None:
    """A check without points changes no score, but a question passes only with it."""
    report = score(outcome(PASSED, 1), outcome(FAILED, 0))
    assert (report.status, report.points) == (QuestionStatus.PARTIAL, 2.0)


@pytest.mark.parametrize(
    ("verdict", "status"), [(PASSED, QuestionStatus.PASSED), (FAILED, QuestionStatus.FAILED)]
)
def test_question_without_points(verdict: Verdict, status: QuestionStatus) -> None:
    """A question of zero points is judged all the same."""
    report = score(outcome(verdict), points=0)
    assert (report.status, report.points, report.max_points) == (status, 0.0, 0)


@pytest.mark.parametrize("kind", [QuestionKind.WRITTEN, QuestionKind.PLOT])
def test_answers_for_a_person(kind: QuestionKind) -> None:
    """A written or drawn answer waits for a person, an absent one gives nothing."""
    assert score(kind=kind).status is QuestionStatus.PENDING
    absent = replace(ANSWER, attempted=False)
    assert score(kind=kind, answer=absent).status is QuestionStatus.NOT_ATTEMPTED
    lost = AlignedAnswer("1a", (), found=False, attempted=False)
    assert score(kind=kind, answer=lost).status is QuestionStatus.UNGRADED


@pytest.mark.parametrize("checks", [3, 6, 7, 11, 13])
def test_thirds_add_up(checks: int) -> None:
    """Shares that no float holds add up to the question's points."""
    assert score(*[outcome(PASSED, 1 / checks)] * checks, points=1.0).points == 1.0


def test_totals_are_tidy() -> None:
    """Sums of tenths are tenths."""
    reports = [score(outcome(PASSED), points=0.1) for _ in range(3)]
    assert totals(reports) == (0.3, 0.3, 0.0)


def test_pending_is_not_score() -> None:
    """The score leaves out what waits for a person, the maximum does not."""
    reports = [score(outcome(PASSED)), score(kind=QuestionKind.WRITTEN), score(outcome(FAILED))]
    assert totals(reports) == (2.0, 6.0, 2.0)


def test_replacements_are_told() -> None:
    """What the solution's work stood in for is said once."""
    replaced = outcome(PASSED, replaced=("1b", "1a"))
    note = "checked with the solution's work in place of yours for 1a, 1b"
    assert score(replaced, replaced).notes == (note,)


def test_notes_are_kept() -> None:
    """The alignment's notes stand before those of the run."""
    answer = replace(ANSWER, notes=("found by the name it defines",))
    report = score_question(QUESTION, answer, [outcome(PASSED)], (), ["cell 4 raised"])
    assert report.notes == ("found by the name it defines", "cell 4 raised")


def test_text_in_place_of_code() -> None:
    """An answer in text waits for a person, unless checks gave points all the same."""
    answer = AlignedAnswer("1a", (4,), found=True, attempted=False, in_text=True)
    report = score(outcome(FAILED), answer=answer)
    assert (report.status, report.points) == (QuestionStatus.UNGRADED, 0.0)
    assert report.notes == ("answered in text, where code is asked for",)
    partial = score(outcome(PASSED), outcome(FAILED), answer=answer)
    assert (partial.status, partial.points) == (QuestionStatus.PARTIAL, 1.0)


UNSURE = replace(ANSWER, evidence=(Evidence("its place", 0.3),))


def test_an_uncertain_answer() -> None:
    """A failure of cells that may be the wrong ones costs nothing; a pass shows they are right."""
    report = score(outcome(PASSED), outcome(FAILED), answer=UNSURE)
    assert (report.status, report.points) == (QuestionStatus.UNGRADED, 0.0)
    assert report.notes == ("which cells answer this question is not certain (confidence 30%)",)
    assert (report.confidence, report.evidence) == (0.3, ("its place",))
    assert score(outcome(PASSED), answer=UNSURE).status is QuestionStatus.PASSED
    sure = replace(UNSURE, evidence=(*UNSURE.evidence, Evidence("its prompt", 0.9)))
    report = score(outcome(PASSED), outcome(FAILED), answer=sure)
    assert (report.status, report.confidence) == (QuestionStatus.PARTIAL, 0.93)


@pytest.mark.parametrize("kind", QuestionKind)
def test_an_answer_that_may_stand_elsewhere(kind: QuestionKind) -> None:
    """Where nothing was found and something may be it, no zero is given."""
    doubted = replace(ANSWER, attempted=False, doubts=("it may stand elsewhere",))
    report = score(outcome(FAILED), kind=kind, answer=doubted)
    assert (report.status, report.confidence) == (QuestionStatus.UNGRADED, 0.0)
    assert report.notes == ("it may stand elsewhere",)


def test_begun_and_unfinished() -> None:
    """Where all checks meet NotImplementedError, work that was begun is no less begun."""
    begun = replace(ANSWER, defines=True)
    assert score(outcome(UNFINISHED), answer=begun).status is QuestionStatus.FAILED
    assert score(outcome(UNFINISHED)).status is QuestionStatus.NOT_ATTEMPTED
