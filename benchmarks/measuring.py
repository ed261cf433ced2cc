"""What the benchmarks share: CPU time and memory of sandboxed processes, and ratios of pairs.

The processes of a submission are no children of the grader's: the zygote forks
them. A supervisor waits for all in its sandbox before it ends, and a snapshot
for its copies, so that a supervisor's own account holds everything. It is read
when the supervisor has ended, whoever reaps it and whenever that is: the zygote
as a rule, and this process for what the zygote leaves behind.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress

import psutil

from grader.execution.inside import system

REAP_SECONDS = 20.0
POLL_SECONDS = 0.005


def adopt_orphans() -> None:
    """Makes this process the parent of descendants whose own parent ended."""
    system.become_subreaper()


def reap(zygote: int = 0) -> None:
    """Waits until every child but the zygote has ended, and every child of the zygote's."""
    deadline = time.monotonic() + REAP_SECONDS
    while living := [*_reaped_children(besides=zygote), *_living_children(zygote)]:
        if time.monotonic() > deadline:
            raise SystemExit(f"these processes do not end: {living}")
        time.sleep(POLL_SECONDS)


def _reaped_children(besides: int) -> list[psutil.Process]:
    others = [process for process in psutil.Process().children() if process.pid != besides]
    for process in others:
        with suppress(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)
    return others


def _living_children(pid: int) -> list[psutil.Process]:
    """Those that have not ended; a zombie waits to be reaped, and has its account still."""
    children = psutil.Process(pid).children() if pid else []
    return [process for process in children if process.status() != psutil.STATUS_ZOMBIE]


def cpu_of_children() -> float:
    """User and system seconds of the children that were waited for, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cpu_of_sandboxes(zygote: int) -> tuple[float, float]:
    """User and system seconds of the zygote itself, and of all sandboxes that have ended."""
    process = psutil.Process(zygote)
    times = process.cpu_times()
    ended = [child.cpu_times() for child in process.children()]
    waiting = sum(sum(account[:4]) for account in ended)
    reaped = times.children_user + times.children_system
    return times.user + times.system, reaped + waiting + cpu_of_children()


def descendants_memory() -> float:
    """Proportional set size of all descendants of this process, in MB: shared pages count once."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total / 2**20


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios, pair by pair."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
