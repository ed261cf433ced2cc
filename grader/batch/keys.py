"""What a report depends on, as one hash: where it is the same, nothing is graded again."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from grader.assignment import Assignment

PACKAGE = Path(__file__).resolve().parents[1]
# What the students' code and the checks compute with.
PACKAGES = ("numpy", "scipy", "matplotlib", "scikit-learn", "ipykernel", "IPython")


def report_key(
    assignment: Assignment, paths: Sequence[Path], environment: Mapping[str, str]
) -> str:
    """The hash of a submission's files, the assignment's, the grader's and the environment."""
    submitted = [f"{path.name}={path_hash(path)}" for path in paths]
    parts = [
        *(f"{name}={value}" for name, value in sorted(environment.items())),
        f"assignment={folder_hash(assignment.folder)}",
        f"grader={grader_hash()}",
        *(f"submission={line}" for line in sorted(submitted)),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def environment_of_runs(isolation: str) -> dict[str, str]:
    """Versions of what computes here, and the least isolation that was asked for."""
    found = {"python": platform.python_version(), "isolation": isolation}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def grader_hash() -> str:
    """A hash of the grader's own code; the bundled assignments count for themselves."""
    code = [path for path in _files(PACKAGE) if path.parts[0] != "assignments"]
    return files_hash((path.as_posix(), (PACKAGE / path).read_bytes()) for path in code)


def path_hash(path: Path) -> str:
    """A hash of what was handed in, as it lies there: a zip file is not opened."""
    return folder_hash(path) if path.is_dir() else files_hash([(path.name, path.read_bytes())])


def folder_hash(folder: Path) -> str:
    """A hash of the files in a folder."""
    return files_hash((path.as_posix(), (folder / path).read_bytes()) for path in _files(folder))


def files_hash(files: Iterable[tuple[str, bytes]]) -> str:
    """A hash of names and contents, in whatever order they come."""
    each = [
        hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
        + hashlib.sha256(content).digest()
        for name, content in files
    ]
    return hashlib.sha256(b"".join(sorted(each))).hexdigest()


def _files(folder: Path) -> list[Path]:
    """The files in a folder, relative to it, what Python leaves behind left out."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if "__pycache__" not in path.parts)
