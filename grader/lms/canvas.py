"""Canvas: the files of `submissions.zip`, and the gradebook's CSV.

The names of files are those of Canvas's content zipper:
`<sortable name, squashed>[_LATE]_<user id>_<attachment id>_<original name>`, `_text.html` and
`_link.html` for what was typed, `[LATE_]anon_<anonymous id>_…` where grading is anonymous.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.lms.grades import Target, by_id, by_key, by_members, by_name, choose_column, plan_sheet
from grader.lms.names import safe_name
from grader.lms.records import ExportOptions, FoundSubmission, PassedOver, Plan, ScoreRow
from grader.lms.sheet import Sheet, find_column, parse_number

SYSTEM = "canvas"
TAIL = r"_(?:(?P<attachment>\d+)_(?P<file>.+)|(?P<typed>text|link)\.html)"
NAMED = re.compile(rf"(?P<name>.*?)(?P<late>_LATE)?_(?P<user>\d+){TAIL}", re.DOTALL)
ANONYMOUS = re.compile(rf"(?P<late>LATE_)?(?P<name>anon)_(?P<user>[A-Za-z0-9]+){TAIL}", re.DOTALL)
ODD = re.compile(r"[\s.,;'()-]")
RESUBMITTED = re.compile(r"(?P<stem>.+)-(?P<number>\d+)(?P<suffix>\.[^.]+)", re.DOTALL)
ASSIGNMENT = re.compile(r".+ \((\d+)\)", re.DOTALL)
NO_GRADE_WORDS = frozenset({"-"})


@dataclass(frozen=True)
class _File:
    path: Path
    name: str
    is_late: bool
    user: str
    attachment: str
    original: str
    is_anonymous: bool


def recognises(folder: Path, entries: Sequence[Path]) -> bool:
    """Whether most of the files are named as Canvas names them."""
    parsed = [file for entry in entries if entry.is_file() and (file := _parsed(entry))]
    # `lab_1_2_ada.ipynb` looks alike; but Canvas gives every file a number of its own, and
    # most students hand in one notebook.
    numbers = [file.attachment for file in parsed if file.attachment]
    students = _by_student(parsed)
    kept = [file for files in students.values() for file in _newest(files)[0]]
    notebooks = [file for file in kept if file.original.lower().endswith((".ipynb", ".zip"))]
    are_canvas = len(set(numbers)) == len(numbers) and len(notebooks) < max(2 * len(students), 2)
    return are_canvas and len(parsed) * 2 > len(entries)


def _by_student(files: Sequence[_File]) -> dict[tuple[str, str, bool], list[_File]]:
    students = defaultdict(list)
    for file in files:
        students[file.user, file.name, file.is_anonymous].append(file)
    return students


def find(folder: Path, entries: Sequence[Path]) -> tuple[list[FoundSubmission], list[PassedOver]]:
    """The submissions, one for each user; their ids are Canvas's user ids."""
    parsed = {entry: _parsed(entry) if entry.is_file() else None for entry in entries}
    students = _by_student([file for file in parsed.values() if file])
    passed_over = [
        (entry, "its name is not one that Canvas gives")
        for entry, file in parsed.items()
        if file is None
    ]
    users = Counter(user for user, _, _ in students)
    found = []
    for (user, _, _), files in students.items():
        newest, older = _newest(files)
        passed_over += older
        # Two names under one number: a name that ends in a number was mistaken for an id.
        found.append(_submission(newest, is_sure=users[user] == 1))
    return found, passed_over


def _parsed(path: Path) -> _File | None:
    match = ANONYMOUS.fullmatch(path.name) or NAMED.fullmatch(path.name)
    # Canvas writes names small, without spaces and signs.
    if match is None or ODD.search(match["name"]) or match["name"] != match["name"].lower():
        return None
    return _File(
        path,
        match["name"],
        bool(match["late"]),
        match["user"],
        match["attachment"] or "",
        match["file"] or f"{match['typed']}.html",
        match.re is ANONYMOUS,
    )


def _newest(files: Sequence[_File]) -> tuple[list[_File], list[PassedOver]]:
    """The files of the last attempt: Canvas calls a file that is handed in again `hw-1.ipynb`."""
    originals = {file.original for file in files}
    attempts = defaultdict(list)
    for file in files:
        match = RESUBMITTED.fullmatch(file.original)
        base = match["stem"] + match["suffix"] if match else ""
        attempts[base if base in originals else file.original].append(file)
    kept, older = [], []
    for group in attempts.values():
        *before, last = sorted(group, key=lambda file: int(file.attachment or 0))
        kept.append(last)
        older += [(file.path, f"an older attempt than {last.path.name}") for file in before]
    return sorted(kept, key=lambda file: file.path.name), older


def _submission(files: Sequence[_File], *, is_sure: bool) -> FoundSubmission:
    first = files[0]
    prefix = first.path.name.split(f"_{first.user}_")[0]
    main = next((f for f in files if f.original.endswith(".ipynb")), first)
    keys = {"canvas_prefix": f"{prefix}_{first.user}", "canvas_attachment": main.attachment}
    if first.is_anonymous:
        keys["canvas_anonymous_id"] = first.user
    else:
        keys["canvas_id"] = first.user
    return FoundSubmission(
        id=first.user if is_sure else f"{first.name}_{first.user}",
        paths=tuple(file.path for file in files),
        name="" if first.is_anonymous else first.name,
        is_late=any(file.is_late for file in files),
        keys={key: value for key, value in keys.items() if value} if is_sure else {},
        names=tuple(safe_name(file.original) for file in files),
    )


def plan(rows: Sequence[ScoreRow], sheet: Sheet, options: ExportOptions, name: str) -> Plan:
    """What would change in a gradebook that was exported from Canvas.

    Raises:
        UsageError: it is no gradebook of Canvas, or the column is not clear.
    """
    identity = find_column(sheet, "ID")
    person = find_column(sheet, "Student", "LastName")
    if identity is None or person is None or find_column(sheet, "Section") is None:
        raise UsageError(
            f"{name}: this is no gradebook of Canvas (it needs the columns Student, ID, Section); "
            "export it with Grades > Export"
        )
    columns = [c for c, title in enumerate(sheet.header) if ASSIGNMENT.fullmatch(title.strip())]
    grade = choose_column(sheet, columns, options.column, name)
    students = [r for r in range(1, len(sheet.raw)) if sheet.value(r, identity).strip()]
    maximum = _points_possible(sheet, person, identity, grade)
    logins = [find_column(sheet, title) for title in ("SIS Login ID", "SIS User ID")]
    known = [*logins, find_column(sheet, "Integration ID")]
    target = Target(
        SYSTEM,
        "canvas.csv",
        students,
        grade,
        [
            by_key(sheet, students, identity, "canvas_id"),
            by_id(sheet, students, known),
            by_members(sheet, students, known),
            by_name(sheet, students, person, find_column(sheet, "FirstName")),
        ],
        lambda record: maximum,
        blank_words=NO_GRADE_WORDS,
    )
    return plan_sheet(sheet, target, rows, options)


def _points_possible(sheet: Sheet, person: int, identity: int, grade: int) -> float | None:
    for record in range(1, len(sheet.raw)):
        is_person = sheet.value(record, identity).strip()
        if not is_person and sheet.value(record, person).strip() == "Points Possible":
            return parse_number(sheet.value(record, grade))
    return None
