"""Files and folders that are found by their names; what is there is never touched."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.execution.inside import elsewhere
from grader.execution.room import Room

NAMES = ["data/a/x.csv", "data/b/x.csv", "hw/ann.ipynb", "hw/sub/X.mat", "y.csv"]


class Shell:
    """Keeps what is displayed."""

    def __init__(self) -> None:
        self.display_pub = self
        self.shown: list[dict[str, Any]] = []

    def publish(self, data: dict[str, Any]) -> None:
        """As IPython's display publisher does."""
        self.shown += data.values()


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/home/jane/Downloads/y.csv", ["y.csv"]),
        ("C:\\Users\\Jane\\b\\x.csv", ["data/b/x.csv", "data/a/x.csv"]),
        ("C:\\Users\\Jane\\x.csv", ["data/a/x.csv", "data/b/x.csv"]),
        ("../input/x.mat", ["hw/sub/X.mat"]),
        ("https://example.org/r/y.csv", ["y.csv"]),
        ("y.cs", []),
        ("", []),
        ("/", []),
        ("..", []),
    ],
)
def test_nearest(path: str, found: list[str]) -> None:
    """The more folders agree the better, then the nearer; a part of a name is none."""
    assert elsewhere.nearest(path, NAMES, "hw") == found


def test_the_nearer_one() -> None:
    """Of two that agree as little, the one nearer to the notebook's folder is taken."""
    names = ["x.csv", "far/off/x.csv", "hw/x.csv"]
    assert elsewhere.nearest("/a/x.csv", names, "hw")[0] == "hw/x.csv"
    assert elsewhere.nearest("/a/x.csv", names, ".")[0] == "x.csv"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/home/jane.doe/hw/data/x.csv", "…/data/x.csv"),
        ("C:\\Users\\jane\\data\\x.csv", "…/data/x.csv"),
        ("data/x.csv", "data/x.csv"),
        ("x.csv", "x.csv"),
        ("../x.csv", "…/x.csv"),
    ],
)
def test_what_a_report_shows_of_a_path(path: str, text: str) -> None:
    """Its end: what stands before it may be a person's name."""
    assert elsewhere.shown(path) == text


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[elsewhere.Files, Shell]:
    """The files above, in a notebook's process that runs in `hw`."""
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.chdir(tmp_path / "hw")
    shell = Shell()
    given = (str(tmp_path), [*NAMES, "gone/z.csv"], str(Path.cwd()), elsewhere.Speaker(shell))
    return elsewhere.Files(*given), shell


def test_reading_what_is_not_there(files: tuple[elsewhere.Files, Shell]) -> None:
    """It is the file of that name, and this is said once."""
    found, shell = files
    read = elsewhere._reading(open, found)
    for _ in range(2):
        with read("/home/jane/y.csv") as file:
            assert file.read() == "y.csv"
    with read(Path("..") / "b" / "x.csv", encoding="utf-8") as file:
        assert file.read() == "data/b/x.csv"
    assert shell.shown == [
        {"kind": "files", "asked": "…/jane/y.csv", "taken": "y.csv", "of": 1},
        {"kind": "files", "asked": "…/b/x.csv", "taken": "data/b/x.csv", "of": 2},
    ]


def test_what_is_there_is_read(files: tuple[elsewhere.Files, Shell]) -> None:
    """A path that exists, one to be written, a descriptor: all as if nothing had been done."""
    found, shell = files
    Path("y.csv").write_text("my own")
    read = elsewhere._reading(open, found)
    with read("y.csv") as file:
        assert file.read() == "my own"
    with read("x.csv", "w") as file:
        file.write("new")
    assert Path("x.csv").read_text() == "new"
    for path, mode in [("/no/x.csv", "w"), ("/no/x.csv", "a"), ("/no/x.csv", "r+")]:
        with pytest.raises(FileNotFoundError, match="/no/x"):
            read(path, mode)
    with read(os.open("y.csv", os.O_RDONLY)) as file:
        assert file.read() == "my own"
    for odd, error in [(None, TypeError), (b"/no/y.csv", FileNotFoundError)]:
        with pytest.raises(error):
            read(odd)
    assert shell.shown == []


def test_what_is_nowhere(files: tuple[elsewhere.Files, Shell]) -> None:
    """The error is that of the path which was asked for, also where a file has been removed."""
    read = elsewhere._reading(open, files[0])
    for path in ("/home/jane/none.csv", "/home/jane/z.csv"):
        with pytest.raises(FileNotFoundError, match="jane"):
            read(path)


@pytest.fixture
def own_folders(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Puts `os` back in order."""
    before = Path.cwd()
    with monkeypatch.context() as patch:
        patch.setattr(os, "chdir", os.chdir)
        patch.setattr(os, "listdir", os.listdir)
        yield
    os.chdir(before)


def test_folders(own_folders: None, files: tuple[elsewhere.Files, Shell], tmp_path: Path) -> None:
    """One that is not there is found by name, or the process stays; one that is there is taken."""
    found, shell = files
    elsewhere.change_folder_by_name(found)
    listed = os.listdir
    os.chdir("/content/drive/MyDrive/none")
    assert Path.cwd() == tmp_path / "hw"
    assert listed("/kaggle/input/sub") == ["X.mat"]
    assert "ann.ipynb" in listed()
    with pytest.raises(FileNotFoundError):
        listed("/kaggle/none")
    os.chdir("/content/drive/MyDrive/data")
    assert Path.cwd() == tmp_path / "data"
    os.chdir("..")
    assert Path.cwd() == tmp_path
    assert [(entry["asked"], entry["taken"]) for entry in shell.shown] == [
        ("…/MyDrive/none", ""),
        ("…/input/sub", "hw/sub"),
        ("…/MyDrive/data", "data"),
    ]


def test_what_is_said_is_bounded() -> None:
    """A loop over a thousand missing files fills no report."""
    shell = Shell()
    speaker = elsewhere.Speaker(shell)
    for number in range(1000):
        speaker.say("files", str(number))
    assert len(shell.shown) == elsewhere.MAX_SAID


def test_the_order_lies_in_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A room writes it with the names of its files; without one, a process does nothing."""
    heard: list[dict[str, Any]] = []
    order = {"read": False, "folders": False, "names": []}
    with Room({"hw/a.csv": b"", "hw/ann.ipynb": b""}, "hw/ann.ipynb", order) as room:
        monkeypatch.setenv("HOME", str(room.home))
        elsewhere.start(Shell(), heard.append)
        written = json.loads((room.home / elsewhere.ORDER).read_text())
    assert heard == [{**order, "root": str(room.files), "files": ["hw/a.csv", "hw/ann.ipynb"]}]
    assert heard == [written]
    with Room({}, "ann.ipynb") as room:
        monkeypatch.setenv("HOME", str(room.home))
        elsewhere.start(Shell(), heard.append)
    assert len(heard) == 1
