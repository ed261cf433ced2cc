"""What process 1 of a submission promises: limits that hold, and an end that is one."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.execution.isolation import Level
from grader.execution.limits import Limits
from grader.records import CellStatus

LIMITS = Limits(cell=15, notebook=60, check=5, interrupt=1)
FILLS_MEMORY = """
import time
import numpy as np
blocks = []
while len(blocks) < 20:
    blocks.append(np.ones(5_000_000))
    time.sleep(0.05)
"""
FORKS = """
import os, time
children, refused = [], ""
for _ in range(150):
    try:
        child = os.fork()
    except OSError as error:
        refused = type(error).__name__
        break
    if child == 0:
        # Each child tries a few more; the time bounds what a broken limit would let through.
        try:
            for _ in range(3):
                if os.fork() == 0:
                    break
            time.sleep(30)
        finally:
            os._exit(0)
    children.append(child)
print(refused)
"""
LEAVES_A_DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.chdir("/")
        os.closerange(0, 256)
        time.sleep(60)
    os._exit(0)
"""
WRITES = """
import os
written = 0
error = ""
try:
    for number in range(COUNT):
        with open(f"{number}.bin", "wb") as file:
            file.write(bytes(SIZE))
        written += 1
        PAUSE
except OSError as problem:
    error = problem.strerror
"""
RUNS_A_SUBMISSION = """
import sys
import psutil
from nbformat.v4 import new_code_cell, new_notebook
from grader.execution.isolation import Level
from grader.execution.limits import Limits
from grader.execution.room import Room
from grader.execution.runner import run_notebook
from grader.execution.zygote import current_zygote

def tell(done, total):
    pids = [p.pid for p in psutil.Process(current_zygote()._process.pid).children(recursive=True)]
    print(*pids, flush=True)

cells = [new_code_cell(source) for source in sys.argv[2:]]
limits = Limits(cell=30, notebook=60, check=5)
with Room({}, "a.ipynb") as room:
    run_notebook(
        new_notebook(cells=cells), [1], room, limits, level=Level(sys.argv[1]), progress=tell
    )
"""


def writes(count: int, size: int, pause: str = "pass") -> str:
    """A cell that writes so many files of this size."""
    return WRITES.replace("COUNT", str(count)).replace("SIZE", str(size)).replace("PAUSE", pause)


def provisioner(ran: Any) -> Any:
    """The first kernel's provisioner."""
    return ran.execution.kernels[0]._manager.provisioner


# --- events ------------------------------------------------------------------


def test_killing_ends_the_kernel_alone(run_cells: Callable[..., Any], sandbox: Level) -> None:
    """A killed kernel is told as such, and its snapshots answer on."""
    ran = run_cells("a = 1", boundaries=[1], level=sandbox)
    asyncio.run(provisioner(ran).kill())
    assert asyncio.run(provisioner(ran).wait()) == -signal.SIGKILL
    assert asyncio.run(provisioner(ran).poll()) == -signal.SIGKILL
    assert ran.value(1, "a") == 1
    ran.close()
    assert ran.processes_left() == []


def test_interrupting_stops_a_cell_alone(run_cells: Callable[..., Any], sandbox: Level) -> None:
    """An interrupt reaches the cell that runs; the kernel and its snapshots live on."""
    limits = replace(LIMITS, cell=1)
    ran = run_cells("a = 1", "while True: pass", "a += 1", limits=limits, level=sandbox)
    assert [run.status for run in ran.execution.cells] == [
        *(CellStatus.OK, CellStatus.TIMEOUT, CellStatus.OK)
    ]
    assert len(ran.execution.kernels) == 1
    assert (ran.value(1, "a"), ran.value(3, "a")) == (1, 2)


