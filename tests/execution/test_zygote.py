"""The process that sandboxes are forked from: what it holds, how it ends and is replaced."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from grader.errors import ExecutionFault
from grader.execution import zygote as module
from grader.execution.isolation import Level
from grader.execution.limits import Limits
from grader.execution.room import Room
from grader.execution.runner import run_notebook
from grader.execution.zygote import Zygote, current_zygote, end_zygote
from grader.records import CellStatus

LIMITS = Limits(cell=10, notebook=60, check=5)
FORKS = """
import os
from grader.execution.zygote import current_zygote
parent = current_zygote()
pid = os.fork()
if pid == 0:
    # An error would otherwise fall through into the parent's code.
    status = 1
    try:
        assert not parent.alive()
        own = current_zygote()
        assert own is not parent and own.alive()
        assert own._process.pid != parent._process.pid
        own.close()
        status = 0
    finally:
        os._exit(status)
assert os.waitpid(pid, 0)[1] == 0
assert current_zygote() is parent and parent._process.poll() is None
"""


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """A zygote of its own."""
    zygote = Zygote()
    yield zygote
    zygote.close()


def folder(zygote: Zygote) -> Path:
    """What the kernel says of its process."""
    return Path(f"/proc/{zygote._process.pid}")


def test_environment_is_empty(zygote: Zygote) -> None:
    """Nothing of the grader's environment is in it, but the fixed hash seed."""
    assert (folder(zygote) / "environ").read_bytes() == b"PYTHONHASHSEED=0\0"


def test_one_thread(zygote: Zygote) -> None:
    """A fork copies one thread alone, so there is no other that might hold a lock."""
    assert len(list((folder(zygote) / "task").iterdir())) == 1


def test_one_descriptor(zygote: Zygote) -> None:
    """Of the grader's files it holds none: its input and output lead nowhere."""
    held = {path.name: str(path.readlink()) for path in (folder(zygote) / "fd").iterdir()}
    assert {held.pop(number) for number in "012"} == {"/dev/null"}
    assert [target.split(":")[0] for target in held.values()] == ["socket"]


def test_own_session(zygote: Zygote) -> None:
    """A Ctrl-C on the grader's terminal does not reach it."""
    assert os.getsid(zygote._process.pid) == zygote._process.pid


def test_packages_of_ours_are_not_loaded(zygote: Zygote) -> None:
    """No file of the grader's own packages is mapped or named on its command line."""
    sources = str(Path(module.__file__).parents[1])
    for name in ("cmdline", "maps"):
        assert sources not in (folder(zygote) / name).read_text()


def test_starts_where_many_files_are_open() -> None:
    """A grader that holds many descriptors starts one as well."""
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(Path(os.devnull).open("rb"))
        zygote = Zygote()
        assert zygote.alive()
        zygote.close()


def test_closing_leaves_nothing() -> None:
    """Its process and its folder are gone, and it can be closed again."""
    zygote = Zygote()
    process, files = psutil.Process(zygote._process.pid), zygote._folder.path
    assert files.is_dir()
    for _ in range(2):
        zygote.close()
        assert not process.is_running()
        assert not files.exists()
        assert not zygote.alive()


def test_ends_with_the_grader(tmp_path: Path) -> None:
    """Where the grader is killed, its zygote ends by itself."""
    source = "from grader.execution.zygote import Zygote; print(Zygote()._process.pid, flush=True)"
    command = [sys.executable, "-c", f"{source}; import time; time.sleep(60)"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as grader:
        assert grader.stdout is not None
        process = psutil.Process(int(grader.stdout.readline()))
        grader.kill()
    process.wait(timeout=5)


def test_killed_is_replaced() -> None:
    """A zygote that has died is started again at the next need, and a living one is kept."""
    first = current_zygote()
    assert current_zygote() is first
    os.kill(first._process.pid, signal.SIGKILL)
    first._process.wait()
    second = current_zygote()
    assert second is not first
    assert second.alive()


def test_asking_a_dead_one_is_our_fault() -> None:
    """A zygote that dies as it is asked gives an ExecutionFault, and leaves no descriptor."""
    zygote = Zygote()
    os.kill(zygote._process.pid, signal.SIGKILL)
    zygote._process.wait()
    ours, theirs = socket.socketpair()
    before = len(list(Path("/proc/self/fd").iterdir()))
    with ours, theirs, pytest.raises(ExecutionFault, match="the zygote failed"):
        zygote.spawn({}, theirs)
    # The two ends here, the zygote's own, and the lock of its folder.
    assert len(list(Path("/proc/self/fd").iterdir())) == before - 4


def test_one_that_does_not_start_is_our_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zygote that ends at once gives an ExecutionFault, and its folder is removed."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "zygote.py").write_text("raise SystemExit(1)")
    (tmp_path / "made").mkdir()
    monkeypatch.setattr(module, "INSIDE", tmp_path / "inside")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "made"))
    with pytest.raises(ExecutionFault, match="the zygote did not answer"):
        Zygote()
    assert list((tmp_path / "made").glob("nn-zygote-*")) == []


