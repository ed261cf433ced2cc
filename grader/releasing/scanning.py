"""Looks through files that are to be released, before they are: for a hook on every commit."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.assignment import Assignment, load_assignment
from grader.errors import UsageError
from grader.releasing.leaks import Secrets, find_leaks
from grader.releasing.visible import visible_checks

TOML = "assignment.toml"


@dataclass(frozen=True)
class Scan:
    """The `leaks` found, how many files were looked through, and which are authors' sources."""

    leaks: tuple[str, ...]
    looked_at: int
    sources: tuple[Path, ...]


def scan(paths: Iterable[Path], assignments: Collection[Assignment]) -> Scan:
    """Looks through files, and those in folders.

    What lies in an assignment's own folder is its source, and is passed over:
    solutions belong there.

    Raises:
        UsageError: a file cannot be read.
        AssignmentError: an assignment's checks cannot be read.
    """
    secrets = [Secrets.of(a, visible_checks(a).hidden) for a in assignments if not a.is_release]
    files = list(dict.fromkeys(file for path in paths for file in _files(path)))
    sources = tuple(file for file in files if _is_source(file))
    released = [file for file in files if file not in sources]
    leaks = [leak for file in released for leak in _leaks_in(file, secrets)]
    return Scan(tuple(leaks), len(released), sources)


def assignments_below(folder: Path) -> list[Assignment]:
    """The assignments with a solution that lie in a folder, at any depth.

    Raises:
        AssignmentError: one of them is broken.
    """
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if TOML in names and _has_solution(Path(place)):
            found.append(load_assignment(Path(place)))
    return found


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for found in sorted(path.rglob("*")):
        if found.is_file() and ".git" not in found.parts and "__pycache__" not in found.parts:
            yield found


def _is_source(file: Path) -> bool:
    return any(_has_solution(folder) for folder in file.resolve().parents)


def _has_solution(folder: Path) -> bool:
    """Whether this is an assignment's own folder, and no release of it."""
    try:
        return "notebook" not in tomllib.loads((folder / TOML).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def _leaks_in(file: Path, secrets: Collection[Secrets]) -> list[str]:
    try:
        return find_leaks(file.as_posix(), file.read_bytes(), secrets)
    except OSError as error:
        raise UsageError(f"{file}: it cannot be read ({error.strerror})") from error
