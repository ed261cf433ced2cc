"""What GitHub's classrooms read: Classroom 50's result.json, and the old reporter's environment.

Classroom 50 (https://github.com/foundation50/classroom50/wiki/Advanced-Autograding) wants whole
numbers, so that scores are in hundredths of a point: the same scale for every submission.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from grader.ci.grading import DONE, FAILED
from grader.errors import UsageError
from grader.records import QuestionKind, QuestionReport, QuestionStatus, Report
from grader.reports.audience import for_student
from grader.reports.plain import clip, one_line, plain
from grader.reports.wording import reason

SCHEMA = "classroom50/result/v1"
HUNDREDTHS = 100
REQUIRED = ("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL")
TYPES = ("individual", "group")
MESSAGE = 500


def result_json(
    report: Report, environment: Mapping[str, str], now: datetime, *, fault: str = ""
) -> dict[str, Any]:
    """The result as `classroom50/result/v1`: a test for each question that code answers.

    What people judge, and what could not be judged, is in neither of the sums.
    With a `fault` of the hand-in's there is one test, which failed.

    Raises:
        UsageError: the runner's environment is missing.
    """
    missing = [name for name in REQUIRED if not environment.get(name)]
    if missing:
        raise UsageError(f"Classroom 50's runner did not say {', '.join(missing)}")
    tests = [_unusable(report, fault)] if fault else [_test(q) for q in _judged(report)]
    kind = environment.get("ASSIGNMENT_TYPE", "")
    return {
        "schema": SCHEMA,
        "classroom": environment["CLASSROOM"],
        "assignment": environment["ASSIGNMENT"],
        "assignment_type": kind if kind in TYPES else TYPES[0],
        "owner": environment.get("OWNER") or environment.get("USERNAME", ""),
        "submission": environment["SUBMISSION_TAG"],
        "commit": environment["COMMIT_URL"],
        "release": environment["RELEASE_URL"],
        "review": environment.get("REVIEW_URL") or environment["COMMIT_URL"],
        "datetime": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
        "tests": tests,
    }


def _judged(report: Report) -> Sequence[QuestionReport]:
    questions = for_student(report).questions
    coded = [question for question in questions if question.kind is QuestionKind.CODE]
    return [question for question in coded if question.status is not QuestionStatus.UNGRADED]


def _test(question: QuestionReport) -> dict[str, Any]:
    return {
        "test-name": one_line(f"{question.id} {question.title}"),
        "passed": question.status is QuestionStatus.PASSED,
        "score": round(question.points * HUNDREDTHS),
        "max-score": round(question.max_points * HUNDREDTHS),
    }


def _unusable(report: Report, fault: str) -> dict[str, Any]:
    coded = [q.max_points for q in report.questions if q.kind is QuestionKind.CODE]
    return {
        "test-name": one_line(f"not graded: {fault}")[:MESSAGE],
        "passed": False,
        "score": 0,
        "max-score": round(sum(coded) * HUNDREDTHS),
    }


def reporter_results(report: Report, code: int) -> str:
    """What the old reporter reads from `<STEP>_RESULTS`: JSON in base64, a test a question."""
    tests = [_reported(question) for question in _judged(report)]
    results = {
        "version": 1,
        "status": {DONE: "pass", FAILED: "fail"}.get(code, "error"),
        "max_score": sum(test["max_score"] for test in tests),
        "tests": tests,
    }
    return base64.b64encode(json.dumps(results).encode()).decode()


def _reported(question: QuestionReport) -> dict[str, Any]:
    is_passed = question.status is QuestionStatus.PASSED
    return {
        "name": one_line(f"{question.id} {question.title}"),
        "status": "pass" if is_passed else "fail",
        "score": question.points,
        "max_score": question.max_points,
        "message": "" if is_passed else clip(plain(reason(question)), MESSAGE, 0),
        "test_code": "",
        "filename": question.files[0].path if question.files else "",
        "line_no": question.files[0].first_line if question.files else 0,
        "duration": 0,
    }
