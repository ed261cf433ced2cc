"""A seccomp filter that refuses the system calls which coursework never makes.

The list names what reaches beyond the sandbox or widens the kernel's attack
surface: tracing, namespaces, mounts, keyrings, io_uring, BPF and the like, and
memory that belongs to no process, which no limit would count. Everything else
is left to the namespaces, Landlock and the limits.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from . import system

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# Each call's number on x86_64, and on aarch64.
_REFUSED = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "fanotify_init": (300, 262),
    "quotactl": (179, 60),
    "acct": (163, 89),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "lookup_dcookie": (212, 18),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "personality": (135, 92),
    "vhangup": (153, 58),
    "memfd_secret": (447, 447),
    "memfd_create": (319, 279),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
}
# These reach any process of the same user, so their first argument may only be 0, the
# caller. ZeroMQ aborts where its threads cannot be scheduled: that is said to be done.
_OWN_ONLY = {
    "prlimit64": (302, 261, errno.EPERM),
    "sched_setaffinity": (203, 122, errno.EPERM),
    "sched_setscheduler": (144, 119, 0),
    "sched_setparam": (142, 118, 0),
    "sched_setattr": (314, 274, 0),
}
# What Landlock does not cover. The first kind does nothing and says that it was done,
# since copying a file ends with it; numbers that an architecture lacks repeat another's.
_PRETENDED = {
    "chmod": (90, 53),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, 54),
    "fchown": (93, 55),
    "lchown": (94, 54),
    "fchownat": (260, 54),
    "utime": (132, 88),
    "utimes": (235, 88),
    "futimesat": (261, 88),
    "utimensat": (280, 88),
}
_UNCOVERED = {
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
    "inotify_add_watch": (254, 27),
}
_CLONE, _CLONE3, _SOCKET, _PAIR = (56, 220), (435, 435), (41, 198), (53, 199)
_NEW_NAMESPACES = 0x7E020080
_X32 = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24
_STREAM, _KIND_OF_SOCKET = 1, 0xF
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_SECCOMP = {"x86_64": 317, "aarch64": 277}


def forbid_calls(families: tuple[int, ...]) -> None:
    """Installs the filter; sockets may only be of these address families.

    Without any, nothing may speak to a socket outside, and what Landlock leaves
    open to files outside is closed.
    The caller must have given up new privileges. It holds for this process and
    all that it starts, and cannot be taken off.
    """
    machine = os.uname().machine
    column = list(_ARCHITECTURES).index(machine)
    program = b"".join(_program(machine, column, families))
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("=HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    system.syscall(_SECCOMP[machine], _SET_MODE_FILTER, _ALL_THREADS, header)


def _program(machine: str, column: int, families: tuple[int, ...]) -> list[bytes]:
    code = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, _ARCHITECTURES[machine], 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
    ]
    if machine == "x86_64":
        code += [_step(_AT_LEAST, _X32, 0, 1), _step(_RETURN, _KILL)]
    for numbers in _REFUSED.values():
        code += [_step(_EQUAL, numbers[column], 0, 1), _refuse(errno.EPERM)]
    for *own, error in _OWN_ONLY.values():
        code += [_step(_EQUAL, own[column], 0, 4), _step(_LOAD, _FIRST_ARGUMENT)]
        code += [_step(_EQUAL, 0, 1, 0), _refuse(error), _step(_RETURN, _ALLOW)]
    if not families:
        code += _without_outside(column)
    # A filter cannot look into clone3's argument; callers fall back to clone.
    code += [_step(_EQUAL, _CLONE3[column], 0, 1), _refuse(errno.ENOSYS)]
    code += [_step(_EQUAL, _CLONE[column], 0, 4), _step(_LOAD, _FIRST_ARGUMENT)]
    code += [_step(_ANY_BIT, _NEW_NAMESPACES, 0, 1), _refuse(errno.EPERM), _step(_RETURN, _ALLOW)]
    code += [_step(_EQUAL, _SOCKET[column], 0, len(families) * 2 + 2)]
    code += [_step(_LOAD, _FIRST_ARGUMENT)]
    for family in families:
        code += [_step(_EQUAL, family, 0, 1), _step(_RETURN, _ALLOW)]
    return [*code, _refuse(errno.EAFNOSUPPORT), _step(_RETURN, _ALLOW)]


def _without_outside(column: int) -> list[bytes]:
    """What Landlock does not cover: files' rights and times, and pairs that take an address."""
    code = []
    for numbers in _PRETENDED.values():
        code += [_step(_EQUAL, numbers[column], 0, 1), _refuse(0)]
    for numbers in _UNCOVERED.values():
        code += [_step(_EQUAL, numbers[column], 0, 1), _refuse(errno.EPERM)]
    code += [_step(_EQUAL, _PAIR[column], 0, 5), _step(_LOAD, _SECOND_ARGUMENT)]
    code += [_step(_AND, _KIND_OF_SOCKET), _step(_EQUAL, _STREAM, 1, 0)]
    return [*code, _refuse(errno.EPROTONOSUPPORT), _step(_RETURN, _ALLOW)]


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _refuse(error: int) -> bytes:
    return _step(_RETURN, _ERRNO | error)
