"""`python -m grader.ci`: what the packaged scripts call, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from ci_reports import HOSTILE, SECRET, check, question
from click.testing import CliRunner, Result

from grader.ci import __main__ as module
from grader.ci.classroom import REQUIRED
from grader.ci.grading import FAILED, OUR_FAULT, UNUSABLE, Graded
from grader.records import CheckStatus, QuestionStatus, Report

Call = Callable[..., Result]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Runs a system's command on what came of a submission; its files go to `tmp_path`/out."""

    def call(graded: Graded, *arguments: str, **environment: str) -> Result:
        monkeypatch.setattr(module, "grade_one", lambda *args, **more: graded)
        system, *options = arguments
        command = [system, "tiny", "hw.ipynb", "-o", str(tmp_path / "out"), *options]
        result = CliRunner().invoke(module.systems, command, env=environment, standalone_mode=False)
        assert result.exception is None
        return result

    return call


def test_gitlab(call: Call, report: Report, tmp_path: Path) -> None:
    """The job's report can be read whatever a student wrote, and the log has none of it."""
    result = call(Graded(report, FAILED), "gitlab")
    assert result.return_value == FAILED
    assert "wrong" not in result.output
    root = ET.parse(tmp_path / "out" / "junit.xml").getroot()
    cases = {case.get("name"): case for case in root.iter("testcase")}
    failure = cases["1b the square"].find("failure")
    assert failure is not None
    assert "]]>" in str(failure.text)
    assert "\x1b" not in str(failure.text)
    assert root.find("testsuite").get("failures") == "2"
    assert SECRET not in (tmp_path / "out" / "junit.xml").read_text()
    assert SECRET not in (tmp_path / "out" / "report.json").read_text()


def test_classroom50(call: Call, report: Report, tmp_path: Path) -> None:
    """Every graded outcome exits with 0; without the runner's environment nothing is written."""
    environment = dict.fromkeys(REQUIRED, "x")
    assert call(Graded(report, FAILED), "classroom50").return_value == UNUSABLE
    assert call(Graded(report, FAILED), "classroom50", **environment).return_value == 0
    assert json.loads((tmp_path / "out" / "result.json").read_text())["score"] == 200
    unusable = Graded(report, UNUSABLE, "there is no notebook")
    assert call(unusable, "classroom50", **environment).return_value == 0
    assert json.loads((tmp_path / "out" / "result.json").read_text())["score"] == 0


def test_classroom50_faults(call: Call, report: Report, tmp_path: Path) -> None:
    """A fault that is not the student's leaves no result, and so no wrong zero."""
    environment = dict.fromkeys(REQUIRED, "x")
    broken = question("1a", QuestionStatus.UNGRADED, check(CheckStatus.ERROR, cause="grader"))
    graded = Graded(replace(report, questions=(broken,)), OUR_FAULT)
    assert call(graded, "classroom50", **environment).return_value == OUR_FAULT
    nothing = Graded(None, OUR_FAULT, HOSTILE)
    result = call(nothing, "classroom50", **environment)
    assert result.return_value == OUR_FAULT
    assert not any(line.startswith("::") for line in result.output.splitlines())
    assert not (tmp_path / "out").exists()


def test_exit_zero(call: Call, report: Report) -> None:
    """`--exit-zero` lets lost points pass, and nothing else."""
    assert call(Graded(report, FAILED), "github", "--exit-zero").return_value == 0
    assert call(Graded(None, UNUSABLE, "no"), "github", "--exit-zero").return_value == UNUSABLE


def test_usage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A command that is not complete is told, with exit code 2."""
    monkeypatch.setattr("sys.argv", ["grader.ci", "gitlab", "tiny"])
    assert module.main() == 2
    assert "SUBMISSION" in capsys.readouterr().err
