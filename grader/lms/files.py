"""Plain notebooks, scripts, archives and folders, each one a submission."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader.lms.records import FoundSubmission, PassedOver
from grader.submission import has_archive_suffix, is_notebook, without_archive_suffix

SYSTEM = "files"
# What else a student may mean as the hand-in, though it cannot be graded: it gets a report, too.
REFUSED = (".html", ".htm", ".pdf", ".docx", ".odt")
# A larger file of text is data.
MAX_BYTES = 64 << 20
NOT_NOTEBOOKS = "neither a notebook nor a script nor an archive nor a folder"
# Of files of one name, the first kind counts: a notebook, an archive, a script, what is refused.
NOTEBOOK, ARCHIVE, SCRIPT, OTHER = range(4)


def recognises(folder: Path, entries: Sequence[Path]) -> bool:
    """Any folder will do."""
    return True


def find(folder: Path, entries: Sequence[Path]) -> tuple[list[FoundSubmission], list[PassedOver]]:
    """One submission for each notebook, script, archive and folder; ids are their names."""
    found: list[FoundSubmission] = []
    passed_over: list[PassedOver] = []
    best = _best_kinds(entries)
    for entry in entries:
        if entry.is_dir() and not any(entry.iterdir()):
            passed_over.append((entry, "an empty folder"))
        elif not entry.is_dir() and _kind(entry) is None:
            passed_over.append((entry, NOT_NOTEBOOKS))
        elif not entry.is_dir() and _kind(entry) in (SCRIPT, OTHER) and _is_beside(entry, best):
            passed_over.append((entry, "beside a notebook or an archive of the same name"))
        else:
            name = entry.name if entry.is_dir() else _stem(entry)
            found.append(
                FoundSubmission(
                    id=name, paths=(entry,), keys={"student_id": name}, names=(entry.name,)
                )
            )
    return found, passed_over


def _best_kinds(entries: Sequence[Path]) -> dict[str, int]:
    """By the name of a hand-in, the best kind of file that has it."""
    best: dict[str, int] = {}
    for entry in entries:
        kind = None if entry.is_dir() else _kind(entry)
        if kind is not None:
            best[_stem(entry)] = min(kind, best.get(_stem(entry), kind))
    return best


def _is_beside(entry: Path, best: dict[str, int]) -> bool:
    kind = _kind(entry)
    return kind is not None and best[_stem(entry)] < kind


def _kind(path: Path) -> int | None:
    suffix = path.suffix.lower()
    if suffix == ".ipynb" or (suffix in (".txt", ".json", "") and _holds_notebook(path)):
        return NOTEBOOK
    if has_archive_suffix(path.name):
        return ARCHIVE
    if suffix == ".py":
        return SCRIPT
    return OTHER if suffix in REFUSED else None


def _holds_notebook(path: Path) -> bool:
    return path.stat().st_size <= MAX_BYTES and is_notebook(path.read_bytes())


def _stem(path: Path) -> str:
    if has_archive_suffix(path.name):
        return without_archive_suffix(path.name)
    return path.stem.removesuffix(".ipynb") or path.stem