@pytest.mark.parametrize(
    ("source", "status"),
    [("import os\nos._exit(3)", 3), ("import os\nos.kill(os.getpid(), 11)", -signal.SIGSEGV)],
    ids=["exit", "crash"],
)
def test_exit_statuses(
    run_cells: Callable[..., Any], sandbox: Level, source: str, status: int
) -> None:
    """The status with which a kernel ended comes out, signals as negative numbers."""
    ran = run_cells(source, boundaries=[], level=sandbox)
    assert asyncio.run(provisioner(ran).poll()) == status


# --- limits ------------------------------------------------------------------


def test_memory(run_cells: Callable[..., Any], sandbox: Level) -> None:
    """Too much memory ends its kernel and says so; what was kept answers, and the rest runs."""
    limits = replace(LIMITS, memory=500 << 20)
    cells = ("a = 1", FILLS_MEMORY, "a += 1")
    ran = run_cells(*cells, limits=limits, level=sandbox)
    assert [run.status for run in ran.execution.cells] == [
        *(CellStatus.OK, CellStatus.ERROR, CellStatus.OK)
    ]
    expected = "ended the kernel (the submission used more memory than it may)"
    assert ran.run(1).error == expected
    assert (ran.value(1, "a"), ran.value(3, "a")) == (1, 2)
    assert len(ran.execution.kernels) == 2


def test_memory_of_a_copy(run_cells: Callable[..., Any], sandbox: Level) -> None:
    """A check's copy that takes too much memory is ended, and the next copy answers."""
    limits = replace(LIMITS, memory=500 << 20)
    ran = run_cells("a = 1", boundaries=[1], limits=limits, level=sandbox)
    copy = ran.execution.snapshots[1].copy(15)
    with pytest.raises(Exception, match="ended its process"):
        copy.request("execute", {}, lambda tree: tree, source=FILLS_MEMORY)
    copy.close()
    assert ran.value(1, "a") == 1


def test_address_space(run_cells: Callable[..., Any], sandbox: Level) -> None:
    """An array beyond the address space raises MemoryError, and the kernel goes on."""
    limits = replace(LIMITS, address_space=2 << 30)
    cells = ("import numpy as np\nx = np.ones(400_000_000)", "a = 1")
    ran = run_cells(*cells, boundaries=[2], limits=limits, level=sandbox)
    assert "MemoryError" in ran.run(0).error
    assert ran.value(2, "a") == 1
    assert len(ran.execution.kernels) == 1


def test_processes(run_cells: Callable[..., Any], sandbox: Level) -> None:
    """A fork bomb is refused more processes, earlier snapshots are kept, and none survives."""
    limits = replace(LIMITS, processes=40)
    ran = run_cells("a = 1", FORKS, boundaries=[1], limits=limits, level=sandbox)
    alive = len(ran.processes())
    assert ran.execution.output_of([1]) == "BlockingIOError\n"
    # Our own snapshots and copies are allowed for.
    assert 10 < alive < 40 + 30
    assert 1 in ran.execution.snapshots
    ran.close()
    assert ran.processes_left() == []


def test_a_full_disk(run_cells: Callable[..., Any], sandbox: Level) -> None:
    """Writing too much fails as on a full disk; where no disk is its own, it is noticed."""
    limits = replace(LIMITS, temporary=20 << 20)
    source = writes(100, 1 << 20, "__import__('time').sleep(0.03)")
    ran = run_cells("a = 1", source, "a += 1", limits=limits, level=sandbox)
    if sandbox is Level.LANDLOCK:
        expected = "ended the kernel (the submission used more disk than it may)"
        assert ran.run(1).error == expected
    else:
        assert ran.value(2, "error") == "No space left on device"
        assert ran.value(2, "written") < 21
    assert (ran.value(1, "a"), ran.value(3, "a")) == (1, 2)


def test_many_small_files(run_cells: Callable[..., Any], sandbox: Level) -> None:
    """The number of files is bounded as well."""
    limits = replace(LIMITS, temporary_files=200)
    source = writes(400, 1, "__import__('time').sleep(0.01)")
    ran = run_cells(source, boundaries=[1], limits=limits, level=sandbox)
    if sandbox is Level.LANDLOCK:
        assert "more disk" in ran.run(0).error
    else:
        assert ran.value(1, "error") == "No space left on device"
        assert ran.value(1, "written") < 201


