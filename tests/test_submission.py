"""Files as they arrive: what can be read, what is repaired, and what each refusal says."""

from __future__ import annotations

import copy
import io
import json
import os
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import v4

from grader import submission
from grader.errors import SubmissionError
from grader.submission import load_submission, read_notebook

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


# --- files ----------------------------------------------------------------------


NOTEBOOK = json.dumps(tree()).encode()


def make_zip(path: Path, **files: bytes) -> Path:
    """A zip of these files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["hand-in.ipynb", "HAND-IN.IPYNB", "übung 1.ipynb"])
def test_notebook_file(tmp_path: Path, name: str) -> None:
    """A notebook file is the submission, and its name without suffix the id."""
    (tmp_path / name).write_bytes(NOTEBOOK)
    found = load_submission(tmp_path / name)
    assert (found.id, found.name) == (Path(name).stem, name)
    assert found.files == {name: NOTEBOOK}


def test_name_that_is_not_unicode(tmp_path: Path) -> None:
    """A file name in another encoding than this system's does not hinder the record."""
    path = tmp_path / os.fsdecode(b"h\xe9.ipynb")
    try:
        path.write_bytes(NOTEBOOK)
    except OSError:
        pytest.skip("this file system takes Unicode names alone")
    assert len(load_submission(path).record.sha256) == 64


@pytest.mark.parametrize("name", ["hw.pdf", "hw.py", "hw", "hw.ipynb.txt"])
def test_other_suffix(tmp_path: Path, name: str) -> None:
    """A file of another kind is refused with what to give instead."""
    (tmp_path / name).write_bytes(b"%PDF-1.7")
    with pytest.raises(SubmissionError, match=r"give a notebook \(\.ipynb\)"):
        load_submission(tmp_path / name)


def test_missing_file(tmp_path: Path) -> None:
    """A path that leads nowhere is refused."""
    with pytest.raises(SubmissionError, match="there is no such file"):
        load_submission(tmp_path / "hw.ipynb")


def test_folder(tmp_path: Path) -> None:
    """A folder's notebook is graded with the files beside it, and clutter left out."""
    (tmp_path / "ann.smith" / "models").mkdir(parents=True)
    (tmp_path / "ann.smith" / ".ipynb_checkpoints").mkdir()
    for name in ("hw.ipynb", "models/net.py", ".ipynb_checkpoints/hw.ipynb", ".DS_Store"):
        (tmp_path / "ann.smith" / name).write_bytes(NOTEBOOK)
    (tmp_path / "ann.smith" / "secret").symlink_to("/etc/passwd")
    found = load_submission(tmp_path / "ann.smith")
    assert (found.id, found.name) == ("ann.smith", "hw.ipynb")
    assert set(found.files) == {"hw.ipynb", "models/net.py"}


def test_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The id of `.` is that of the folder it is."""
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "hw.ipynb").write_bytes(NOTEBOOK)
    monkeypatch.chdir(tmp_path / "ann")
    assert load_submission(".").id == "ann"


def test_several_notebooks(tmp_path: Path) -> None:
    """A folder with several notebooks is refused, and they are named."""
    for name in ("a.ipynb", "b.ipynb"):
        (tmp_path / name).write_bytes(NOTEBOOK)
    with pytest.raises(SubmissionError, match=r"several notebooks in it \(a\.ipynb, b\.ipynb\)"):
        load_submission(tmp_path)


def test_no_notebook(tmp_path: Path) -> None:
    """A folder or zip without a notebook is refused."""
    (tmp_path / "hw.py").write_text("x = 1")
    with pytest.raises(SubmissionError, match="no notebook"):
        load_submission(tmp_path)
    with pytest.raises(SubmissionError, match="no notebook"):
        load_submission(make_zip(tmp_path / "hw.zip", **{"hw.py": b"x = 1"}))


def test_zip(tmp_path: Path) -> None:
    """A zip is read like a folder; macOS's extra files are left out."""
    files = {"hw/hw.ipynb": NOTEBOOK, "hw/net.py": b"", "__MACOSX/hw/._hw.ipynb": b"x"}
    found = load_submission(make_zip(tmp_path / "ann.zip", **files))
    assert (found.id, found.name) == ("ann", "hw/hw.ipynb")
    assert set(found.files) == {"hw/hw.ipynb", "hw/net.py"}


