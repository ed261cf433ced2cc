"""Feedback pages reach the student they are for, and nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.lms import feedback, find_submissions
from grader.lms.records import Plan, ScoreRow
from grader.lms.sheet import read_sheet

Row = Callable[..., ScoreRow]
LayOut = Callable[..., Path]
RowsOf = Callable[[Path], list[ScoreRow]]


@pytest.fixture
def rows_of(row: Row, tmp_path: Path) -> RowsOf:
    """The gradebook's rows for a download, each with a page of feedback."""

    def rows_of(folder: Path) -> list[ScoreRow]:
        rows = []
        for number, found in enumerate(find_submissions(folder).submissions):
            page = tmp_path / f"page-{number}.html"
            page.write_text(found.id)
            rows.append(row(found.id, name=found.name, keys=found.keys, feedback=page))
        return rows

    return rows_of


def pages(plan: Plan) -> dict[str, str]:
    """Which page lies where in the zip file."""
    return {f.name: f.content.read_text() for f in plan.files if isinstance(f.content, Path)}


def test_moodle(lay_out: LayOut, rows_of: RowsOf) -> None:
    """Moodle reads the participant's number and the kind of folder: both are as it gave them."""
    folder = lay_out(
        "Ada Larkwood_501_assignsubmission_file_/hw.ipynb",
        "王小明_502_assignsubmission_onlinetext/onlinetext.html",
    )
    assert pages(feedback.plan(rows_of(folder))) == {
        "Ada Larkwood_501_assignsubmission_file/feedback.html": "501",
        "王小明_502_assignsubmission_file/feedback.html": "502",
    }


def test_moodle_groups(lay_out: LayOut, rows_of: RowsOf) -> None:
    """A group's number may be a student's too: without the worksheet a group gets nothing."""
    folder = lay_out(
        "Group 1_501_assignsubmission_file/hw.ipynb",
        "Ada Larkwood_502_assignsubmission_file/hw.ipynb",
    )
    rows = rows_of(folder)
    made = feedback.plan(rows)
    assert list(pages(made)) == ["Ada Larkwood_502_assignsubmission_file/feedback.html"]
    assert "--sheet" in made.skipped[0].reason
    sheet = read_sheet(
        b"Identifier,Full name,Status,Group,Grade\nParticipant 501,Alan Tavish,-,,\n"
        b"Participant 502,Ada Larkwood,-,,\nParticipant 503,Grace Harrow,-,Group 1,\n"
        b"Participant 504,Emmy Nethery,-,Group 1,\n",
        "Grades.csv",
    )
    assert pages(feedback.plan(rows, sheet, "Grades.csv")) == {
        "Ada Larkwood_502_assignsubmission_file/feedback.html": "502",
        "Participant_503_assignsubmission_file/feedback.html": "501",
        "Participant_504_assignsubmission_file/feedback.html": "501",
    }


def test_canvas(lay_out: LayOut, rows_of: RowsOf) -> None:
    """Canvas reads the first two numbers between underscores: the user and the notebook."""
    folder = lay_out(
        "larkwoodada_1001_500_data.csv",
        "larkwoodada_1001_501_hw_3_4.ipynb",
        "tavishalan_LATE_1002_502_hw.ipynb",
        "harrowgrace_1003_text.html",
    )
    made = feedback.plan(rows_of(folder))
    numbers = {tuple(re.findall(r"(?<=_)\d+(?=_)", name))[:2]: i for name, i in pages(made).items()}
    assert numbers == {("1001", "501"): "1001", ("1002", "502"): "1002"}
    assert [skipped.id for skipped in made.skipped] == ["1003"]


def test_elsewhere(lay_out: LayOut, rows_of: RowsOf, row: Row) -> None:
    """Without an LMS each page lies in a folder with the id; a missing page is said."""
    made = feedback.plan([*rows_of(lay_out("ada.ipynb", "alan.ipynb")), row("grace")])
    assert list(pages(made)) == ["ada/feedback.html", "alan/feedback.html"]
    assert [skipped.id for skipped in made.skipped] == ["grace"]


def test_names_that_lead_out(row: Row, tmp_path: Path) -> None:
    """Keys that were tampered with name no file outside, and a long name keeps its numbers."""
    page = tmp_path / "p.html"
    page.write_text("x")
    moodle = {"moodle_id": "5", "moodle_folder": "../../x_5_assignsubmission_file"}
    canvas = {"canvas_id": "7", "canvas_attachment": "8", "canvas_prefix": f"{'é' * 150}_7"}
    made = feedback.plan(
        [row("a", keys=moodle, feedback=page), row("b", keys=canvas, feedback=page)]
    )
    assert list(pages(made)) == [
        "Participant_5_assignsubmission_file/feedback.html",
        "student_7_8_feedback.html",
    ]
