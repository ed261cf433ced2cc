"""Answers are found in deformed notebooks, whatever the release's metadata were."""

from __future__ import annotations

from functools import cache

import pytest
from mangling import DEFORMATIONS, HandIn, NotApplicableError, Stage, deform, solution_hand_in
from mangling.aligning import alignment_differences
from mangling.combining import deform_all

from grader.alignment import align
from grader.assignment import Assignment, load_assignment
from grader.submission import read_notebook

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


def test_one_name_of_many_questions() -> None:
    """Of two cells far from the prompt that define the name, one may be another question's."""
    assignment, hand_in = good("radboud_a1")
    names = ["stub_left", "comments_translated", STRIPPED]
    saved = deform_all(names, hand_in, assignment).saved
    answers = align(assignment, read_notebook(saved.files[saved.name], saved.name))
    for identity in ("1.6b", "1.6d", "1.6f", "1.6h"):
        answer = answers[identity]
        assert answer.alternatives
        assert any(len(cells) == 1 for cells in answer.alternatives)
