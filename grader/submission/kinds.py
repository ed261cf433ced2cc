"""What a file holds, told by its beginning: names are often wrong."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath

LFS_POINTER = b"version https://git-lfs.github.com"
TAR_MARK, TAR_PLACE = b"ustar", 257
OFFICE_MARKS = (b"[Content_Types].xml", b"mimetypeapplication/vnd.oasis")
HTML_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<!-- saved from")
# The beginning of a file in which a mark of its kind is looked for.
HEAD = 4096

ARCHIVE_SUFFIXES = (
    *(".zip", ".tar", ".tgz", ".tar.gz", ".gz", ".tbz2", ".tar.bz2", ".bz2"),
    *(".txz", ".tar.xz", ".xz", ".rar", ".7z"),
)


class Kind(StrEnum):
    """What a file is, in words that follow "this is"."""

    NOTEBOOK = "a Jupyter notebook"
    ZIP = "a zip file"
    TAR = "a tar archive"
    GZIP = "a gzip file"
    BZIP2 = "a bzip2 file"
    XZ = "an xz file"
    RAR = "a RAR archive"
    SEVEN_ZIP = "a 7z archive"
    PDF = "a PDF"
    HTML = "a web page (HTML)"
    OFFICE = "an office document"
    OLD_OFFICE = "an old office document"
    IMAGE = "a picture"
    LFS = "a Git LFS pointer, not the file itself"
    EMPTY = "empty"
    OTHER = "something else"


COMPRESSED = (Kind.GZIP, Kind.BZIP2, Kind.XZ)
ARCHIVES = (Kind.ZIP, Kind.TAR, *COMPRESSED)

_STARTS = {
    b"\x1f\x8b": Kind.GZIP,
    b"BZh": Kind.BZIP2,
    b"\xfd7zXZ\0": Kind.XZ,
    b"Rar!\x1a\x07": Kind.RAR,
    b"7z\xbc\xaf\x27\x1c": Kind.SEVEN_ZIP,
    b"%PDF": Kind.PDF,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": Kind.OLD_OFFICE,
    b"\x89PNG": Kind.IMAGE,
    b"\xff\xd8\xff": Kind.IMAGE,
    b"GIF8": Kind.IMAGE,
    LFS_POINTER: Kind.LFS,
}

_DOWNLOAD = "export the notebook itself (in Jupyter: File, Save and Export or Download, .ipynb)"
_PACK = "pack it again as a .zip"
CURES = {
    Kind.RAR: _PACK,
    Kind.SEVEN_ZIP: _PACK,
    Kind.PDF: _DOWNLOAD,
    Kind.HTML: _DOWNLOAD,
    Kind.OFFICE: _DOWNLOAD,
    Kind.OLD_OFFICE: _DOWNLOAD,
    Kind.IMAGE: _DOWNLOAD,
    Kind.LFS: "run `git lfs pull` and try again",
    Kind.EMPTY: "hand in the saved notebook again",
}
"""What to do about a file that cannot be graded, by its kind."""


def kind_of(content: bytes) -> Kind:
    """What a file is, whatever it is called."""
    if not content[:HEAD].strip() and not content.strip():
        return Kind.EMPTY
    for start, kind in _STARTS.items():
        if content.startswith(start):
            return kind
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        is_office = any(mark in content[:HEAD] for mark in OFFICE_MARKS)
        return Kind.OFFICE if is_office else Kind.ZIP
    if content[TAR_PLACE : TAR_PLACE + len(TAR_MARK)] == TAR_MARK:
        return Kind.TAR
    if is_notebook(content):
        return Kind.NOTEBOOK
    start = content[:HEAD].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(HTML_STARTS) or (start.startswith(b"<?xml") and b"<html" in start):
        return Kind.HTML
    return Kind.OTHER


def is_notebook(content: bytes) -> bool:
    """Whether a file has what only a notebook has; it may be damaged all the same."""
    start = content[:HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    has_cells = b'"cells"' in content or b'"worksheets"' in content
    return start.startswith(b"{") and b'"nbformat"' in content and has_cells


def has_archive_suffix(name: str) -> bool:
    """Whether a file is called an archive: many formats of data are zip files within."""
    return name.lower().endswith(ARCHIVE_SUFFIXES)


def without_archive_suffix(name: str) -> str:
    """A path without the suffix of an archive, or without its only suffix."""
    for suffix in sorted(ARCHIVE_SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return str(PurePosixPath(name).with_suffix(""))
