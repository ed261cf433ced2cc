"""A roster in any usual spelling, joined without guessing."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.lms.records import FoundSubmission, RosterEntry
from grader.lms.roster import join, read_roster

ADA = RosterEntry("s301", "Ada Larkwood", "ada@school.example")


def read(tmp_path: Path, text: str) -> tuple[RosterEntry, ...]:
    """The people in a roster."""
    path = tmp_path / "class.csv"
    path.write_text(text, encoding="utf-8-sig")
    return read_roster(path)


@pytest.mark.parametrize(
    "text",
    [
        "id,name,email\ns301,Ada Larkwood,ada@school.example\n",
        "Student ID,First Name,Last Name,Email Address\ns301,Ada,Larkwood,ada@school.example\n",
        "E-Mail\tFull Name\tSID\nada@school.example\tAda Larkwood\ts301\n",
        "Matrikel-Nummer;Nachname;Vorname;Mail\ns301;Larkwood;Ada;ada@school.example\n",
        "OrgDefinedId,Last Name,First Name,Email\n#s301,Larkwood,Ada,ada@school.example\n",
    ],
)
def test_spellings(tmp_path: Path, text: str) -> None:
    """Columns are known by their usual titles in any order, delimiter and case."""
    (person,) = read(tmp_path, text)
    assert (person.id, person.name, person.email) == (ADA.id, ADA.name, ADA.email)


def test_gradebook_of_canvas(tmp_path: Path) -> None:
    """Canvas's gradebook will do as a roster; its row of points is nobody."""
    people = read(
        tmp_path,
        "Student,ID,SIS User ID,SIS Login ID,Section,Lab (9)\n    Points Possible,,,,,45\n"
        '"Larkwood, Ada",1001,s301,ada,A,\n',
    )
    assert [person.id for person in people] == ["s301"]
    found = FoundSubmission("1001", (), "larkwoodada", keys={"canvas_id": "1001"})
    (joined,), missing, notes = join([found], people)
    assert (joined.id, joined.name, missing, notes) == ("s301", "Larkwood, Ada", [], [])


def test_no_known_column(tmp_path: Path) -> None:
    """A file that is no roster is refused, with what it has instead."""
    with pytest.raises(UsageError, match="'colour'"):
        read(tmp_path, "colour,shape\nred,round\n")
    with pytest.raises(UsageError, match="cannot be read"):
        read_roster(tmp_path / "none.csv")


def test_blind(tmp_path: Path) -> None:
    """Moodle's worksheet finds participants who have no name."""
    people = read(tmp_path, "Identifier,Full name\nParticipant 501,Ada Larkwood\n")
    (joined,), _, _ = join([FoundSubmission("501", (), keys={"moodle_id": "501"})], people)
    assert joined.name == "Ada Larkwood"


def test_internal_numbers() -> None:
    """A number that an LMS made up is not another student's number."""
    found = FoundSubmission("301", (), "Alan Tavish", keys={"moodle_id": "301"})
    joined, missing, notes = join([found], [RosterEntry("301", "Ada Larkwood", ids=("301",))])
    assert joined == [found]
    assert len(missing) == len(notes) == 1


def test_namesakes() -> None:
    """Of two students with one name neither is guessed at."""
    people = [RosterEntry("1", "Kim Lee", ids=("1",)), RosterEntry("2", "Kim Lee", ids=("2",))]
    found = FoundSubmission("a", (), "Kim Lee")
    joined, missing, _ = join([found], people)
    assert joined == [found]
    assert missing == people
    twice = [FoundSubmission("a", (), "Kim Lee"), FoundSubmission("b", (), "Kim Lee")]
    assert join(twice, people[:1])[0] == twice


def test_groups() -> None:
    """A group's members come from the roster, and are not missing."""
    people = [RosterEntry(str(n), f"Student {n}", group="Red") for n in (1, 2)]
    (group,), missing, notes = join([FoundSubmission("12", (), "red")], people)
    assert (group.members, missing, notes) == (("1", "2"), [], [])
