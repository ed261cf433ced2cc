"""Files and archives in which hand-ins arrive."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from random import Random

import nbformat

from grader.assignment import Assignment
from mangling.records import NotApplicableError, Saved, Stage, deformation

SCRIPT = "script"
BOM = b"\xef\xbb\xbf"
_APPLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        "


@deformation(Stage.FILES)
def byte_order_mark(saved: Saved, assignment: Assignment, rng: Random) -> Saved:
    """All text files begin with a byte-order mark."""
    text = (".ipynb", ".py", ".md")
    files = {p: BOM + c if p.endswith(text) else c for p, c in saved.files.items()}
    return Saved(saved.name, files)


@deformation(Stage.FILES, group=SCRIPT)
def jupytext_percent(saved: Saved, assignment: Assignment, rng: Random) -> Saved:
    """The notebook is handed in as a script in jupytext's percent format."""
    header = (
        "# ---\n# jupyter:\n#   jupytext:\n#     text_representation:\n#       extension: .py\n"
        "#       format_name: percent\n#       format_version: '1.3'\n"
        "#   kernelspec:\n#     display_name: Python 3\n#     language: python\n"
        "#     name: python3\n# ---\n\n"
    )
    return _as_script(saved, header)


@deformation(Stage.FILES, group=SCRIPT)
def bare_percent(saved: Saved, assignment: Assignment, rng: Random) -> Saved:
    """The notebook is handed in as a script with `# %%` between cells, as VS Code exports it."""
    return _as_script(saved, "# To add a new cell, type '# %%'\n")


@deformation(Stage.FILES)
def beside_release(saved: Saved, assignment: Assignment, rng: Random) -> Saved:
    """The untouched release lies beside the notebook."""
    _require_notebook(saved)
    release = nbformat.writes(assignment.release).encode()
    return Saved(saved.name, {**saved.files, _beside(saved, "assignment.ipynb"): release})


@deformation(Stage.FILES)
def beside_checkpoint(saved: Saved, assignment: Assignment, rng: Random) -> Saved:
    """Jupyter's checkpoint, half done, lies in a folder of its own beside the notebook."""
    _require_notebook(saved)
    stem = PurePosixPath(saved.name).stem
    half = nbformat.writes(assignment.release).encode()
    path = _beside(saved, f".ipynb_checkpoints/{stem}-checkpoint.ipynb")
    return Saved(saved.name, {**saved.files, path: half})


@deformation(Stage.FILES)
def beside_draft(saved: Saved, assignment: Assignment, rng: Random) -> Saved:
    """An earlier version, of which the second half is not done, lies beside the notebook."""
    _require_notebook(saved)
    draft = nbformat.reads(saved.files[saved.name].decode("utf-8-sig"), as_version=4)
    half = len(draft.cells) // 2
    stubs = {cell.id: cell.source for cell in assignment.release.cells}
    for cell in draft.cells[half:]:
        cell.source = stubs.get(cell.get("id"), "")
    name = _beside(saved, "old version.ipynb")
    return Saved(saved.name, {**saved.files, name: nbformat.writes(draft).encode()})


@deformation(Stage.FILES)
def beside_copy(saved: Saved, assignment: Assignment, rng: Random) -> Saved:
    """The same notebook lies there twice, once as a copy."""
    _require_notebook(saved)
    stem = PurePosixPath(saved.name).stem
    copy = saved.files[saved.name]
    return Saved(saved.name, {**saved.files, _beside(saved, f"{stem}-Copy1.ipynb"): copy})


@deformation(Stage.FILES)
def beside_other(saved: Saved, assignment: Assignment, rng: Random) -> Saved:
    """A notebook of another lecture lies beside the one that is meant."""
    _require_notebook(saved)
    cells = [
        nbformat.v4.new_markdown_cell("# Week 1: getting started with Python", id="title"),
        nbformat.v4.new_code_cell(
            "squares = [n * n for n in range(10)]\nprint(squares)", id="code"
        ),
    ]
    other = nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode()
    return Saved(saved.name, {**saved.files, _beside(saved, "week1.ipynb"): other})


