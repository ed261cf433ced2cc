"""scores.csv as spreadsheets read it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from grader.lms.records import ScoreRow
from grader.lms.scores import scores_csv

Row = Callable[..., ScoreRow]


def read(content: bytes) -> list[list[str]]:
    """The cells of a CSV in UTF-8 with a BOM."""
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_table(row: Row) -> None:
    """A line for each submission, a column for each question; ungraded ones are empty."""
    rows = [
        row("s1", name="Zoë 王", email="z@school.example", questions={"1a": 0.5, "2": None}),
        row("s2", questions={"2": -0.0, "3": 1 / 3}, pending=2.0, comment="a, b"),
    ]
    assert read(scores_csv(rows)) == [
        ["id", "name", "email", "score", "max_score", "pending", "1a", "2", "3", "comment"],
        ["s1", "Zoë 王", "z@school.example", "31.5", "45", "0", "0.5", "", "", ""],
        ["s2", "", "", "31.5", "45", "2", "", "0", "0.3333", "a, b"],
    ]


@given(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8))
def test_no_formulas(row: Row, identity: str, name: str, comment: str) -> None:
    """Whatever a student is called, no cell of text is a formula, and the lines stay in step."""
    table = read(scores_csv([row(identity, name=name, comment=comment, score=-1.0)]))
    assert [len(line) for line in table] == [7, 7]
    for cell in (*table[1][:3], table[1][6]):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert table[1][3] == "-1"


def test_not_finite(row: Row) -> None:
    """What is no number is empty, not a word that a spreadsheet could add up."""
    assert read(scores_csv([row("s", score=float("nan"))]))[1][3] == ""
