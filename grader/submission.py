"""What a student handed in, read from a notebook, a folder or a zip file."""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import posixpath
import re
import uuid
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
from nbformat import NotebookNode, v4

from grader.errors import SubmissionError
from grader.execution.hand_in import HandIn
from grader.records import SubmissionRecord

MAX_FILES = 2000
MAX_BYTES = 512 << 20
LFS_POINTER = b"version https://git-lfs.github.com"
NOTEBOOK_VERSION = 4
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
BROKEN_ZIP = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError),
    *(OSError, ValueError, RuntimeError, NotImplementedError),
)


@dataclass(frozen=True, eq=False)
class Submission:
    """A notebook and the files beside it. `files` maps relative paths to contents.

    Without a notebook, `name` is empty and `notebook` has no cells. `root` is
    the folder of the files that the assignment asks for, `""` for the notebook's.
    """

    id: str
    name: str
    notebook: NotebookNode
    files: Mapping[str, bytes]
    root: str = ""

    @property
    def folder(self) -> PurePosixPath:
        """The folder in `files` in which the submission's modules are looked for."""
        return PurePosixPath(self.root) if self.root else PurePosixPath(self.name).parent

    @property
    def answers(self) -> Mapping[str, bytes]:
        """All files by their paths from `folder`; what lies outside of it begins with `../`."""
        start = str(self.folder)
        return {posixpath.relpath(name, start): content for name, content in self.files.items()}

    @property
    def record(self) -> SubmissionRecord:
        """The names of the files and a hash over names and contents."""
        digest = hashlib.sha256()
        for name in sorted(self.files):
            # A name that is not Unicode on disk reaches Python with surrogates in it.
            label = f"{len(name)}:{name}{len(self.files[name])}:"
            digest.update(label.encode("utf-8", "surrogatepass"))
            digest.update(self.files[name])
        return SubmissionRecord(self.id, tuple(sorted(self.files)), digest.hexdigest())

    @property
    def hand_in(self) -> HandIn:
        """The texts, recorded outputs and files, as checks may read them."""
        cells = self.notebook.cells
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        texts = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs]
        return HandIn(
            markdown=tuple(str(cell.source) for cell in cells if cell.cell_type == "markdown"),
            outputs=tuple(_text(text) for text in texts if text),
            files=self.files,
        )


def load_submission(path: str | Path, expected: Collection[str] = ()) -> Submission:
    """Reads a notebook, or a folder or zip file that holds exactly one.

    `expected` are the paths of the files that answer questions of the
    assignment. They are found in whatever folder they lie, and with one of
    them the notebook may be missing.

    Raises:
        SubmissionError: it cannot be graded; the sentence says why.
    """
    path = Path(path)
    if not path.exists():
        raise SubmissionError(f"{path}: there is no such file")
    try:
        files = _read_files(path)
    except OSError as error:
        raise SubmissionError(f"{path}: it cannot be read ({error.strerror})") from error
    name = _the_notebook(path, files, expected)
    whole = path.resolve()
    identity = whole.name if whole.is_dir() else whole.stem
    notebook = read_notebook(files[name], name) if name else v4.new_notebook()
    return Submission(identity, name, notebook, files, _root(name, files, expected))


def _read_files(path: Path) -> dict[str, bytes]:
    if path.is_dir():
        return _read_folder(path)
    if path.suffix.lower() == ".zip":
        return _read_zip(path)
    if path.suffix.lower() == ".ipynb":
        return {path.name: path.read_bytes()}
    raise SubmissionError(f"{path}: give a notebook (.ipynb), or a folder or .zip with one")


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
        raise SubmissionError(f"{name}: this is JSON, but not a Jupyter notebook")
    try:
        notebook = _rebuilt(tree if tree["nbformat"] == NOTEBOOK_VERSION else _converted(tree))
    except Exception as error:  # nbformat raises all kinds of errors
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SubmissionError(f"{name}: the notebook's structure is broken ({reason})") from error
    _require_python(notebook, name)
    return notebook


