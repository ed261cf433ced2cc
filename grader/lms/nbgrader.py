"""nbgrader's tree: `submitted/<student>/<assignment>/`, with a `timestamp.txt`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from grader.errors import UsageError
from grader.lms.names import is_clutter
from grader.lms.records import FoundSubmission, PassedOver

SYSTEM = "nbgrader"
TREE = "submitted"
TIMESTAMP = "timestamp.txt"
FORMS = ("%Y-%m-%d %H:%M:%S.%f %Z", "%Y-%m-%d %H:%M:%S %Z", "%Y-%m-%d %H:%M:%S.%f")


def recognises(folder: Path, entries: Sequence[Path]) -> bool:
    """Whether this is a course with a submitted/ tree, or that tree itself."""
    if (folder / TREE).is_dir() and any(path.is_dir() for path in folder.glob(f"{TREE}/*/*")):
        return True
    students = [entry for entry in entries if entry.is_dir()]
    if any(next(student.glob("*.ipynb"), None) for student in students):
        return False
    name = "" if folder.name == TREE else TIMESTAMP
    return any(next(student.glob(f"*/{name}"), None) for student in students)


def find(
    folder: Path, entries: Sequence[Path], assignment: str = ""
) -> tuple[list[FoundSubmission], list[PassedOver]]:
    """The submissions for one assignment; their ids are the students' folders' names.

    Raises:
        UsageError: there are several assignments, and none was named.
    """
    passed_over: list[PassedOver] = []
    if (folder / TREE).is_dir():
        passed_over += [(e, f"beside {TREE}/") for e in entries if e.name != TREE]
        folder = folder / TREE
        entries = [e for e in sorted(folder.iterdir()) if not is_clutter(e.name)]
    passed_over += [(e, "not a student's folder") for e in entries if not e.is_dir()]
    handed_in = {
        (student, work.name): work
        for student in entries
        if student.is_dir()
        for work in sorted(student.iterdir())
        if work.is_dir() and not is_clutter(work.name)
    }
    chosen = _assignment({name for _, name in handed_in}, assignment, folder)
    found = []
    for student in [entry for entry in entries if entry.is_dir()]:
        for (owner, name), work in handed_in.items():
            if owner == student and name != chosen:
                passed_over.append((work, f"another assignment than {chosen}"))
        if (student, chosen) in handed_in:
            found.append(_submission(student, handed_in[student, chosen]))
        else:
            passed_over.append((student, f"nothing was handed in for {chosen or 'any assignment'}"))
    return found, passed_over


def _assignment(names: set[str], wanted: str, folder: Path) -> str:
    if wanted and (wanted in names or not names):
        return wanted
    if len(names) <= 1 and not wanted:
        return next(iter(names), "")
    offer = ", ".join(sorted(names))
    raise UsageError(f"{folder}: say which of its assignments is meant: {offer}")


def _submission(student: Path, work: Path) -> FoundSubmission:
    return FoundSubmission(
        id=student.name,
        paths=(work,),
        submitted=_timestamp(work / TIMESTAMP),
        keys={"student_id": student.name},
        names=(work.name,),
    )


def _timestamp(path: Path) -> datetime | None:
    if not path.is_file() or path.is_symlink():
        return None
    with path.open("rb") as opened:
        text = opened.read(200).decode("utf-8", "replace").strip()
    for form in FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
