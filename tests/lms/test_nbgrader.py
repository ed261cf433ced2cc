"""nbgrader's tree of submissions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.lms import find_submissions

LayOut = Callable[..., Path]
TIME = {"submitted/ada/ps1/timestamp.txt": b"2026-03-02 10:30:00.000000 UTC"}


def test_tree(lay_out: LayOut) -> None:
    """Each student's folder is a submission, with its time, from the course or its tree."""
    folder = lay_out(
        "submitted/ada/ps1/hw.ipynb",
        "submitted/alan/ps1/hw.ipynb",
        "submitted/grace/",
        "source/ps1/hw.ipynb",
        contents=TIME,
    )
    for place in (folder, folder / "submitted"):
        download = find_submissions(place)
        assert download.system == "nbgrader"
        assert [s.id for s in download.submissions] == ["ada", "alan"]
        assert download.submissions[0].submitted == datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
        assert "grace" in {path.name for path, _ in download.passed_over}


def test_what_lies_beside(lay_out: LayOut, tmp_path: Path) -> None:
    """Files and links that are in no assignment's folder are said, and no link is followed."""
    folder = lay_out("submitted/ada/ps1/hw.ipynb", "submitted/ada/draft.txt", "submitted/x.csv")
    (folder / "submitted" / "mallory").symlink_to(tmp_path)
    (folder / "submitted" / "ada" / "ps2").symlink_to(tmp_path)
    download = find_submissions(folder)
    assert [s.id for s in download.submissions] == ["ada"]
    said = [path.name for path, _ in download.passed_over]
    assert sorted(said) == ["draft.txt", "mallory", "ps2", "x.csv"]


def test_plain_folders_that_look_alike(lay_out: LayOut) -> None:
    """A folder called submitted with notebooks in it, or with students' own folders, is none."""
    layouts = (("submitted/ada.ipynb",), ("submitted/ada/hw.ipynb", "submitted/ada/data/x.csv"))
    for number, names in enumerate(layouts):
        folder = lay_out(*names, to=str(number))
        assert find_submissions(folder / "submitted").system == "files"


def test_several_assignments(lay_out: LayOut) -> None:
    """With several assignments one must be named; the others are said, not graded."""
    folder = lay_out("submitted/ada/ps1/a.ipynb", "submitted/ada/ps2/b.ipynb")
    with pytest.raises(UsageError, match="ps1, ps2"):
        find_submissions(folder)
    download = find_submissions(folder, assignment="ps2")
    assert download.submissions[0].paths == (folder / "submitted/ada/ps2",)
    assert [path.name for path, _ in download.passed_over] == ["ps1"]
    with pytest.raises(UsageError, match="ps1"):
        find_submissions(folder, assignment="ps3")
