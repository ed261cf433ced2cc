"""What the benchmarks share: CPU time and memory of sandboxed processes, and medians of pairs.

The processes of a submission are no children of the grader's: the zygote forks
them, and the fork in between ends at once. Without `adopt_orphans` they would
be the business of process 1 of this machine, and their CPU time lost.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Collection, Sequence
from contextlib import suppress

import psutil

from grader.execution.inside import system

REAP_SECONDS = 20.0
POLL_SECONDS = 0.005


def adopt_orphans() -> None:
    """Makes this process the parent of descendants whose own parent ended.

    What they used then arrives in this process's RUSAGE_CHILDREN when `reap`
    waits for them. A supervisor waits for all in its sandbox before it ends, and
    a snapshot for its copies, so that nothing is left out.
    """
    system.become_subreaper()


def reap(besides: Collection[int] = ()) -> None:
    """Waits until every child but these has ended, and takes their CPU time into account."""
    deadline = time.monotonic() + REAP_SECONDS
    while others := [p for p in psutil.Process().children() if p.pid not in besides]:
        for process in others:
            with suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)
        if time.monotonic() > deadline:
            raise SystemExit(f"these processes do not end: {others}")
        time.sleep(POLL_SECONDS)


def cpu_of_children() -> float:
    """User and system seconds of the children that were waited for, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cpu_of(pid: int) -> float:
    """User and system seconds of a living process and of the children that it waited for."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


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
