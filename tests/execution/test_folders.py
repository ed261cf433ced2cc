"""Temporary folders: removed by whoever made them, or else by the next grader."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from grader.execution import folders
from grader.execution.folders import TemporaryFolder, remove_leftovers

KILLED = """
import os, signal, sys, tempfile
tempfile.tempdir = sys.argv[1]
from grader.execution.folders import TemporaryFolder
folder = TemporaryFolder("room-")
(folder.path / "work").mkdir()
print(folder.path, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that no other process uses."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_closing_removes(temporary: Path) -> None:
    """A folder goes when it is closed, and closing it twice is no error."""
    folder = TemporaryFolder("room-")
    assert folder.path.name.startswith("nn-room-")
    (folder.path / "deep" / "er").mkdir(parents=True)
    folder.close()
    folder.close()
    assert list(temporary.iterdir()) == []


def test_the_lock_goes_last(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is killed while a folder is being removed leaves its lock, by which the next finds it."""
    folder = TemporaryFolder("room-")
    (folder.path / "work").mkdir()
    remove = folders._remove

    def killed(path: Path) -> None:
        assert path == folder.path / "work"
        assert (folder.path / folders.LOCK).exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(folders, "_remove", killed)
    with pytest.raises(KeyboardInterrupt):
        folder.close()
    monkeypatch.setattr(folders, "_remove", remove)
    folder._lock.close()
    remove_leftovers()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_grader_left_is_removed(temporary: Path) -> None:
    """The folder of a process that was killed goes at the next start."""
    command = [sys.executable, "-c", KILLED, str(temporary)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == -signal.SIGKILL
    left = Path(run.stdout.strip())
    assert (left / "work").is_dir()
    remove_leftovers()
    assert not left.exists()


def test_what_is_in_use_stays(temporary: Path) -> None:
    """Folders of graders that run, and folders of others, are left alone."""
    used = TemporaryFolder()
    (temporary / "nn-foreign").mkdir()
    (temporary / "other").mkdir()
    (temporary / "other" / "lock").touch()
    remove_leftovers()
    assert {path.name for path in temporary.iterdir()} == {used.path.name, "nn-foreign", "other"}
    used.close()


def test_no_link_is_followed(temporary: Path) -> None:
    """A link planted in the place of a lock or a folder removes nothing."""
    kept = temporary / "kept"
    kept.mkdir()
    (kept / "lock").touch()
    (temporary / "nn-planted").mkdir()
    (temporary / "nn-planted" / "lock").symlink_to(kept / "lock")
    (temporary / "nn-link").symlink_to(kept)
    remove_leftovers()
    assert (kept / "lock").exists()
    assert (temporary / "nn-planted").exists()
    assert (temporary / "nn-link").is_symlink()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make another user's folder")
def test_folders_of_other_users_stay(temporary: Path) -> None:
    """What belongs to another user is not ours to remove."""
    folder = temporary / "nn-theirs"
    folder.mkdir()
    (folder / "lock").touch()
    os.chown(folder, 12345, 12345)
    remove_leftovers()
    assert folder.exists()


def test_removed_by_force(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python gives up on a tree, it is removed all the same."""

    def give_up(path: Path) -> None:
        raise RecursionError

    monkeypatch.setattr(folders.shutil, "rmtree", give_up)
    folder = TemporaryFolder()
    folder.close()
    assert not folder.path.exists()


def test_a_fork_removes_nothing(temporary: Path) -> None:
    """A process that was forked from the folder's maker leaves it to the maker."""
    folder = TemporaryFolder()
    pid = os.fork()
    if pid == 0:
        folder.close()
        os._exit(0)
    os.waitpid(pid, 0)
    assert folder.path.is_dir()
    folder.close()


def test_where_nothing_can_be_locked(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without locks, as on Windows, no other grader takes the folder for a leftover."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    folder = TemporaryFolder()
    monkeypatch.undo()
    try:
        remove_leftovers()
        assert folder.path.is_dir()
    finally:
        folder.close()
    assert not folder.path.exists()
