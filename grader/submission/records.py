"""A submission as the grader reads one, and a file of it before that."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from nbformat import NotebookNode

from grader.execution.hand_in import HandIn
from grader.records import SubmissionRecord
from grader.submission.notebook import as_text


@dataclass(frozen=True)
class HandedInFile:
    """A file's content; `modified` are seconds in whatever epoch its folder or archive counts."""

    content: bytes
    modified: float = 0.0


@dataclass(frozen=True, eq=False)
class Submission:
    """A notebook and the files beside it. `files` maps relative paths to contents.

    Without a notebook, `name` is empty and `notebook` has no cells; of a script,
    `notebook` is what it was read as. `root` is the folder of the files that the
    assignment asks for, `""` for the notebook's. `notes` say what was done to
    read it: which of several notebooks was taken, what was left out.
    """

    id: str
    name: str
    notebook: NotebookNode
    files: Mapping[str, bytes]
    root: str = ""
    notes: tuple[str, ...] = ()

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
            outputs=tuple(as_text(text) for text in texts if text),
            files=self.files,
        )
