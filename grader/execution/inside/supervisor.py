"""Process 1 of a submission: builds the sandbox, starts the kernel in it, ends it.

It runs no student code. To the grader it speaks frames of `wire` on its socket:
it sends ``{"event": "ready"}`` or ``{"event": "failed", "reason": …}``, later
``{"event": "exited", "status": n}`` and ``{"event": "breach", "limit": …}``, the
limit being ``memory`` or ``disk``, and obeys ``{"op": "interrupt"}`` and
``{"op": "kill"}``, which concern the kernel alone. When the socket closes it
ends, and with it every process of the submission.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import select
import signal
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import disk, landlock, mounts, seccomp, system, wire

NAMESPACES, ROOT_NAMESPACES, LANDLOCK = "namespaces", "root_namespaces", "landlock"
INSIDE_ID = 1000
POLL_SECONDS = 0.1
# How many times the exact sum's own time passes before the next one.
PROPORTION = 20
# Walking a folder costs more than reading a few numbers: once a second.
DISK_TURNS = 10
SEND_SECONDS = 10.0
LOCAL_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
# To end the submission's processes, to read how much they use, and to find their files.
_KEPT = (system.CAP_KILL, system.CAP_SYS_PTRACE, system.CAP_DAC_READ_SEARCH)
_APART = (
    system.CLONE_NEWNS
    | system.CLONE_NEWPID
    | system.CLONE_NEWNET
    | system.CLONE_NEWIPC
    | system.CLONE_NEWUTS
)


@dataclass(frozen=True)
class Order:
    """What the grader asks for: one kernel in one sandbox.

    `uid` and `gid` are the ids outside; `readable` are what Landlock leaves,
    where there is no root of its own; `members` is the file by which to enter a
    control group, or empty. Limits are in bytes, seconds and counts.
    """

    purpose: str
    level: str
    room: str
    sockets: str
    folders: tuple[str, ...]
    masked: tuple[str, ...]
    readable: tuple[str, ...]
    working_folder: str
    environment: dict[str, str]
    arguments: tuple[str, ...]
    uid: int
    gid: int
    memory_bytes: int
    address_space_bytes: int
    processes: int
    file_bytes: int
    descriptors: int
    temporary_bytes: int
    temporary_files: int
    members: str

    @property
    def inside_ids(self) -> tuple[int, int]:
        """The ids by which processes in the sandbox know themselves."""
        mapped = self.level == NAMESPACES
        return (INSIDE_ID, INSIDE_ID) if mapped else (self.uid, self.gid)

    def layout(self) -> mounts.Layout:
        """The file system that goes with it."""
        uid, gid = self.inside_ids
        return mounts.Layout(
            room=self.room,
            sockets=self.sockets,
            folders=self.folders,
            masked=self.masked,
            temporary_bytes=self.temporary_bytes,
            temporary_files=self.temporary_files,
            uid=uid,
            gid=gid,
        )


Serve = Callable[[Order, int, Callable[[], None]], None]


def start(order: Order, grader: socket.socket, agent: int, serve: Serve) -> None:
    """Called in a fresh fork of the zygote: starts process 1 and leaves.

    `serve` runs the kernel: it gets the order, the agent's descriptor, and what
    to call once the kernel's sockets are bound.
    """
    os.setsid()
    if order.members:
        _enter_group(order.members)
    if order.level == NAMESPACES:
        _enter_user_namespace()
    if order.level in (NAMESPACES, ROOT_NAMESPACES):
        system.unshare(_APART)
    if os.fork() == 0:
        run_guarded(
            lambda: _be_process_one(order, grader, agent, serve),
            lambda reason: _tell(grader, event="failed", reason=reason),
        )


def _enter_group(members: str) -> None:
    """Where this is refused, the watchdog alone bounds the memory."""
    with contextlib.suppress(OSError), open(members, "w", encoding="ascii") as file:
        file.write("0")


def run_guarded(body: Callable[[], None], tell: Callable[[str], None]) -> None:
    """Runs the body of a fork that must never return into its parent's code."""
    try:
        body()
    except wire.Closed:
        pass
    except BaseException as error:
        with contextlib.suppress(Exception):
            tell(f"{type(error).__name__}: {error}")
    finally:
        os._exit(1)


