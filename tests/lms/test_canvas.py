"""Canvas's files are told apart, and its gradebook is edited in place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.lms import canvas, find_submissions
from grader.lms.records import ExportOptions, FoundSubmission, Plan, ScoreRow
from grader.lms.sheet import read_sheet

LayOut = Callable[..., Path]
Row = Callable[..., ScoreRow]


def found(folder: Path) -> dict[str, FoundSubmission]:
    """The submissions by their ids."""
    download = find_submissions(folder)
    assert download.system == "canvas"
    return {submission.id: submission for submission in download.submissions}


def test_files(lay_out: LayOut) -> None:
    """A user's files are one submission, late where Canvas says so, with their own names."""
    folder = lay_out(
        "larkwoodada_1001_501_homework.ipynb",
        "larkwoodada_1001_502_my_utils_2.py",
        "tavishalan_LATE_1002_503_hw.ipynb",
        "王小明_1003_504_作业.ipynb",
        "o\u0308zgu\u0308r_1004_505_x.ipynb",
    )
    submissions = found(folder)
    assert list(submissions) == ["1001", "1002", "1003", "1004"]
    ada = submissions["1001"]
    assert ada.names == ("homework.ipynb", "my_utils_2.py")
    assert (ada.name, ada.is_late) == ("larkwoodada", False)
    assert ada.keys["canvas_id"] == "1001"
    assert ada.keys["canvas_attachment"] == "501"
    assert submissions["1002"].is_late
    assert submissions["1002"].name == "tavishalan"
    assert submissions["1003"].names == ("作业.ipynb",)


def test_typed(lay_out: LayOut) -> None:
    """Text and links that were typed into Canvas are submissions too."""
    folder = lay_out("larkwoodada_1001_text.html", "tavishalan_LATE_1002_link.html")
    submissions = found(folder)
    assert submissions["1001"].names == ("text.html",)
    assert submissions["1002"].is_late
    assert "canvas_attachment" not in submissions["1001"].keys


def test_anonymous(lay_out: LayOut) -> None:
    """Under anonymous grading nobody has a name, nor an id for the gradebook."""
    folder = lay_out("anon_aB3dE_501_hw.ipynb", "LATE_anon_Zz9yX_502_hw.ipynb")
    submissions = found(folder)
    assert list(submissions) == ["Zz9yX", "aB3dE"]
    assert {s.name for s in submissions.values()} == {""}
    assert submissions["Zz9yX"].is_late
    assert submissions["aB3dE"].keys["canvas_anonymous_id"] == "aB3dE"
    assert "canvas_id" not in submissions["aB3dE"].keys


def test_newest_attempt(lay_out: LayOut) -> None:
    """Of a file that was handed in again the last one counts; two parts are no attempts."""
    folder = lay_out(
        "larkwoodada_1001_501_hw.ipynb",
        "larkwoodada_1001_640_hw-1.ipynb",
        "larkwoodada_1001_702_hw-2.ipynb",
        "tavishalan_1002_503_part-1.ipynb",
        "tavishalan_1002_504_part-2.ipynb",
    )
    submissions = found(folder)
    assert submissions["1001"].names == ("hw-2.ipynb",)
    assert submissions["1002"].names == ("part-1.ipynb", "part-2.ipynb")
    reasons = dict(find_submissions(folder).passed_over)
    assert len(reasons) == 2
    assert all("older attempt" in reason for reason in reasons.values())


def test_a_number_in_a_name(lay_out: LayOut) -> None:
    """Two groups whose names end in the same number are not merged, and get no wrong id."""
    folder = lay_out("red_7_1001_501_hw.ipynb", "blue_7_1002_502_hw.ipynb")
    submissions = found(folder)
    assert len(submissions) == 2
    assert not any(submission.keys for submission in submissions.values())


def test_strangers(lay_out: LayOut) -> None:
    """What Canvas did not name is said, not lost."""
    folder = lay_out("a_1_2_x.ipynb", "b_2_3_y.ipynb", "c_3_4_z.ipynb", "grace.ipynb", "notes/")
    assert [path.name for path, _ in find_submissions(folder).passed_over] == [
        "grace.ipynb",
        "notes",
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("lab_1_2_ada.ipynb", "lab_1_2_alan.ipynb"),
        ("hw_1_1001_ada.ipynb", "hw_1_1002_alan.ipynb"),
        ("hw_1_1001_ada.ipynb", "hw_1_1002_alan.ipynb", "hw_1_1003_grace.ipynb"),
        ("Lab_1_2_ada.ipynb", "Lab_1_3_alan.ipynb"),
        ("lab 1_2_3_ada.ipynb", "lab 1_3_4_alan.ipynb"),
    ],
)
def test_plain_files_that_look_alike(lay_out: LayOut, names: tuple[str, ...]) -> None:
    """Files of an instructor's own naming are not merged into one user of Canvas's."""
    download = find_submissions(lay_out(*names))
    assert download.system == "files"
    assert len(download.submissions) == len(names)


