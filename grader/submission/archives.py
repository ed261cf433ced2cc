"""The files in an archive, read into memory: nothing of it is ever unpacked to a disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import IO, Protocol, cast

from grader.errors import SubmissionError
from grader.submission.kinds import ARCHIVES, Kind, kind_of, without_archive_suffix
from grader.submission.limits import (
    MAX_BYTES,
    MAX_DEPTH,
    Room,
    is_clutter,
    member_path,
    refused_path,
    require_ratio,
    require_tree,
)
from grader.submission.records import HandedInFile

Files = dict[str, HandedInFile]

BROKEN_ZIP = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError),
    *(OSError, ValueError, RuntimeError, NotImplementedError),
)
BROKEN_TAR = (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)
# Headers and padding of a tar file, beside what its files take.
TAR_OVERHEAD = 64 << 20
EPOCH = datetime(1980, 1, 1, tzinfo=UTC)


def read_archive(where: str, content: bytes, room: Room) -> Files:
    """The files in a zip or tar archive, or the one file that was compressed, by their paths.

    What operating systems and Jupyter leave behind is left out.

    Raises:
        SubmissionError: it is broken or protected, holds too much, or a path that is a trick.
    """
    kind = kind_of(content)
    if kind is Kind.ZIP:
        files = dict(_zip_files(where, content, room))
    elif kind is Kind.TAR:
        files = dict(_tar_files(where, io.BytesIO(content), room))
    else:
        files = _compressed(where, content, kind, room)
    return files


def open_nested(where: str, files: Files, room: Room, depth: int = 1) -> Files:
    """The files in the archives among these, each in a folder beside its archive.

    Raises:
        SubmissionError: as for `read_archive`, or archives lie too deep in each other.
    """
    opened: Files = {}
    for name, file in files.items():
        if kind_of(file.content) not in ARCHIVES or PurePosixPath(name).suffix == ".npz":
            continue
        if depth > MAX_DEPTH:
            raise SubmissionError(
                f"{where}: {name} is an archive in more than {MAX_DEPTH} others; "
                "pack the plain files once"
            )
        folder = PurePosixPath(without_archive_suffix(name))
        # A folder of that name may be there already, and hold something else.
        folder = folder.with_name(f"{folder.name}.unpacked") if str(folder) in files else folder
        inner = read_archive(f"{where}: {name}", file.content, room)
        inner |= open_nested(f"{where}: {name}", inner, room, depth + 1)
        opened |= {str(folder / path): found for path, found in inner.items()}
    return opened


def _zip_files(where: str, content: bytes, room: Room) -> Iterator[tuple[str, HandedInFile]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = list(archive.infolist())
            named = [(entry, _zip_path(where, entry)) for entry in entries]
            kept = [(e, p) for e, p in named if not _is_left_out(e, p)]
            require_tree(where, [str(path) for _, path in kept])
            for entry, path in kept:
                room.take(where, entry.file_size)
                require_ratio(where, entry.compress_size, entry.file_size)
                # zipfile ends at the size that the entry declares, so this is bounded.
                yield str(path), HandedInFile(archive.read(entry), _zip_time(entry))
    except BROKEN_ZIP as error:
        raise SubmissionError(
            f"{where}: the zip file cannot be read ({error}); pack it again, without a password"
        ) from error


def _zip_path(where: str, entry: zipfile.ZipInfo) -> PurePosixPath:
    # `filename` ends at a NUL, where another program may read on.
    path = member_path(where, entry.orig_filename)
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise refused_path(where, entry.orig_filename, "is a link or a device, and no file")
    return path


def _is_left_out(entry: zipfile.ZipInfo, path: PurePosixPath) -> bool:
    is_folder = entry.is_dir() or entry.orig_filename.endswith("\\")
    return is_folder or is_clutter(path.parts)


def _zip_time(entry: zipfile.ZipInfo) -> float:
    try:
        return (datetime(*entry.date_time, tzinfo=UTC) - EPOCH).total_seconds()
    except ValueError:  # the thirtieth of February, from a program that does not care
        return 0.0


def _compressed(where: str, content: bytes, kind: Kind, room: Room) -> Files:
    stream = _Bounded(where, _decompressor(content, kind), len(content))
    try:
        head = stream.read(4096)
        rest = _Joined(head, stream)
        if kind_of(head) is Kind.TAR:
            return dict(_tar_files(where, rest, room))
        inner = rest.read(MAX_BYTES + 1)
    except BROKEN_TAR as error:
        raise _broken(where, error) from error
    room.take(where, len(inner))
    name = without_archive_suffix(PurePosixPath(where.rpartition(": ")[2]).name)
    return {name: HandedInFile(inner)}


class _Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, at most `size`, and all where that is below 0."""


def _decompressor(content: bytes, kind: Kind) -> _Readable:
    packed = io.BytesIO(content)
    if kind is Kind.GZIP:
        return gzip.GzipFile(fileobj=packed)
    return bz2.BZ2File(packed) if kind is Kind.BZIP2 else lzma.LZMAFile(packed)


def _tar_files(where: str, stream: _Readable, room: Room) -> Iterator[tuple[str, HandedInFile]]:
    found: Files = {}
    names: list[str] = []
    try:
        # As a stream: one file after the other, and never more than the stream gives.
        with tarfile.open(
            fileobj=cast(IO[bytes], stream), mode="r|", errors="surrogateescape"
        ) as archive:
            for member in archive:
                path = _tar_path(where, member)
                if member.isdir() or is_clutter(path.parts):
                    continue
                room.take(where, member.size)
                opened = archive.extractfile(member)
                names.append(str(path))
                found[str(path)] = HandedInFile(opened.read() if opened else b"", member.mtime)
    except BROKEN_TAR as error:
        raise _broken(where, error) from error
    require_tree(where, names)
    yield from found.items()


def _tar_path(where: str, member: tarfile.TarInfo) -> PurePosixPath:
    path = member_path(where, member.name)
    if not (member.isfile() or member.isdir()):
        raise refused_path(where, member.name, "is a link or a device, and no file")
    return path


def _broken(where: str, error: Exception) -> SubmissionError:
    return SubmissionError(
        f"{where}: the archive cannot be read ({error}); pack it again, best as a .zip"
    )


class _Bounded:
    """What comes out of a decompressor, until it is too much."""

    def __init__(self, where: str, stream: _Readable, packed: int) -> None:
        self._where, self._stream, self._packed, self._read = where, stream, packed, 0

    def read(self, size: int = -1, /) -> bytes:
        most = MAX_BYTES + TAR_OVERHEAD - self._read
        wanted = most + 1 if size < 0 else min(size, most + 1)
        content = self._stream.read(wanted)
        self._read += len(content)
        require_ratio(self._where, self._packed, self._read)
        if len(content) > most:
            Room().take(self._where, self._read)
        return content


class _Joined:
    """A stream of which the beginning has been read already."""

    def __init__(self, head: bytes, rest: _Readable) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            content, self._head = self._head + self._rest.read(), b""
            return content
        content, self._head = self._head[:size], self._head[size:]
        return content + self._rest.read(size - len(content)) if len(content) < size else content