def test_zip_with_backslashes(tmp_path: Path) -> None:
    """Paths written on Windows are paths."""
    files = {"hw\\": b"", "hw\\hw.ipynb": NOTEBOOK}
    found = load_submission(make_zip(tmp_path / "a.zip", **files))
    assert found.name == "hw/hw.ipynb"


@pytest.mark.parametrize("name", ["../hw.ipynb", "a/../../hw.ipynb", "/hw.ipynb", "..\\hw.ipynb"])
def test_zip_that_leads_out(tmp_path: Path, name: str) -> None:
    """A zip with a path out of its folder is refused."""
    with pytest.raises(SubmissionError, match="leads out of it"):
        load_submission(make_zip(tmp_path / "a.zip", **{name: NOTEBOOK}))


def test_zip_with_a_file_in_a_file(tmp_path: Path) -> None:
    """A zip in which a file is also a folder is refused."""
    files = {"hw.ipynb": NOTEBOOK, "hw.ipynb/net.py": b""}
    with pytest.raises(SubmissionError, match="is a file and a folder"):
        load_submission(make_zip(tmp_path / "a.zip", **files))


def test_zip_that_is_none(tmp_path: Path) -> None:
    """A file that only claims to be a zip is refused."""
    (tmp_path / "a.zip").write_bytes(b"Rar!\x1a\x07\x01\x00")
    with pytest.raises(SubmissionError, match="the zip file cannot be read"):
        load_submission(tmp_path / "a.zip")


def test_damaged_zip(tmp_path: Path) -> None:
    """A zip that was damaged on its way is refused, or what it holds was not touched."""
    content = NOTEBOOK + bytes(range(9, 11)) * 400
    whole = make_zip(tmp_path / "a.zip", **{"hw.ipynb": content}).read_bytes()
    for position in range(0, len(whole), 2):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        (tmp_path / "a.zip").write_bytes(damaged)
        with suppress(SubmissionError):
            assert list(load_submission(tmp_path / "a.zip").files.values()) == [content]


@pytest.mark.parametrize(("limit", "value"), [("MAX_FILES", 2), ("MAX_BYTES", 1000)])
def test_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    """A zip or folder with more in it than the limits allow is refused."""
    monkeypatch.setattr(submission, limit, value)
    files = {"hw.ipynb": NOTEBOOK, "a.txt": b"0" * 500, "b.txt": b"0" * 500}
    with pytest.raises(SubmissionError, match="more in it than"):
        load_submission(make_zip(tmp_path / "a.zip", **files))
    (tmp_path / "a").mkdir()
    for name, content in files.items():
        (tmp_path / "a" / name).write_bytes(content)
    with pytest.raises(SubmissionError, match="more in it than"):
        load_submission(tmp_path / "a")


def test_record(tmp_path: Path) -> None:
    """The hash is the same for the same files, and tells names and contents apart."""
    made: dict[str, str] = {}

    def digest(**files: bytes) -> str:
        folder = tmp_path / f"{len(made)}"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        made[folder.name] = load_submission(folder).record.sha256
        return made[folder.name]

    first = digest(**{"hw.ipynb": NOTEBOOK, "a": b"12", "b": b"3"})
    assert first == digest(**{"b": b"3", "hw.ipynb": NOTEBOOK, "a": b"12"})
    assert first != digest(**{"hw.ipynb": NOTEBOOK, "a": b"1", "b": b"23"})
    assert first != digest(**{"hw.ipynb": NOTEBOOK, "c": b"12", "b": b"3"})


