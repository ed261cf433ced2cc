"""Pieces of reports for the tests of grader.ci, with what hostile students write."""

from __future__ import annotations

from dataclasses import replace

from grader.records import CheckResult, CheckStatus, QuestionKind, QuestionReport, QuestionStatus

HOSTILE = (
    "wrong\n::error file=a.py::owned\r\n::set-output name=score::99%0A::warning::x ##[error]y\n"
    "::stop-commands::t ]]> <img src=x onerror=alert(1)> </pre> | cell | ![p](http://e.example) "
    "@everyone www.e.example `code` \x1b[31m\x00\x07\ud800 **bold**\n\n# Full marks\n::score=5"
)
SECRET = "secret check of the answer"


def check(status: CheckStatus = CheckStatus.FAILED, **more: object) -> CheckResult:
    """A visible check of one point, that failed with a hostile message."""
    is_passed = status is CheckStatus.PASSED
    made = CheckResult(
        name="test_square",
        description="square(x) multiplies.",
        hidden=False,
        status=status,
        points=float(is_passed),
        max_points=1.0,
        message="" if is_passed else HOSTILE,
        cause="" if is_passed else "student",
    )
    return replace(made, **more)


def question(
    identity: str, status: QuestionStatus, *checks: CheckResult, **more: object
) -> QuestionReport:
    """A question of code, of one and a half points."""
    earned = {QuestionStatus.PASSED: 1.5, QuestionStatus.PARTIAL: 0.5}.get(status, 0.0)
    made = QuestionReport(identity, "the square", QuestionKind.CODE, earned, 1.5, status)
    return replace(made, checks=checks, **more)
