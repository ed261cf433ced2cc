"""The promises of radboud_a1: what each kind of hand-in scores."""

from __future__ import annotations

from functools import cache

import pytest

from grader import grade, load_assignment
from grader.assignment import Assignment
from grader.audit import (
    Mutant,
    Variant,
    load_mutants,
    load_variants,
    plant,
    release_submission,
    rewrite,
    solution_submission,
)
from grader.records import CheckStatus, QuestionKind, QuestionStatus, Report
from grader.submission import Submission

ASSIGNMENT = load_assignment("radboud_a1")
MUTANTS = load_mutants(ASSIGNMENT)
VARIANTS = load_variants(ASSIGNMENT)
WRITTEN_POINTS = 23.0


@cache
def assignment() -> Assignment:
    """Loaded once a worker: grading never changes it."""
    return ASSIGNMENT


def graded(submission: Submission) -> Report:
    """The report on a hand-in."""
    return grade(assignment(), submission)


def losses(report: Report) -> dict[str, float]:
    """The code questions that lack points, and how many."""
    coded = [q for q in report.questions if q.kind is QuestionKind.CODE]
    return {q.id: q.max_points - q.points for q in coded if q.points < q.max_points}


def test_points_are_the_courses_own() -> None:
    """The questions' points add up to the printed 45, 23 of them for written answers."""
    questions = ASSIGNMENT.questions
    written = sum(q.points for q in questions if q.kind is QuestionKind.WRITTEN)
    assert sum(q.points for q in questions) == 45.0
    assert written == WRITTEN_POINTS
    assert len(questions) == 40


def test_solution_gets_full_marks() -> None:
    """The solution gets every point that a person does not give, and no check fails."""
    report = graded(solution_submission(ASSIGNMENT))
    assert report.score == 45.0 - WRITTEN_POINTS
    assert report.pending == WRITTEN_POINTS
    statuses = {check.status for question in report.questions for check in question.checks}
    assert statuses == {CheckStatus.PASSED}
    assert diagnoses(report) == set()


def diagnoses(report: Report) -> set[str]:
    """The codes of all bugs that the report names."""
    checks = [check for question in report.questions for check in question.checks]
    return {check.diagnosis.code for check in checks if check.diagnosis}


def test_release_gets_nothing() -> None:
    """The untouched release scores 0, and every question counts as not attempted."""
    report = graded(release_submission(ASSIGNMENT))
    assert report.score == 0.0
    assert report.pending == 0.0
    assert {q.status for q in report.questions} == {QuestionStatus.NOT_ATTEMPTED}


def test_there_are_enough_variants_and_mutants() -> None:
    """At least 3 variants and 25 mutants keep the checks honest."""
    assert len(VARIANTS) >= 3
    assert len(MUTANTS) >= 25
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len([mutant for mutant in MUTANTS if mutant.diagnosis]) >= 30


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_variant_gets_full_marks(variant: Variant) -> None:
    """A right answer that is written differently loses nothing."""
    report = graded(rewrite(ASSIGNMENT, variant))
    assert losses(report) == {}
    assert diagnoses(report) == set()
    assert report.score == 45.0 - WRITTEN_POINTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_loses_its_questions(mutant: Mutant) -> None:
    """A planted bug costs exactly the questions that it must cost, and has the right name."""
    report = graded(plant(ASSIGNMENT, mutant))
    assert set(losses(report)) == set(mutant.costs)
    assert diagnoses(report) == {mutant.diagnosis} - {""}
    failed = [q for q in report.questions if q.id in mutant.costs]
    assert all(q.status in (QuestionStatus.FAILED, QuestionStatus.PARTIAL) for q in failed)
    assert all(c.message for q in failed for c in q.checks if c.status is not CheckStatus.PASSED)


@pytest.mark.parametrize("question", [q.id for q in ASSIGNMENT.questions if q.points])
def test_every_code_question_has_a_mutant(question: str) -> None:
    """Each code question that has points is proven by a bug that costs it some."""
    if ASSIGNMENT.question(question).kind is QuestionKind.CODE:
        assert any(question in mutant.costs for mutant in MUTANTS)
