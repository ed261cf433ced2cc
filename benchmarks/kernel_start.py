"""Milliseconds from nothing to a kernel that answers: forked from the zygote, and ordinary.

    python benchmarks/kernel_start.py [--runs 15] [--level landlock]

Ours is isolated at the strongest level that this machine reaches; its folder,
its sandbox and its limits count. Theirs is `ipykernel` as `jupyter_client`
starts it. Both are ready when they have answered a `kernel_info_request`, which
is sent once; nothing sleeps for a fixed time. The two take turns, and the ratio
is the median of the pairs' ratios. The zygote, one a worker process, is warmed
up before and printed by itself; so is what nbclient's own wait costs besides.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import time

import zmq
from jupyter_client.manager import AsyncKernelManager
from measuring import ratio
from nbformat.v4 import new_notebook

from grader.execution.isolation import Level
from grader.execution.kernel import Kernel, KernelSettings
from grader.execution.limits import COURSEWORK
from grader.execution.probing import reached_level
from grader.execution.room import Room
from grader.execution.zygote import current_zygote

TARGET = 0.35
ANSWER_SECONDS = 60
RECONNECT_MS = 2


async def time_ours(level: Level) -> float:
    """Seconds until an isolated kernel has answered."""
    start = time.monotonic()
    with Room({}, "hand-in.ipynb") as room:
        kernel = Kernel(new_notebook(), room, COURSEWORK, KernelSettings(level))
        try:
            await _answered(kernel._manager, **kernel._launch_options())
            return time.monotonic() - start
        finally:
            kernel.end()
            kernel._agent_end.close()
            await kernel.disconnect()


async def time_ours_by_nbclient(level: Level) -> float:
    """The same, waiting as grading does."""
    start = time.monotonic()
    with Room({}, "hand-in.ipynb") as room:
        kernel = Kernel(new_notebook(), room, COURSEWORK, KernelSettings(level))
        try:
            await kernel.start()
            return time.monotonic() - start
        finally:
            kernel.end()
            await kernel.disconnect()


async def time_theirs() -> float:
    """Seconds until an ordinary kernel has answered."""
    start = time.monotonic()
    manager = AsyncKernelManager(kernel_name="python3")
    try:
        # What it logs to the terminal is none of ours.
        await _answered(manager, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.monotonic() - start
    finally:
        await manager.shutdown_kernel(now=True)


async def _answered(manager: AsyncKernelManager, **options: object) -> None:
    # An ordinary kernel binds late; the default of 100 ms would be added to its time.
    manager.context.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
    await manager.start_kernel(**options)
    client = manager.client(context=manager.context)
    client.start_channels(iopub=False, stdin=False, hb=False, control=False)
    try:
        client.kernel_info()
        reply = await client.get_shell_msg(timeout=ANSWER_SECONDS)
        if reply["msg_type"] != "kernel_info_reply":
            raise SystemExit(f"the kernel answered {reply['msg_type']}")
    finally:
        client.stop_channels()


def main() -> None:
    """Prints medians, the ratio and the target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--level", type=Level, choices=list(Level), help="instead of the strongest")
    options = parser.parse_args()
    start = time.monotonic()
    current_zygote()
    warm_up = time.monotonic() - start
    level = options.level or reached_level()
    pairs = []
    for number in range(-1, options.runs):
        pair = (asyncio.run(time_ours(level)), asyncio.run(time_theirs()))
        # The first pair fills caches.
        pairs += [pair] if number >= 0 else []
    waited = [asyncio.run(time_ours_by_nbclient(level)) for _ in range(options.runs)]
    ours, theirs = ([1000 * seconds for seconds in column] for column in zip(*pairs, strict=True))
    found = ratio(ours, theirs)
    print(f"kernel to ready, isolation {level.value}, medians of {options.runs} pairs")
    print(f"  zygote warm-up, once a worker    {1000 * warm_up:8.0f} ms")
    print(f"  forked and isolated              {statistics.median(ours):8.0f} ms")
    print(f"  ordinary ipykernel               {statistics.median(theirs):8.0f} ms")
    print(f"  ratio                            {found:8.2f}    (at most {TARGET})")
    print(f"  forked, as nbclient waits for it {1000 * statistics.median(waited):8.0f} ms")
    sys.exit(0 if found <= TARGET else 1)


if __name__ == "__main__":
    main()
