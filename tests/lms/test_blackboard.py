"""Blackboard's files are told apart, and its sheet is edited in place."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.lms import blackboard, find_submissions
from grader.lms.records import ExportOptions, FoundSubmission, Plan, ScoreRow
from grader.lms.sheet import read_sheet

LayOut = Callable[..., Path]
Row = Callable[..., ScoreRow]
FIRST, SECOND = "2025-03-01-09-00-00", "2025-03-02-10-30-00"


def receipt(name: str, user: str, *files: tuple[str, str]) -> bytes:
    """The note that Blackboard puts beside an attempt."""
    listed = "".join(f"\tOriginal filename: {own}\n\tFilename: {stored}\n" for own, stored in files)
    return (
        f"Name: {name} ({user})\nAssignment: Lab 1\nDate Submitted: Sunday\n"
        "Current Grade: Needs Grading\n\nSubmission Field:\nThere is no student submission text "
        "data for this assignment.\n\nComments:\nThere are no student comments for this "
        f"assignment.\n\nFiles:\n{listed}"
    ).encode()


def found(folder: Path) -> dict[str, FoundSubmission]:
    """The submissions by their ids."""
    download = find_submissions(folder)
    assert download.system == "blackboard"
    return {submission.id: submission for submission in download.submissions}


def test_attempts(lay_out: LayOut) -> None:
    """The newest attempt's files count, under the names and the person of Blackboard's note."""
    stored = f"Lab 1_ada_attempt_{SECOND}_homework 1.ipynb"
    folder = lay_out(
        f"Lab 1_ada_attempt_{FIRST}_old.ipynb",
        stored,
        f"Lab 1_ada_attempt_{SECOND}_utils.py",
        f"Lab 1_alan_attempt_{FIRST}_hw.ipynb",
        contents={
            f"Lab 1_ada_attempt_{FIRST}.txt": receipt("Ada Larkwood", "ada"),
            f"Lab 1_ada_attempt_{SECOND}.txt": receipt("Ada Larkwood", "ada", ("hw.ipynb", stored)),
        },
    )
    submissions = found(folder)
    ada = submissions["ada"]
    assert (ada.name, ada.attempt) == ("Ada Larkwood", 2)
    assert ada.submitted == datetime(2025, 3, 2, 10, 30)  # noqa: DTZ001 - it names no zone
    assert ada.names == ("hw.ipynb", "utils.py")
    assert submissions["alan"].name == ""
    reasons = [reason for _, reason in find_submissions(folder).passed_over]
    assert len(reasons) == 3


def test_underscores(lay_out: LayOut) -> None:
    """A username with an underscore is the one that Blackboard's note names."""
    folder = lay_out(
        f"Lab_1_ada_l_attempt_{FIRST}_hw_v_2.ipynb",
        contents={f"Lab_1_ada_l_attempt_{FIRST}.txt": receipt("Ada L", "ada_l")},
    )
    assert found(folder)["ada_l"].names == ("hw_v_2.ipynb",)


def test_text_alone(lay_out: LayOut) -> None:
    """A student who wrote into the browser alone is a submission all the same."""
    folder = lay_out(contents={f"Lab_grace_attempt_{FIRST}.txt": receipt("Grace", "grace")})
    assert found(folder)["grace"].paths == ()


SHEET = (
    '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Availability"\t'
    '"Lab 1 [Total Pts: up to 45 Score] |123"\t"Grading Notes"\t"Notes Format"\t'
    '"Feedback to Learner"\t"Feedback Format"\n'
    '"Larkwood"\t"Ada"\t"ada"\t"301"\t"Yes"\t"Needs Grading"\t""\t""\t""\t""\n'
    '"Túring"\t"Alan"\t"alan"\t"302"\t"Yes"\t"40.00"\t"a\nb"\t"HTML"\t"<b>x</b>"\t"HTML"\n'
    '"Harrow"\t"Grace"\t"grace"\t"303"\t"Yes"\t"Exempt"\t""\t""\t""\t""\n'
)


def plan(rows: list[ScoreRow], text: str = SHEET, **options: object) -> Plan:
    """What rows would change in a sheet in UTF-16, as Blackboard gives it."""
    sheet = read_sheet(codecs.BOM_UTF16_LE + text.encode("utf-16-le"), "gc.xls")
    return blackboard.plan(rows, sheet, ExportOptions(**options), "gc.xls")  # type: ignore[arg-type]


def test_sheet(row: Row) -> None:
    """An ungraded student gets grade and comment; the file stays UTF-16 with tabs and quotes."""
    rows = [
        row("ada", comment="Well done", keys={"blackboard_username": "ada"}),
        row("302", comment="x"),
        row("z", name="Grace Harrow"),
    ]
    made = plan(rows)
    expected = SHEET.replace(
        '"Needs Grading"\t""\t""\t""\t""', '"31.50"\t""\t""\t"Well done"\t"PLAIN_TEXT"'
    )
    assert made.files[0].content == codecs.BOM_UTF16_LE + expected.encode("utf-16-le")
    assert made.files[0].name == "blackboard.txt"
    assert [skipped.id for skipped in made.skipped] == ["302", "z"]


def test_unchanged_sheet(row: Row) -> None:
    """A sheet that has all grades already comes back byte for byte."""
    made = plan([row("alan", score=40.0)])
    assert made.files[0].content == codecs.BOM_UTF16_LE + SHEET.encode("utf-16-le")


def test_maximum(row: Row) -> None:
    """The column's title tells the maximum."""
    with pytest.raises(UsageError, match="maximum is 45"):
        plan([row("ada", max_score=50.0)])


def test_another_sheet(row: Row) -> None:
    """A sheet of another kind is refused."""
    with pytest.raises(UsageError, match="Blackboard"):
        plan([row("x")], "Name\tGrade\nAda\t1\n")
