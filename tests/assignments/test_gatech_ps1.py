"""The figures of gatech_ps1 that are the course's own."""

from __future__ import annotations

import pytest

from grader import load_assignment
from grader.audit import load_mutants
from grader.records import QuestionKind

ASSIGNMENT = load_assignment("gatech_ps1")
# Bugs of real hand-ins that passed the course's own unit tests.
REAL = {
    "the bias is added to the weights": "bias_inside_product",
    "the two-layer network is skipped": "not_updated",
    "biases decay": "weight_decay_on_bias",
}


def points_of(kind: QuestionKind) -> float:
    """The points of all questions of a kind."""
    return sum(question.points for question in ASSIGNMENT.questions if question.kind is kind)


def test_points_are_the_courses_own() -> None:
    """The questions' points add up to 50: 22.5 for texts, 19.5 for code, 8 for experiments."""
    kinds = (QuestionKind.WRITTEN, QuestionKind.CODE, QuestionKind.PLOT)
    assert [points_of(kind) for kind in kinds] == [22.5, 19.5, 8.0]
    assert len(ASSIGNMENT.questions) == 22


@pytest.mark.parametrize(("name", "code"), REAL.items())
def test_bugs_of_real_hand_ins_are_named(name: str, code: str) -> None:
    """The report names what the course's own tests let pass."""
    assert {mutant.name: mutant.diagnosis for mutant in load_mutants(ASSIGNMENT)}[name] == code


def test_code_is_graded_from_modules() -> None:
    """No cell is run: its trainings take minutes, and their settings were changed by hand."""
    assert not ASSIGNMENT.cells_answer_code


def test_the_release_imports() -> None:
    """The release has every module that its notebook imports, and no answer in it."""
    modules = [path for path in ASSIGNMENT.files if path.endswith(".py")]
    assert {"models/__init__.py", "optimizer/__init__.py", "utils.py"} <= set(modules)
    for path in ASSIGNMENT.answer_files:
        assert b"SOLUTION" not in ASSIGNMENT.files[path]
