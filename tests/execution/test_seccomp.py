"""System calls that a submission may not make."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

import pytest

from grader.execution.isolation import Level
from grader.execution.limits import Limits

# Numbers on x86_64 and on aarch64, harmless arguments, and the error expected. Without
# the filter each would give another error, or succeed.
CALLS = {
    "ptrace a parent that never waits": ((101, 117), (0, 0, 0, 0), errno.EPERM),
    "process_vm_readv": ((310, 270), (1, 0, 0, 0, 0, 0), errno.EPERM),
    "pidfd_getfd": ((438, 438), (-1, 0, 0), errno.EPERM),
    "kcmp": ((312, 272), (1, 1, 0, 0, 0), errno.EPERM),
    "unshare nothing": ((272, 97), (0,), errno.EPERM),
    "setns": ((308, 268), (-1, 0), errno.EPERM),
    "mount": ((165, 40), (0, 0, 0, 0, 0), errno.EPERM),
    "open_tree": ((428, 428), (-1, 0, 0), errno.EPERM),
    "name_to_handle_at": ((303, 264), (-1, 0, 0, 0, 0), errno.EPERM),
    "keyctl": ((250, 219), (0, 0, 0, 0, 0), errno.EPERM),
    "add_key": ((248, 217), (0, 0, 0, 0, 0), errno.EPERM),
    "bpf": ((321, 280), (-1, 0, 0), errno.EPERM),
    "perf_event_open": ((298, 241), (0, 0, -1, -1, 0), errno.EPERM),
    "userfaultfd": ((323, 282), (-1,), errno.EPERM),
    "io_uring_setup": ((425, 425), (0, 0), errno.EPERM),
    "personality": ((135, 92), (0xFFFFFFFF,), errno.EPERM),
    "memfd_create": ((319, 279), (0, 0), errno.EPERM),
    "shmget": ((29, 194), (0, 4096, 0), errno.EPERM),
    "clone3": ((435, 435), (0, 0), errno.ENOSYS),
    "clone into a user namespace": ((56, 220), (0x10000000, 0, 0, 0, 0), errno.EPERM),
}
FAMILIES = {"AF_NETLINK": 16, "AF_PACKET": 17, "AF_ALG": 38, "AF_VSOCK": 40}
TRIES = """
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)

def error_of(number, arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) for a in arguments))
    return ctypes.get_errno() if result == -1 else 0

def family_error(family, kind, protocol=0):
    try:
        socket.socket(family, kind, protocol).close()
    except OSError as error:
        return error.errno
    return 0

errors = {name: error_of(number, arguments) for name, (number, arguments) in CALLS.items()}
child = os.fork()
if child == 0:
    # In a process that the submission started itself.
    os._exit(0 if error_of(*CALLS["unshare nothing"]) == errno.EPERM else 1)
inherited = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
families = {name: family_error(number, socket.SOCK_STREAM) for name, number in FAMILIES.items()}
internet = family_error(socket.AF_INET, socket.SOCK_STREAM)
raw = family_error(socket.AF_INET, socket.SOCK_RAW, 1)
one, other = socket.socketpair()
one.send(b"x")
pair = other.recv(1) == b"x"
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
"""
Tried = Callable[[Level, str], Any]


@pytest.fixture(scope="module")
def tried(run_cells: Callable[..., Any]) -> Tried:
    """A name's value after everything was tried, at a level."""
    column = ("x86_64", "aarch64").index(os.uname().machine)
    calls = {name: (numbers[column], given) for name, (numbers, given, _) in CALLS.items()}
    source = f"CALLS = {calls!r}\nFAMILIES = {FAMILIES!r}\n{TRIES}"
    runs: dict[Level, Any] = {}

    def value(level: Level, name: str) -> Any:
        if level not in runs:
            limits = Limits(cell=10, notebook=30, check=5)
            runs[level] = run_cells(source, boundaries=[1], level=level, limits=limits)
            assert runs[level].run(0).error == ""
        return runs[level].value(1, name)

    return value


@pytest.mark.parametrize("name", CALLS)
def test_calls_are_refused(tried: Tried, sandbox: Level, name: str) -> None:
    """Calls that reach beyond a sandbox fail with the filter's own error."""
    found = tried(sandbox, "errors")[name]
    assert errno.errorcode.get(found) == errno.errorcode[CALLS[name][2]]


def test_children_inherit_the_filter(tried: Tried, sandbox: Level) -> None:
    """What a submission starts is refused the same."""
    assert tried(sandbox, "inherited") == 0


@pytest.mark.parametrize("name", FAMILIES)
def test_families_are_refused(tried: Tried, sandbox: Level, name: str) -> None:
    """Sockets to the host, to the kernel and to raw networks cannot be made."""
    found = tried(sandbox, "families")[name]
    assert errno.errorcode.get(found) == "EAFNOSUPPORT"


def test_raw_sockets_are_refused(tried: Tried, sandbox: Level) -> None:
    """Raw packets need a capability that nobody inside has."""
    assert tried(sandbox, "raw") in (errno.EPERM, errno.EAFNOSUPPORT)


def test_internet_sockets(tried: Tried, sandbox: Level) -> None:
    """A network of one's own may be used; where there is none, no socket is made at all."""
    expected = errno.EAFNOSUPPORT if sandbox is Level.LANDLOCK else 0
    assert tried(sandbox, "internet") == expected


def test_pairs_work(tried: Tried, sandbox: Level) -> None:
    """Python's own libraries need socket pairs."""
    assert tried(sandbox, "pair") is True


def test_privileges_are_gone(tried: Tried, sandbox: Level) -> None:
    """A submission has no capability, gains none, is not root, and is filtered."""
    status = tried(sandbox, "status")
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[name], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert "0" not in status["Uid"].split() + status["Gid"].split()


def test_capabilities_cannot_be_regained(tried: Tried, sandbox: Level) -> None:
    """As root or in a user namespace of its own, the bounding set is empty as well."""
    if sandbox is Level.LANDLOCK and os.getuid() != 0:
        pytest.skip("an ordinary user cannot empty the set; no_new_privs makes up for it")
    assert int(tried(sandbox, "status")["CapBnd"], 16) == 0
