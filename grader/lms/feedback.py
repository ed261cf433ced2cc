"""A zip of feedback pages, named so that Moodle or Canvas gives each to its student."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.lms.grades import Matcher
from grader.lms.moodle import identifier_column, matchers, participant_number
from grader.lms.names import safe_name, unsafe
from grader.lms.records import Form, OutputFile, Plan, ScoreRow, Skipped
from grader.lms.sheet import Sheet

SYSTEM = "feedback"
PAGE = "feedback.html"
MAX_NAME_BYTES = 180
# Moodle names a group's folder as it names a student's, by a number that may be a student's too.
GROUP = re.compile(r"(default )?(group|team|gruppe|groep|groupe|grupo|gruppo)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Page:
    row: ScoreRow
    name: str
    content: Path


def plan(rows: Sequence[ScoreRow], sheet: Sheet | None = None, sheet_name: str = "") -> Plan:
    """The zip file; `sheet` is Moodle's worksheet, which tells groups from students.

    Raises:
        UsageError: the worksheet is not Moodle's.
    """
    pages, skipped = [], []
    members = _members(rows, sheet, sheet_name)
    for row in rows:
        names, reason = _names(row, members)
        if row.feedback is None or not row.feedback.is_file():
            skipped.append(Skipped(row.id, row.name, f"it has no {PAGE}"))
        elif reason:
            skipped.append(Skipped(row.id, row.name, reason))
        else:
            pages += [_Page(row, name, row.feedback) for name in names]
    crowd = Counter(page.name.casefold() for page in pages)
    clear = [page for page in pages if crowd[page.name.casefold()] == 1]
    skipped += [
        Skipped(page.row.id, page.row.name, "another one has the same name")
        for page in pages
        if crowd[page.name.casefold()] > 1
    ]
    files = tuple(OutputFile(page.name, page.content) for page in clear)
    return Plan(SYSTEM, Form.ZIP, files, skipped=tuple(skipped))


def _names(row: ScoreRow, members: dict[str, list[str]] | None) -> tuple[list[str], str]:
    """The names in the zip of one submission's page, or why it has none."""
    if "moodle_folder" in row.keys:
        return _moodle_names(row, members)
    if "canvas_prefix" in row.keys:
        if "canvas_attachment" not in row.keys:
            return [], "Canvas takes feedback only on files, and none was handed in"
        if "canvas_id" not in row.keys:
            return [], "Canvas cannot tell whose it is while grading is anonymous"
        numbers = f"{row.keys['canvas_id']}_{row.keys['canvas_attachment']}"
        name = row.keys["canvas_prefix"].removesuffix(f"_{row.keys['canvas_id']}")
        return [f"{_or_else(name, 'student')}_{numbers}_{PAGE}"], ""
    return [f"{safe_name(row.id)}/{PAGE}"], ""


def _moodle_names(row: ScoreRow, members: dict[str, list[str]] | None) -> tuple[list[str], str]:
    if members is None:
        is_group = GROUP.match(row.keys.get("moodle_name", "")) or "moodle_id" not in row.keys
        if is_group:
            return [], "this looks like a group: give Moodle's grading worksheet with --sheet"
        return [f"{_moodle_folder(row, row.keys['moodle_id'])}/{PAGE}"], ""
    if not members[row.id]:
        return [], "the worksheet has neither a participant nor a group of this name"
    return [f"{_moodle_folder(row, number)}/{PAGE}" for number in members[row.id]], ""


def _moodle_folder(row: ScoreRow, number: str) -> str:
    """The student's own folder's name; Moodle reads nothing but the number and the end."""
    plain = f"Participant_{number}_assignsubmission_file"
    return (
        _or_else(row.keys["moodle_folder"], plain) if row.keys.get("moodle_id") == number else plain
    )


def _members(
    rows: Sequence[ScoreRow], sheet: Sheet | None, sheet_name: str
) -> dict[str, list[str]] | None:
    """The participants' numbers behind each submission, by the worksheet."""
    if sheet is None:
        return None
    records = [r for r in range(1, len(sheet.raw)) if any(c.strip() for c in sheet.values[r])]
    identity = identifier_column(sheet, records, sheet_name)
    participant, team, *_ = matchers(sheet, records, sheet_name)
    return {row.id: _numbers(row, sheet, (participant, team), identity) for row in rows}


def _numbers(row: ScoreRow, sheet: Sheet, ways: Sequence[Matcher], identity: int) -> list[str]:
    for matcher in ways:
        offered = set(filter(None, matcher.offers(row)))
        reached = [record for record, keys in matcher.has.items() if offered & set(keys)]
        if reached:
            return [participant_number(sheet.value(record, identity)) for record in reached]
    return []


def _or_else(name: str, other: str) -> str:
    """The name where it can stand in a zip file as it is."""
    is_plain = name and not any(unsafe(letter) for letter in name) and not name.startswith(".")
    return name if is_plain and len(name.encode()) <= MAX_NAME_BYTES else other
