"""Waiting for a file to be saved."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.selfcheck.watching import SETTLED_SECONDS, next_change, signature


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is being worked on."""
    (tmp_path / "a.ipynb").write_text("0")
    return tmp_path / "a.ipynb"


def played(*events: Callable[[], object]) -> tuple[Callable[[float], None], list[float]]:
    """A clock that lets one thing happen in each pause, and the pauses."""
    waiting, pauses = list(events), []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        assert waiting, "it waits for ever"
        waiting.pop(0)()

    return sleep, pauses


def nothing() -> None:
    """Nothing happens."""


def test_a_save_ends_the_waiting(path: Path) -> None:
    """It waits as long as nothing happens, and then until the file has come to rest."""
    before = signature([path])
    sleep, pauses = played(nothing, lambda: path.write_text("11"), nothing)
    assert next_change(lambda: [path], before, sleep) == signature([path]) != before
    assert pauses[-1] == SETTLED_SECONDS


def test_several_writes_are_one_save(path: Path) -> None:
    """A file that is still being written is not read yet."""
    before = signature([path])
    sleep, pauses = played(
        lambda: path.write_text("1"),
        lambda: path.write_text("1" * 10),
        lambda: path.write_text("1" * 100),
        nothing,
    )
    path.write_text("half")
    next_change(lambda: [path], before, sleep)
    assert pauses.count(SETTLED_SECONDS) == 4


def test_a_file_that_is_replaced(path: Path) -> None:
    """That the file is gone for a moment is no save; that another took its place is one."""
    before = signature([path])
    aside = path.with_suffix(".tmp")
    aside.write_text("new")
    sleep, pauses = played(path.unlink, nothing, lambda: aside.rename(path), nothing)
    next_change(lambda: [path], before, sleep)
    assert len(pauses) == 4


def test_a_save_without_a_change_of_size(path: Path) -> None:
    """The time of the last write counts, too."""
    before = signature([path])
    os.utime(path, ns=(1, 1))
    sleep, _ = played(nothing)
    next_change(lambda: [path], before, sleep)
