"""A control group that bounds the memory of one submission, where this user may make one.

The watchdog of `inside/supervisor.py` looks ten times a second and knows
processes alone. A control group is exact, and counts what has no process too:
memory-backed files, buffers of sockets and pipes.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# The watchdog comes first, which can say what happened; this is where memory ends.
MARGIN_BYTES = 128 << 20
CLOSE_SECONDS = 2.0
_numbers = itertools.count(1)


@dataclass(frozen=True)
class MemoryGroup:
    """A group's folder; who writes 0 to `members` is in it, with all that it starts later."""

    folder: Path
    version: int

    @property
    def members(self) -> Path:
        """The file by which processes enter."""
        return self.folder / "cgroup.procs"

    def has_killed(self) -> bool:
        """Whether the kernel ended a process of the group for want of memory."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        with suppress(OSError):
            lines = (self.folder / name).read_text(encoding="ascii").splitlines()
            return any(line.startswith("oom_kill ") and line != "oom_kill 0" for line in lines)
        return False

    def close(self) -> None:
        """Removes the group, which its processes have left by ending."""
        deadline = time.monotonic() + CLOSE_SECONDS
        while self.folder.exists() and time.monotonic() < deadline:
            try:
                self.folder.rmdir()
            except OSError:
                time.sleep(0.01)


def memory_group(limit_bytes: int) -> MemoryGroup | None:
    """A new group that may use this much memory; None where none can be made."""
    for parent, version in _parents():
        _remove_leftovers(parent)
        group = MemoryGroup(parent / f"nn-{os.getpid()}-{next(_numbers)}", version)
        try:
            group.folder.mkdir()
        except OSError:
            continue
        try:
            _limit(group, limit_bytes + MARGIN_BYTES)
        except OSError:
            group.close()
            continue
        return group
    return None


def _remove_leftovers(parent: Path) -> None:
    """Removes groups of graders that were killed; one with processes in it stays."""
    for folder in parent.glob("nn-*-*"):
        maker = folder.name.split("-")[1]
        if not Path("/proc", maker).exists():
            with suppress(OSError):
                folder.rmdir()


def _limit(group: MemoryGroup, limit_bytes: int) -> None:
    names = ("memory.max", "memory.swap.max")
    if group.version == 1:
        names = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
    _write(group.folder / names[0], str(limit_bytes))
    # Where swap is not counted, there is no such file.
    with suppress(OSError):
        _write(group.folder / names[1], "0" if group.version == 2 else str(limit_bytes))


def _parents() -> Iterator[tuple[Path, int]]:
    """Where a group could be made: below this process's own, or beside it, if it is delegated."""
    own = _own_groups()
    for mount, version in _mounts():
        path = own.get(version)
        if path is None:
            continue
        folder = mount / path.lstrip("/")
        if version == 1:
            yield folder, version
            continue
        for candidate in (folder, *folder.parents):
            if not candidate.is_relative_to(mount):
                break
            if _hands_memory_down(candidate):
                yield candidate, version


def _hands_memory_down(folder: Path) -> bool:
    """Whether groups below a folder have limits of memory; the topmost is asked to give them."""
    try:
        handed = (folder / "cgroup.subtree_control").read_text(encoding="ascii").split()
        if "memory" in handed:
            return True
        # Only the topmost group may hold processes and hand its controllers down.
        if (folder / "cgroup.type").exists():
            return False
        _write(folder / "cgroup.subtree_control", "+memory")
    except OSError:
        return False
    return True


def _own_groups() -> dict[int, str]:
    """This process's groups: of version 2, and of version 1's memory controller."""
    found: dict[int, str] = {}
    for line in _lines("/proc/self/cgroup"):
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            found[2] = path
        if "memory" in controllers.split(","):
            found[1] = path
    return found


def _mounts() -> Iterator[tuple[Path, int]]:
    """Where the control groups are, and of which version."""
    for line in _lines("/proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        root, point = before.split()[3:5]
        kind, _, options = after.split()[:3]
        if root != "/":
            continue
        if kind == "cgroup2":
            yield Path(point), 2
        if kind == "cgroup" and "memory" in options.split(","):
            yield Path(point), 1


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _write(path: Path, text: str) -> None:
    """The kernel takes what is written in one call, or raises."""
    with path.open("w", encoding="ascii", buffering=1) as file:
        file.write(text)
