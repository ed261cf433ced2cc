"""A notebook read from bytes: what grading needs of it, whole, whatever else is broken."""

from __future__ import annotations

import json
import re
import uuid
import warnings
from typing import Any

import nbformat
from nbformat import NotebookNode, v4

from grader.errors import SubmissionError
from grader.submission.kinds import CURES, Kind, kind_of

NOTEBOOK_VERSION = 4
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CONFLICT = b"\n<<<<<<< "
AGAIN = "export it again as .ipynb"


def read_notebook(content: bytes, name: str) -> NotebookNode:
    """Parses a notebook of nbformat 3 or 4.

    What grading does not need may be broken: outputs that cannot be shown are
    left out, and so is metadata of others; ids that are missing or doubled are
    made anew.

    Raises:
        SubmissionError: it is not a Python notebook.
    """
    tree = _parse_json(content, name)
    if not isinstance(tree, dict) or "nbformat" not in tree:
        raise SubmissionError(f"{name}: this is JSON, but not a Jupyter notebook; {AGAIN}")
    return from_tree(tree, name)


def from_tree(tree: dict[str, Any], name: str) -> NotebookNode:
    """A notebook of the JSON tree of one.

    Raises:
        SubmissionError: its structure is broken, or it is not in Python.
    """
    try:
        notebook = _rebuilt(tree if tree["nbformat"] == NOTEBOOK_VERSION else _converted(tree))
    except Exception as error:  # nbformat raises all kinds of errors
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SubmissionError(
            f"{name}: the notebook's structure is broken ({reason}); {AGAIN}"
        ) from error
    _require_python(notebook, name)
    return notebook


def _parse_json(content: bytes, name: str) -> object:
    kind = kind_of(content)
    if kind is Kind.EMPTY:
        raise SubmissionError(f"{name}: the file is empty; {CURES[kind]}")
    if kind not in (Kind.NOTEBOOK, Kind.OTHER):
        raise SubmissionError(
            f"{name}: this is {kind}, not a notebook; it is not even JSON; {CURES.get(kind, AGAIN)}"
        )
    if CONFLICT in content:
        raise SubmissionError(
            f"{name}: Git has left the marks of a merge conflict in it; "
            "resolve the conflict, open the notebook once and save it"
        )
    try:
        return json.loads(content)
    except UnicodeDecodeError:
        return _parse_json(content.decode("cp1252", "replace").encode(), name)
    except (ValueError, RecursionError) as error:
        raise SubmissionError(
            f"{name}: this is not a notebook, it is not even JSON ({error}); {AGAIN}"
        ) from error


def _converted(tree: dict[str, Any]) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        older = nbformat.reader.reads(json.dumps(tree))
        return dict(nbformat.convert(older, NOTEBOOK_VERSION))


def _rebuilt(tree: dict[str, Any]) -> NotebookNode:
    """A notebook of what grading reads in `tree`, well-formed whatever else is in it."""
    cells = tree.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise ValueError("it has no list of cells")
    metadata = _dict(tree.get("metadata"))
    kept = {name: _dict(metadata.get(name)) for name in ("kernelspec", "language_info")}
    seen: set[str] = set()
    return nbformat.from_dict(
        {
            "nbformat": NOTEBOOK_VERSION,
            "nbformat_minor": v4.nbformat_minor,
            "metadata": {name: value for name, value in kept.items() if value},
            "cells": [_cell(cell, seen) for cell in cells],
        }
    )


def _cell(cell: dict[str, Any], seen: set[str]) -> dict[str, Any]:
    """A cell with an id that is not in `seen`."""
    identity = cell.get("id")
    if not isinstance(identity, str) or not CELL_ID.fullmatch(identity) or identity in seen:
        identity = uuid.uuid4().hex[:8]
    seen.add(identity)
    kind = cell.get("cell_type")
    made: dict[str, Any] = {
        "id": identity,
        "cell_type": kind if kind in ("code", "raw") else "markdown",
        "source": as_text(cell.get("source", "")),
        "metadata": {},
    }
    if ours := _dict(_dict(cell.get("metadata")).get("nn_grader")):
        made["metadata"] = {"nn_grader": ours}
    if kind == "code":
        outputs, count = cell.get("outputs"), cell.get("execution_count")
        shown = map(_output, outputs if isinstance(outputs, list) else [])
        made["outputs"] = [output for output in shown if output]
        made["execution_count"] = count if isinstance(count, int) else None
    elif attachments := _dict(cell.get("attachments")):
        made["attachments"] = attachments
    return made


def _output(output: object) -> dict[str, Any]:
    """An output as it can be shown, or nothing."""
    match output:
        case {"output_type": "stream" as kind, "text": text}:
            return {"output_type": kind, "name": "stdout", "text": as_text(text)}
        case {"output_type": "error" as kind, "ename": name, "evalue": value}:
            named = {"ename": as_text(name), "evalue": as_text(value), "traceback": []}
            return {"output_type": kind, **named}
        case {"output_type": "display_data" | "execute_result", "data": dict(data)}:
            shown = {str(media): as_text(value) for media, value in data.items()}
            return {"output_type": "display_data", "data": shown, "metadata": {}}
    return {}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_text(value: object) -> str:
    """A text, which nbformat lets be a list of lines, without halves of characters."""
    text = "".join(map(str, value)) if isinstance(value, list) else str(value)
    return text.encode("utf-8", "replace").decode("utf-8")


def _require_python(notebook: NotebookNode, name: str) -> None:
    specification = notebook.metadata.get("kernelspec", {})
    information = notebook.metadata.get("language_info", {})
    language = str(specification.get("language") or information.get("name") or "python")
    if not language.lower().startswith(("python", "ipython")):
        raise SubmissionError(
            f"{name}: this notebook is written in {language}, not in Python; "
            "hand in the one that answers this assignment"
        )