@deformation(Stage.FILES)
def in_subfolder(saved: Saved, assignment: Assignment, rng: Random) -> Saved:
    """Everything lies two folders down, with spaces and letters of other languages in the path."""
    return _under(saved, "Übung 3 (final)/my solution")


@deformation(Stage.PACKING)
def folder(saved: Saved, assignment: Assignment, rng: Random) -> Saved:
    """Everything is handed in as a folder."""
    return _under(saved, "hand-in")


@deformation(Stage.PACKING)
def zipped(saved: Saved, assignment: Assignment, rng: Random) -> Saved:
    """Everything is handed in as a zip file."""
    return Saved("hand-in.zip", {"hand-in.zip": _zip(saved.files)})


@deformation(Stage.PACKING)
def nested_zip(saved: Saved, assignment: Assignment, rng: Random) -> Saved:
    """A zip file with a zip file in a folder in it."""
    inner = {"submission/code.zip": _zip(saved.files), "submission/readme.txt": b"see code.zip\n"}
    return Saved("hand-in.zip", {"hand-in.zip": _zip(inner)})


@deformation(Stage.PACKING)
def tar_gz(saved: Saved, assignment: Assignment, rng: Random) -> Saved:
    """Everything is handed in as a tar.gz file."""
    return Saved("hand-in.tar.gz", {"hand-in.tar.gz": _tar(saved.files, "w:gz")})


@deformation(Stage.PACKING)
def macos_zip(saved: Saved, assignment: Assignment, rng: Random) -> Saved:
    """A zip file of macOS: `__MACOSX` has a shadow of each file, and there is `.DS_Store`."""
    placed = _under(saved, "hand-in").files
    shadows = {
        str(
            PurePosixPath("__MACOSX", PurePosixPath(p).parent, f"._{PurePosixPath(p).name}")
        ): _APPLE
        for p in placed
    }
    clutter = {"hand-in/.DS_Store": b"\x00\x00\x00\x01Bud1"}
    return Saved("hand-in.zip", {"hand-in.zip": _zip({**placed, **clutter, **shadows})})


def _require_notebook(saved: Saved) -> None:
    if not saved.name.endswith(".ipynb"):
        raise NotApplicableError("there is no notebook")


def _beside(saved: Saved, name: str) -> str:
    return str(PurePosixPath(saved.name).parent / name)


def _under(saved: Saved, path: str) -> Saved:
    name = str(PurePosixPath(path, saved.name)) if saved.name else ""
    return Saved(name, {str(PurePosixPath(path, p)): c for p, c in saved.files.items()})


def _as_script(saved: Saved, header: str) -> Saved:
    _require_notebook(saved)
    tree = json.loads(saved.files[saved.name].decode("utf-8-sig"))
    if "cells" not in tree:
        raise NotApplicableError("jupytext does not read nbformat 3")
    text = header + "\n\n".join(_percent(cell) for cell in tree["cells"]) + "\n"
    files = {p: c for p, c in saved.files.items() if p != saved.name}
    name = str(PurePosixPath(saved.name).with_suffix(".py"))
    return Saved(name, {**files, name: text.encode()})


def _percent(cell: Mapping[str, object]) -> str:
    source = "".join(map(str, cell["source"])) if isinstance(cell["source"], list) else ""
    lines = source.replace("\r\n", "\n").split("\n")
    if cell["cell_type"] == "code":
        return "\n".join(
            ["# %%", *(f"# {ln}" if ln.startswith(("%", "!", "?")) else ln for ln in lines)]
        )
    return "\n".join(["# %% [markdown]", *(f"# {line}".rstrip() for line in lines)])


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2023, 10, 2, 12, 0, 0)), content)
    return buffer.getvalue()


def _tar(files: Mapping[str, bytes], mode: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
