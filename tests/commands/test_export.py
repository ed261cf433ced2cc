"""`grader export`: what would change is said first, and only what is asked for is written."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from grader.commands.export import TARGETS, planned
from grader.errors import UsageError
from grader.gradebook import open_gradebook
from grader.lms.records import ExportOptions, FoundSubmission, ScoreRow
from grader.records import (
    QuestionKind,
    QuestionReport,
    QuestionStatus,
    Report,
    SubmissionRecord,
)

Call = Callable[..., int]
SHEET = (
    "Student,ID,SIS Login ID,Section,Lab 1 (901)\n    Points Possible,,,,45.00\n"
    '"Larkwood, Ada",1001,ada,A,\n"Tavish, Alan",1002,alan,A,40.00\n'
)


def report(identity: str) -> Report:
    """A report of 31.5 of 45 points, nothing of which waits for a person."""
    question = QuestionReport("1a", "a", QuestionKind.CODE, 31.5, 45.0, QuestionStatus.PARTIAL)
    record = SubmissionRecord(identity, ("hw.ipynb",), "00")
    return Report("a1", "A", record, 31.5, 45.0, 0.0, "none", {}, 1.0, (question,))


@pytest.fixture
def rows(tmp_path: Path) -> list[ScoreRow]:
    """Two students' rows in a gradebook, with pages of feedback but without report.json."""
    with open_gradebook(tmp_path, create=True) as gradebook:
        run = gradebook.begin_run("a1", {})
        for identity, name in (("ada", "Ada Larkwood"), ("alan", "Alan Tavish")):
            (tmp_path / identity).mkdir()
            (tmp_path / identity / "feedback.html").write_text("<p>Well done</p>")
            gradebook.add_submission(FoundSubmission(identity, (), name))
            gradebook.add_report(run, "key", report(identity))
        return gradebook.score_rows()


@pytest.fixture
def call(rows: list[ScoreRow], call_command: Call) -> Call:
    """Runs `grader export ARGUMENTS` where that gradebook lies; returns the exit code."""
    return partial(call_command, "export")


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """A gradebook of Canvas's."""
    path = tmp_path / "gradebook.csv"
    path.write_text(SHEET)
    return path


def test_dry_run(
    call: Call, sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run says each change and each grade left out, and writes nothing."""
    before = sorted(tmp_path.rglob("*"))
    assert call(tmp_path, "--to", "canvas", "--sheet", sheet, "--dry-run") == 0
    out = capsys.readouterr().out
    assert "ada (Ada Larkwood): Lab 1 (901): (empty) -> 31.50" in out
    assert "left out: alan (Alan Tavish): 31.50 is lower than 40.00" in out
    assert "nothing was written" in out
    assert sorted(tmp_path.rglob("*")) == before
    assert sheet.read_text() == SHEET


def test_writing(call: Call, sheet: Path, tmp_path: Path) -> None:
    """The edited sheet lies beside the scores; the sheet itself changes only if it is named."""
    assert call(tmp_path, "--to", "canvas", "--sheet", sheet) == 0
    expected = SHEET.replace("ada,A,", "ada,A,31.50")
    assert (tmp_path / "export" / "canvas.csv").read_text() == expected
    assert sheet.read_text() == SHEET
    assert call(tmp_path, "--to", "canvas", "--sheet", sheet, "-o", sheet, "--lower") == 0
    assert sheet.read_text() == expected.replace("40.00", "31.50")


def test_files(call: Call, tmp_path: Path) -> None:
    """Scores and feedback need no sheet."""
    assert call(tmp_path, "--to", "csv") == 0
    assert (tmp_path / "export" / "scores.csv").is_file()
    assert call(tmp_path, "--to", "feedback", "-o", tmp_path / "f.zip") == 0
    with zipfile.ZipFile(tmp_path / "f.zip") as archive:
        assert archive.namelist() == ["ada/feedback.html", "alan/feedback.html"]
    assert call(tmp_path, "--to", "brightspace", "--column", "Lab 1") == 0
    assert b"#ada,31.50,#" in (tmp_path / "export" / "brightspace.csv").read_bytes()


def test_usage(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be done is one sentence with its cure, and exit code 2."""
    for arguments, cure in {
        ("--to", "canvas"): "--sheet FILE",
        ("--to", "canvas", "--sheet", tmp_path / "none.csv"): "cannot be read",
        ("--to", "csv", "--sheet", tmp_path / "none.csv"): "cannot be read",
        ("--to", "elsewhere"): "elsewhere",
        ("--to", "gradescope"): "nothing to write",
    }.items():
        assert call(tmp_path, *arguments) == 2
        error = " ".join(capsys.readouterr().err.split())
        assert cure in error
        assert "Traceback" not in error
    assert call(tmp_path / "nowhere", "--to", "csv") == 2


def test_every_target_is_planned(rows: list[ScoreRow], sheet: Path) -> None:
    """Every system of the command has a plan, or says what it needs; none is a stub."""
    for target in TARGETS:
        if target in ("csv", "junit", "gradescope", "feedback"):
            assert planned(rows, target, None, ExportOptions()).system == target
        else:
            with pytest.raises(UsageError, match="--sheet"):
                planned(rows, target, None, ExportOptions())
    with pytest.raises(UsageError, match="no scores"):
        planned([], "csv", None, ExportOptions())
    with pytest.raises(UsageError, match="of no use"):
        planned(rows, "csv", sheet, ExportOptions())


def test_anonymous(
    call: Call, sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anonymous scores and reports have no names; what goes back to students cannot be so."""
    assert call(tmp_path, "--to", "csv", "--anonymous", "-o", tmp_path / "anon.csv") == 0
    assert call(tmp_path, "--to", "junit", "--anonymous", "-o", tmp_path / "anon.xml") == 0
    for name in ("anon.csv", "anon.xml"):
        text = (tmp_path / name).read_text(encoding="utf-8-sig")
        assert "anon-" in text
        assert not [known for known in ("Larkwood", "ada", "hw.ipynb") if f'"{known}' in text]
        assert "Larkwood" not in text
    before = sorted(tmp_path.rglob("*"))
    assert call(tmp_path, "--to", "feedback", "--anonymous", "--dry-run") == 0
    assert sorted(tmp_path.rglob("*")) == before
    assert call(tmp_path, "--to", "canvas", "--sheet", sheet, "--anonymous") == 2
    assert "needs to know whose the grades are" in capsys.readouterr().err
