"""What a person may say of the cells that answer a question, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.alignment.mapping import check_map, parse_maps, read_map
from grader.assignment import Assignment
from grader.errors import UsageError


def test_options() -> None:
    """Numbers, ranges and lists of both, for several questions; one named twice gets both."""
    found = parse_maps(["1a=4", "2 b = 7-9, 3", "1a=2", "x=y=5"])
    assert found == {"1a": (2, 4), "2 b": (3, 7, 8, 9), "x=y": (5,)}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *(("1a", "QUESTION=CELLS"), ("=3", "QUESTION=CELLS"), ("1a=", "names no cells")),
        *(("1a=x", "names no cells"), ("1a=-3", "names no cells"), ("1a=5-3", "before it begins")),
        *(("1a=3,,4", "names no cells"), ("1a=3.5", "names no cells")),
    ],
)
def test_options_that_say_nothing(text: str, reason: str) -> None:
    """Anything else is refused, with the option and the form that it should have."""
    with pytest.raises(UsageError, match=reason) as caught:
        parse_maps([text])
    assert text in str(caught.value)


def test_file(tmp_path: Path) -> None:
    """A file has one submission's cells, or those of many by their ids."""
    path = tmp_path / "cells.toml"
    path.write_text('[map]\n"1a" = 4\n[map.ann]\n"2a" = "7-8"\n"2b" = [1, "3-4"]\n', "utf-8")
    assert read_map(path) == {"": {"1a": (4,)}, "ann": {"2a": (7, 8), "2b": (1, 3, 4)}}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        *(("x = ", "Invalid"), ('"1a" = 3', "one table"), ("[map]\n[other]", "one table")),
        *(("map = 3", "one table"), ('[map]\n"1a" = -1', "names no cells")),
        *(('[map.ann]\n"1a" = true', "names no cells"), ('[map]\n"1a" = []', "names no cells")),
    ],
)
def test_files_that_say_nothing(tmp_path: Path, content: str, reason: str) -> None:
    """A file of another form is refused by its name."""
    path = tmp_path / "cells.toml"
    path.write_text(content, "utf-8")
    with pytest.raises(UsageError, match=reason) as caught:
        read_map(path)
    assert str(path) in str(caught.value)


def test_what_there_is(tiny: Assignment, modular: Assignment) -> None:
    """The question must be the assignment's and answered by cells, and the cells must be there."""
    check_map({"1a": (0, 15)}, tiny, 16)
    with pytest.raises(UsageError, match="'9z'; those of tiny are 1a, 1b"):
        check_map({"9z": (0,)}, tiny, 16)
    with pytest.raises(UsageError, match="cell 16, but the notebook has 16 cells, 0 to 15"):
        check_map({"1a": (16,)}, tiny, 16)
    by_file = next(question for question in modular.questions if question.file)
    with pytest.raises(UsageError, match="but the file"):
        check_map({by_file.id: (0,)}, modular, 16)
