"""What a report depends on, as one hash: where it is the same, nothing is graded again."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from grader.alignment import NO_MAP, CellMap
from grader.answer_files import read_files
from grader.assignment import Assignment

PACKAGE = Path(__file__).resolve().parents[1]
# What the students' code and the checks compute with.
PACKAGES = ("numpy", "scipy", "matplotlib", "scikit-learn", "ipykernel", "IPython")


def run_key(assignment: Assignment, environment: Mapping[str, str]) -> str:
    """What all reports of a run depend on: the assignment, the grader and the environment."""
    parts = [
        *(f"{name}={value}" for name, value in sorted(environment.items())),
        f"assignment={path_hash(assignment.folder)}",
        f"grader={grader_hash()}",
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def report_key(run: str, paths: Sequence[Path], cell_map: CellMap = NO_MAP) -> str:
    """The hash of a submission's files and map, and of what all reports of its run depend on."""
    submitted = sorted(f"{path.name}={path_hash(path)}" for path in paths)
    submitted += sorted(f"map {question}={cells}" for question, cells in cell_map.items())
    return hashlib.sha256("\n".join([run, *submitted]).encode()).hexdigest()


def environment_of_runs(isolation: str, repairs: tuple[str, ...] | None = None) -> dict[str, str]:
    """Versions of what computes here, the least isolation and the repairs that were asked for."""
    found = {"python": platform.python_version(), "isolation": isolation}
    if repairs is not None:
        found["repairs"] = ",".join(sorted(repairs))
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def grader_hash() -> str:
    """A hash of the grader's own code; the bundled assignments count for themselves."""
    files = read_files(PACKAGE).items()
    return files_hash((path, code) for path, code in files if not path.startswith("assignments/"))


def path_hash(path: Path) -> str:
    """A hash of a file, or of all in a folder, as it lies there: a zip file is not opened."""
    return files_hash(read_files(path).items() if path.is_dir() else [("", path.read_bytes())])


def files_hash(files: Iterable[tuple[str, bytes]]) -> str:
    """A hash of names and contents, in whatever order they come."""
    each = [
        hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
        + hashlib.sha256(content).digest()
        for name, content in files
    ]
    return hashlib.sha256(b"".join(sorted(each))).hexdigest()
