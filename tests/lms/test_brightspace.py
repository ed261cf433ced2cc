"""Brightspace's folders are told apart, and its grades are edited in place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.lms import brightspace, find_submissions
from grader.lms.records import ExportOptions, FoundSubmission, Plan, ScoreRow
from grader.lms.sheet import read_sheet

LayOut = Callable[..., Path]
Row = Callable[..., ScoreRow]


def found(folder: Path) -> dict[str, FoundSubmission]:
    """The submissions by their ids."""
    download = find_submissions(folder)
    assert download.system == "brightspace"
    return {submission.id: submission for submission in download.submissions}


def test_newest_attempt(lay_out: LayOut) -> None:
    """Each user's newest folder counts, by the hour and not by the alphabet."""
    folder = lay_out(
        "152711-9001 - Ada Larkwood - May 18, 2025 1224 PM/hw.ipynb",
        "152711-9001 - Ada Larkwood - May 18, 2025 1155 AM/hw.ipynb",
        "152711-9001 - Ada Larkwood - Apr 30, 2025 1159 PM/hw.ipynb",
        "152712-9001 - Emmy - Nethery - Oct 1, 2025 803 PM/hw.ipynb",
        "index.html",
    )
    submissions = found(folder)
    ada = submissions["152711"]
    assert (ada.name, ada.attempt) == ("Ada Larkwood", 3)
    assert ada.submitted == datetime(2025, 5, 18, 12, 24)  # noqa: DTZ001 - it names no zone
    assert ada.paths[0].name.endswith("1224 PM")
    assert submissions["152712"].name == "Emmy - Nethery"
    reasons = [reason for _, reason in find_submissions(folder).passed_over]
    assert sum("older attempt" in reason for reason in reasons) == 2
    assert sum("list of submissions" in reason for reason in reasons) == 1


def test_one_number_for_all(lay_out: LayOut) -> None:
    """Where the first number is the assignment's, students stay apart all the same."""
    folder = lay_out(
        "9001-1 - Ada Larkwood - May 18, 2025 1224 PM/hw.ipynb",
        "9001-2 - Alan Tavish - May 18, 2025 1224 PM/hw.ipynb",
    )
    assert list(found(folder)) == ["9001-1-Ada Larkwood", "9001-2-Alan Tavish"]


EXPORT = (
    "OrgDefinedId,Username,Last Name,First Name,Lab 1 Points Grade "
    "<Numeric MaxPoints:45 Weight:10 Category:Labs>,Essay Points Grade,End-of-Line Indicator\r\n"
    "#301,#ada,Larkwood,Ada,,7,#\r\n"
    "#302,#alan,Tavish,Alan,40,,#\r\n"
)


def plan(rows: list[ScoreRow], text: str = EXPORT, **options: object) -> Plan:
    """What rows would change in exported grades."""
    chosen = ExportOptions(**{"column": "Lab 1", **options})  # type: ignore[arg-type]
    return brightspace.plan(rows, read_sheet(text.encode(), "x.csv"), chosen, "x.csv")


def test_export(row: Row) -> None:
    """Users are found by name, username or number; their signs and all else stay."""
    rows = [
        row("152711", name="Ada Larkwood", keys={"brightspace_user": "152711"}),
        row("302"),
    ]
    made = plan(rows)
    assert made.files[0].content == EXPORT.replace("Ada,,7", "Ada,31.50,7").encode()
    assert "lower" in made.skipped[0].reason


def test_internal_number(row: Row) -> None:
    """Brightspace's own number of a user is nobody's student number."""
    made = plan([row("302", keys={"brightspace_user": "302"})], lower=True)
    assert made.skipped[0].reason == "not in the sheet"


def test_new_sheet(row: Row) -> None:
    """Without an export a sheet for the import is made, with nothing but what it needs."""
    rows = [row("ada"), row("alan", pending=1.0)]
    made = brightspace.plan(
        rows, brightspace.blank_sheet(rows, "Lab 1"), ExportOptions(column="Lab 1"), "new"
    )
    assert made.files[0].content == (
        b"Username,Lab 1 Points Grade,End-of-Line Indicator\r\n#ada,31.50,#\r\n#alan,,#\r\n"
    )


def test_another_sheet(row: Row) -> None:
    """A sheet of another kind is refused."""
    with pytest.raises(UsageError, match="Brightspace"):
        plan([row("x")], "Name,Grade\r\nAda,1\r\n")
