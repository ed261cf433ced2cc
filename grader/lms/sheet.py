"""A school's own sheet, edited cell by cell: what is not edited stays as it is, byte by byte."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from grader.errors import UsageError

DELIMITERS = ",;\t"
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
COMMA_NUMBER = re.compile(r"-?\d+,\d+", re.ASCII)
POINT_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Sheet:
    """A table of text with all that is needed to write it as it came.

    `raw` holds each record's cells as they stand in the file, quotes included,
    `ends` each record's line end. Records may differ in length.
    """

    bom: bytes
    encoding: str
    delimiter: str
    raw: tuple[tuple[str, ...], ...]
    ends: tuple[str, ...]

    @cached_property
    def values(self) -> list[list[str]]:
        """Each record's cells as they are meant."""
        return [[_meant(cell) for cell in record] for record in self.raw]

    @property
    def header(self) -> list[str]:
        """The titles of the columns."""
        return self.values[0]

    def value(self, record: int, column: int) -> str:
        """One cell, empty where the record is too short to have it."""
        cells = self.values[record]
        return cells[column] if 0 <= column < len(cells) else ""

    def edited(self, edits: dict[tuple[int, int], str]) -> Sheet:
        """The sheet with other text in the cells `(record, column)`."""
        records = [list(record) for record in self.raw]
        for (record, column), text in edits.items():
            cells = records[record]
            cells.extend([""] * (column + 1 - len(cells)))
            cells[column] = self._written(text, was_quoted=cells[column].startswith('"'))
        raw = tuple(map(tuple, records))
        return Sheet(self.bom, self.encoding, self.delimiter, raw, self.ends)

    def _written(self, text: str, *, was_quoted: bool) -> str:
        out = io.StringIO()
        # A line end inside a cell is quoted only where it occurs in the writer's own.
        writer = csv.writer(
            out,
            delimiter=self.delimiter,
            quoting=csv.QUOTE_ALL if was_quoted else csv.QUOTE_MINIMAL,
            lineterminator="\r\n",
        )
        writer.writerow([text])
        # A lone empty cell is quoted by csv, for a line would be lost; here it never is alone.
        return out.getvalue().removesuffix("\r\n") if text or was_quoted else ""

    def to_bytes(self) -> bytes:
        """The file.

        Raises:
            UsageError: the sheet's encoding has no such character.
        """
        lines = (
            self.delimiter.join(record) + end
            for record, end in zip(self.raw, self.ends, strict=True)
        )
        try:
            return self.bom + "".join(lines).encode(self.encoding)
        except UnicodeEncodeError as error:
            bad = error.object[error.start : error.end]
            raise UsageError(
                f"the sheet is written in {self.encoding}, which cannot hold {bad!r}: "
                "save it as UTF-8 first, or leave comments out with --no-comments"
            ) from error

    def decimal_mark(self, column: int) -> str:
        """What separates decimals in a column, or else in the rest of the sheet."""
        own = [self.value(record, column).strip() for record in range(1, len(self.raw))]
        rest = [cell.strip() for record in self.values[1:] for cell in record]
        for cells in (own, rest):
            if any(COMMA_NUMBER.fullmatch(cell) for cell in cells):
                return ","
            if any("." in cell and POINT_NUMBER.fullmatch(cell) for cell in cells):
                return "."
        return "."


def read_sheet(content: bytes, name: str) -> Sheet:
    """Takes a CSV apart: UTF-8 with or without a BOM, UTF-16, or Windows' encoding.

    Raises:
        UsageError: it is empty, or its quotes do not match.
    """
    bom, encoding = _encoding(content)
    text = content[len(bom) :].decode(encoding)
    if not text.strip():
        raise UsageError(f"{name}: the sheet is empty")
    delimiter = _delimiter(text)
    raw, ends = _cells(text, delimiter)
    sheet = Sheet(bom, encoding, delimiter, raw, ends)
    _require_agreement(sheet, text, name)
    return sheet


def _encoding(content: bytes) -> tuple[bytes, str]:
    for bom, encoding in BOMS:
        if content.startswith(bom):
            return bom, encoding if _decodes(content[len(bom) :], encoding) else "latin-1"
    if b"\0" in content[:200] and _decodes(content, "utf-16-le"):
        return b"", "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
    return b"", next(name for name in ("utf-8", "cp1252", "latin-1") if _decodes(content, name))


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        return content.decode(encoding).encode(encoding) == content
    except UnicodeError:
        return False


def _delimiter(text: str) -> str:
    outside = re.sub(r'"[^"]*"', "", re.split(r"[\r\n]", text.lstrip("\r\n"))[0])
    return max(DELIMITERS, key=lambda mark: (outside.count(mark), -DELIMITERS.index(mark)))


def _cells(text: str, delimiter: str) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Each record's cells as written, and each record's line end."""
    mark = re.escape(delimiter)
    cell = re.compile(rf'((?:"[^"]*(?:""[^"]*)*")?[^{mark}\r\n]*)({mark}|\r\n|\r|\n|\Z)')
    records: list[tuple[str, ...]] = []
    ends: list[str] = []
    record: list[str] = []
    position = 0
    while position < len(text) or record:
        match = cell.match(text, position)
        assert match is not None
        record.append(match[1])
        position = match.end()
        if match[2] != delimiter:
            records.append(tuple(record))
            ends.append(match[2])
            record = []
    return tuple(records), tuple(ends)


def _meant(cell: str) -> str:
    quoted = re.match(r'"([^"]*(?:""[^"]*)*)"', cell)
    return quoted[1].replace('""', '"') + cell[quoted.end() :] if quoted else cell


def _require_agreement(sheet: Sheet, text: str, name: str) -> None:
    """Python's csv module must read the same: else the quotes are broken somewhere."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sheet.delimiter)
    ours = [record for record in sheet.values if record != [""]]
    try:
        theirs = [record for record in reader if record not in ([], [""])]
    except csv.Error as error:
        raise UsageError(f"{name}: the sheet cannot be read ({error})") from error
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=False), start=1):
        if mine != other:
            raise UsageError(f"{name}: the quotes in record {number} do not match; repair it there")
    if len(ours) != len(theirs):
        raise UsageError(f"{name}: a quote in the sheet is never closed")
    for number, record in enumerate(sheet.values, start=1):
        # PHP writes \" for a quote after a backslash, and the columns behind it shift.
        if any(cell.strip() for cell in record[len(sheet.header) :]):
            raise UsageError(f"{name}: record {number} has more cells than there are titles")


def parse_number(text: str) -> float | None:
    """A grade as a number, with a point or a comma; None for words and empty cells."""
    text = text.strip()
    if COMMA_NUMBER.fullmatch(text):
        return float(text.replace(",", "."))
    return float(text) if POINT_NUMBER.fullmatch(text) else None


def as_text(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def find_column(sheet: Sheet, *titles: str) -> int | None:
    """The first column with one of these titles, whatever their case and spaces; None without."""
    wanted = [_title(title) for title in titles]
    found = [_title(title) for title in sheet.header]
    return next((found.index(title) for title in wanted if title in found), None)


def _title(text: str) -> str:
    return " ".join(text.casefold().split())


def write_table(rows: list[list[str]]) -> str:
    """A CSV as spreadsheets read it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def doubled(values: list[str]) -> set[str]:
    """Those that occur more than once, the empty one left aside."""
    return {value for value, count in Counter(values).items() if count > 1 and value}
