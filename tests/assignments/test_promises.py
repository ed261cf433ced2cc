"""What every bundled assignment promises: the score of each kind of hand-in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from grader import grade, load_assignment
from grader.assignment import Assignment, bundled_assignments
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


@cache
def assignment(slug: str) -> Assignment:
    """Loaded once a worker: grading never changes it."""
    return load_assignment(slug)


SLUGS = bundled_assignments()
VARIANTS = [(slug, variant) for slug in SLUGS for variant in load_variants(assignment(slug))]
MUTANTS = [(slug, mutant) for slug in SLUGS for mutant in load_mutants(assignment(slug))]
CODE_QUESTIONS = [
    (slug, question.id)
    for slug in SLUGS
    for question in assignment(slug).questions
    if question.kind is QuestionKind.CODE and question.points
]


def name(value: str | Variant | tuple[Mutant, ...]) -> str:
    """How pytest shows a parameter."""
    if isinstance(value, tuple):
        return f"{value[0].name} and {len(value) - 1} more" if len(value) > 1 else value[0].name
    return value if isinstance(value, str) else value.name


def graded(slug: str, submission: Submission) -> Report:
    """The report on a hand-in."""
    return grade(assignment(slug), submission)


def code_points(slug: str) -> float:
    """The points that code earns; a person gives the others."""
    return sum(assignment(slug).question(q).points for s, q in CODE_QUESTIONS if s == slug)


def losses(report: Report) -> dict[str, float]:
    """The code questions that lack points, and how many."""
    coded = [q for q in report.questions if q.kind is QuestionKind.CODE]
    return {q.id: q.max_points - q.points for q in coded if q.points < q.max_points}


def diagnoses(report: Report) -> set[str]:
    """The codes of all bugs that the report names."""
    checks = [check for question in report.questions for check in question.checks]
    return {check.diagnosis.code for check in checks if check.diagnosis}


@pytest.mark.parametrize("slug", SLUGS)
def test_solution_gets_full_marks(slug: str) -> None:
    """The solution gets every point that a person does not give, and no check fails."""
    report = graded(slug, solution_submission(assignment(slug)))
    assert losses(report) == {}
    assert report.score == pytest.approx(code_points(slug))
    statuses = {check.status for question in report.questions for check in question.checks}
    assert statuses == {CheckStatus.PASSED}
    assert diagnoses(report) == set()


@pytest.mark.parametrize("slug", SLUGS)
def test_release_gets_nothing(slug: str) -> None:
    """The untouched release scores 0, and every question counts as not attempted."""
    report = graded(slug, release_submission(assignment(slug)))
    assert report.score == 0.0
    assert report.pending == 0.0
    assert {q.status for q in report.questions} == {QuestionStatus.NOT_ATTEMPTED}


@pytest.mark.parametrize("slug", SLUGS)
def test_there_are_enough_variants_and_mutants(slug: str) -> None:
    """At least 3 variants and 15 mutants, each with a name of its own, keep the checks honest."""
    mutants = [mutant.name for owner, mutant in MUTANTS if owner == slug]
    assert len([variant for owner, variant in VARIANTS if owner == slug]) >= 3
    assert len(mutants) >= 15
    assert len(set(mutants)) == len(mutants)


@pytest.mark.parametrize(("slug", "variant"), VARIANTS, ids=name)
def test_variant_gets_full_marks(slug: str, variant: Variant) -> None:
    """A right answer that is written differently loses nothing."""
    report = graded(slug, rewrite(assignment(slug), variant))
    assert losses(report) == {}
    assert diagnoses(report) == set()


def apart(slug: str) -> Iterator[tuple[Mutant, ...]]:
    """The mutants in groups, no two of which are in one answer or cost one question."""
    groups: list[list[Mutant]] = []
    for mutant in load_mutants(assignment(slug)):
        touched = {mutant.question, *mutant.costs}
        fitting = (g for g in groups if not any(touched & {m.question, *m.costs} for m in g))
        group = next(fitting, None)
        if group is None:
            groups.append(group := [])
        group.append(mutant)
    return map(tuple, groups)


GROUPS = [(slug, group) for slug in SLUGS for group in apart(slug)]


@pytest.mark.parametrize(("slug", "mutants"), GROUPS, ids=name)
def test_mutants_lose_their_questions(slug: str, mutants: tuple[Mutant, ...]) -> None:
    """Planted bugs cost exactly the questions that they must cost, and have the right names.

    Each is graded among bugs in other questions. A name that these hide, it must have alone;
    `grader audit` plants all of them one by one.
    """
    report = graded(slug, plant(assignment(slug), *mutants))
    costs = {question for mutant in mutants for question in mutant.costs}
    assert set(losses(report)) == costs
    expected = {mutant.diagnosis for mutant in mutants}
    assert all(expected.intersection(code.split("+")) for code in diagnoses(report) - expected)
    for mutant in mutants:
        if mutant.diagnosis and mutant.diagnosis not in diagnoses(report):
            assert diagnoses(graded(slug, plant(assignment(slug), mutant))) == {mutant.diagnosis}
    failed = [q for q in report.questions if q.id in costs]
    assert all(q.status in (QuestionStatus.FAILED, QuestionStatus.PARTIAL) for q in failed)
    assert all(c.message for q in failed for c in q.checks if c.status is not CheckStatus.PASSED)


@pytest.mark.parametrize(("slug", "question"), CODE_QUESTIONS)
def test_every_code_question_has_a_mutant(slug: str, question: str) -> None:
    """Each code question that has points is proven by a bug that costs it some."""
    assert any(question in mutant.costs for owner, mutant in MUTANTS if owner == slug)
