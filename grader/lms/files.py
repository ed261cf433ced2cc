"""Plain notebooks, zip files and folders, each one a submission."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader.lms.records import FoundSubmission, PassedOver

SYSTEM = "files"
HANDED_IN = {".ipynb", ".zip", ".rar", ".7z", ".tar", ".gz", ".tgz"}


def recognises(folder: Path, entries: Sequence[Path]) -> bool:
    """Any folder will do."""
    return True


def find(folder: Path, entries: Sequence[Path]) -> tuple[list[FoundSubmission], list[PassedOver]]:
    """One submission for each notebook, archive and folder; ids are their names."""
    found: list[FoundSubmission] = []
    passed_over: list[PassedOver] = []
    for entry in entries:
        if entry.is_dir() and not any(entry.iterdir()):
            passed_over.append((entry, "an empty folder"))
        elif entry.is_dir() or entry.suffix.lower() in HANDED_IN:
            name = entry.name if entry.is_dir() else entry.stem
            found.append(
                FoundSubmission(
                    id=name, paths=(entry,), keys={"student_id": name}, names=(entry.name,)
                )
            )
        else:
            passed_over.append((entry, "neither a notebook nor an archive nor a folder"))
    return found, passed_over
