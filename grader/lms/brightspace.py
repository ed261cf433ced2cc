"""Brightspace (D2L): the assignment's download, the import of grades.

Folders are called `<user>-<assignment> - <name> - <Mon D, YYYY HMM AM>`, one for each attempt;
grades are imported from `OrgDefinedId,Username,<Item> Points Grade,End-of-Line Indicator`, with
`#` before what a spreadsheet could take for a number, and at each line's end.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from grader.errors import UsageError
from grader.lms.grades import Target, by_id, by_members, by_name, choose_column, plan_sheet
from grader.lms.records import ExportOptions, FoundSubmission, PassedOver, Plan, ScoreRow
from grader.lms.sheet import Sheet, find_column, parse_number, read_sheet, write_table

SYSTEM = "brightspace"
FOLDER = re.compile(
    r"(?P<user>\d+)-(?P<other>\d+) - (?P<name>.*) - "
    r"(?P<date>[A-Z][a-z]{2,8} \d{1,2}, \d{4} \d{1,2}:?\d{2} [AP]M)",
    re.DOTALL,
)
DATES = ("%b %d, %Y %I%M %p", "%B %d, %Y %I%M %p")
GRADE = re.compile(
    r"(?P<item>.+?) Points Grade(?: <Numeric MaxPoints:(?P<maximum>[\d.,]+).*>)?", re.DOTALL
)
END = "End-of-Line Indicator"


@dataclass(frozen=True)
class _Folder:
    path: Path
    user: str
    other: str
    name: str
    submitted: datetime | None


def recognises(folder: Path, entries: Sequence[Path]) -> bool:
    """Whether any entry is named as Brightspace names a submission's folder."""
    return any(FOLDER.fullmatch(entry.name) for entry in entries)


def find(folder: Path, entries: Sequence[Path]) -> tuple[list[FoundSubmission], list[PassedOver]]:
    """The submissions, one for each user or group, by the newest folder of each."""
    owners: dict[tuple[str, str], list[_Folder]] = defaultdict(list)
    passed_over: list[PassedOver] = []
    for entry in entries:
        if entry.is_dir() and (match := FOLDER.fullmatch(entry.name)):
            user, other, name = match["user"], match["other"], match["name"]
            parsed = _Folder(entry, user, other, name, _date(match["date"]))
            owners[user, name].append(parsed)
        else:
            reason = (
                "Brightspace's list of submissions"
                if entry.suffix == ".html"
                else "not in a folder"
            )
            passed_over.append((entry, reason))
    users = Counter(user for user, _ in owners)
    found = []
    for (user, name), folders in owners.items():
        *older, newest = sorted(folders, key=lambda f: (f.submitted or datetime.min, f.path.name))  # noqa: DTZ901
        passed_over += [(f.path, f"an older attempt than {newest.path.name}") for f in older]
        # Where all share the first number, it is the assignment's.
        identity = user if users[user] == 1 else f"{user}-{newest.other}-{name}"
        found.append(
            FoundSubmission(
                id=identity,
                paths=(newest.path,),
                name=name,
                submitted=newest.submitted,
                attempt=len(folders),
                keys={"brightspace_user": user},
                names=(newest.path.name,),
            )
        )
    return found, passed_over


def _date(text: str) -> datetime | None:
    for form in DATES:
        try:
            return datetime.strptime(text.replace(":", ""), form)  # noqa: DTZ007 - it names no zone
        except ValueError:
            continue
    return None


def blank_sheet(rows: Sequence[ScoreRow], item: str) -> Sheet:
    """A sheet for the import, where none was exported: usernames are the submissions' ids."""
    lines = [["Username", f"{item} Points Grade", END]]
    lines += [[f"#{row.keys.get('roster_id', row.id)}", "", "#"] for row in rows]
    return read_sheet(write_table(lines).encode(), "the new sheet")


def plan(rows: Sequence[ScoreRow], sheet: Sheet, options: ExportOptions, name: str) -> Plan:
    """What would change in grades that were exported from Brightspace.

    Raises:
        UsageError: it is no export of grades, or the column is not clear.
    """
    identities = [find_column(sheet, title) for title in ("Username", "OrgDefinedId")]
    if all(column is None for column in identities):
        raise UsageError(
            f"{name}: these are no grades of Brightspace (it needs OrgDefinedId or Username); "
            "export them with Grades > Export, points grade and both keys"
        )
    columns = [c for c, title in enumerate(sheet.header) if GRADE.fullmatch(title.strip())]
    grade = choose_column(sheet, columns, options.column, name)
    match = GRADE.fullmatch(sheet.header[grade].strip())
    maximum = parse_number(match["maximum"] or "") if match else None
    records = [
        record
        for record in range(1, len(sheet.raw))
        if any(sheet.value(record, c).strip() for c in identities if c is not None)
    ]
    email = find_column(sheet, "Email")
    first, last = find_column(sheet, "First Name"), find_column(sheet, "Last Name")
    known = [*identities, email]
    matchers = [
        by_id(sheet, records, known),
        by_members(sheet, records, known),
        by_name(sheet, records, first, last),
    ]
    target = Target(SYSTEM, "brightspace.csv", records, grade, matchers, lambda record: maximum)
    return plan_sheet(sheet, target, rows, options)
