"""Whose fault it is that a check raised."""

from __future__ import annotations

import numpy as np
import pytest

from grader.checks import ValueMismatch, assert_close, check_gradient
from grader.checks.outcome import MAX_MESSAGE_CHARACTERS, judge
from grader.errors import (
    AssignmentError,
    ExecutionFault,
    MissingName,
    StudentDied,
    StudentRaised,
    StudentTimeout,
    UnreadableAnswer,
)
from grader.records import CheckStatus


def test_pass() -> None:
    """A check that raises nothing passed, and needs no cause."""
    verdict = judge(None)
    assert (verdict.status, verdict.message, verdict.cause) == (CheckStatus.PASSED, "", "")


@pytest.mark.parametrize(
    "error",
    [
        AssertionError("it is 4, expected 9"),
        ValueMismatch("it is 4, expected 9"),
        MissingName("`square` is not defined"),
        StudentRaised("your code raised ValueError", "ValueError"),
        StudentDied("your code ended its process"),
        UnreadableAnswer("your code's result cannot be used"),
        pytest.fail.Exception("the loss does not fall"),
    ],
)
def test_student(error: BaseException) -> None:
    """What the student's code did, or gave, fails the check in the error's own words."""
    verdict = judge(error)
    assert (verdict.status, verdict.cause) == (CheckStatus.FAILED, "student")
    assert verdict.message == str(error)


def test_timeout() -> None:
    """Code that does not finish in time is the student's, with a status of its own."""
    verdict = judge(StudentTimeout("it did not finish"))
    assert (verdict.status, verdict.cause) == (CheckStatus.TIMEOUT, "student")


def test_exception_of_the_students() -> None:
    """The type that the student's code raised is kept, to tell a blank from a mistake."""
    error = StudentRaised("your code raised NotImplementedError", "NotImplementedError")
    assert judge(error).exception == "NotImplementedError"
    assert judge(AssertionError()).exception == ""


@pytest.mark.parametrize(
    "error",
    [
        TypeError("unsupported operand"),
        AttributeError("'NoneType' object has no attribute 'shape'"),
        AssignmentError("no question 9z"),
        RecursionError(),
        SystemExit(0),
    ],
)
def test_author(error: BaseException) -> None:
    """Any other exception is the author's, and named with its type."""
    verdict = judge(error)
    assert (verdict.status, verdict.cause) == (CheckStatus.ERROR, "author")
    assert verdict.message.startswith(f"{type(error).__name__}: ")


def test_skip() -> None:
    """A skipped check is the author's doing."""
    verdict = judge(pytest.skip.Exception("not this year"))
    assert (verdict.status, verdict.cause) == (CheckStatus.SKIPPED, "author")


def test_grader() -> None:
    """A fault of the machinery is ours."""
    verdict = judge(ExecutionFault("the snapshot is lost"))
    assert (verdict.status, verdict.cause) == (CheckStatus.ERROR, "grader")


def test_wrong_gradient() -> None:
    """A failed gradient check brings its evidence along."""
    with pytest.raises(AssertionError) as caught:
        check_gradient(lambda x: float(np.sum(x**2)), lambda x: -2 * x, at=np.array([1.0, 2.0]))
    verdict = judge(caught.value)
    assert (verdict.status, verdict.cause) == (CheckStatus.FAILED, "student")
    assert verdict.evidence is not None
    assert verdict.evidence.worst


def test_diagnosis() -> None:
    """A named mistake is kept, be it in a value or in a gradient."""
    with pytest.raises(AssertionError) as caught:
        assert_close(-4.0, 4.0, known={"sign": -4.0})
    named = judge(caught.value).diagnosis
    assert named is not None
    assert named.code == "sign"
    with pytest.raises(AssertionError) as caught:
        check_gradient(lambda x: float(np.sum(x**2)), lambda x: -2 * x, at=np.arange(1.0, 5.0))
    named = judge(caught.value).diagnosis
    assert named is not None
    assert named.code == "sign"


def test_undecided_gradient() -> None:
    """A gradient check that noise keeps from deciding is nobody's loss."""
    noise = np.random.default_rng(1)
    with pytest.raises(AssertionError) as caught:
        check_gradient(lambda x: float(noise.normal()), lambda x: x, at=np.array([1.0, 2.0]))
    verdict = judge(caught.value)
    assert (verdict.status, verdict.cause) == (CheckStatus.INCONCLUSIVE, "grader")


@pytest.mark.parametrize("error", [AssertionError(), AssertionError("  "), ValueError("")])
def test_a_cause_is_never_empty(error: BaseException) -> None:
    """An error without words is told by its type."""
    assert type(error).__name__ in judge(error).message


def test_long_message() -> None:
    """A message without end is cut."""
    assert len(judge(AssertionError("x" * 10**6)).message) == MAX_MESSAGE_CHARACTERS
