"""Landlock by itself, in processes that confine themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.execution.inside import landlock

CONFINED = """
import os, socket, subprocess, sys
from grader.execution.inside import landlock, system

def error_of(attempt):
    try:
        attempt()
    except OSError as error:
        return type(error).__name__
    return ""

folder = sys.argv[1]
os.chdir(folder)
system.forbid_new_privileges()
landlock.confine(["open", "file.txt", "missing", "/usr"], ["mine"])
CHECKS
"""

pytestmark = pytest.mark.skipif(
    landlock.version() < landlock.LEAST_VERSION,
    reason=f"this kernel offers Landlock in version {landlock.version()}",
)


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """Folders to allow and to keep shut, with a file in each."""
    for name in ("open", "mine", "shut"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)
    (tmp_path / "file.txt").write_text("file")
    return tmp_path


def confined(places: Path, checks: str) -> str:
    """What a confined process prints."""
    command = [sys.executable, "-c", CONFINED.replace("CHECKS", checks), str(places)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.mark.parametrize(
    ("attempt", "error"),
    [
        ("open('open/a.txt').read()", ""),
        ("os.listdir('open')", ""),
        ("open('file.txt').read()", ""),
        ("open('mine/new.txt', 'w').close()", ""),
        ("os.makedirs('mine/deep/er')", ""),
        ("os.unlink('mine/a.txt')", ""),
        ("os.symlink('../shut', 'mine/link')", ""),
        ("open('shut/a.txt').read()", "PermissionError"),
        ("os.listdir('shut')", "PermissionError"),
        ("os.listdir('.')", "PermissionError"),
        ("open('open/a.txt', 'a').close()", "PermissionError"),
        ("open('file.txt', 'w').close()", "PermissionError"),
        ("os.truncate('open/a.txt', 0)", "PermissionError"),
        ("open('open/new.txt', 'w').close()", "PermissionError"),
        ("os.unlink('open/a.txt')", "PermissionError"),
        ("os.mkdir('shut/new')", "PermissionError"),
        ("open('mine/../shut/a.txt').read()", "PermissionError"),
    ],
)
def test_files(places: Path, attempt: str, error: str) -> None:
    """What is allowed works, for reading or for writing, and nothing else does."""
    assert confined(places, f"print(error_of(lambda: {attempt}))") == error


def test_files_do_not_leave(places: Path) -> None:
    """A file cannot be moved or linked to where other rules hold."""
    checks = (
        "print([error_of(lambda: f('mine/a.txt', 'open/b.txt')) for f in (os.rename, os.link)])"
    )
    assert "''" not in confined(places, checks)


def test_children_are_confined(places: Path) -> None:
    """A program that is started later reaches no further."""
    command = "['/bin/sh', '-c', 'cat open/a.txt shut/a.txt']"
    checks = f"print(subprocess.run({command}, stdin=0, capture_output=True).stdout)"
    assert confined(places, checks) == "b'open'"


@pytest.mark.skipif(landlock.version() < 4, reason="this kernel's Landlock knows no networks")
def test_no_ports(places: Path) -> None:
    """No port can be bound or connected to."""
    checks = "s = socket.socket()\n"
    checks += "print(error_of(lambda: s.bind(('127.0.0.1', 0))), "
    checks += "error_of(lambda: s.connect(('127.0.0.1', 1))))"
    assert confined(places, checks) == "PermissionError PermissionError"


@pytest.mark.skipif(landlock.version() < 6, reason="this kernel's Landlock knows no signals")
def test_no_signals(places: Path) -> None:
    """Other processes cannot be signalled, the parent included."""
    checks = "print(error_of(lambda: os.kill(os.getppid(), 0)))"
    assert confined(places, checks) == "PermissionError"


def test_no_memory_of_others(places: Path) -> None:
    """A process of the same user outside cannot be read."""
    checks = "print(error_of(lambda: open(f'/proc/{os.getppid()}/environ').read()))"
    assert confined(places, checks) == "PermissionError"


def test_version() -> None:
    """The kernel's own version is told; this one knows what is needed."""
    assert landlock.version() >= landlock.LEAST_VERSION
    assert os.uname().sysname == "Linux"
