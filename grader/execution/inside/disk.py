"""How much disk a submission uses, where no file system of its own bounds it."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator

Use = tuple[int, int]


def used(folder: str, processes: Iterable[int] = ()) -> Use | None:
    """Bytes and files below a folder, and bytes in deleted files that these processes hold open.

    None where something cannot be counted: a folder that was made unreadable,
    or one that lies too deep.
    """
    size, files = 0, 0
    pending = [folder]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    size += _size(entry)
                    files += 1
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            # It was removed meanwhile.
            continue
        except OSError:
            return None
    return size + _deleted(processes), files


class Meter:
    """Tells when more is written to a folder than these bytes and files."""

    def __init__(self, folder: str, size: int, files: int) -> None:
        self._folder = folder
        self._step = self._allowed = (size, files)

    def breached(self, processes: Iterable[int]) -> bool:
        """Whether too much lies there; what does may stay, and as much again follow."""
        use = used(self._folder, processes)
        if use is None:
            return True
        if use[0] <= self._allowed[0] and use[1] <= self._allowed[1]:
            return False
        self._allowed = (use[0] + self._step[0], use[1] + self._step[1])
        return True


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except FileNotFoundError:
        return 0


def _deleted(processes: Iterable[int]) -> int:
    sizes: dict[tuple[int, int], int] = {}
    for descriptor in _descriptors(processes):
        with contextlib.suppress(OSError):
            found = os.stat(descriptor)
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                sizes[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(sizes.values())


def _descriptors(processes: Iterable[int]) -> Iterator[str]:
    for pid in processes:
        with contextlib.suppress(OSError):
            yield from (f"/proc/{pid}/fd/{name}" for name in os.listdir(f"/proc/{pid}/fd"))
