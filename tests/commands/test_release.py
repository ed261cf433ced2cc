"""`grader release`: the student's bundle, or one sentence and exit code 2."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

TINY = Path(__file__).parents[1] / "tiny"
Call = Callable[..., int]


@pytest.fixture
def call(call_command: Call) -> Call:
    """Runs `grader release ARGUMENTS` in this process and returns the exit code."""
    return partial(call_command, "release")


def test_release(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files are named, and it is said how many checks are in and how many are not."""
    assert call(TINY, "-o", tmp_path / "out") == 0
    out = capsys.readouterr().out
    assert f"wrote {tmp_path}/out/tiny.ipynb\n" in out
    assert out.endswith("4 visible checks are in it, 1 hidden ones are not\n")


def test_withheld_checks_are_named(
    call: Call, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A visible check that is not released is named with its reason."""
    path = tiny_folder / "checks" / "test_tiny.py"
    path.write_text(path.read_text().replace('"1a", points=1', '"1a", points=1, released=False'))
    assert call(tiny_folder, "-o", tmp_path / "out") == 0
    assert "  1a test_square: its author keeps it\n" in capsys.readouterr().out


def test_used_folder(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with something in it is the user's error."""
    (tmp_path / "old").write_text("")
    assert call(TINY, "-o", tmp_path) == 2
    assert "is not empty" in capsys.readouterr().err
