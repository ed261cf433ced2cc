"""Runs a command by another user's id, where that user can read Python and this checkout.

Usage, as root: ``python tests/attacks/as_user.py UID HOME COMMAND …``

`HOME` is a folder that becomes that user's. The command gets a mount namespace of
its own. Folders on the way to Python or to the checkout that others may not enter
(such as root's home) are replaced there by folders that hold nothing but what is
needed. Nothing changes outside.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from grader.execution.inside import system

CHECKOUT = Path(__file__).resolve().parents[2]


def main(uid: int, home: str, command: list[str]) -> None:
    """Becomes that user and executes the command."""
    system.unshare(system.CLONE_NEWNS)
    system.mount("", "/", "", system.MS_REC | system.MS_PRIVATE)
    needed = {Path(path).resolve() for path in (sys.base_prefix, sys.prefix, CHECKOUT)}
    for closed, paths in grouped(needed).items():
        replace(closed, paths)
    os.chown(home, uid, uid)
    os.environ["HOME"] = home
    if uid:
        system.become(uid, uid)
    os.execvp(command[0], command)


def grouped(needed: Iterable[Path]) -> dict[Path, list[Path]]:
    """The outermost folders that others may not enter, with what is needed below each."""
    found: dict[Path, list[Path]] = {}
    for path in sorted(needed):
        closed = next((folder for folder in reversed(path.parents) if not is_open(folder)), None)
        if closed is not None:
            found.setdefault(closed, []).append(path)
    return found


def is_open(folder: Path) -> bool:
    """Whether every user may list and enter a folder."""
    return folder.stat().st_mode & (stat.S_IROTH | stat.S_IXOTH) == stat.S_IROTH | stat.S_IXOTH


def replace(folder: Path, paths: list[Path]) -> None:
    """Puts a folder that everybody may enter, with only these paths in it, over `folder`."""
    aside = Path(tempfile.mkdtemp(prefix="nn-aside-"))
    try:
        system.mount(str(folder), str(aside), "", system.MS_BIND | system.MS_REC)
        system.mount("tmpfs", str(folder), "tmpfs", system.MS_NOSUID, "size=1m,mode=755")
        for path in paths:
            path.mkdir(parents=True, exist_ok=True)
            source = str(aside / path.relative_to(folder))
            system.mount(source, str(path), "", system.MS_BIND | system.MS_REC)
        system.call("umount2", os.fsencode(aside), system.MNT_DETACH)
    finally:
        aside.rmdir()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
