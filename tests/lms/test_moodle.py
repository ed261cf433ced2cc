"""Moodle's folders are told apart, and its worksheet is edited in place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.lms import find_submissions, moodle
from grader.lms.records import ExportOptions, FoundSubmission, Plan, ScoreRow
from grader.lms.sheet import read_sheet

LayOut = Callable[..., Path]
Row = Callable[..., ScoreRow]


def found(folder: Path) -> dict[str, FoundSubmission]:
    """The submissions by their ids."""
    download = find_submissions(folder)
    assert download.system == "moodle"
    return {submission.id: submission for submission in download.submissions}


@pytest.mark.parametrize("end", ["", "_"])
def test_folders(lay_out: LayOut, end: str) -> None:
    """Each folder is a participant, in Moodle before and after 4.1."""
    folder = lay_out(
        f"Ada Larkwood_501_assignsubmission_file{end}/hw.ipynb",
        f"Ada Larkwood_501_assignsubmission_file{end}/utils.py",
        f"محمد علي_502_assignsubmission_file{end}/hw.ipynb",
        f"José Núñez_503_assignsubmission_file{end}/sub/hw.ipynb",
    )
    submissions = found(folder)
    assert {i: s.name for i, s in submissions.items()} == {
        "501": "Ada Larkwood",
        "502": "محمد علي",
        "503": "José Núñez",
    }
    (path,) = submissions["501"].paths
    assert path.is_dir()
    keys = submissions["501"].keys
    assert keys["moodle_id"] == "501"
    assert keys["moodle_folder"] == "Ada Larkwood_501_assignsubmission_file"


def test_files_without_folders(lay_out: LayOut) -> None:
    """A download without folders gives the same submissions, with the files' own names."""
    folder = lay_out(
        "Ada Larkwood_501_assignsubmission_file_my_hw.ipynb",
        "Ada Larkwood_501_assignsubmission_file_utils.py",
        "Alan Tavish_502_assignsubmission_file_hw.ipynb",
    )
    assert found(folder)["501"].names == ("my_hw.ipynb", "utils.py")
    assert len(found(folder)) == 2


def test_blind(lay_out: LayOut) -> None:
    """Under blind marking nobody has a name, in whatever language Moodle says participant."""
    for word in ("Participant", "Účastník"):
        folder = lay_out(
            *(f"{word}_{number}_assignsubmission_file/hw.ipynb" for number in (7, 8)), to=word
        )
        assert {i: s.name for i, s in found(folder).items()} == {"7": "", "8": ""}


def test_namesakes(lay_out: LayOut) -> None:
    """Two students of one name are two submissions."""
    folder = lay_out(
        *(f"Kim Lee_{number}_assignsubmission_file/hw.ipynb" for number in (1, 2)),
        "Ada Larkwood_3_assignsubmission_file/hw.ipynb",
    )
    assert [s.name for s in found(folder).values()] == ["Kim Lee", "Kim Lee", "Ada Larkwood"]


def test_online_text(lay_out: LayOut) -> None:
    """Text typed online is a submission where it is all there is, and said where it is not."""
    folder = lay_out(
        "Ada Larkwood_501_assignsubmission_file/hw.ipynb",
        "Ada Larkwood_501_assignsubmission_onlinetext/onlinetext.html",
        "Alan Tavish_502_assignsubmission_onlinetext/onlinetext.html",
    )
    submissions = found(folder)
    assert [path.name for path in submissions["501"].paths] == [
        "Ada Larkwood_501_assignsubmission_file"
    ]
    assert submissions["502"].paths[0].name.endswith("onlinetext")
    ((path, reason),) = find_submissions(folder).passed_over
    assert path.name.endswith("onlinetext")
    assert "typed" in reason


def test_groups(lay_out: LayOut) -> None:
    """Groups are submissions by their own numbers; those in no group have none."""
    folder = lay_out(
        "Group 1_12_assignsubmission_file/hw.ipynb",
        "Default group_assignsubmission_file/hw.ipynb",
    )
    assert {i: s.name for i, s in found(folder).items()} == {
        "12": "Group 1",
        "Default group": "Default group",
    }


def test_an_archive_in_the_folder(lay_out: LayOut) -> None:
    """Where a student handed in a zip file, the zip file is what is graded."""
    folder = lay_out(
        "Ada Larkwood_501_assignsubmission_file/hw.zip",
        "Ada Larkwood_501_assignsubmission_file/report.pdf",
    )
    assert [path.name for path in found(folder)["501"].paths] == ["hw.zip"]
    assert [path.name for path, _ in find_submissions(folder).passed_over] == ["report.pdf"]


WORKSHEET = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum Grade",'
    '"Grade can be changed","Last modified (submission)","Last modified (grade)",'
    '"Feedback comments"\n'
    '"Participant 501","Ada Larkwood",ada@school.example,"Submitted for grading",,45.00,'
    'Yes,"Monday, 2 March 2026, 9:00 AM",-,\n'
    '"Participant 502","Alan Tavish",alan@school.example,"Submitted for grading",40.00,45.00,'
    'Yes,"Monday, 2 March 2026, 9:05 AM","Tuesday, 3 March 2026, 1:00 PM","<p>Fine, ""so""</p>"\n'
    '"Participant 503","Grace Harrow",grace@school.example,"No submission",,45.00,No,-,-,\n'
)


