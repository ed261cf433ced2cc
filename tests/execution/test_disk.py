"""Counting what a submission wrote, also where it hides it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.execution.inside import disk

MEGABYTE = bytes(1 << 20)


def test_counts_bytes_and_files(tmp_path: Path) -> None:
    """Files and folders at any depth count, links do not lead anywhere."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_bytes(MEGABYTE)
    (tmp_path / "a" / "up").symlink_to("/usr")
    found = disk.used(str(tmp_path))
    assert found is not None
    assert found[1] == 4
    assert 1 << 20 <= found[0] < 2 << 20


def test_deleted_files_count_while_they_are_open(tmp_path: Path) -> None:
    """A file without a name is found through the process that holds it, once."""
    path = tmp_path / "gone"
    path.write_bytes(MEGABYTE)
    with path.open("rb"), path.open("rb"):
        path.unlink()
        assert disk.used(str(tmp_path)) == (0, 0)
        found = disk.used(str(tmp_path), [os.getpid()])
        assert found is not None
        assert 1 << 20 <= found[0] < 2 << 20
    assert disk.used(str(tmp_path), [os.getpid()]) == (0, 0)


def test_what_lies_too_deep_cannot_be_counted(tmp_path: Path) -> None:
    """A chain of folders beyond the length of a path is no place to hide."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=descriptor)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    assert disk.used(str(tmp_path)) is None


@pytest.mark.skipif(os.getuid() == 0, reason="root reads every folder")
def test_what_is_unreadable_cannot_be_counted(tmp_path: Path) -> None:
    """A folder without rights is no place to hide either."""
    (tmp_path / "locked").mkdir(mode=0)
    assert disk.used(str(tmp_path)) is None
    (tmp_path / "locked").chmod(0o700)


def test_a_breach_is_told_once_for_what_it_is(tmp_path: Path) -> None:
    """What was written may stay, and as much again is a breach again."""
    meter = disk.Meter(str(tmp_path), 3 << 20, 5)
    breaches = []
    for number in range(8):
        (tmp_path / str(number)).write_bytes(MEGABYTE)
        breaches.append(meter.breached([]))
    assert breaches == [False] * 3 + [True] + [False] * 3 + [True]


def test_many_small_files_are_a_breach(tmp_path: Path) -> None:
    """The number of files is bounded as their size is."""
    meter = disk.Meter(str(tmp_path), 1 << 30, 5)
    for number in range(6):
        assert not meter.breached([])
        (tmp_path / str(number)).touch()
    assert meter.breached([])
