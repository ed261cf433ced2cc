"""Writes a notebook, imports it, and gives what was made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode, v4

from grader.assignment import Assignment, load_assignment
from grader.authoring.draft import Draft, write_files
from grader.authoring.importing import import_notebook

Import = Callable[..., tuple[Assignment, Draft]]


def code(source: str, *, shown: str = "", **metadata: Any) -> NotebookNode:
    """A code cell; `shown` is what its last expression gave when it was run."""
    output = v4.new_output("execute_result", {"text/plain": shown})
    return v4.new_code_cell(source, metadata=metadata, outputs=[output] if shown else [])


def text(source: str, **metadata: Any) -> NotebookNode:
    """A Markdown cell."""
    return v4.new_markdown_cell(source, metadata=metadata)


def raw(source: str) -> NotebookNode:
    """A raw cell."""
    return v4.new_raw_cell(source)


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    """Imports a notebook of these cells, and loads the assignment that is made of it."""

    def make(*cells: NotebookNode, **metadata: Any) -> tuple[Assignment, Draft]:
        notebook = v4.new_notebook(cells=list(cells), metadata=metadata)
        nbformat.write(notebook, tmp_path / "source.ipynb")
        files, draft, _ = import_notebook(tmp_path / "source.ipynb", "week_1")
        write_files(tmp_path / "week_1", files)
        return load_assignment(tmp_path / "week_1"), draft

    return make
