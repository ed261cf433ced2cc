"""A bulk download that is still a zip file, unpacked where nothing can leave."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from grader.errors import UsageError
from grader.lms.records import PassedOver
from grader.submission import BROKEN_ZIP

MAX_FILES = 200_000
MAX_BYTES = 20 << 30
MAX_COMPONENT = 200


def unpack(archive: Path) -> tuple[Path, list[PassedOver]]:
    """The folder that a zip file was unpacked to, and what of it was left out, with reasons.

    The folder goes when this process ends.

    Raises:
        UsageError: it is no zip file, is broken, or holds too much.
    """
    folder = Path(tempfile.mkdtemp(prefix="nn-grader-download-"))
    atexit.register(_remove, folder, os.getpid())
    try:
        with zipfile.ZipFile(archive) as opened:
            return folder, _extract(opened, archive, folder)
    except BROKEN_ZIP as error:
        raise UsageError(f"{archive}: the zip file cannot be read ({error})") from error


def _remove(folder: Path, owner: int) -> None:
    # A forked worker that ends must not take the folder away from the others.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def _extract(opened: zipfile.ZipFile, archive: Path, folder: Path) -> list[PassedOver]:
    entries = [entry for entry in opened.infolist() if not entry.is_dir()]
    size = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_FILES or size > MAX_BYTES:
        limit = f"{MAX_FILES} files or {MAX_BYTES >> 30} GB"
        raise UsageError(f"{archive}: there is more in it than {limit}; unpack it yourself")
    return [
        (archive / _shown(entry.filename), reason)
        for entry in entries
        if (reason := _extract_one(opened, entry, folder))
    ]


def _extract_one(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> str:
    """Write one file; return why it was left out, or an empty string."""
    inside = PurePosixPath(entry.filename.replace("\\", "/"))
    if inside.is_absolute() or ".." in inside.parts or _has_drive(inside):
        return "its path leads out of the zip file"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "it is a link"
    target = folder.joinpath(*map(_fitting, inside.parts))
    if target.exists():
        return "the zip file holds two files of this name"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        return "the zip file holds a file of its folder's name"
    with opened.open(entry) as source, target.open("xb") as copy:
        # zipfile ends at the size that the entry declares, so this is bounded.
        shutil.copyfileobj(source, copy, 1 << 20)
    return ""


def _has_drive(path: PurePosixPath) -> bool:
    return bool(path.parts) and path.parts[0][1:2] == ":" and os.name == "nt"


def _fitting(part: str) -> str:
    """A name that a disk takes: the beginning identifies a student, the end the kind of file."""
    raw = part.encode("utf-8", "surrogateescape")
    if len(raw) <= MAX_COMPONENT:
        return part
    end = f"~{hashlib.sha256(raw).hexdigest()[:8]}{PurePosixPath(part).suffix[:16]}"
    return raw[: MAX_COMPONENT - len(end.encode())].decode("utf-8", "ignore") + end


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name).lstrip("/\\")