def test_a_fork_of_the_grader_starts_its_own() -> None:
    """A worker that was forked has another zygote, and leaves its parent's alone."""
    ran = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", FORKS],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_supervisors_are_reaped(run_cells: Callable[..., Any], sandbox: Level) -> None:
    """Submissions that are over leave no zombies, whatever the system's first process does."""
    for _ in range(3):
        run_cells("a = 1", boundaries=[], level=sandbox).close()
    time.sleep(0.1)
    children = psutil.Process(current_zygote()._process.pid).children()
    assert len([c for c in children if c.status() == psutil.STATUS_ZOMBIE]) <= 1


def test_hashes_are_fixed(run_cells: Callable[..., Any]) -> None:
    """The hash of a text is the same in each kernel, and that of any Python with seed 0."""
    ran = run_cells("h = hash('some text')", boundaries=[1])
    command = [sys.executable, "-c", "print(hash('some text'))"]
    expected = subprocess.run(
        command, env={"PYTHONHASHSEED": "0"}, capture_output=True, check=True
    ).stdout
    assert ran.value(1, "h") == int(expected)


def test_unseeded_numbers_are_the_same_in_each_kernel(run_cells: Callable[..., Any]) -> None:
    """Kernels of one zygote, of another one and of none draw the same numbers."""
    draws = "import random, numpy as np\nx, y = np.random.rand(), random.random()"
    seen = set()
    for level in (None, None, Level.NONE):
        ran = run_cells(draws, boundaries=[1], level=level)
        seen.add((ran.value(1, "x"), ran.value(1, "y")))
        current_zygote().close()
    assert len(seen) == 1


def test_a_running_submission_outlives_its_zygote(sandbox: Level) -> None:
    """Where the zygote dies the run goes on, in new kernels too, and leaves nothing."""
    victims = [current_zygote()._process]
    others = psutil.Process(victims[0].pid).children(recursive=True)
    seen: list[psutil.Process] = []

    def kill(done: int, total: int) -> None:
        if victims:
            victim = victims.pop()
            found = psutil.Process(victim.pid).children(recursive=True)
            seen.extend(process for process in found if process not in others)
            victim.kill()
            victim.wait()

    sources = ["a = 1", "a += 1", "import os\nos._exit(1)", "a += 1"]
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    with Room({}, "a.ipynb") as room:
        execution = run_notebook(notebook, [2, 4], room, LIMITS, level=sandbox, progress=kill)
        statuses = [run.status for run in execution.cells]
        values = []
        for boundary in (2, 4):
            copy = execution.snapshots[boundary].copy(5)
            values.append(copy.request("lookup", {}, lambda tree: tree, name="a"))
            copy.close()
        execution.close()
    assert statuses == [CellStatus.OK, CellStatus.OK, CellStatus.ERROR, CellStatus.OK]
    assert values == [2, 3]
    assert len(seen) >= 2
    assert psutil.wait_procs(seen, timeout=5)[1] == []


def test_a_zygote_of_no_more_use_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """`end_zygote` ends this process's zygote, and the next use starts another."""
    monkeypatch.setattr(module, "_current", None)
    first = current_zygote()
    end_zygote()
    assert not first.alive()
    end_zygote()
    second = current_zygote()
    assert second.alive()
    end_zygote()
