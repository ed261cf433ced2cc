"""`grader new --from`: a notebook of another system, as an assignment of ours."""

from __future__ import annotations

import warnings
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from grader.authoring.draft import Draft, assignment_files
from grader.authoring.nbgrader import is_nbgrader, read_nbgrader
from grader.authoring.otter import (
    is_otter_release,
    is_otter_source,
    read_otter_release,
    read_otter_source,
)
from grader.authoring.plain import is_marked, read_plain
from grader.errors import AssignmentError

READERS = (
    ("otter assign", is_otter_source, read_otter_source),
    ("nbgrader", is_nbgrader, read_nbgrader),
    ("otter, a students' notebook", is_otter_release, read_otter_release),
    ("solution markers", is_marked, read_plain),
)


def import_notebook(path: Path, slug: str) -> tuple[dict[str, str], Draft, str]:
    """The files of an assignment made from a notebook, and the format that it was in.

    Raises:
        AssignmentError: it is no notebook, or in none of the formats that are known.
    """
    notebook = _read(path)
    for name, is_it, read in READERS:
        if is_it(notebook):
            draft = read(notebook, slug)
            files = {**assignment_files(draft, slug), "README.md": _readme(draft, path.name)}
            return files, draft, name
    raise AssignmentError(
        f"{path}: neither nbgrader's metadata nor otter's cells are in it. Put "
        "`### BEGIN SOLUTION` and `### END SOLUTION` around each answer and try again"
    )


def _read(path: Path) -> NotebookNode:
    try:
        with warnings.catch_warnings():
            # Cells without ids, which older notebooks have, get new ones.
            warnings.simplefilter("ignore")
            return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise AssignmentError(f"{path}: there is no such file") from None
    except Exception as error:
        raise AssignmentError(f"{path} is not a notebook: {error}") from error


def _readme(draft: Draft, source: str) -> str:
    lines = [f"# {draft.title}", "", f"Made from {source}.", ""]
    if draft.left_out:
        lines += ["## Left to do", "", *(f"- {note}" for note in draft.left_out), ""]
    return "\n".join(lines)
