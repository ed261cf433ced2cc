"""Tests for `grader.answer_files`: what of a file answers a question, and whether it shows work."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.answer_files import (
    Place,
    check_solution_files,
    module_name,
    parts,
    read_texts,
    readable,
    release_files,
    shows_work,
)
from grader.errors import AssignmentError

NET = '''import numpy as np


@staticmethod
def double(x):
    """Twice x."""
    return 2 * x


class Net:
    size = 3

    def forward(self, x):
        # a comment
        return x
'''
SOLUTION = '''def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


def half(x):
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION
'''
RELEASE = release_files({"net.py": SOLUTION})["net.py"]
NOTES = """# Notes

## 1 Names

Ann

## 2 Proofs

1. First.

   It has 2 parts, and a list:
   1. this
   2. that

2.) Second.

### 2.3 Third

Third, with a heading.

### 2.3.1 More of it

Still the third.

## Appendix

## 3 Rest
"""
PLACES = [Place((), "1", ""), *(Place((), "2", label) for label in "123"), Place((), "3", "")]


def others(place: Place) -> list[Place]:
    """The other places of the notes."""
    return [other for other in PLACES if other != place]


def in_notes(place: Place) -> list[tuple[int, str]]:
    """The part of the notes at a place: its first line, and its text."""
    found = parts("notes.md", NOTES, place, others(place))
    return [(part.first_line, part.source) for part in found]


# --- the release


def test_regions_are_replaced_by_what_the_kind_of_file_can_hold() -> None:
    """Code raises where its solution was, text has a placeholder, and the rest stays."""
    notes = "1. Why?\n\n### BEGIN SOLUTION\nSo.\n### END SOLUTION\n"
    released = release_files({"net.py": SOLUTION, "notes.md": notes, "a.txt": "plain"})
    assert "2 * x" not in released["net.py"]
    assert released["net.py"].count("    raise NotImplementedError\n") == 2
    assert released["notes.md"] == "1. Why?\n\n*Your answer here.*\n"
    assert released["a.txt"] == "plain"


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("net.py", "### BEGIN SOLUTION\nx = 1\n", "solution/net.py has a solution region that is"),
        ("net.py", "x = 1\n### END SOLUTION\n", "that is not closed"),
        ("a.yaml", "### BEGIN SOLUTION\nx: 1\n### END SOLUTION\n", "only .py and .md files"),
    ],
)
def test_a_broken_region_is_the_authors_fault(path: str, text: str, reason: str) -> None:
    """A region that would leak its answer is refused, with the file's name."""
    with pytest.raises(AssignmentError, match=reason):
        release_files({path: text})


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "question a needs a solution region in net.py"),
        ({"solution/net.py": "x = 1"}, "question a needs a solution region in net.py"),
        ({"solution/net.py": SOLUTION, "solution/other.py": SOLUTION}, "other.py: its solution"),
        ({"solution/net.py": SOLUTION, "files/net.py": ""}, "net.py is in files/ and in solution/"),
    ],
)
def test_a_folder_that_contradicts_itself(
    tmp_path: Path, files: dict[str, str], reason: str
) -> None:
    """Each question's file has a solution, and no other file does."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(AssignmentError, match=reason):
        check_solution_files(tmp_path, {"a": "net.py"})


def test_only_texts_are_solutions(tmp_path: Path) -> None:
    """A file that is no text is refused in solution/, and told where it belongs."""
    (tmp_path / "data.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(AssignmentError, match="belongs in files/"):
        read_texts(tmp_path)


@pytest.mark.parametrize(
    ("path", "name"),
    [("utils.py", "utils"), ("a/b/c.py", "a.b.c"), ("a/__init__.py", "a")],
)
def test_module_name(path: str, name: str) -> None:
    """A file's path says how it is imported."""
    assert module_name(path) == name


def test_readable() -> None:
    """A file is text, whatever bytes it holds, unless there is a null byte in it."""
    assert readable("\ufeffx = 'é'".encode()) == "x = 'é'"
    assert readable(b"x = '\xff'") == "x = '\ufffd'"
    assert readable(b"%PDF\0") is None


# --- parts of files


