"""Temporary folders that are removed in the end, if need be by the next grader.

Each holds a locked file. The lock goes with the process that holds it, however
that ends: a folder whose lock is free has nobody left who would remove it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

PREFIX = "nn-"
LOCK = "lock"


class TemporaryFolder:
    """A folder of this process's, with a short path that begins with `nn-` and `kind`."""

    def __init__(self, kind: str = "") -> None:
        # Between these two, the folder has no lock, and so is nobody's to remove.
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{kind}"))
        self._owner = os.getpid()
        self._lock = (self.path / LOCK).open("w", encoding="ascii")
        if not _try_lock(self._lock):
            # Files cannot be locked here, and one that is not locked would be a leftover.
            self._lock.close()
            (self.path / LOCK).unlink()

    def close(self) -> None:
        """Removes the folder, whatever was made of it; a fork of its maker lets go of it."""
        is_ours = self._owner == os.getpid()
        if is_ours:
            _empty(self.path)
        self._lock.close()
        if is_ours:
            _remove(self.path)


def remove_leftovers() -> None:
    """Removes what graders of this user's have left that were killed."""
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError):
            if lock.is_symlink() or lock.parent.is_symlink():
                continue
            if lock.parent.stat().st_uid != os.getuid():
                continue
            with lock.open("r+", encoding="ascii") as file:
                if _try_lock(file):
                    _empty(lock.parent)
                    _remove(lock.parent)


def _try_lock(file: IO[str]) -> bool:
    """Whether nobody else had it; where files cannot be locked, somebody always has."""
    try:
        import fcntl  # Windows has none

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (OSError, ImportError):
        return False
    return True


def _empty(folder: Path) -> None:
    """Removes all but the lock: who is killed meanwhile leaves what the next grader finds."""
    with suppress(OSError):
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                _remove(entry)
            elif entry.name != LOCK:
                entry.unlink()


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except (OSError, RecursionError):
        _remove_by_force(folder)


def _remove_by_force(folder: Path) -> None:
    """Removes what Python gives up on: unreadable folders, and a thousand in one another."""
    for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
        with suppress(OSError):
            subprocess.run(  # noqa: S603 - fixed commands of ours
                [*command, "--", str(folder)], capture_output=True, check=False
            )
