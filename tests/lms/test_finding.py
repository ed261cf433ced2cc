"""A download of any system is found in a folder, in a folder inside it, and in a zip file."""

from __future__ import annotations

import tempfile
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.lms import find_submissions

LayOut = Callable[..., Path]
LAYOUTS = {
    "canvas": ("larkwoodada_1001_501_hw.ipynb",),
    "moodle": ("Ada Larkwood_501_assignsubmission_file/hw.ipynb",),
    "brightspace": ("1-2 - Ada Larkwood - May 18, 2025 1224 PM/hw.ipynb", "index.html"),
    "blackboard": ("Lab_ada_attempt_2025-03-01-09-00-00_hw.ipynb",),
    "nbgrader": ("submitted/ada/ps1/hw.ipynb",),
    "files": ("ada.ipynb", "alan.ipynb"),
}


@pytest.mark.parametrize(("system", "names"), LAYOUTS.items())
def test_systems(lay_out: LayOut, system: str, names: tuple[str, ...]) -> None:
    """Each layout is recognised, as it is and one folder further in."""
    folder = lay_out(*names)
    download = find_submissions(folder)
    assert download.system == system
    if system != "files":
        deeper = find_submissions(lay_out(*(f"inside/{name}" for name in names), to="other"))
        assert deeper.system == system
        assert [s.id for s in deeper.submissions] == [s.id for s in download.submissions]
    assert find_submissions(folder, system="files").system == "files"


@pytest.mark.parametrize(("system", "names"), LAYOUTS.items())
def test_zip(lay_out: LayOut, tmp_path: Path, system: str, names: tuple[str, ...]) -> None:
    """The zip file as it came gives what the unpacked folder gives."""
    folder = lay_out(*names)
    path = tmp_path / "submissions.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    download = find_submissions(path)
    assert download.system == system
    assert [s.id for s in download.submissions] == [
        s.id for s in find_submissions(folder).submissions
    ]
    for submission in download.submissions:
        assert all(found.exists() for found in submission.paths)


def test_roster(lay_out: LayOut, tmp_path: Path) -> None:
    """The roster gives ids and names, and says who is missing and who is not on it."""
    folder = lay_out(
        "Ada Larkwood_501_assignsubmission_file/hw.ipynb",
        "Nobody Known_502_assignsubmission_file/hw.ipynb",
    )
    roster = tmp_path / "class.csv"
    roster.write_text(
        "Student number;Surname;Given name;E-mail\n"
        "s301;Larkwood;Ada;ada@school.example\ns302;Harrow;Grace;grace@school.example\n"
    )
    download = find_submissions(folder, roster=roster)
    ada = next(s for s in download.submissions if s.id == "s301")
    assert (ada.name, ada.email) == ("Ada Larkwood", "ada@school.example")
    assert ada.keys["moodle_id"] == "501"
    assert [person.id for person in download.missing] == ["s302"]
    assert len(download.notes) == 1
    assert "Nobody Known" in download.notes[0]


def test_what_cannot_be_used(lay_out: LayOut, tmp_path: Path) -> None:
    """A folder that is not there or empty, an unknown system and a broken zip are one sentence."""
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 and no more")
    for path in (tmp_path / "nowhere", lay_out(), broken):
        with pytest.raises(UsageError, match=str(path)):
            find_submissions(path)
    with pytest.raises(UsageError, match="canvas"):
        find_submissions(lay_out("ada.ipynb"), system="other")


def test_the_same_in_every_run(lay_out: LayOut) -> None:
    """A second look finds the same, in the same order."""
    folder = lay_out(*(f"Student {n}_{n}_assignsubmission_file/hw.ipynb" for n in range(12)))
    assert find_submissions(folder) == find_submissions(folder)


def test_an_archive_beside_answers(lay_out: LayOut) -> None:
    """An archive alone is the hand-in; beside a notebook or a script it is data."""
    start = "Ada Larkwood_501_assignsubmission_file"
    contents = {f"{start}/{name}": b"x" for name in ("hw.tar.gz", "notes.txt")}
    folder = lay_out(contents=contents)
    (found,) = find_submissions(folder).submissions
    assert [path.name for path in found.paths] == ["hw.tar.gz"]
    (folder / start / "hw.py").write_text("x = 1")
    (found,) = find_submissions(folder).submissions
    assert {path.name for path in found.paths} != {"hw.tar.gz"}


PEOPLE = st.lists(
    st.text(st.characters(categories=["L", "M", "Nd", "Zs"]), min_size=1, max_size=12).filter(
        # A name of digits alone Canvas itself takes for an id.
        lambda name: any(map(str.isalpha, name)) and len(name.encode()) < 100
    ),
    min_size=1,
    max_size=6,
)


def of_moodle(name: str, number: int) -> str:
    """The path of a student's notebook in a download of Moodle's."""
    return f"{name}_{number}_assignsubmission_file/hw.ipynb"


def of_canvas(name: str, number: int) -> str:
    """The name of a student's notebook in a download of Canvas's, which drops spaces."""
    word = "".join(letter for letter in name if unicodedata.category(letter) != "Zs")
    return f"{word.lower()}_{number}_{number + 500}_hw.ipynb"


@settings(max_examples=30)
@given(PEOPLE, st.sampled_from([of_moodle, of_canvas]))
def test_nobody_is_lost(people: list[str], path_of: Callable[[str, int], str]) -> None:
    """Whatever students are called, in any script, each is found once, by the system's number."""
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(people, start=1001):
            path = Path(folder) / path_of(name, number)
            path.parent.mkdir(exist_ok=True)
            path.touch()
        download = find_submissions(Path(folder))
        numbers = [str(number) for number in range(1001, 1001 + len(people))]
        assert [submission.id for submission in download.submissions] == numbers
        assert download.passed_over == ()
