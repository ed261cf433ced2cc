"""Gradescope's export is read, and its autograder's results are written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.lms import find_submissions, gradescope, write
from grader.lms.gradescope import results_json
from grader.lms.records import ScoreRow
from grader.records import QuestionStatus, Report
from grader.reports import to_json

LayOut = Callable[..., Path]
Row = Callable[..., ScoreRow]
METADATA = """---
submission_409:
  :submitters:
  - :name: Ada Larkwood
    :sid: 301
    :email: ada@school.example
  :created_at: 2026-03-02 10:30:00.593217000 Z
  :score: 3.0
  :results: {}
  :history:
  - :created_at: 2026-03-01 10:30:00.000000000 Z
    :score: 1.0
submission_410:
  :submitters:
  - :name: Alan Tavish
    :sid: '007'
    :email: alan@school.example
  - :name: Grace Harrow
    :sid:
    :email: grace@school.example
  :created_at: !ruby/object:ActiveSupport::TimeWithZone
    utc: 2026-03-02 11:00:00 Z
    zone: !ruby/object:ActiveSupport::TimeZone
      name: America/Los_Angeles
submission_411:
  :submitters: []
submission_412:
  :submitters:
  - :name: Emmy Nethery
    :email: emmy@school.example
"""


def test_export(lay_out: LayOut) -> None:
    """Students, groups, and submissions of nobody are told apart; a missing folder is said."""
    folder = lay_out(
        "assignment_9_export/submission_409/hw.ipynb",
        "assignment_9_export/submission_410/hw.ipynb",
        "assignment_9_export/submission_411/hw.ipynb",
        contents={"assignment_9_export/submission_metadata.yml": METADATA.encode()},
    )
    download = find_submissions(folder)
    assert download.system == "gradescope"
    found = {submission.id: submission for submission in download.submissions}
    assert list(found) == ["301", "submission_410", "submission_411"]
    ada = found["301"]
    assert (ada.name, ada.email, ada.attempt) == ("Ada Larkwood", "ada@school.example", 2)
    assert ada.submitted == datetime(2026, 3, 2, 10, 30, 0, 593217, tzinfo=UTC)
    group = found["submission_410"]
    assert group.members == ("007", "grace@school.example")
    assert group.keys["members"] == "007\ngrace@school.example"
    assert group.name == "Alan Tavish, Grace Harrow"
    assert group.submitted == datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert found["submission_411"].name == ""
    reasons = {path.name: reason for path, reason in download.passed_over}
    assert "not there" in reasons["submission_412"]


@pytest.mark.parametrize("text", ["[1, 2", "- a", "", "!!python/object/apply:os.getcwd []"])
def test_broken_metadata(lay_out: LayOut, text: str) -> None:
    """Metadata that cannot be read is one sentence; nothing in it is ever run."""
    folder = lay_out("submission_1/hw.ipynb", contents={"submission_metadata.yml": text.encode()})
    with pytest.raises(UsageError, match="export it again"):
        find_submissions(folder)


def test_results(graded: Report) -> None:
    """The whole score, and each check with its points and its visibility."""
    results = json.loads(json.dumps(results_json(graded), allow_nan=False))
    assert results["score"] == 3.0
    assert {test["visibility"] for test in results["tests"]} == {"visible", "hidden"}
    by_name = {test["name"]: test for test in results["tests"]}
    passed = by_name["Sigmoid: sigmoid(0) is a half"]
    assert (passed["status"], passed["score"], passed["max_score"]) == ("passed", 2.0, 2.0)
    assert passed["number"] == "1a"
    failed = by_name["Sigmoid: it is the logistic function"]
    assert (failed["status"], failed["visibility"]) == ("failed", "hidden")
    assert "a sign is wrong" in failed["output"]


def test_faults_that_are_not_the_students(graded: Report) -> None:
    """A check that could not judge, and a question for a person, have neither points nor a mark."""
    tests = {test["number"]: test for test in results_json(graded)["tests"]}
    for number in ("2", "3"):
        assert not {"status", "score", "max_score"} & tests[number].keys()
    assert "no points are lost" in tests["2"]["output"]


def test_a_question_that_was_not_graded(graded: Report) -> None:
    """The checks of a question that could not be graded add no points to those that count."""
    question = replace(graded.questions[0], status=QuestionStatus.UNGRADED)
    tests = results_json(replace(graded, questions=(question,)))["tests"]
    assert [test["status"] for test in tests] == ["passed", "failed"]
    assert not any("score" in test for test in tests)


def test_hidden_checks_stay_hidden(graded: Report) -> None:
    """Nothing that students see speaks of a hidden check."""
    results = results_json(graded)
    visible = [test for test in results["tests"] if test["visibility"] == "visible"]
    seen = json.dumps([visible, results["output"]])
    assert "a sign is wrong" not in seen
    assert "logistic" not in seen


def test_control_characters(graded: Report) -> None:
    """What a student's code put into a message reaches Gradescope without escape sequences."""
    question = graded.questions[0]
    check = replace(question.checks[0], message="\x1b[31mred\x00")
    report = replace(graded, questions=(replace(question, checks=(check,)),))
    assert results_json(report)["tests"][0]["output"] == "red"


def test_plan(graded: Report, row: Row, tmp_path: Path) -> None:
    """A folder for each submission; one without a report is said."""
    (tmp_path / "report.json").write_text(to_json(graded))
    made = gradescope.plan([row("ada", report=tmp_path / "report.json"), row("alan")])
    (path,) = write(made, tmp_path / "out")
    assert path == tmp_path / "out" / "ada" / "results.json"
    assert json.loads(path.read_text())["score"] == 3.0
    assert [skipped.id for skipped in made.skipped] == ["alan"]