def test_encrypted_zip(tmp_path: Path) -> None:
    """A zip that asks for a password is refused."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("hw.ipynb", NOTEBOOK)
    content = bytearray(stream.getvalue())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(SubmissionError, match=r"cannot be read \(.*password"):
        load_submission(tmp_path / "a.zip")


def test_unreadable_file(tmp_path: Path) -> None:
    """A path that the system cannot read is refused, not a fault of ours."""
    (tmp_path / "hw.ipynb").symlink_to("hw.ipynb")
    with pytest.raises(SubmissionError):
        load_submission(tmp_path / "hw.ipynb")


def test_hand_in(tmp_path: Path) -> None:
    """Checks may read the Markdown, the recorded texts and the files, as they arrived."""
    stream = v4.new_output("stream", text="loss 0.5\n")
    table = v4.new_output("display_data", data={"image/png": "AAAA", "text/plain": "a figure"})
    picture = v4.new_output("display_data", data={"image/png": "AAAA"})
    cells = [
        v4.new_markdown_cell("My loss is 0.5."),
        v4.new_code_cell("train()", outputs=[stream, table, picture]),
        v4.new_raw_cell("raw"),
    ]
    (tmp_path / "a.ipynb").write_text(nbformat.writes(v4.new_notebook(cells=cells)))
    (tmp_path / "data.csv").write_bytes(b"1,2")
    hand_in = load_submission(tmp_path).hand_in
    assert hand_in.markdown == ("My loss is 0.5.",)
    assert hand_in.outputs == ("loss 0.5\n", "a figure")
    assert hand_in.files.keys() == {"a.ipynb", "data.csv"}
    assert hand_in.files["data.csv"] == b"1,2"


# --- answers that are files

EXPECTED = ("net/a.py", "net/b.py", "c.py")


def lay(folder: Path, *names: str) -> Path:
    """A folder with these files; notebooks can be read."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(NOTEBOOK if name.endswith(".ipynb") else b"x = 1")
    return folder


def test_files_without_a_notebook(tmp_path: Path) -> None:
    """With one of the expected files the notebook may be missing: there are no cells then."""
    found = load_submission(lay(tmp_path / "ann", "net/b.py"), EXPECTED)
    assert (found.id, found.name, found.notebook.cells) == ("ann", "", [])
    assert found.answers == {"net/b.py": b"x = 1"}


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        (["hw.ipynb", "net/a.py"], "."),
        (["hw/net/a.py", "hw/c.py", "hw/hw.ipynb"], "hw"),
        (["hw.ipynb", "code/net/a.py", "code/net/b.py"], "code"),
        (["c.py", "new/net/a.py", "new/net/b.py"], "new"),
        (["b/hw.ipynb", "a/c.py", "b/c.py"], "b"),
        (["x/a/c.py", "y/c.py"], "y"),
        (["hw/hw.ipynb", "other.py"], "hw"),
    ],
)
def test_the_folder_of_the_files(tmp_path: Path, names: list[str], folder: str) -> None:
    """Files are looked for where most of them lie, if in doubt beside the notebook or further out.

    Where there are none, that is the notebook's folder.
    """
    found = load_submission(lay(tmp_path, *names), EXPECTED)
    assert str(found.folder) == folder
    outside = [name for name in found.answers if name.startswith("../")]
    within = [name for name in names if folder == "." or name.startswith(f"{folder}/")]
    assert len(outside) == len(names) - len(within)


def test_nothing_that_was_asked_for(tmp_path: Path) -> None:
    """A folder without a notebook and the files is refused, naming the files."""
    with pytest.raises(SubmissionError, match=r"neither a notebook .*net/a\.py, net/b\.py, c\.py"):
        load_submission(lay(tmp_path, "a.py", "d/b.py"), EXPECTED)


def test_several_notebooks_beside_files(tmp_path: Path) -> None:
    """Which of several notebooks counts is the student's to say, with files as without."""
    with pytest.raises(SubmissionError, match=r"several notebooks in it \(1\.ipynb, 2\.ipynb\)"):
        load_submission(lay(tmp_path, "1.ipynb", "2.ipynb", "c.py"), EXPECTED)
