"""The figures of radboud_a1 that are the course's own."""

from __future__ import annotations

from grader import load_assignment
from grader.audit import load_mutants
from grader.records import QuestionKind

ASSIGNMENT = load_assignment("radboud_a1")


def test_points_are_the_courses_own() -> None:
    """The questions' points add up to the printed 45, 23 of them for written answers."""
    questions = ASSIGNMENT.questions
    written = sum(q.points for q in questions if q.kind is QuestionKind.WRITTEN)
    assert sum(q.points for q in questions) == 45.0
    assert written == 23.0
    assert len(questions) == 40


def test_many_mistakes_are_named() -> None:
    """The report's name is held for at least 30 of the planted bugs."""
    assert len([mutant for mutant in load_mutants(ASSIGNMENT) if mutant.diagnosis]) >= 30
