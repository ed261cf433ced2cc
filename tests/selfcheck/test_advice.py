"""What a student is told of a failed check."""

from __future__ import annotations

import pytest

from grader.records import (
    CheckResult,
    CheckStatus,
    Diagnosis,
    GradientElement,
    GradientEvidence,
)
from grader.selfcheck.advice import TRY_TIME, TRY_VALUE, advise


def failed(message: str, **changes: object) -> CheckResult:
    """A check that failed with this message."""
    fields = {"status": CheckStatus.FAILED, "cause": "student", **changes}
    return CheckResult(
        "test_f", "f(x) is right.", False, points=0, max_points=1, message=message, **fields
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("your code raised NotImplementedError", "in place of `raise NotImplementedError`"),
        ("`sigmoid` is not defined", "define `sigmoid`, spelled just like this"),
        ("f(x) returns None", "end the function with a `return`"),
        ("f(x)[1] is NaN (not a number)", "log(0), 0/0 and exp of a large number"),
        ("db has shape (3,), expected (7,)", "print the `.shape`"),
        ("your code raised KeyError: 'W' (in f)", "read the traceback from its end"),
        ("f(x)[0] is 3, expected 4 (relative error 0.3)", TRY_VALUE),
    ],
)
def test_what_to_try(message: str, words: str) -> None:
    """What to try follows from what the check met."""
    advice = advise(failed(message))
    assert advice.sentence == message
    assert advice.hint == "f(x) is right."
    assert words in advice.attempt


def test_gradient() -> None:
    """Of a wrong gradient, its worst element is the one to compute by hand."""
    worst = GradientElement((2, 1), 1.0, 2.0, 0.5)
    evidence = GradientEvidence((worst,), (), 1e-7, 9)
    diagnosis = Diagnosis("wrong_sign", "Your gradient has the wrong sign.", 0.9)
    advice = advise(failed("dW is wrong", evidence=evidence, diagnosis=diagnosis))
    assert "element [2, 1]" in advice.attempt
    assert advice.diagnosis == "Your gradient has the wrong sign."


def test_other_faults() -> None:
    """A student is not sent to look for a mistake that is not theirs."""
    assert advise(failed("late", status=CheckStatus.TIMEOUT)).attempt == TRY_TIME
    author = advise(failed("ValueError", status=CheckStatus.ERROR, cause="author"))
    assert "tell your teachers" in author.attempt
    wanting = advise(failed("needs torch", status=CheckStatus.SKIPPED, cause="environment"))
    assert wanting.attempt == ""


def test_escapes_are_taken_out() -> None:
    """What a student's code says cannot move the cursor or break the line."""
    assert advise(failed("a\x1b[2J\nb")).sentence == "a b"