def test_an_archive_among_the_files(lay_out: LayOut) -> None:
    """Where a student handed in a zip file, it is graded, and what lay beside it is said."""
    folder = lay_out("larkwoodada_1001_501_hw.zip", "larkwoodada_1001_502_report.pdf")
    download = find_submissions(folder)
    assert download.submissions[0].names == ("hw.zip",)
    assert [path.name for path, _ in download.passed_over] == ["larkwoodada_1001_502_report.pdf"]


GRADEBOOK = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Notes,Lab 1 (901),Lab 2 (902),Current Score\r\n"
    ",,,,,,Manual Posting,,\r\n"
    "    Points Possible,,,,,,45.00,10.00,(read only)\r\n"
    '"Larkwood, Ada",1001,s01,ada,"Group A, Group B",,,9.50,88.1\r\n'
    '"Tavish, Alan",1002,s02,alan,Group A,"says ""hi""",40.00,,50\r\n'
    '"Harrow, Grace",1003,s03,grace,Group A,,EX,,\r\n'
    '"Nethery, Emmy",1004,s04,emmy,Group A,,N/A,,\r\n'
    '"Student, Test",1999,,,Group A,,,,\r\n'
)


def plan(rows: list[ScoreRow], text: str = GRADEBOOK, **options: object) -> Plan:
    """What rows would change in Canvas's gradebook."""
    sheet = read_sheet(text.encode(), "gradebook.csv")
    chosen = ExportOptions(**{"column": "Lab 1", **options})  # type: ignore[arg-type]
    return canvas.plan(rows, sheet, chosen, "gradebook.csv")


def test_gradebook(row: Row) -> None:
    """Grades reach the students by Canvas's ids; all else is as it was exported."""
    rows = [row(i, keys={"canvas_id": i}) for i in ("1001", "1002", "1003", "1004")]
    made = plan(rows)
    expected = GRADEBOOK.replace('Group B",,,9.50', 'Group B",,31.50,9.50')
    assert made.files[0].content == expected.encode()
    assert [skipped.id for skipped in made.skipped] == ["1002", "1003", "1004"]


def test_by_login_and_name(row: Row) -> None:
    """Submissions from elsewhere are found by login, student number or name."""
    rows = [row("s01"), row("x", name="Alan Tavish"), row("z", email="grace")]
    made = plan(rows, GRADEBOOK.replace("EX", ""), lower=True)
    assert [change.id for change in made.changes] == ["s01", "x", "z"]


def test_members(row: Row) -> None:
    """A group's grade reaches its members' rows; a member who is not in the sheet is said."""
    made = plan([row("team", keys={"members": "s01\nemmy\nnobody"})], GRADEBOOK.replace("N/A", ""))
    assert [change.new for change in made.changes] == ["31.50", "31.50"]
    assert made.skipped[0].reason == "1 of the group's 3 members: not in the sheet"


def test_nothing_to_change(row: Row) -> None:
    """A gradebook that has all grades already comes back byte for byte."""
    made = plan([row("1002", score=40.0, keys={"canvas_id": "1002"})])
    assert made.files[0].content == GRADEBOOK.encode()


def test_first_and_last_names(row: Row) -> None:
    """An export with first and last names apart will do as well."""
    text = "LastName,FirstName,ID,SIS Login ID,Section,Lab 1 (901)\r\nLarkwood,Ada,1001,ada,A,\r\n"
    assert plan([row("x", name="Ada Larkwood")], text).changes[0].new == "31.50"


def test_another_sheet(row: Row) -> None:
    """A sheet of another kind is refused; so is a column that is not clear."""
    with pytest.raises(UsageError, match="Canvas"):
        plan([row("x")], "Name,Grade\r\nAda,1\r\n")
    with pytest.raises(UsageError, match="--column"):
        plan([row("x")], column="")
