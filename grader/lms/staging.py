"""A found submission as the grader reads one: the files under the names that the student gave."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from nbformat import NotebookNode

from grader.errors import SubmissionError
from grader.lms.names import safe_name
from grader.lms.records import FoundSubmission
from grader.submission import Submission, load_submission


def load_found(
    found: FoundSubmission, expected: Collection[str] = (), release: NotebookNode | None = None
) -> Submission:
    """Reads what was handed in; its id is the found one's.

    `expected` are the files that answer questions and `release` is the notebook
    that students got, as for `load_submission`.

    Several files are read as one folder. An LMS puts ids and names before the
    names of files; a notebook that imports a module beside it needs the
    student's own.

    Raises:
        SubmissionError: it cannot be graded; the sentence says why.
    """
    if not found.paths:
        raise SubmissionError(f"{found.id}: nothing was handed in")
    if len(found.paths) == 1 and (found.paths[0].is_dir() or not _is_renamed(found)):
        return replace(load_submission(found.paths[0], expected, release), id=found.id)
    with tempfile.TemporaryDirectory(prefix="nn-grader-staged-") as temporary:
        copies = _copy(found, Path(temporary))
        whole = copies[0] if len(copies) == 1 else Path(temporary)
        try:
            return replace(load_submission(whole, expected, release), id=found.id)
        except SubmissionError as error:
            # The folder in the message would be gone when it is read.
            text = str(error).replace(f"{temporary}/", "").replace(temporary, found.id)
            raise SubmissionError(text) from error


def _is_renamed(found: FoundSubmission) -> bool:
    return bool(found.names) and found.names[0] != found.paths[0].name


def _copy(found: FoundSubmission, folder: Path) -> list[Path]:
    names = found.names or tuple(path.name for path in found.paths)
    copies: list[Path] = []
    for path, name in zip(found.paths, names, strict=True):
        target = _free(folder / safe_name(name))
        if path.is_dir():
            shutil.copytree(path, target, symlinks=True)
        else:
            # With its time: of two notebooks the newer one may be the one that was meant.
            shutil.copy2(path, target, follow_symlinks=False)
        copies.append(target)
    return copies


def _free(path: Path) -> Path:
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
