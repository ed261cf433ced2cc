"""How far a submission is kept apart from this machine, and what a sandbox is made of."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Iterable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.execution.limits import Limits
from grader.execution.packages import hidden_entries, our_entries, student_packages
from grader.execution.room import Room

# Slots take one of these, outside the ranges that Debian and systemd hand out.
FIRST_UID, UIDS = 61184, 4096


class Level(StrEnum):
    """The rungs, strongest first; the two kinds of namespaces count as equally strong."""

    NAMESPACES = "namespaces"
    ROOT_NAMESPACES = "root_namespaces"
    LANDLOCK = "landlock"
    NONE = "none"

    def suffices(self, least: Level) -> bool:
        """Whether this level is at least as strong as `least`."""
        return _STRENGTH[self] >= _STRENGTH[least]


_STRENGTH = {
    Level.NONE: 0,
    Level.LANDLOCK: 1,
    Level.ROOT_NAMESPACES: 2,
    Level.NAMESPACES: 2,
}
CURE = (
    "Namespaces need a kernel that lets users make them: "
    "`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0` on Ubuntu, "
    "`--security-opt seccomp=unconfined` in Docker. Landlock needs Linux 6.12, or 6.2 as root. "
    "For work that you would run yourself: --isolation none"
)


def can_fork() -> bool:
    """Whether this system forks processes and hands descriptors on, as snapshots need it."""
    return hasattr(os, "fork") and hasattr(socket, "send_fds")


def candidates() -> tuple[Level, ...]:
    """The levels worth trying here, strongest first."""
    if not sys.platform.startswith("linux") or not can_fork():
        return ()
    first = Level.ROOT_NAMESPACES if os.getuid() == 0 else Level.NAMESPACES
    return (first, Level.LANDLOCK)


def require(level: Level, least: Level) -> None:
    """Refuses to go on below the least level that was asked for.

    Raises:
        UsageError: with the cure.
    """
    if not level.suffices(least):
        raise UsageError(
            f"this machine offers isolation {level.value!r}, and {least.value!r} is the least "
            f"accepted. {CURE}"
        )


def student_ids() -> tuple[int, int]:
    """The ids outside by which a submission of this process runs."""
    if os.getuid() == 0:
        slot = FIRST_UID + os.getpid() % UIDS
        return slot, slot
    return os.getuid(), os.getgid()


def make_order(
    level: Level,
    room: Room,
    sockets: Path,
    limits: Limits,
    arguments: Iterable[str],
    *,
    purpose: str = "kernel",
    forks: int = 0,
    hidden: Iterable[Path] = (),
    members: str = "",
) -> dict[str, Any]:
    """What the zygote is asked for; `forks` are the processes that we add ourselves.

    `sockets` is a folder of the room's that no kernel has had before. `hidden`
    must not be seen even where it lies below a folder that is. `members` is the
    file by which processes enter their control group.
    """
    # Only Linux has what these are made of; the rest of this module is for any system.
    from grader.execution.inside import disk, supervisor

    uid, gid = student_ids()
    if os.getuid() == 0:
        _give_away(room, sockets, uid, gid, whole=level is Level.LANDLOCK)
    folders = _python_folders()
    masked = tuple(str(path) for path in (*hidden_entries(), *hidden))
    size, files = disk.used(str(room.path)) or (0, 0)
    order = supervisor.Order(
        purpose=purpose,
        level=level.value,
        room=str(room.path),
        sockets=str(sockets),
        folders=folders,
        masked=masked,
        readable=_readable(folders, masked) if level is Level.LANDLOCK else (),
        working_folder=str(room.work),
        environment=room.environment(),
        arguments=tuple(arguments),
        uid=uid,
        gid=gid,
        memory_bytes=int(limits.memory),
        address_space_bytes=int(limits.address_space),
        processes=int(limits.processes) + forks + _counted_already(level, uid),
        file_bytes=int(limits.file),
        descriptors=int(limits.descriptors),
        temporary_bytes=int(limits.temporary) + size,
        temporary_files=int(limits.temporary_files) + files,
        members=members,
    )
    return asdict(order)


def _give_away(room: Room, sockets: Path, uid: int, gid: int, *, whole: bool) -> None:
    """Lets the student's user at the sockets; without a copy in memory, at home and files too."""
    paths = [sockets, *sockets.iterdir()]
    # Later, the student's code could lead this walk to where it has no business.
    if not room.given_away:
        room.given_away = True
        room.path.chmod(0o711)
        for folder in room.path.iterdir():
            folder.chmod(0o700)
        given = (room.home, room.files) if whole else ()
        paths += [path for folder in given for path in (folder, *folder.rglob("*"))]
    for path in paths:
        os.chown(path, uid, gid, follow_symlinks=False)


def _python_folders() -> tuple[str, ...]:
    """Where Python and the student's packages lie."""
    found = [sys.base_prefix, sys.prefix, *student_packages()]
    found += [str(path.parent) for path in our_entries()]
    return tuple(dict.fromkeys(str(Path(folder).resolve()) for folder in found))


def _readable(folders: Iterable[str], masked: Iterable[str]) -> tuple[str, ...]:
    """Paths for Landlock, which has no deny rule: everything but what is masked, piece by piece."""
    from grader.execution.inside import mounts  # for Linux alone

    hidden = [Path(path) for path in masked]
    shown = (*mounts.SYSTEM_FOLDERS, *mounts.SYSTEM_FILES, *folders)
    devices = [f"/dev/{name}" for name in mounts.DEVICES]
    kernel = [
        "/proc/cpuinfo",
        "/proc/meminfo",
        "/proc/stat",
        "/proc/self",
        "/sys/devices/system/cpu",
    ]
    pieces = [piece for path in shown for piece in _around(Path(path), hidden)]
    return (*dict.fromkeys(map(str, pieces)), *devices, *kernel)


def _around(path: Path, hidden: list[Path]) -> list[Path]:
    """`path`, or its children where something below it is hidden."""
    resolved = path.resolve()
    if resolved in hidden or not resolved.exists():
        return []
    if not any(entry.is_relative_to(resolved) for entry in hidden):
        return [resolved]
    return [piece for child in resolved.iterdir() for piece in _around(child, hidden)]


def _counted_already(level: Level, uid: int) -> int:
    """Threads that this user runs already, where the kernel's limit counts them in."""
    version = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
    # Since then, each user namespace counts for itself.
    if level is Level.NAMESPACES and version >= (5, 14):
        return 0
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid == uid:
                total += len(list((folder / "task").iterdir()))
        except OSError:
            continue
    return total
