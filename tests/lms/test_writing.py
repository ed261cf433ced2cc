"""A plan is shown before it is written, and written completely or not at all."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.lms import write
from grader.lms.records import Change, Form, OutputFile, Plan, Skipped
from grader.lms.writing import described

FILES = (OutputFile("ada/x.html", b"1"), OutputFile("alan/x.html", b"2"))


def test_forms(tmp_path: Path) -> None:
    """One file, a folder, and a zip file that is the same byte for byte the next time."""
    sheet = Plan("canvas", Form.FILE, FILES[:1])
    assert write(sheet, tmp_path / "new" / "sheet.csv")[0].read_bytes() == b"1"
    folder = write(Plan("gradescope", Form.FOLDER, FILES), tmp_path / "folder")
    assert [path.read_bytes() for path in folder] == [b"1", b"2"]
    one, other = (write(Plan("f", Form.ZIP, FILES), tmp_path / f"{n}.zip")[0] for n in (1, 2))
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert archive.namelist() == ["ada/x.html", "alan/x.html"]


def test_in_place(tmp_path: Path) -> None:
    """The sheet that was read may be written over, and nothing is left beside it."""
    sheet = tmp_path / "sheet.csv"
    sheet.write_bytes(b"0")
    write(Plan("canvas", Form.FILE, FILES[:1]), sheet)
    assert sheet.read_bytes() == b"1"
    assert list(tmp_path.iterdir()) == [sheet]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    """Where a file cannot be read, what was there before still is."""
    out = tmp_path / "feedback.zip"
    out.write_bytes(b"old")
    files = (*FILES, OutputFile("grace/x.html", tmp_path / "missing.html"))
    with pytest.raises(UsageError, match="cannot be written"):
        write(Plan("feedback", Form.ZIP, files), out)
    assert out.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "", "a\\b", "a\nb", "\u202ex"])
def test_names_that_lead_out(tmp_path: Path, name: str) -> None:
    """No name leads out of the folder or the zip file, whoever made the plan."""
    for form in (Form.FOLDER, Form.ZIP):
        with pytest.raises(UsageError, match="no name for a file"):
            write(Plan("x", form, (OutputFile(name, b""),)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_described() -> None:
    """Each change and each thing left out is a line, safe to print, and the counts come last."""
    plan = Plan(
        "canvas",
        Form.FILE,
        FILES[:1],
        (Change("1", "Ada\x1b[2J\nLarkwood", "Lab (9)", "", "31.50"),),
        (Skipped("2", "", "not in the sheet"),),
        3,
        ("a note",),
    )
    assert described(plan) == [
        "1 (Ada Larkwood): Lab (9): (empty) -> 31.50",
        "left out: 2: not in the sheet",
        "note: a note",
        "canvas: 1 changed, 3 the same, 1 left out",
    ]
