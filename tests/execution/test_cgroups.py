"""Control groups: made where that is possible, exact, and gone in the end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.execution import cgroups
from grader.execution.cgroups import MARGIN_BYTES, MemoryGroup, memory_group
from grader.execution.isolation import Level
from grader.execution.limits import Limits
from grader.records import CellStatus

SMALL = 64 << 20
FILL = """
import sys
open(sys.argv[1], "w").write("0")
size = int(sys.argv[2])
block = bytearray(size)
block[::4096] = bytes(b"x" * len(block[::4096]))
print("alive")
"""
# Memory that belongs to no process: what waits in the buffers of pairs of sockets.
HOARD = """
import socket
pairs, block = [], b"x" * (1 << 16)
for _ in range(100):
    pair = socket.socketpair()
    for end in pair:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
        end.setblocking(False)
        try:
            while True:
                end.send(block)
        except BlockingIOError:
            pass
    pairs.append(pair)
"""


@pytest.fixture
def group() -> Iterator[MemoryGroup]:
    """A group of little memory."""
    made = memory_group(SMALL)
    if made is None:
        pytest.skip("no control group can be made here")
    yield made
    made.close()


def fill(group: MemoryGroup, size: int) -> subprocess.CompletedProcess[str]:
    """A process of the group that writes to so much memory."""
    command = [sys.executable, "-c", FILL, str(group.members), str(size)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_within(group: MemoryGroup) -> None:
    """A process that stays below the limit is left alone."""
    assert fill(group, SMALL // 2).stdout == "alive\n"
    assert not group.has_killed()


def test_beyond(group: MemoryGroup) -> None:
    """A process that goes beyond it is ended, and the group says so."""
    run = fill(group, SMALL + 2 * MARGIN_BYTES)
    assert (run.stdout, run.returncode) == ("", -9)
    assert group.has_killed()


def test_gone(group: MemoryGroup) -> None:
    """Closed, nothing of a group is left; closing it again is no error."""
    group.close()
    group.close()
    assert not group.folder.exists()


def test_leftovers(group: MemoryGroup) -> None:
    """What a grader that was killed has left goes; groups of those that run stay."""
    parent = group.folder.parent
    left, used = parent / "nn-4194305-1", parent / "nn-1-1"
    left.mkdir()
    used.mkdir()
    again = memory_group(SMALL)
    assert again is not None
    again.close()
    assert [folder.exists() for folder in (left, used, group.folder)] == [False, True, True]
    used.rmdir()


def test_none_where_none_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where folders cannot be made or have no limits, there is no group, and no trace of it."""
    monkeypatch.setattr(cgroups, "_parents", lambda: iter([(tmp_path / "nowhere", 2)]))
    assert memory_group(SMALL) is None
    (tmp_path / "plain").mkdir()
    monkeypatch.setattr(cgroups, "_limit", refuse)
    monkeypatch.setattr(cgroups, "_parents", lambda: iter([(tmp_path / "plain", 2)]))
    assert memory_group(SMALL) is None
    assert list((tmp_path / "plain").iterdir()) == []


def refuse(group: MemoryGroup, limit_bytes: int) -> None:
    """A folder that is no control group."""
    raise PermissionError


def test_which_folders_hand_memory_down(tmp_path: Path) -> None:
    """Of version 2, a folder whose groups have limits is taken, one that holds processes is not."""
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory\n")
    assert cgroups._hands_memory_down(tmp_path)
    (tmp_path / "cgroup.subtree_control").write_text("cpu\n")
    (tmp_path / "cgroup.type").write_text("domain\n")
    assert not cgroups._hands_memory_down(tmp_path)
    (tmp_path / "cgroup.type").unlink()
    assert cgroups._hands_memory_down(tmp_path)
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory"
    assert not cgroups._hands_memory_down(tmp_path / "nowhere")


def test_a_submission_is_in_a_group(
    run_cells: Callable[..., Any], group: MemoryGroup, sandbox: Level
) -> None:
    """What no process counts is bounded too, told as what it was, and the group goes."""
    limits = Limits(cell=20, check=5, notebook=60, memory=SMALL + (120 << 20), restarts=1)
    ran = run_cells("a = 1", HOARD, "a = 2", limits=limits, level=sandbox)
    parent = group.folder.parent
    assert ran.run(1).status is CellStatus.ERROR
    assert "more memory than it may" in ran.run(1).error
    assert ran.value(3, "a") == 2
    ran.close()
    assert set(parent.glob(f"nn-{os.getpid()}-*")) == {group.folder}
