"""One check's outcome as pytest saw it, sorted into the three kinds of fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from grader.checks.closeness import ValueMismatch
from grader.checks.gradients.results import GradientCheckFailed, GradientInconclusive
from grader.errors import ExecutionFault, StudentFault, StudentTimeout
from grader.records import CheckStatus, Diagnosis, GradientEvidence

MAX_MESSAGE_CHARACTERS = 2000


@dataclass(frozen=True)
class Verdict:
    """A status and what is behind it; `exception` names what the student's code raised."""

    status: CheckStatus
    message: str = ""
    cause: str = ""
    diagnosis: Diagnosis | None = None
    evidence: GradientEvidence | None = None
    exception: str = ""


@dataclass(frozen=True)
class CheckOutcome:
    """A verdict, the check that it belongs to and its share of the question's points.

    `replaced` are the questions whose work the solution's stood in for, and
    `credit` the share of the points that a failed check still gives by the code
    of its diagnosis.
    """

    question: str
    name: str
    description: str
    hidden: bool
    weight: float
    verdict: Verdict
    replaced: tuple[str, ...] = ()
    credit: Mapping[str, float] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """The part of the check's points that its verdict gives."""
        if self.verdict.status is CheckStatus.PASSED:
            return 1.0
        if self.verdict.status is not CheckStatus.FAILED or self.verdict.diagnosis is None:
            return 0.0
        return self.credit.get(self.verdict.diagnosis.code, 0.0)


def judge(error: BaseException | None) -> Verdict:
    """The verdict on a check that raised `error`, or nothing."""
    if error is None:
        return Verdict(CheckStatus.PASSED)
    message = _sentence(error)
    if isinstance(error, GradientInconclusive):
        evidence, diagnosis = error.result.evidence, error.result.diagnosis
        return Verdict(CheckStatus.INCONCLUSIVE, message, "grader", diagnosis, evidence)
    if isinstance(error, GradientCheckFailed):
        evidence, diagnosis = error.result.evidence, error.result.diagnosis
        return Verdict(CheckStatus.FAILED, message, "student", diagnosis, evidence)
    if isinstance(error, StudentTimeout):
        return Verdict(CheckStatus.TIMEOUT, message, "student")
    if isinstance(error, StudentFault):
        exception = str(getattr(error, "exception", ""))
        return Verdict(CheckStatus.FAILED, message, "student", exception=exception)
    if isinstance(error, AssertionError | pytest.fail.Exception):
        diagnosis = error.diagnosis if isinstance(error, ValueMismatch) else None
        return Verdict(CheckStatus.FAILED, message, "student", diagnosis)
    if isinstance(error, pytest.skip.Exception):
        return Verdict(CheckStatus.SKIPPED, message, "author")
    if isinstance(error, ExecutionFault):
        return Verdict(CheckStatus.ERROR, message, "grader")
    return Verdict(CheckStatus.ERROR, f"{type(error).__name__}: {message}", "author")


def _sentence(error: BaseException) -> str:
    # pytest adds the expression to an assert's own words.
    text = str(error).split("\nassert ")[0].strip() or type(error).__name__
    return text[:MAX_MESSAGE_CHARACTERS]
