"""What a hand-in may hold: no more files and bytes than these, and no path that tricks a disk."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from grader.errors import SubmissionError

MAX_FILES = 2000
MAX_BYTES = 512 << 20
# Archives in archives: two are seen where an LMS packs what a student packed.
MAX_DEPTH = 3
# Text shrinks to a tenth, zeros to a thousandth; what is small may shrink as it likes.
MAX_RATIO, RATIO_FROM = 200, 64 << 20
# What file systems take.
MAX_COMPONENT, MAX_PATH = 255, 1000
# Names that Windows keeps for devices.
RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{device}{number}" for device in ("com", "lpt") for number in range(1, 10)
}
CLUTTER = {"__macosx", "__pycache__", "thumbs.db", "desktop.ini"}
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass
class Room:
    """What is left of the room for one hand-in, all archives in it together."""

    files: int = 0
    bytes: int = 0

    def take(self, where: str, size: int) -> None:
        """Counts a file of so many bytes.

        Raises:
            SubmissionError: there is no room for it.
        """
        self.files += 1
        self.bytes += size
        if self.files > MAX_FILES or self.bytes > MAX_BYTES:
            limit = f"{MAX_FILES} files or {MAX_BYTES >> 20} MB"
            raise SubmissionError(
                f"{where}: there is more in it than {limit}; hand in the notebook and the files "
                "that you wrote, without data, environments and results"
            )


def require_ratio(where: str, packed: int, unpacked: int) -> None:
    """Sees to it that nothing grows without measure when it is unpacked.

    Raises:
        SubmissionError: it would.
    """
    if unpacked > RATIO_FROM and unpacked > MAX_RATIO * max(packed, 1):
        raise SubmissionError(
            f"{where}: it grows more than {MAX_RATIO} times when it is unpacked; "
            "hand in the notebook and the files that you wrote"
        )


def member_path(where: str, written: str) -> PurePosixPath:
    """The path of a file in an archive.

    Raises:
        SubmissionError: it leads out of the archive, or no disk should be given it.
    """
    # Some programs on Windows write backslashes.
    path = PurePosixPath(written.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or _DRIVE.match(written):
        raise refused_path(where, written, "leads out of it")
    if any(unicodedata.category(letter) == "Cc" for letter in written):
        raise refused_path(where, written, "has control characters in it")
    raw = [len(part.encode("utf-8", "surrogateescape")) for part in path.parts]
    if max(raw, default=0) > MAX_COMPONENT or sum(raw) + len(raw) > MAX_PATH:
        raise refused_path(where, f"{written[:60]}…", "is too long")
    for part in path.parts:
        if part.split(".")[0].rstrip().casefold() in RESERVED:
            raise refused_path(where, written, f"has the name {part!r}, which Windows keeps")
    return path


def refused_path(where: str, written: str, what: str) -> SubmissionError:
    """The error of an archive in which a path cannot be accepted."""
    return SubmissionError(f"{where}: the path {written!r} {what}; pack the plain files again")


def require_tree(where: str, names: Iterable[str]) -> None:
    """Sees to it that the files of an archive can all lie on one disk.

    Raises:
        SubmissionError: a file is a folder too, or two files have one name.
    """
    names = list(names)
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    for name in sorted(folders & set(names)):
        raise SubmissionError(f"{where}: {name!r} is a file and a folder in it; pack it again")
    folded = Counter(map(_folded, names))
    alike = [name for name in names if folded[_folded(name)] > 1]
    if alike:
        shown = " and ".join(repr(name) for name in sorted(alike)[:2])
        raise SubmissionError(
            f"{where}: {shown} are one file on some disks; rename one and pack it again"
        )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def is_clutter(parts: Iterable[str]) -> bool:
    """Whether an operating system or Jupyter left this behind."""
    return any(part.startswith(".") or part.casefold() in CLUTTER for part in parts)
