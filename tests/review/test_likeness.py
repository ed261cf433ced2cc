"""Which answers are scored as one."""

from __future__ import annotations

import pytest

from grader.records import AnswerCell, CellOutput, QuestionKind, QuestionReport, QuestionStatus
from grader.review.likeness import AnswerText, answer_text, are_alike, groups


def asked(*cells: AnswerCell) -> AnswerText:
    """The text of an answer."""
    fields = ("1", "q", QuestionKind.WRITTEN, 0.0, 1.0, QuestionStatus.PENDING)
    return answer_text(QuestionReport(*fields, answer=cells))


def prose(text: str) -> AnswerText:
    """The text of an answer in Markdown."""
    return asked(AnswerCell(1, "markdown", text))


@pytest.mark.parametrize(
    "other",
    [
        "the loss   INCREASES with the step size 0.1",
        "The loss increases, with the step size 0.1.",
        "The loss incraeses with the step size 0.1",
    ],
)
def test_alike(other: str) -> None:
    """Case, spacing, ends of sentences and a slip of a finger make no difference."""
    assert are_alike(prose("The loss increases with the step size 0.1"), prose(other))


@pytest.mark.parametrize(
    "other",
    [
        "The loss decreases with the step size 0.1",
        "The loss increases with the step size 0.2",
        "The loss increases with the step size -0.1",
        "The loss increases not with the step size 0.1",
        "The loss increases with the step size 0.1 and more",
        "",
    ],
)
def test_not_alike(other: str) -> None:
    """What says something else is scored by itself, however few letters that takes."""
    assert not are_alike(prose("The loss increases with the step size 0.1"), prose(other))


def test_code_and_pictures_are_compared_exactly() -> None:
    """Code that differs in a letter's case, and another picture, are other answers."""
    cell = AnswerCell(1, "code", "x = X", (CellOutput("image/png", "aa"),))
    assert asked(cell) == asked(cell)
    assert not are_alike(asked(cell), asked(AnswerCell(1, "code", "x = x", cell.outputs)))
    other = AnswerCell(1, "code", "x = X", (CellOutput("image/png", "ab"),))
    assert not are_alike(asked(cell), asked(other))


def test_groups_are_not_chains() -> None:
    """Each member is like its group's first, so that no chain of slips joins two answers."""
    answers = {"a": prose("graph"), "b": prose("grape"), "c": prose("grapes"), "d": prose("")}
    assert groups(answers) == [("a", "b"), ("c",), ("d",)]