def plan(rows: list[ScoreRow], text: str = WORKSHEET, **options: object) -> Plan:
    """What rows would change in Moodle's worksheet."""
    sheet = read_sheet(b"\xef\xbb\xbf" + text.encode(), "Grades.csv")
    chosen = ExportOptions(**options)  # type: ignore[arg-type]
    return moodle.plan(rows, sheet, chosen, "Grades.csv")


def moodle_row(row: Row, number: str, name: str = "", **fields: object) -> ScoreRow:
    """A row of the gradebook for a folder of Moodle's."""
    keys = {"moodle_id": number, "moodle_folder": f"{name}_{number}_assignsubmission_file"}
    return row(number, name=name, keys=keys | ({"moodle_name": name} if name else {}), **fields)


def test_worksheet(row: Row) -> None:
    """The grade and the comment of one student change, and not a byte besides."""
    rows = [
        moodle_row(row, "501", "Ada Larkwood", comment="1 < 2\nGood"),
        moodle_row(row, "502", "Alan Tavish"),
        moodle_row(row, "503", "Grace Harrow"),
    ]
    made = plan(rows)
    expected = WORKSHEET.replace('grading",,45.00', 'grading",31.50,45.00').replace(
        'AM",-,\n', 'AM",-,1 &lt; 2<br>Good\n'
    )
    assert made.files[0].content == b"\xef\xbb\xbf" + expected.encode()
    assert {s.id: s.reason.split(" (")[0] for s in made.skipped} == {
        "502": "31.50 is lower than 40.00",
        "503": "Moodle has locked the grade",
    }


def test_unchanged_worksheet(row: Row) -> None:
    """A worksheet that has all grades already comes back byte for byte."""
    made = plan([moodle_row(row, "502", "Alan Tavish", score=40.0)])
    assert made.files[0].content == b"\xef\xbb\xbf" + WORKSHEET.encode()
    assert made.unchanged == 1


def test_blind_worksheet(row: Row) -> None:
    """Under blind marking the number alone finds the row."""
    text = "Identifier,Status,Grade,Maximum Grade,Last modified (grade)\nParticipant 7,-,,45.00,-\n"
    assert plan([moodle_row(row, "7")], text).changes[0].new == "31.50"


def test_a_group_is_not_a_participant(row: Row) -> None:
    """A group whose number is a participant's too gives that participant nothing."""
    made = plan([moodle_row(row, "501", "Group 1")])
    assert made.files[0].content == b"\xef\xbb\xbf" + WORKSHEET.encode()
    assert made.skipped[0].reason == "not in the sheet"


def test_a_namesake_who_stayed(row: Row) -> None:
    """Who has left the course is not taken for a namesake with another number."""
    made = plan([moodle_row(row, "999", "Ada Larkwood")])
    assert made.skipped[0].reason == "not in the sheet"


def test_group_members(row: Row) -> None:
    """A group's grade reaches every row that the worksheet puts into the group."""
    lines = ["Identifier,Full name,Status,Group,Grade,Maximum Grade,Last modified (grade)"]
    lines += [
        f"Participant {n},Student {n},-,{g},,45.00,-" for n, g in ((1, "A"), (2, "B"), (3, "A"))
    ]
    made = plan([moodle_row(row, "2", "A")], "\n".join([*lines, ""]))
    sheet = read_sheet(made.files[0].content, "x")  # type: ignore[arg-type]
    assert [sheet.value(record, 4) for record in (1, 2, 3)] == ["31.50", "", "31.50"]


@pytest.mark.parametrize(
    "header",
    [
        "Identifikator,Vollständiger Name,Status,Bewertung,Bestwertung,Zuletzt geändert",
        "Tunniste,Koko nimi,Tila,Arvosana X,Maksimi X,Muokattu",
    ],
)
def test_other_languages(row: Row, header: str) -> None:
    """A worksheet in another language is edited too, known or not, with decimal commas."""
    people = ("501,Ada Larkwood", "502,Alan Tavish")
    text = "\n".join([header, *(f'Teilnehmer/in{who},-,"","45,00",-' for who in people), ""])
    made = plan([moodle_row(row, "501", "Ada Larkwood")], text)
    assert made.changes[0].new == "31,50"
    assert b'-,"31,50","45,00"' in made.files[0].content  # type: ignore[operator]


def test_above_the_maximum(row: Row) -> None:
    """Moodle passes over grades above the maximum, so they are said here."""
    made = plan([moodle_row(row, "501", "Ada Larkwood", score=50.0)])
    assert "maximum" in made.skipped[0].reason


def test_another_sheet(row: Row) -> None:
    """A sheet of another kind is refused."""
    with pytest.raises(UsageError, match="Moodle"):
        plan([moodle_row(row, "501")], "Name,Grade\nAda,1\n")
    with pytest.raises(UsageError, match="--column"):
        plan([moodle_row(row, "501")], "Identifier,X\nParticipant 1,y\n")
