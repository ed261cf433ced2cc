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
    students = [entry for entry in entries if entry.is_dir() and not entry.is_symlink()]
    known = set(students)
    passed_over += [(entry, "not a student's folder") for entry in entries if entry not in known]
    works = {student: _works(student) for student in students}
    chosen = _assignment({name for own in works.values() for name in own}, assignment, folder)
    found = []
    for student, own in works.items():
        reason = f"not handed in for {chosen}" if chosen else "not in an assignment's folder"
        beside = [path for path in sorted(student.iterdir()) if path != own.get(chosen)]
        passed_over += [(path, reason) for path in beside if not is_clutter(path.name)]
        if chosen in own:
            found.append(_submission(student, own[chosen]))
        else:
            passed_over.append((student, f"nothing was handed in for {chosen or 'any assignment'}"))
    return found, passed_over


def _works(student: Path) -> dict[str, Path]:
    return {
        path.name: path
        for path in sorted(student.iterdir())
        if path.is_dir() and not path.is_symlink() and not is_clutter(path.name)
    }


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
