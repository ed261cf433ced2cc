"""JUnit XML that GitLab reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

from grader.lms import junit
from grader.lms.junit import junit_xml
from grader.lms.records import ScoreRow
from grader.records import Report
from grader.reports import to_json


def test_cases(graded: Report) -> None:
    """A suite for the submission, a case for each question, scores as properties."""
    root = ET.fromstring(junit_xml([("ada", graded)]))
    (suite,) = root.findall("testsuite")
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped", "time")}
    assert counts == {
        "tests": "4",
        "failures": "1",
        "errors": "0",
        "skipped": "2",
        "time": "1.250",
    }
    properties = {p.get("name"): p.get("value") for p in suite.iter("property")}
    assert properties == {"score": "3", "max_score": "10", "pending": "6"}
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    assert list(cases) == ["1a Sigmoid", "1b Tanh", "2 Loss", "3 Discuss"]
    assert {case.get("classname") for case in cases.values()} == {"ada"}
    assert len(cases["1b Tanh"]) == 0
    failure = cases["1a Sigmoid"].find("failure")
    assert failure is not None
    assert failure.get("message") == "2 / 3 points"
    assert (failure.text or "").startswith("2 / 3 points")


def test_hidden_checks_stay_hidden(graded: Report) -> None:
    """Pipelines are open to students, so hidden checks are not in the file."""
    text = junit_xml([("ada", graded)]).decode()
    assert "logistic" not in text
    assert "a sign is wrong" not in text


def test_distinct_names(graded: Report) -> None:
    """GitLab drops cases of one name, so suites and cases of one name are numbered."""
    twice = replace(graded, questions=graded.questions[:1] * 2)
    root = ET.fromstring(junit_xml([("ada", twice), ("ada", twice)]))
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(set(names)) == 4


def test_characters_that_xml_forbids(graded: Report) -> None:
    """What a student's code printed cannot break the file."""
    question = replace(
        graded.questions[0], title="a\x00<b>\x1b[1m&\ud800\ufffe", notes=("]]>\x0b",)
    )
    root = ET.fromstring(junit_xml([("a\x01da", replace(graded, questions=(question,)))]))
    (case,) = root.iter("testcase")
    assert case.get("name") == "1a a<b>&"


def test_plan(graded: Report, row: Callable[..., ScoreRow], tmp_path: Path) -> None:
    """All submissions with a report are in the one file; the others are said."""
    path = tmp_path / "report.json"
    path.write_text(to_json(graded))
    made = junit.plan([row("ada", report=path), row("alan", report=tmp_path / "none.json")])
    assert made.files[0].name == "junit.xml"
    assert [skipped.id for skipped in made.skipped] == ["alan"]
