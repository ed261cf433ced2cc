"""Notebooks as they arrive: what can be read, what is repaired, and what each refusal says."""

from __future__ import annotations

import copy
import json
import warnings
from typing import Any

import nbformat
import pytest

from grader.errors import SubmissionError
from grader.submission import read_notebook

CODE = {"cell_type": "code", "source": "x = 1", "metadata": {}, "outputs": []}
TEXT = {"cell_type": "markdown", "source": "hello", "metadata": {}}


def tree(*cells: dict[str, Any], minor: int = 5, **metadata: Any) -> dict[str, Any]:
    """A notebook of nbformat 4 as JSON data."""
    made = copy.deepcopy([{"execution_count": None, **cell} for cell in cells or (CODE,)])
    return {"nbformat": 4, "nbformat_minor": minor, "metadata": metadata, "cells": made}


def read(notebook: object) -> nbformat.NotebookNode:
    """The notebook, read without a single warning, as others' tools must accept it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_notebook(json.dumps(notebook).encode(), "hw.ipynb")
        # Of its kernel a notebook may say less than the schema asks for.
        nbformat.validate({**found, "metadata": {}})
    return found


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b"%PDF-1.7 ...", "not even JSON"),
        (b"\xff\xfe\x00\x01", "not even JSON"),
        (b"\x89PNG\r\n", "not even JSON"),
        (b'{"cells": [', "not even JSON"),
        (b"[" * 100_000, "not even JSON"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        (b"[]", "not a Jupyter notebook"),
        (b'{"cells": []}', "not a Jupyter notebook"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 4, "cells": {}}', "no list of cells"),
        (b'{"nbformat": 4, "cells": ["x"]}', "no list of cells"),
        (b'{"nbformat": 99, "cells": []}', "Unsupported nbformat version 99"),
        (b'{"nbformat": 3, "cells": []}', "structure is broken"),
        (b'{"nbformat": [], "cells": []}', "structure is broken"),
    ],
)
def test_unusable_content(content: bytes, words: str) -> None:
    """What is no notebook is refused in one sentence that names the file."""
    with pytest.raises(SubmissionError, match=words) as caught:
        read_notebook(content, "hw.ipynb")
    assert str(caught.value).startswith("hw.ipynb: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}},
        {"language_info": {"name": "julia"}},
    ],
)
def test_other_language(metadata: dict[str, Any]) -> None:
    """A notebook in another language is refused by its language's name."""
    with pytest.raises(SubmissionError, match=r"written in (R|julia), not in Python"):
        read(tree(**metadata))


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"kernelspec": {"name": "conda-env-nn-py"}},
        {"kernelspec": {"name": "python3", "language": "python"}},
        {"kernelspec": None, "language_info": None},
        {"kernelspec": "python3"},
        {"language_info": {"name": "ipython", "version": "2.7.18"}},
    ],
)
def test_python_by_any_name(metadata: dict[str, Any]) -> None:
    """A Python notebook is read whatever it says of its kernel."""
    assert read(tree(**metadata)).cells[0].source == "x = 1"


@pytest.mark.parametrize("minor", [0, 1, 2, 4, 5, 99])
def test_minor_versions(minor: int) -> None:
    """All of nbformat 4 is read, newer than we know included."""
    assert [cell.source for cell in read(tree(CODE, TEXT, minor=minor)).cells] == ["x = 1", "hello"]


def test_version_3() -> None:
    """A notebook of nbformat 3 is converted: code, text and headings."""
    cells = [
        {"cell_type": "heading", "level": 2, "source": "1 Squares", "metadata": {}},
        {"cell_type": "code", "input": ["x = 1\n", "y = 2"], "language": "python", "outputs": []},
    ]
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}
    assert [cell.source for cell in read(old).cells] == ["## 1 Squares", "x = 1\ny = 2"]


def test_source_as_lines() -> None:
    """A source may be a list of lines."""
    assert read(tree({**CODE, "source": ["x = 1\n", "y = 2"]})).cells[0].source == "x = 1\ny = 2"


@pytest.mark.parametrize("identity", [None, 5, "", "with space", "x" * 65, []])
def test_ids_are_repaired(identity: object) -> None:
    """A cell without a usable id gets one."""
    cell = {**CODE, "id": identity} if identity is not None else CODE
    assert read(tree(cell)).cells[0].id


def test_doubled_ids() -> None:
    """Of cells with the same id, the first keeps it."""
    first, second = read(tree({**CODE, "id": "a"}, {**CODE, "id": "a"})).cells
    assert first.id == "a"
    assert second.id != "a"


@pytest.mark.parametrize("metadata", [None, 5, {"nn_grader": None}, {"tags": ["a", "a"]}])
def test_broken_cell_metadata(metadata: object) -> None:
    """What is not our metadata, or no metadata at all, is left out."""
    assert read(tree({**CODE, "metadata": metadata})).cells[0].metadata == {}


def test_our_metadata_is_kept() -> None:
    """The cell's question and role survive."""
    ours = {"nn_grader": {"question": "1a", "role": "answer"}}
    assert read(tree({**TEXT, "metadata": ours})).cells[0].metadata == ours


def test_tags_cannot_skip_a_cell() -> None:
    """A tag by which nbclient would skip a cell, or expect its error, does not get through."""
    tags = {"tags": ["skip-execution", "raises-exception"]}
    assert "tags" not in read(tree({**CODE, "metadata": tags})).cells[0].metadata


@pytest.mark.parametrize(
    "outputs",
    [
        None,
        5,
        ["x"],
        [{}],
        [{"output_type": "hologram", "data": {"text/plain": "x"}}],
        [{"output_type": "display_data", "metadata": {}}],
        [{"output_type": "display_data", "data": None}],
        [{"output_type": "stream", "name": "stdout"}],
        [{"output_type": "error"}],
    ],
)
def test_broken_outputs(outputs: object) -> None:
    """Outputs that cannot be shown are left out; the cell is read."""
    assert read(tree({**CODE, "outputs": outputs})).cells[0].outputs == []


def test_odd_outputs() -> None:
    """Outputs with unknown keys, lists of lines and data that is no text are kept as text."""
    outputs = [
        {"output_type": "stream", "name": "stderr", "text": ["a\n", "b"], "extra": 1},
        {"output_type": "execute_result", "data": {"text/plain": ["1", "2"], "x/json": {"a": 1}}},
        {"output_type": "error", "ename": "E", "evalue": ["no"]},
    ]
    stream, result, error = read(tree({**CODE, "outputs": outputs})).cells[0].outputs
    assert stream.text == "a\nb"
    assert result.data == {"text/plain": "12", "x/json": "{'a': 1}"}
    assert (error.ename, error.evalue) == ("E", "no")


def test_cells_that_lack_everything() -> None:
    """A cell of unknown type, or without source, is empty text."""
    cells = read({"nbformat": 4, "cells": [{}, {"cell_type": "magic", "source": "x"}]}).cells
    assert [(c.cell_type, c.source) for c in cells] == [("markdown", ""), ("markdown", "x")]


def test_half_characters() -> None:
    """A lone surrogate, which no encoding has, becomes a question mark."""
    assert read(tree({**CODE, "source": "x = '\ud800'"})).cells[0].source == "x = '?'"


def test_attachments_are_kept() -> None:
    """A scan that was pasted into a written answer stays with it."""
    scan = {"scan.png": {"image/png": "iVBORw0KGgo="}}
    assert read(tree({**TEXT, "attachments": scan})).cells[0].attachments == scan
