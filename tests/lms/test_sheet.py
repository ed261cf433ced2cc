"""A sheet that is not edited is the same byte for byte; an edit changes its cell alone."""

from __future__ import annotations

import codecs
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.lms.sheet import as_text, parse_number, read_sheet, write_table

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=5)
)
ENCODINGS = {
    "utf-8": b"",
    "utf-8-sig": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
}


def written(table: list[list[str]], delimiter: str, quoting: int, end: str) -> str:
    """A table as some program would write it, under titles that show the delimiter."""
    # Python's writer leaves a lone carriage return unquoted where lines end otherwise.
    if end == "\n" and any("\r" in cell for row in table for cell in row):
        quoting = csv.QUOTE_ALL
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerows([["title"] * len(table[0]), *table])
    return out.getvalue()


@given(
    TABLES,
    st.sampled_from(",;\t"),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from(list(ENCODINGS)),
    st.booleans(),
)
def test_round_trip(
    table: list[list[str]], delimiter: str, quoting: int, end: str, encoding: str, is_cut: bool
) -> None:
    """Whatever its encoding, quotes, delimiter and line ends, an unchanged sheet is the same."""
    text = written(table, delimiter, quoting, end)
    text = text[: -len(end)] if is_cut else text
    content = ENCODINGS[encoding] + text.encode(encoding.removesuffix("-sig"))
    sheet = read_sheet(content, "sheet.csv")
    assert sheet.to_bytes() == content
    assert sheet.values[1:] == table


@given(TABLES, CELLS, st.sampled_from(",;\t"), st.booleans(), st.data())
def test_edit(
    table: list[list[str]], new: str, delimiter: str, is_quoted: bool, data: st.DataObject
) -> None:
    """After an edit every other cell is written as it was, and the new one reads as it is meant."""
    quoting = csv.QUOTE_ALL if is_quoted else csv.QUOTE_MINIMAL
    sheet = read_sheet(written(table, delimiter, quoting, "\r\n").encode(), "sheet.csv")
    record = data.draw(st.integers(1, len(table)))
    column = data.draw(st.integers(0, len(table[0]) - 1))
    edited = sheet.edited({(record, column): new})
    again = read_sheet(edited.to_bytes(), "sheet.csv")
    assert again.value(record, column) == new
    for place, cells in enumerate(sheet.raw):
        for at, cell in enumerate(cells):
            assert (place, at) == (record, column) or again.raw[place][at] == cell
    assert again.ends == sheet.ends


def test_windows_encoding() -> None:
    """A sheet that Excel saved without Unicode keeps its bytes, and refuses what it cannot hold."""
    content = "Name;Note\r\nZoë;1,50\r\n".encode("cp1252")
    sheet = read_sheet(content, "sheet.csv")
    assert sheet.to_bytes() == content
    assert sheet.value(1, 0) == "Zoë"
    assert sheet.decimal_mark(1) == ","
    with pytest.raises(UsageError, match="UTF-8"):
        sheet.edited({(1, 1): "王"}).to_bytes()


def test_utf_16_without_a_mark() -> None:
    """Blackboard's UTF-16 is known without its byte order mark, too."""
    for encoding in ("utf-16-le", "utf-16-be"):
        content = '"Username"\t"Score"\r\n"ada"\t""\r\n'.encode(encoding)
        sheet = read_sheet(content, "sheet.xls")
        assert (sheet.value(1, 0), sheet.to_bytes()) == ("ada", content)


@pytest.mark.parametrize(
    "text", ["", " \r\n", 'a,b\r\n"never closed,1\r\n', 'a,b\r\n1,"x" "y,z"\r\n2,3\r\n']
)
def test_broken(text: str) -> None:
    """A sheet that two readers would read differently is refused, not guessed at."""
    with pytest.raises(UsageError, match=r"sheet\.csv"):
        read_sheet(text.encode(), "sheet.csv")


def test_a_short_record_grows() -> None:
    """A cell beyond the end of its record can be written."""
    sheet = read_sheet(b"a,b,c\n1\n", "sheet.csv")
    assert sheet.edited({(1, 2): "x"}).to_bytes() == b"a,b,c\n1,,x\n"


def test_numbers() -> None:
    """Grades are read with a point or a comma; words and thousands are no grades."""
    assert [parse_number(t) for t in ("1", " 2.50 ", "2,5", "-1")] == [1.0, 2.5, 2.5, -1.0]
    assert {parse_number(t) for t in ("", "EX", "N/A", "1.234,5", "85%", "٣")} == {None}


@given(st.text(max_size=10))
def test_no_formula(text: str) -> None:
    """No text of ours starts as a formula does, and other text is as it was."""
    made = as_text(text)
    assert not made.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert made in (text, f"'{text}")


def test_table() -> None:
    """Cells with commas, quotes and line ends are written so that they come back."""
    rows = [["a,b", 'say "x"'], ["two\nlines", ""]]
    assert list(csv.reader(io.StringIO(write_table(rows), newline=""))) == rows
