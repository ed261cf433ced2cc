"""Blackboard Learn: the files of a gradebook's download, and the grade centre's sheet.

Files are called `<assignment>_<username>_attempt_<YYYY-MM-DD-HH-MM-SS>_<file>`; each attempt has
a `.txt` beside them with the student's name and the files' own names. The sheet has tabs and is
often UTF-16; a column is `<item> [Total Pts: 100 Score] |<number>`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from grader.errors import UsageError
from grader.lms.grades import Target, by_id, by_key, by_members, by_name, choose_column, plan_sheet
from grader.lms.names import safe_name
from grader.lms.records import ExportOptions, FoundSubmission, PassedOver, Plan, ScoreRow
from grader.lms.sheet import Sheet, find_column, parse_number

SYSTEM = "blackboard"
FILE = re.compile(
    r"(?P<before>.+)_attempt_(?P<time>\d{4}(?:-\d{2}){5})(?:_(?P<file>.+)|\.txt)", re.DOTALL
)
PERSON = re.compile(r"[^:]*:\s*(?P<name>.*?)\s*\((?P<user>[^()]*)\)\s*", re.DOTALL)
ORIGINAL = re.compile(r"\s*Original filename:\s*(.*?)\s*")
STORED = re.compile(r"\s*Filename:\s*(.*?)\s*")
COLUMN = re.compile(
    r"(?P<item>.+) \[[^\]]*?(?P<maximum>\d+(?:[.,]\d+)?)[^\]]*\]\s*\|\d+", re.DOTALL
)
UNGRADED_WORDS = frozenset({"needs grading", "needs marking", "in progress", "-"})
MAX_RECEIPT = 1 << 20


@dataclass(frozen=True)
class _File:
    path: Path
    user: str
    submitted: datetime
    original: str


def recognises(folder: Path, entries: Sequence[Path]) -> bool:
    """Whether any file is named as Blackboard names files."""
    return any(FILE.fullmatch(entry.name) for entry in entries)


def find(folder: Path, entries: Sequence[Path]) -> tuple[list[FoundSubmission], list[PassedOver]]:
    """The submissions, one for each username, by the newest attempt of each."""
    files: dict[str, dict[datetime, list[_File]]] = defaultdict(lambda: defaultdict(list))
    names: dict[str, str] = {}
    passed_over: list[PassedOver] = []
    receipts = {entry: _receipt(entry) for entry in entries if _is_receipt(entry)}
    own_names = {
        stored: own for _, _, stored_names in receipts.values() for stored, own in stored_names
    }
    users = {user for user, _, _ in receipts.values() if user}
    for entry in entries:
        match = FILE.fullmatch(entry.name)
        time = _time(match["time"]) if match else None
        if match is None or time is None or not entry.is_file():
            passed_over.append((entry, "its name is not one that Blackboard gives"))
            continue
        user = _user(match["before"], users)
        if entry in receipts:
            names[user] = receipts[entry][1]
            files[user][time]  # an attempt without files is an attempt too
            passed_over.append((entry, "Blackboard's own note on an attempt"))
        else:
            original = own_names.get(entry.name, match["file"] or entry.name)
            files[user][time].append(_File(entry, user, time, original))
    found = []
    for user, attempts in files.items():
        *older, newest = sorted(attempts)
        passed_over += [
            (file.path, f"an older attempt than that of {newest:%Y-%m-%d %H:%M:%S}")
            for time in older
            for file in attempts[time]
        ]
        found.append(_submission(user, names.get(user, ""), attempts, newest))
    return found, passed_over


def _submission(
    user: str, name: str, attempts: Mapping[datetime, Sequence[_File]], newest: datetime
) -> FoundSubmission:
    files = sorted(attempts[newest], key=lambda file: file.path.name)
    return FoundSubmission(
        id=user,
        paths=tuple(file.path for file in files),
        name=name,
        submitted=newest,
        attempt=len(attempts),
        keys={"blackboard_username": user},
        names=tuple(safe_name(file.original) for file in files),
    )


def _is_receipt(path: Path) -> bool:
    match = FILE.fullmatch(path.name)
    return match is not None and match["file"] is None and path.is_file()


def _receipt(path: Path) -> tuple[str, str, list[tuple[str, str]]]:
    """The username, the name, and the files by the names that Blackboard and the student gave."""
    with path.open("rb") as opened:
        lines = opened.read(MAX_RECEIPT).decode("utf-8-sig", "replace").splitlines()
    match = PERSON.fullmatch(lines[0]) if lines else None
    pairs, own = [], ""
    for line in lines:
        if found := ORIGINAL.fullmatch(line):
            own = found[1]
        elif (found := STORED.fullmatch(line)) and own:
            pairs.append((found[1], own))
            own = ""
    return (match["user"], match["name"], pairs) if match else ("", "", pairs)


def _user(before: str, known: set[str]) -> str:
    """The username at the end of `<assignment>_<username>`: either may hold underscores."""
    fitting = [user for user in known if before.endswith(f"_{user}")]
    return max(fitting, key=len) if fitting else before.rsplit("_", 1)[-1]


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d-%H-%M-%S")  # noqa: DTZ007 - it names no zone
    except ValueError:
        return None


def plan(rows: Sequence[ScoreRow], sheet: Sheet, options: ExportOptions, name: str) -> Plan:
    """What would change in a sheet that was downloaded from the grade centre.

    Raises:
        UsageError: it is no sheet of the grade centre, or the column is not clear.
    """
    username = find_column(sheet, "Username")
    if username is None:
        raise UsageError(
            f"{name}: this is no sheet of Blackboard (it needs the column Username); "
            "download it with Grade Center > Work Offline"
        )
    columns = [c for c, title in enumerate(sheet.header) if COLUMN.fullmatch(title.strip())]
    grade = choose_column(sheet, columns, options.column, name)
    match = COLUMN.fullmatch(sheet.header[grade].strip())
    maximum = parse_number(match["maximum"]) if match else None
    records = [r for r in range(1, len(sheet.raw)) if sheet.value(r, username).strip()]
    first, last = find_column(sheet, "First Name"), find_column(sheet, "Last Name")
    feedback_format = find_column(sheet, "Feedback Format")
    known = [username, find_column(sheet, "Student ID")]
    target = Target(
        SYSTEM,
        "blackboard.txt" if sheet.delimiter == "\t" else "blackboard.csv",
        records,
        grade,
        [
            by_key(sheet, records, username, "blackboard_username"),
            by_id(sheet, records, known),
            by_members(sheet, records, known),
            by_name(sheet, records, first, last),
        ],
        lambda record: maximum,
        comment=find_column(sheet, "Feedback to Learner", "Feedback to User"),
        fixed={} if feedback_format is None else {feedback_format: "PLAIN_TEXT"},
        blank_words=UNGRADED_WORDS,
    )
    return plan_sheet(sheet, target, rows, options)