def test_part_of_a_function_includes_its_decorators() -> None:
    """A definition is shown whole, with the line on which it begins."""
    [part] = parts("net.py", NET, Place(("double",)), [])
    assert part.first_line == 4
    assert part.source.splitlines()[0] == "@staticmethod"
    assert part.source.endswith("return 2 * x")


def test_part_of_a_method_is_moved_to_the_left() -> None:
    """A method and an attribute are found by their dotted names."""
    method, attribute = parts("net.py", NET, Place(("Net.forward", "Net.size")), [])
    assert method.source == "def forward(self, x):\n    # a comment\n    return x"
    assert (attribute.first_line, attribute.source) == (11, "size = 3")


def test_the_last_definition_counts() -> None:
    """Of two definitions of a name the last is the one that Python uses."""
    [part] = parts("net.py", "def f(): return 1\ndef f(): return 2\n", Place(("f",)), [])
    assert part.first_line == 2


@pytest.mark.parametrize("text", ["def double(:\n", "x = 1\n", ""])
def test_what_cannot_be_found_is_no_part(text: str) -> None:
    """A file that does not parse, or lacks the definition, has no part to show."""
    assert parts("net.py", text, Place(("double",)), []) == ()


def test_parts_of_a_text() -> None:
    """Numbered headings and labelled lines open parts, deeper headings and lists do not."""
    assert in_notes(PLACES[0]) == [(3, "## 1 Names\n\nAnn")]
    [(line, first)] = in_notes(PLACES[1])
    assert line == 9
    assert first.startswith("1. First.")
    assert first.endswith("2. that")
    assert in_notes(PLACES[2]) == [(15, "2.) Second.")]
    [(_, third)] = in_notes(PLACES[3])
    assert third.startswith("### 2.3 Third")
    assert "Still the third." in third
    assert in_notes(PLACES[4]) == [(27, "## 3 Rest")]
    assert in_notes(Place((), "4", "1")) == []


# --- whether there is work


@pytest.mark.parametrize(
    ("text", "double", "half"),
    [
        (RELEASE, False, False),
        (RELEASE + "\n\n", False, False),
        (SOLUTION, True, True),
        (RELEASE.replace("def half", "import math\n\n\ndef half"), False, False),
        (RELEASE.replace('"""Twice x."""', '"""Other words."""'), False, False),
        ("def double(x):\n    return x\ndef half(x):\n    pass\n", True, False),
        (
            "def double(x):\n    y = None\n    return y\ndef half(x):\n    return None\n",
            False,
            False,
        ),
        ("def double(x):\n    y = 2 * x\n    return y\ndef half(x):\n    return\n", True, False),
        ("def double(x):\n    raise ValueError\ndef half(x):\n    ...\n", True, False),
        ("def double(x:\n", True, True),
        ("", False, False),
        ("x = 1\n", True, True),
    ],
)
def test_code_shows_work(text: str, double: bool, half: bool) -> None:
    """What is unchanged or computes nothing is no work; what is gone or broken was worked on."""
    both = [Place(("double",)), Place(("half",))]
    assert shows_work("net.py", text, RELEASE, both[0], [both[1]]) is double
    assert shows_work("net.py", text, RELEASE, both[1], [both[0]]) is half


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("*Your answer here.*", False), ("", False), ("  \n", False), ("Because.", True)],
)
def test_text_shows_work(answer: str, expected: bool) -> None:
    """A part of a text shows work where a line of it is not the release's."""
    released = "## 1\n\n1. Why?\n\n*Your answer here.*\n\n2. How?\n\n*Your answer here.*\n"
    text = released.replace("*Your answer here.*", answer, 1).replace("How?", "How?\n\nSo.")
    first, second = Place((), "1", "1"), Place((), "1", "2")
    assert shows_work("n.md", text, released, first, [second]) is expected
    assert shows_work("n.md", text, released, second, [first])


def test_code_of_any_depth_shows_work() -> None:
    """A file that is too deep to be compared was worked on."""
    deep = f"def double(x):\n    return {'x + ' * 3000}x\n"
    assert shows_work("net.py", deep, RELEASE, Place(("double",)), [])
