"""Answers are found in deformed notebooks, whatever the release's metadata were."""

from __future__ import annotations

from functools import cache

import pytest
from mangling import DEFORMATIONS, HandIn, NotApplicableError, Stage, deform, solution_hand_in
from mangling.aligning import alignment_differences

from grader.assignment import Assignment, load_assignment

STRIPPED = "metadata_stripped"
NAMES = [name for name, d in DEFORMATIONS.items() if d.stage < Stage.METADATA]


@cache
def good(slug: str) -> tuple[Assignment, HandIn]:
    """An assignment and its solution as a hand-in; neither is changed by a test."""
    assignment = load_assignment(slug)
    return assignment, solution_hand_in(assignment)


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_found(name: str) -> None:
    """Without metadata and ids, no deformation hides an answer, or the question says so."""
    assignment, hand_in = good("kiel_lab4")
    try:
        deform(name, hand_in, assignment)
    except NotApplicableError:
        assert name in ("comments_removed", "comments_translated", "vectorized")
        return
    assert alignment_differences([name, STRIPPED], hand_in, assignment) == []


@pytest.mark.parametrize("name", ["functions_at_top", "merged_by_section", "out_of_order"])
def test_answers_of_many_questions_are_found(name: str) -> None:
    """So it is where names are defined several times, and labels repeat from section to section."""
    assignment, hand_in = good("radboud_a1")
    assert alignment_differences([name, STRIPPED], hand_in, assignment) == []
