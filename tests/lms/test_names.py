"""Names from outside: safe, unique, and found again under another spelling."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.lms.names import RESERVED, is_clutter, name_keys, safe_ids, safe_name

HOSTILE = [
    *("..", ".", "", "/", "../../etc/passwd", "/abs", "a/b", "a\\b", "C:\\x", "\x00", "a\nb"),
    *("\u202egnp.exe", "CON", "con.ipynb", "lpt1", "x" * 400, "né" * 300, "name. ", "-rf"),
    *("gradebook.sqlite", "summary.html", ".hidden", "~lock", "\ud800"),
]


@given(st.lists(st.text(max_size=20) | st.sampled_from(HOSTILE), max_size=12))
def test_ids(raw: list[str]) -> None:
    """Each id is one plain folder's name, and no two are alike on a disk that ignores case."""
    ids = safe_ids(raw)
    folded = {unicodedata.normalize("NFC", identity).casefold() for identity in ids}
    assert len(ids) == len(raw) == len(folded)
    for identity in ids:
        assert identity
        assert not set(identity) & set('<>:"/\\|?*\0\n')
        assert not identity.startswith((".", "-"))
        assert not identity.endswith((".", " "))
        assert len(identity.encode()) <= 110
        assert identity.casefold() not in RESERVED
        assert identity.casefold().split(".")[0] not in RESERVED


@given(st.permutations(["Ada", "ada", "A:B", "A?B", "zoe", "Zoë", "x" * 300, "x" * 301]))
def test_ids_do_not_depend_on_the_order(raw: list[str]) -> None:
    """The next run, which may list the files in another order, gives everyone the same id."""
    expected = dict(zip(sorted(raw), safe_ids(sorted(raw)), strict=True))
    assert dict(zip(raw, safe_ids(raw), strict=True)) == expected


def test_ids_that_are_kept() -> None:
    """A name that any disk takes is its own id, whatever its script; accents are composed."""
    names = ["s1234567", "Zoë Ångström", "王小明", "محمد", "ada@school.example"]
    assert safe_ids(names) == names
    assert safe_ids(["Zoe\u0308"]) == ["Zoë"]


def test_an_id_cannot_be_forged() -> None:
    """Nobody gets another one's id by calling a file as the grader would mark it."""
    victim = safe_ids(["a:b"])[0]
    assert victim not in safe_ids([victim])
    assert len(set(safe_ids(["a:b", victim]))) == 2


def test_safe_name_keeps_the_extension() -> None:
    """A very long name is still that of a notebook."""
    assert safe_name("x" * 500 + ".ipynb").endswith(".ipynb")
    assert safe_name("utils.py") == "utils.py"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Larkwood, Ada", "Ada Larkwood"),
        ("larkwoodada", "Ada Larkwood"),
        ("King Larkwood, Ada", "Ada King Larkwood"),
        ("O'Neill, Zoë", "ZOË O\u2019NEILL"),
        ("Zoe\u0308 Smith", "Zoë Smith"),
        ("Smith-Jones, Ann", "smithjonesann"),
        ("王小明", "王小明"),
    ],
)
def test_the_same_person(one: str, other: str) -> None:
    """Spellings of one name have a key in common."""
    assert name_keys(one) & name_keys(other)


def test_other_people() -> None:
    """Different names have none, and no name has no key at all."""
    assert not name_keys("Ada Larkwood") & name_keys("Adam Larkwood")
    assert not name_keys("") | name_keys(" ,;")


def test_clutter() -> None:
    """What programs leave behind is known by its name."""
    assert all(map(is_clutter, (".DS_Store", "__MACOSX", "~$notes.docx", "Thumbs.db", "._a.ipynb")))
    assert not is_clutter("homework.ipynb")