def _enter_user_namespace() -> None:
    uid, gid = os.getuid(), os.getgid()
    system.set_dumpable(True)
    system.unshare(system.CLONE_NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{INSIDE_ID} {uid} 1"),
        ("gid_map", f"{INSIDE_ID} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def _be_process_one(order: Order, grader: socket.socket, agent: int, serve: Serve) -> None:
    if order.level == LANDLOCK:
        system.become_subreaper()
    else:
        mounts.enter_root(order.layout())
    bound, tell = os.pipe()
    kernel = os.fork()
    if kernel == 0:
        grader.close()
        os.close(bound)
        run_guarded(
            lambda: _be_kernel(order, agent, tell, serve),
            lambda reason: os.close(tell) if os.write(tell, reason.encode()) else None,
        )
    os.close(tell)
    os.close(agent)
    # Process 1 gets only the signals that it handles: from here on, none.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        system.set_dumpable(False)
        _await_sockets(bound, grader, kernel)
        if order.level != LANDLOCK:
            mounts.freeze_sockets(order.layout())
        system.keep_capabilities(_KEPT)
        _watch(order, grader, kernel)
    finally:
        _end_all(order)


def _await_sockets(bound: int, grader: socket.socket, kernel: int) -> None:
    """Waits until the kernel's sockets are bound; what else it writes is why they are not."""
    either: list[int] = [bound, grader.fileno()]
    readable, _, _ = select.select(either, [], [])
    if bound not in readable:
        raise wire.Closed("the grader has given up")
    said = os.read(bound, 4096)
    os.close(bound)
    if not said:
        status = os.waitstatus_to_exitcode(os.waitpid(kernel, 0)[1])
        raise RuntimeError(f"the kernel ended while it started, with status {status}")
    if said != b"+":
        raise RuntimeError(said.decode(errors="replace"))


def _be_kernel(order: Order, agent: int, tell: int, serve: Serve) -> None:
    """Gives up everything, then runs the kernel."""
    os.setsid()
    os.umask(0o077)
    os.chdir(order.working_folder)
    os.environ.clear()
    os.environ.update(order.environment)
    _set_limits(order)
    # Another user could not any more.
    system.bound_capabilities()
    if order.level != NAMESPACES and os.getuid() == 0:
        system.become(order.uid, order.gid)
    system.keep_capabilities()
    system.forbid_new_privileges()
    # Another id than the process had when it was executed makes it undumpable.
    system.set_dumpable(True)
    if order.level == LANDLOCK:
        landlock.confine(order.readable, [*order.layout().writable, os.devnull])
    seccomp.forbid_calls(LOCAL_FAMILIES)
    serve(order, agent, lambda: _announce(order, tell))


def _announce(order: Order, tell: int) -> None:
    """The kernel's sockets are bound: from here on no new ones can be made at level 3."""
    if order.level == LANDLOCK:
        seccomp.forbid_calls(())
    os.write(tell, b"+")
    os.close(tell)


def _set_limits(order: Order) -> None:
    limits = {
        resource.RLIMIT_AS: order.address_space_bytes,
        resource.RLIMIT_NPROC: order.processes,
        resource.RLIMIT_FSIZE: order.file_bytes,
        resource.RLIMIT_NOFILE: order.descriptors,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for name, wanted in limits.items():
        hard = resource.getrlimit(name)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(name, (value, value))


# --- process 1 ----------------------------------------------------------------


def _watch(order: Order, grader: socket.socket, kernel: int) -> None:
    """Reaps, obeys and guards memory and disk until the grader goes away."""
    _tell(grader, event="ready")
    alive = True
    memory = MemoryMeter(order)
    meter = disk.Meter(order.room, order.temporary_bytes, order.temporary_files)
    for turn in itertools.count():
        readable, _, _ = select.select([grader], [], [], POLL_SECONDS)
        if readable:
            _obey(wire.receive(grader, time.monotonic() + SEND_SECONDS)[0], kernel, alive)
        for pid, status in reap():
            if pid == kernel:
                alive = False
                _tell(grader, event="exited", status=status)
        if memory.breached():
            _tell(grader, event="breach", limit="memory")
            _kill_one(order, kernel if alive else 0)
        if order.level == LANDLOCK and turn % DISK_TURNS == 0:
            _guard_disk(order, grader, meter, kernel if alive else 0)


def _guard_disk(order: Order, grader: socket.socket, meter: disk.Meter, kernel: int) -> None:
    """Kills the kernel where too much was written; without one, everything that may write."""
    processes = _descendants(order)
    if meter.breached(processes):
        _tell(grader, event="breach", limit="disk")
        _kill([kernel] if kernel else processes)


def _kill_one(order: Order, kernel: int) -> None:
    """Kills the kernel; the next time round, the largest: snapshots share most of their pages."""
    sizes = {pid: _proportional(pid) for pid in _descendants(order)}
    victim = kernel or max(sizes, key=lambda pid: sizes[pid], default=0)
    _kill([victim] if victim else [])


def _obey(request: Any, kernel: int, alive: bool) -> None:
    signals = {"interrupt": signal.SIGINT, "kill": signal.SIGKILL}
    if alive and isinstance(request, dict) and request.get("op") in signals:
        os.kill(kernel, signals[request["op"]])


def _tell(grader: socket.socket, **event: Any) -> None:
    wire.send(grader, event, [], time.monotonic() + SEND_SECONDS)


def reap() -> list[tuple[int, int]]:
    """The children that have ended, and how."""
    found: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        found.append((pid, os.waitstatus_to_exitcode(status)))


class MemoryMeter:
    """Whether the submission's memory exceeds its limit, shared pages counted once.

    Forty snapshots share most of their pages, so that the quick upper bound is
    passed by any notebook, and the exact sum takes a tenth of a second: it is
    made so often that it costs a twentieth of the time, and sooner where the
    bound has grown by half of what was left.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._next = 0.0
        self._bound = 0

    def breached(self) -> bool:
        """To be asked again and again."""
        limit, pids, start = self._order.memory_bytes, _descendants(self._order), time.monotonic()
        bound = sum(_resident(pid) for pid in pids)
        if bound <= limit or (bound <= self._bound and start < self._next):
            return False
        used = sum(_proportional(pid) for pid in pids)
        end = time.monotonic()
        self._next = end + PROPORTION * (end - start)
        self._bound = bound + max(0, limit - used) // 2
        return used > limit


def _resident(pid: int) -> int:
    """Anonymous and shared memory; a quick upper bound, pages shared by forks counted often."""
    return _sum_of(f"/proc/{pid}/status", ("RssAnon:", "RssShmem:"))


def _proportional(pid: int) -> int:
    return _sum_of(f"/proc/{pid}/smaps_rollup", ("Pss:",)) or _resident(pid)


def _sum_of(path: str, names: tuple[str, ...]) -> int:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            lines = [line.split() for line in file]
    except OSError:
        return 0
    return sum(int(words[1]) * 1024 for words in lines if words and words[0] in names)


def _descendants(order: Order) -> list[int]:
    """Every process of the submission but this one."""
    if order.level != LANDLOCK:
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]
    found = [os.getpid()]
    for pid in found:
        found += _children(pid)
    return found[1:]


def _children(pid: int) -> list[int]:
    """The children of every thread of a process."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    return found


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def _end_all(order: Order) -> None:
    """Nothing outlives the submission: without a pid namespace, kill until none is left."""
    deadline = time.monotonic() + SEND_SECONDS
    while _descendants(order) and time.monotonic() < deadline:
        _kill(_descendants(order))
        reap()
        time.sleep(0.01)