def test_one_large_file(run_cells: Callable[..., Any], sandbox: Level) -> None:
    """A file may only have so many bytes, and the kernel survives the attempt."""
    limits = replace(LIMITS, file=1 << 20)
    ran = run_cells(writes(1, 3 << 20), boundaries=[1], limits=limits, level=sandbox)
    assert ran.value(1, "error") == "File too large"
    assert len(ran.execution.kernels) == 1


def test_descriptors(run_cells: Callable[..., Any], sandbox: Level) -> None:
    """Only so many files may be open at once."""
    source = "held = []\ntry:\n    while len(held) < 500:\n        held.append(open('/dev/null'))\n"
    source += "except OSError as problem:\n    error = problem.strerror\ncount = len(held)\n"
    source += "[file.close() for file in held]"
    limits = replace(LIMITS, descriptors=128)
    ran = run_cells(source, boundaries=[1], limits=limits, level=sandbox)
    assert ran.value(1, "error") == "Too many open files"
    assert ran.value(1, "count") < 128


# --- the end -----------------------------------------------------------------


def test_daemons_end_with_the_submission(run_cells: Callable[..., Any], sandbox: Level) -> None:
    """A process that left its parent, session and folder behind ends all the same."""
    ran = run_cells(LEAVES_A_DAEMON, boundaries=[1], level=sandbox)
    # The supervisor, the kernel, a snapshot, the daemon.
    assert len(ran.processes()) >= 4
    ran.close()
    assert ran.processes_left() == []


def test_ending_is_quick(run_cells: Callable[..., Any], sandbox: Level) -> None:
    """Ending a submission takes no time that a batch would notice."""
    ran = run_cells(LEAVES_A_DAEMON, boundaries=[0, 1], level=sandbox)
    start = time.monotonic()
    ran.execution.close()
    assert time.monotonic() - start < 2


def test_nothing_outlives_a_killed_grader(sandbox: Level) -> None:
    """Where the grader itself is killed, every process of the submission ends."""
    home = tempfile.mkdtemp(prefix="nn-")
    command = [sys.executable, "-c", RUNS_A_SUBMISSION, sandbox, LEAVES_A_DAEMON]
    command.append("import time; time.sleep(30)")
    environment = {**os.environ, "TMPDIR": home}
    try:
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as grader:
            assert grader.stdout is not None
            processes = [psutil.Process(int(pid)) for pid in grader.stdout.readline().split()]
            grader.kill()
        # The supervisor, the kernel, the daemon.
        assert len(processes) >= 3
        assert psutil.wait_procs(processes, timeout=5)[1] == []
    finally:
        shutil.rmtree(home)


def test_a_kernel_in_the_making_ends_with_the_grader() -> None:
    """A supervisor that still waits for its kernel notices that nobody waits for itself."""
    from grader.execution.inside import supervisor, wire

    bound, tell = os.pipe()
    ours, theirs = supervisor.socket.socketpair()
    ours.close()
    with theirs, pytest.raises(wire.Closed):
        supervisor._await_sockets(bound, theirs, 0)
    for descriptor in (bound, tell):
        os.close(descriptor)


def test_room_is_removed_whatever_was_made_in_it(
    run_cells: Callable[..., Any], level: Level
) -> None:
    """Unreadable folders, and many inside one another, go with the room."""
    deep = "import os\nos.makedirs('locked/inner')\nos.chmod('locked', 0)\n"
    deep += "for _ in range(1500):\n    os.mkdir('d')\n    os.chdir('d')"
    ran = run_cells(deep, boundaries=[], level=level)
    assert ran.run(0).error == ""
    ran.close()
    assert not Path(ran.room.path).exists()