def _parse_json(content: bytes, name: str) -> object:
    if not content.strip():
        raise SubmissionError(f"{name}: the file is empty; hand in the saved notebook again")
    if content.startswith(LFS_POINTER):
        raise SubmissionError(
            f"{name}: this is a Git LFS pointer, not the notebook; run `git lfs pull` and try again"
        )
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SubmissionError(
            f"{name}: this is not a notebook, it is not even JSON ({error}); "
            "export it again as .ipynb"
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
        "source": _text(cell.get("source", "")),
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
            return {"output_type": kind, "name": "stdout", "text": _text(text)}
        case {"output_type": "error" as kind, "ename": name, "evalue": value}:
            named = {"ename": _text(name), "evalue": _text(value), "traceback": []}
            return {"output_type": kind, **named}
        case {"output_type": "display_data" | "execute_result", "data": dict(data)}:
            shown = {str(media): _text(value) for media, value in data.items()}
            return {"output_type": "display_data", "data": shown, "metadata": {}}
    return {}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    """A text, which nbformat lets be a list of lines, without halves of characters."""
    text = "".join(map(str, value)) if isinstance(value, list) else str(value)
    return text.encode("utf-8", "replace").decode("utf-8")


def _require_python(notebook: NotebookNode, name: str) -> None:
    specification = notebook.metadata.get("kernelspec", {})
    information = notebook.metadata.get("language_info", {})
    language = str(specification.get("language") or information.get("name") or "python")
    if not language.lower().startswith(("python", "ipython")):
        raise SubmissionError(f"{name}: this notebook is written in {language}, not in Python")


def _the_notebook(path: Path, files: Mapping[str, bytes], expected: Collection[str]) -> str:
    """The notebook's path, or `""` where the answers are files and there is none."""
    notebooks = [name for name in files if name.lower().endswith(".ipynb")]
    if len(notebooks) > 1:
        names = ", ".join(sorted(notebooks))
        raise SubmissionError(f"{path}: there are several notebooks in it ({names}); give one")
    if notebooks:
        return notebooks[0]
    if not expected:
        raise SubmissionError(f"{path}: there is no notebook (.ipynb) in it")
    if not _found(files, expected):
        wanted = ", ".join(expected)
        raise SubmissionError(
            f"{path}: there is neither a notebook (.ipynb) nor any of these files in it: {wanted}"
        )
    return ""


def _root(name: str, files: Mapping[str, bytes], expected: Collection[str]) -> str:
    """The folder with most of the expected files; of several, the notebook's, or the outermost."""
    found = _found(files, expected)
    beside = str(PurePosixPath(name).parent)
    return min(found, key=lambda f: (-found[f], f != beside, f.count("/"), f), default="")


def _found(files: Collection[str], expected: Collection[str]) -> Counter[str]:
    """How many of the expected files each folder holds."""
    paths = [PurePosixPath(name) for name in files]
    wanted = [PurePosixPath(name).parts for name in expected]
    return Counter(
        str(PurePosixPath(*path.parts[: -len(parts)]))
        for path in paths
        for parts in wanted
        if path.parts[-len(parts) :] == parts
    )


def _read_folder(folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not path.is_symlink() and not _is_clutter(relative.parts):
            _check_room(folder, files, path.stat().st_size)
            files[relative.as_posix()] = path.read_bytes()
    return files


def _read_zip(path: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            for entry in archive.infolist():
                # Some programs on Windows write backslashes.
                written = entry.filename.replace("\\", "/")
                name = PurePosixPath(written)
                if name.is_absolute() or ".." in name.parts:
                    raise SubmissionError(f"{path}: the path {entry.filename!r} leads out of it")
                if written.endswith("/") or _is_clutter(name.parts):
                    continue
                _check_room(path, files, entry.file_size)
                files[str(name)] = archive.read(entry)
    except BROKEN_ZIP as error:
        raise SubmissionError(f"{path}: the zip file cannot be read ({error})") from error
    _require_tree(path, files)
    return files


def _require_tree(path: Path, files: Mapping[str, bytes]) -> None:
    """A zip can hold what no folder can: a file that has files in it."""
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents}
    for name in folders & files.keys():
        raise SubmissionError(f"{path}: {name!r} is a file and a folder in it")


def _is_clutter(parts: tuple[str, ...]) -> bool:
    """What operating systems and Jupyter leave behind."""
    return any(part.startswith(".") or part in ("__MACOSX", "__pycache__") for part in parts)


def _check_room(path: Path, files: Mapping[str, bytes], size: int) -> None:
    if len(files) >= MAX_FILES or size + sum(map(len, files.values())) > MAX_BYTES:
        limit = f"{MAX_FILES} files or {MAX_BYTES >> 20} MB"
        raise SubmissionError(f"{path}: there is more in it than {limit}")
