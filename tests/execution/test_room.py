"""A submission's folder, and the environment that its code sees."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.execution.isolation import Level
from grader.execution.room import Room

LOOKS_AROUND = """
import os
environment = dict(os.environ)
at_start = open("/proc/self/environ").read()
beside = sorted(os.listdir("."))
data = open("data.csv").read()
up = open("../notes.txt").read()
home = os.path.expanduser("~")
open("written.txt", "w").write("mine")
"""


@pytest.fixture(scope="module")
def ran(run_cells: Callable[..., Any]) -> Any:
    """A notebook that looks around, while the grader holds a secret."""
    files = {"week1/data.csv": b"1,2", "notes.txt": b"note", "week1/hand-in.ipynb": b"{}"}
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("CANVAS_TOKEN", "secret-of-the-grader")
        ran = run_cells(LOOKS_AROUND, files=files, name="week1/hand-in.ipynb")
    assert ran.run(0).error == ""
    return ran


@pytest.mark.parametrize("name", ["environment", "at_start"])
def test_the_graders_environment_stays_outside(ran: Any, name: str) -> None:
    """No variable of the grader's is seen by a cell, nor in its process's first environment."""
    environment = str(ran.value(1, name))
    assert "CANVAS_TOKEN" not in environment
    assert "secret-of-the-grader" not in environment
    assert "PYTEST" not in environment
    assert os.environ["HOME"] not in ran.value(1, "environment").values()


def test_the_environment_is_the_rooms(ran: Any) -> None:
    """A kernel sees what the room says, and otherwise only what its launch adds."""
    environment = ran.value(1, "environment")
    promised = ran.room.environment()
    assert {name: environment[name] for name in promised if name != "MPLBACKEND"} == {
        name: value for name, value in promised.items() if name != "MPLBACKEND"
    }
    assert environment["PYTHONHASHSEED"] == "0"
    assert environment["OMP_NUM_THREADS"] == "1"


def test_files_are_placed_around_the_notebook(ran: Any) -> None:
    """The kernel runs in the notebook's folder, with the other files where they were."""
    assert ran.value(1, "beside") == ["data.csv", "hand-in.ipynb"]
    assert ran.value(1, "data") == "1,2"
    assert ran.value(1, "up") == "note"


def test_home_is_the_rooms(ran: Any) -> None:
    """The student's home is the room's."""
    assert Path(ran.value(1, "home")) == ran.room.home


def test_what_is_written(run_cells: Callable[..., Any], level: Level) -> None:
    """Files are written to the room itself, or to a copy in memory where there is one."""
    ran = run_cells("open('written.txt', 'w').write('mine')", boundaries=[], level=level)
    assert ran.run(0).error == ""
    in_memory = level.suffices(Level.NAMESPACES)
    assert (ran.room.work / "written.txt").exists() is not in_memory


def test_closed_rooms_are_gone() -> None:
    """Leaving a room removes its folder, whatever was made in it."""
    with Room({"a.ipynb": b"{}", "deep/er/b.txt": b"b"}, "a.ipynb") as room:
        assert (room.work / "deep" / "er" / "b.txt").read_bytes() == b"b"
        (room.work / "link").symlink_to("/")
        (room.home / "tmp" / "made").mkdir()
    assert not room.path.exists()
    room.close()


def test_rooms_are_private() -> None:
    """Two rooms share nothing, and other users cannot look into one."""
    with Room({"a.ipynb": b"1"}, "a.ipynb") as one, Room({}, "a.ipynb") as two:
        assert one.path != two.path
        assert not (two.work / "a.ipynb").exists()
        assert one.path.stat().st_mode & 0o077 == 0


def test_room_paths_leave_space_for_sockets() -> None:
    """The sockets in a room have paths of at most 107 characters."""
    with Room({}, "a.ipynb") as room:
        assert len(str(room.new_sockets() / "kernel.json-ipc-5")) <= 107


def test_each_kernel_has_sockets_of_its_own() -> None:
    """No kernel's sockets lie where code of an earlier one may have left something."""
    with Room({}, "a.ipynb") as room:
        folders = [room.new_sockets() for _ in range(2)]
        assert folders[0] != folders[1]
        assert [list(folder.iterdir()) for folder in folders] == [[], []]
        assert all(folder.stat().st_mode & 0o077 == 0 for folder in folders)
