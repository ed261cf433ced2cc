"""Landlock: which files a process may touch, where it cannot have a root of its own."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

from . import system

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_MAKE_CHAR, _MAKE_BLOCK, _MAKE_SOCK = 1 << 6, 1 << 11, 1 << 9
# The rights that each version of the interface knows, and the scopes of version 6.
_ALL_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_CONNECT_AND_BIND = 3
_SCOPE_SOCKETS_AND_SIGNALS = 3

READ = _EXECUTE | _READ_FILE | _READ_DIR
LEAST_VERSION = 3


def version() -> int:
    """The version of the interface that this kernel offers; 0 for none."""
    try:
        return system.syscall(_CREATE, None, 0, _VERSION)
    except OSError:
        return 0


def confine(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Leaves this process only these files and folders, for good.

    The caller must have given up new privileges. Paths that do not exist are
    passed over.
    """
    found = version()
    rights = _ALL_RIGHTS[max(known for known in _ALL_RIGHTS if known <= found)]
    scope = _SCOPE_SOCKETS_AND_SIGNALS if found >= 6 else 0
    network = _CONNECT_AND_BIND if found >= 4 else 0
    attributes = struct.pack("=QQQ", rights, network, scope)
    size = 24 if found >= 6 else 16 if found >= 4 else 8
    ruleset = system.syscall(_CREATE, attributes[:size], size, 0)
    try:
        for path in readable:
            _allow(ruleset, path, READ & rights)
        for path in writable:
            _allow(ruleset, path, rights & ~(_MAKE_CHAR | _MAKE_BLOCK))
        system.syscall(_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _EXECUTE | _READ_FILE | _WRITE_FILE | (1 << 14)
        rule = struct.pack("=Qi", rights, descriptor)
        system.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.c_char_p(rule), 0)
    finally:
        os.close(descriptor)
