"""Whether a hand-in got what the assignment promises, judged from what it was given."""

from __future__ import annotations

import pytest

from grader.assignment import Assignment
from grader.audit.planting import Mutant, solution_submission
from grader.audit.promises import HandIn, judge
from grader.audit.records import Promise
from grader.audit.trial import CheckRun, Graded, QuestionRun
from grader.records import CheckStatus, QuestionKind, QuestionStatus

PASSED, FAILED = QuestionStatus.PASSED, QuestionStatus.FAILED
NOT_ATTEMPTED, UNGRADED = QuestionStatus.NOT_ATTEMPTED, QuestionStatus.UNGRADED


def graded(diagnosis: str = "", **statuses: QuestionStatus) -> Graded:
    """What a hand-in got: 1 point for each question that passed."""
    questions = tuple(
        QuestionRun(name, QuestionKind.CODE, status, float(status is PASSED), 1.0)
        for name, status in statuses.items()
    )
    checks = tuple(
        CheckRun(
            *("test_it", name, CheckStatus.PASSED if status is PASSED else CheckStatus.FAILED),
            *(1.0, False, status is FAILED, "" if status is PASSED else "it is wrong", diagnosis),
        )
        for name, status in statuses.items()
    )
    score = sum(question.points for question in questions)
    return Graded(questions, checks, score, 0.0, 1.0, 0.1, "none")


@pytest.mark.parametrize(
    ("promise", "got", "kept", "found"),
    [
        (Promise.SOLUTION, graded(a=PASSED, b=PASSED), True, "full marks"),
        (Promise.SOLUTION, graded(a=FAILED), False, "costs a, and must cost nothing"),
        (Promise.SOLUTION, graded(a=UNGRADED), False, "costs a, and must cost nothing"),
        (Promise.VARIANT, graded(a=PASSED), True, "full marks"),
        (Promise.VARIANT, graded("sign", a=PASSED), False, "is named sign, and must be nothing"),
        (Promise.RELEASE, graded(a=NOT_ATTEMPTED), True, "0 points"),
        (Promise.RELEASE, graded(a=FAILED), False, "a should count as not attempted"),
        (Promise.RELEASE, graded(a=PASSED), False, "it gets 1 points"),
    ],
)
def test_right_answers_and_release(
    tiny: Assignment, promise: Promise, got: Graded, kept: bool, found: str
) -> None:
    """Solution and variants get full marks and no name of a mistake, the release nothing."""
    result = judge(HandIn(promise, "x", solution_submission(tiny)), got)
    assert result.kept is kept
    assert result.found.startswith(found)


@pytest.mark.parametrize(
    ("diagnosis", "got", "kept", "found"),
    [
        ("", graded(a=FAILED, b=PASSED), True, "costs a"),
        ("", graded("sign", a=FAILED, b=PASSED), True, "costs a, named sign"),
        ("sign", graded("sign", a=FAILED, b=PASSED), True, "costs a, named sign"),
        ("sign", graded("factor_two", a=FAILED), False, "is named factor_two, and must be sign"),
        ("sign", graded(a=FAILED), False, "is named nothing, and must be sign"),
        ("", graded(a=PASSED), False, "costs nothing, and must cost a"),
        ("", graded(a=FAILED, b=FAILED), False, "costs a, b, and must cost a (b test_it"),
        ("", graded(a=UNGRADED), False, "a is ungraded instead of failed"),
    ],
)
def test_planted_bugs(
    tiny: Assignment, diagnosis: str, got: Graded, kept: bool, found: str
) -> None:
    """A bug costs exactly its questions, and has its name where the author gives it one."""
    mutant = Mutant("m", "a", "x", "y", ("a",), diagnosis)
    result = judge(HandIn(Promise.MUTANT, "m", solution_submission(tiny), mutant), got)
    assert result.kept is kept
    assert result.found.startswith(found)
