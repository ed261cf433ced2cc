"""Finds the assignment and the notebook that a student means, mostly without being told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grader.answer_files import read_files_at_home
from grader.assignment import Assignment, load_assignment
from grader.errors import AssignmentError, SubmissionError, UsageError
from grader.submission import Submission, load_submission, read_notebook

TOML = "assignment.toml"
SUBMISSIONS = (".ipynb", ".zip")


@dataclass(frozen=True)
class Work:
    """An assignment and the path of what is handed in for it."""

    assignment: Assignment
    path: Path

    def read(self) -> Submission:
        """The submission as it lies there now.

        Raises:
            SubmissionError: it cannot be read.
        """
        asked = self.assignment.answer_files
        folder = self.assignment.folder
        at_home = self.assignment.is_release and self.path.resolve().parent == folder
        if not asked or not at_home or self.path.suffix != ".ipynb":
            return load_submission(self.path, asked)
        # The files that answer questions lie beside the notebook.
        files = read_files_at_home(folder, Path(self.assignment.notebook).parts[0])
        notebook = read_notebook(files[self.path.name], self.path.name)
        return Submission(self.path.stem, self.path.name, notebook, files)

    def watched(self) -> list[Path]:
        """The files whose change may change the outcome."""
        modules = sorted(self.assignment.folder.glob("*.py")) if self.assignment.is_release else []
        beside = [self.assignment.folder / name for name in self.assignment.answer_files]
        return [self.path, *modules, *beside]


def find_work(
    assignment: str | Path | None = None, notebook: Path | None = None, start: Path | None = None
) -> Work:
    """What is to be checked; one of the two, or both, may be left out.

    `start` is the folder to look in, else the current one. A single name that
    ends like a submission is taken for one.

    Raises:
        AssignmentError, SubmissionError: there is none, or more than one.
    """
    start = start or Path.cwd()
    named = assignment
    if notebook is None and assignment is not None and _is_submission(Path(assignment)):
        named, notebook = None, Path(assignment)
    if named is None:
        near = [notebook.resolve().parent] if notebook is not None else []
        named = _folder_at_or_above([*near, start.resolve()])
    loaded = load_assignment(named)
    if notebook is None:
        if not loaded.is_release:
            raise UsageError(
                f"which notebook? {loaded.folder} is an assignment, not a student's folder: "
                f"grader check {named} hand-in.ipynb"
            )
        notebook = _notebook_in(loaded)
    if not notebook.exists():
        raise SubmissionError(f"{notebook}: there is no such file")
    return Work(loaded, notebook)


def _is_submission(path: Path) -> bool:
    return path.suffix.lower() in SUBMISSIONS


def _folder_at_or_above(starts: Iterable[Path]) -> Path:
    for start in starts:
        for folder in (start, *start.parents):
            if (folder / TOML).is_file():
                return folder
    raise AssignmentError(
        f"no {TOML} at or above {Path.cwd()}: go to the folder that you were given for the "
        "assignment, or name it: grader check FOLDER hand-in.ipynb"
    )


def _notebook_in(release: Assignment) -> Path:
    """The notebook of that folder that was handed out, or the only one there is."""
    handed_out = release.folder / Path(release.notebook).name
    if handed_out.exists():
        return handed_out
    found = sorted(path for path in release.folder.glob("*.ipynb"))
    if len(found) == 1:
        return found[0]
    if not found:
        raise SubmissionError(
            f"{release.folder}: there is no notebook (.ipynb); it was called {handed_out.name}"
        )
    names = ", ".join(path.name for path in found)
    raise SubmissionError(f"{release.folder}: which notebook? There are {names}")
