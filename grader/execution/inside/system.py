"""System calls that Python's own library does not offer, through libc."""

from __future__ import annotations

import ctypes
import os
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2

CAP_DAC_READ_SEARCH, CAP_KILL, CAP_SYS_PTRACE = 2, 5, 19

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 36, 38
_PR_CAPBSET_DROP, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 24, 47, 4
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY = 63
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> int:
    """Calls a libc function; OSError where it returns -1."""
    ctypes.set_errno(0)
    result = int(getattr(_libc, name)(*arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


def syscall(number: int, *arguments: object) -> int:
    """Makes a raw system call; OSError where it fails."""
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return call("syscall", ctypes.c_long(number), *words)


def unshare(flags: int) -> None:
    """Leaves the namespaces of these kinds."""
    call("unshare", ctypes.c_int(flags))


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mounts `source` at `target`; an empty word stands for none."""
    words = [os.fsencode(word) if word else None for word in (source, target, kind)]
    call("mount", *words, ctypes.c_ulong(flags), os.fsencode(options) if options else None)


def bind(source: str, target: str, flags: int = MS_RDONLY | MS_NOSUID | MS_NODEV) -> None:
    """Shows `source` at `target` as well, with these flags (a bind ignores them at first)."""
    mount(source, target, "", MS_BIND | MS_REC)
    mount("", target, "", MS_BIND | MS_REMOUNT | flags | _locked_flags(target))


def _locked_flags(path: str) -> int:
    """Flags that a user namespace must keep when it remounts what it did not mount."""
    found = os.statvfs(path).f_flag
    noatime, nodiratime, relatime = 1024, 2048, 4096
    kept = found & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    kept |= 1024 if found & noatime else 0
    kept |= 2048 if found & nodiratime else 0
    return kept | ((1 << 21) if found & relatime else 0)


def pivot_root(new_root: str) -> None:
    """Makes `new_root` the root and lets go of the old one."""
    os.chdir(new_root)
    syscall(_PIVOT_ROOT[os.uname().machine], b".", b".")
    call("umount2", b".", ctypes.c_int(MNT_DETACH))
    os.chdir("/")


def set_dumpable(dumpable: bool) -> None:
    """Whether others of the same user may trace this process or read its memory."""
    call("prctl", _PR_SET_DUMPABLE, ctypes.c_ulong(dumpable), 0, 0, 0)


def become_subreaper() -> None:
    """Orphaned descendants become children of this process."""
    call("prctl", _PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0)


def forbid_new_privileges() -> None:
    """No program run from here on gains rights, set-user-id bits included."""
    call("prctl", _PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0)


def keep_capabilities(kept: tuple[int, ...] = ()) -> None:
    """Gives up every capability but those of `kept` that it has, for good."""
    call("prctl", _PR_CAP_AMBIENT, ctypes.c_ulong(_PR_CAP_AMBIENT_CLEAR_ALL), 0, 0, 0)
    bound_capabilities(kept)
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    held = ctypes.create_string_buffer(24)
    call("capget", header, held)
    _, held_low, _, _, held_high, _ = struct.unpack("=6I", held.raw)
    mask = sum(1 << capability for capability in kept)
    low, high = mask & held_low, (mask >> 32) & held_high
    call("capset", header, struct.pack("=6I", low, low, 0, high, high, 0))


def bound_capabilities(kept: tuple[int, ...] = ()) -> None:
    """No program run from here on can have more than `kept`, where this user may say so."""
    for capability in range(_LAST_CAPABILITY + 1):
        if capability not in kept:
            try:
                call("prctl", _PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0)
            except OSError:
                # Not known to this kernel, or the user has none that could be bounded.
                continue


def become(uid: int, gid: int) -> None:
    """Takes on another user's ids for good, without any supplementary group."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
