"""Classroom 50's result.json, and the old reporter's environment."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from ci_reports import SECRET

from grader.ci.classroom import REQUIRED, reporter_results, result_json
from grader.errors import UsageError
from grader.records import Report

NOW = datetime(2026, 9, 1, 12, 30, tzinfo=UTC)
ENVIRONMENT = {name: name.lower() for name in REQUIRED} | {"USERNAME": "ann"}
KEYS = {
    *("schema", "classroom", "assignment", "assignment_type", "owner", "submission", "commit"),
    *("release", "review", "datetime", "score", "max-score", "tests"),
}


def test_result(report: Report) -> None:
    """All required keys are there, scores are whole hundredths, and add up."""
    result = result_json(report, ENVIRONMENT, NOW)
    assert result.keys() == KEYS
    assert result["schema"] == "classroom50/result/v1"
    assert result["datetime"] == "2026-09-01T12:30:00Z"
    assert (result["owner"], result["assignment_type"]) == ("ann", "individual")
    assert (result["score"], result["max-score"]) == (200, 450)
    assert [test["score"] for test in result["tests"]] == [150, 0, 50]
    assert all(type(test["score"]) is int for test in result["tests"])
    assert SECRET not in json.dumps(result)


def test_unusable(report: Report) -> None:
    """A hand-in that cannot be read has one test, which failed and says why."""
    result = result_json(report, ENVIRONMENT, NOW, fault="there is no notebook")
    assert (result["score"], result["max-score"]) == (0, 450)
    assert "there is no notebook" in result["tests"][0]["test-name"]


def test_group(report: Report) -> None:
    """The runner's word on the kind of assignment and its owner is taken."""
    given = ENVIRONMENT | {"ASSIGNMENT_TYPE": "group", "OWNER": "team"}
    result = result_json(report, given, NOW)
    assert (result["owner"], result["assignment_type"]) == ("team", "group")


def test_without_runner(report: Report) -> None:
    """Without the runner's environment there is no result, and it says what is missing."""
    with pytest.raises(UsageError, match="CLASSROOM, ASSIGNMENT"):
        result_json(report, {}, NOW)


def test_reporter(report: Report) -> None:
    """The old reporter gets base64 on one line, whose tests add up."""
    coded = reporter_results(report, 1)
    assert "\n" not in coded
    results = json.loads(base64.b64decode(coded))
    assert (results["version"], results["status"], results["max_score"]) == (1, "fail", 4.5)
    assert [test["status"] for test in results["tests"]] == ["pass", "fail", "fail"]
    assert sum(test["score"] for test in results["tests"]) == report.score
    assert (results["tests"][2]["filename"], results["tests"][2]["line_no"]) == ("net/loss.py", 7)
