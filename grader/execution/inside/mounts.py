"""The file system that a submission sees: a fresh root with only what Python needs.

Nothing is hidden from an existing root; what is not named here is not there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from . import system

SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SYSTEM_FILES = (
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"),
    *("/etc/fonts", "/etc/localtime", "/etc/mime.types"),
)
DEVICES = ("null", "zero", "full", "random", "urandom")
ACCOUNTS = {
    "passwd": "student:x:{uid}:{gid}:student:{home}:/bin/sh\n",
    "group": "student:x:{gid}:\n",
    "hosts": "127.0.0.1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


@dataclass(frozen=True)
class Layout:
    """What the root is made of.

    `folders` are shown read-only beside the system's; `masked` are paths below
    them that appear empty. `room` is the submission's folder: `home` and `work`
    in it are copied into memory, `sockets` is the one folder that is shared.
    """

    room: str
    sockets: str
    folders: tuple[str, ...]
    masked: tuple[str, ...]
    temporary_bytes: int
    temporary_files: int
    uid: int
    gid: int

    @property
    def home(self) -> str:
        """The student's home."""
        return os.path.join(self.room, "home")

    @property
    def writable(self) -> tuple[str, ...]:
        """All that belongs to the student."""
        return (self.home, os.path.join(self.room, "work"), self.sockets)


def enter_root(layout: Layout) -> None:
    """Builds the root and moves into it; for a process in a mount namespace of its own."""
    system.mount("", "/", "", system.MS_REC | system.MS_PRIVATE)
    root = os.path.join(layout.room, "root")
    os.makedirs(root, exist_ok=True)
    quiet = system.MS_NOSUID | system.MS_NODEV
    system.mount("tmpfs", root, "tmpfs", quiet, "size=16m,nr_inodes=4000,mode=755")
    _show_system(root)
    _show_devices(root)
    _make_temporary(root, layout)
    _show_folders(root, layout.folders)
    _hide(root, layout.masked)
    _write_accounts(root, layout)
    os.makedirs(f"{root}/proc")
    system.mount("proc", f"{root}/proc", "proc", quiet | system.MS_NOEXEC | system.MS_RDONLY)
    system.pivot_root(root)
    system.mount("", "/", "", system.MS_REMOUNT | system.MS_BIND | quiet | system.MS_RDONLY)


def freeze_sockets(layout: Layout) -> None:
    """Makes the shared folder read-only once the kernel's sockets are in it."""
    system.bind(layout.sockets, layout.sockets)


def _show_system(root: str) -> None:
    for path in SYSTEM_FOLDERS:
        if os.path.islink(path):
            os.symlink(os.readlink(path), root + path)
        elif os.path.isdir(path):
            os.makedirs(root + path)
            system.bind(path, root + path)
    for path in SYSTEM_FILES:
        _show(root, os.path.realpath(path), path)


def _show_devices(root: str) -> None:
    os.makedirs(f"{root}/dev/shm")
    for name in DEVICES:
        _touch(f"{root}/dev/{name}")
        system.mount(f"/dev/{name}", f"{root}/dev/{name}", "", system.MS_BIND)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"{root}/dev/{name}")
    os.symlink("/proc/self/fd", f"{root}/dev/fd")


def _make_temporary(root: str, layout: Layout) -> None:
    flags = system.MS_NOSUID | system.MS_NODEV
    size = f"size={layout.temporary_bytes},nr_inodes={layout.temporary_files},mode=1777"
    folders = ["/tmp", "/dev/shm"]
    if not any(_is_below(layout.room, path) for path in folders):
        folders.append(layout.room)
    for path in folders:
        os.makedirs(root + path, exist_ok=True)
        system.mount("tmpfs", root + path, "tmpfs", flags, size)
    for name in ("home", "work"):
        _copy(os.path.join(layout.room, name), f"{root}{layout.room}/{name}", layout)
    os.makedirs(root + layout.sockets)
    system.mount(layout.sockets, root + layout.sockets, "", system.MS_BIND)


def _copy(source: str, target: str, layout: Layout) -> None:
    shutil.copytree(source, target, symlinks=True)
    for folder, _, files in os.walk(target):
        for path in (folder, *(os.path.join(folder, name) for name in files)):
            os.chown(path, layout.uid, layout.gid, follow_symlinks=False)


def _show_folders(root: str, folders: Sequence[str]) -> None:
    for path in folders:
        if not any(_is_below(path, shown) for shown in ("/usr", "/lib", "/bin")):
            _show(root, path, path)


def _show(root: str, source: str, target: str) -> None:
    if not os.path.exists(source):
        return
    if os.path.isdir(source):
        os.makedirs(root + target, exist_ok=True)
    else:
        _touch(root + target)
    system.bind(source, root + target)


def _hide(root: str, masked: Sequence[str]) -> None:
    for path in masked:
        if os.path.isdir(root + path):
            quiet = system.MS_NOSUID | system.MS_NODEV | system.MS_RDONLY
            system.mount("tmpfs", root + path, "tmpfs", quiet, "size=4k,nr_inodes=1,mode=555")
        elif os.path.exists(root + path):
            system.mount(f"{root}/dev/null", root + path, "", system.MS_BIND)


def _write_accounts(root: str, layout: Layout) -> None:
    for name, text in ACCOUNTS.items():
        with open(f"{root}/etc/{name}", "w", encoding="utf-8") as file:
            file.write(text.format(uid=layout.uid, gid=layout.gid, home=layout.home))


def _touch(path: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a", encoding="utf-8"):
        pass


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")
