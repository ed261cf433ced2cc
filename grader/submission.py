"""What a student handed in, read from a notebook, a folder or a zip file."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import nbformat
from nbformat import NotebookNode

from grader.errors import SubmissionError
from grader.records import SubmissionRecord

MAX_FILES = 2000
MAX_BYTES = 512 << 20
LFS_POINTER = b"version https://git-lfs.github.com"


@dataclass(frozen=True, eq=False)
class Submission:
    """A notebook and the files beside it. `files` maps relative paths to contents."""

    id: str
    name: str
    notebook: NotebookNode
    files: Mapping[str, bytes]

    @property
    def record(self) -> SubmissionRecord:
        """The names of the files and a hash over names and contents."""
        digest = hashlib.sha256()
        for name in sorted(self.files):
            digest.update(f"{len(name)}:{name}{len(self.files[name])}:".encode())
            digest.update(self.files[name])
        return SubmissionRecord(self.id, tuple(sorted(self.files)), digest.hexdigest())


def load_submission(path: str | Path) -> Submission:
    """Reads a notebook, or a folder or zip file that holds exactly one.

    Raises:
        SubmissionError: it cannot be graded; the sentence says why.
    """
    path = Path(path)
    if not path.exists():
        raise SubmissionError(f"{path}: there is no such file")
    if path.is_dir():
        files = _read_folder(path)
    elif path.suffix.lower() == ".zip":
        files = _read_zip(path)
    elif path.suffix.lower() == ".ipynb":
        files = {path.name: path.read_bytes()}
    else:
        raise SubmissionError(f"{path}: give a notebook (.ipynb), or a folder or .zip with one")
    name = _the_notebook(path, files)
    return Submission(path.stem, name, read_notebook(files[name], name), files)


def read_notebook(content: bytes, name: str) -> NotebookNode:
    """Parses a notebook of nbformat 3 or 4, repairing ids that are missing or doubled.

    Raises:
        SubmissionError: it is not a Python notebook.
    """
    tree = _parse_json(content, name)
    if not isinstance(tree, dict) or "nbformat" not in tree:
        raise SubmissionError(f"{name}: this is JSON, but not a Jupyter notebook")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook = nbformat.convert(nbformat.reader.reads(json.dumps(tree)), 4)
            _, notebook = nbformat.validator.normalize(notebook)
        nbformat.validate(notebook, relax_add_props=True)
    except Exception as error:
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


def _require_python(notebook: NotebookNode, name: str) -> None:
    specification = notebook.metadata.get("kernelspec", {})
    information = notebook.metadata.get("language_info", {})
    language = str(specification.get("language") or information.get("name") or "python")
    if not language.lower().startswith(("python", "ipython")):
        raise SubmissionError(f"{name}: this notebook is written in {language}, not in Python")


def _the_notebook(path: Path, files: Mapping[str, bytes]) -> str:
    notebooks = [name for name in files if name.endswith(".ipynb")]
    if not notebooks:
        raise SubmissionError(f"{path}: there is no notebook (.ipynb) in it")
    if len(notebooks) > 1:
        names = ", ".join(sorted(notebooks))
        raise SubmissionError(f"{path}: there are several notebooks in it ({names}); give one")
    return notebooks[0]


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
                name = PurePosixPath(entry.filename)
                if entry.is_dir() or _is_clutter(name.parts):
                    continue
                if name.is_absolute() or ".." in name.parts:
                    raise SubmissionError(f"{path}: the path {entry.filename!r} leads out of it")
                _check_room(path, files, entry.file_size)
                files[str(name)] = archive.read(entry)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise SubmissionError(f"{path}: the zip file cannot be read ({error})") from error
    return files


def _is_clutter(parts: tuple[str, ...]) -> bool:
    """What operating systems and Jupyter leave behind."""
    return any(part.startswith(".") or part in ("__MACOSX", "__pycache__") for part in parts)


def _check_room(path: Path, files: Mapping[str, bytes], size: int) -> None:
    if len(files) >= MAX_FILES or size + sum(map(len, files.values())) > MAX_BYTES:
        limit = f"{MAX_FILES} files or {MAX_BYTES >> 20} MB"
        raise SubmissionError(f"{path}: there is more in it than {limit}")
