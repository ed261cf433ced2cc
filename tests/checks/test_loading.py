"""Modules beside an assignment's checks, loaded by their path."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from grader.checks import load_module


def test_loaded_once(tmp_path: Path) -> None:
    """The same file is the same module, however its path is written."""
    (tmp_path / "data.py").write_text("values = []")
    first = load_module(tmp_path / "data.py")
    assert load_module(str(tmp_path / ".." / tmp_path.name / "data.py")) is first


def test_same_name_in_two_folders(tmp_path: Path) -> None:
    """Files of the same name in two folders are two modules."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data.py").write_text(f"name = {name!r}")
    found = [load_module(tmp_path / name / "data.py").name for name in ("a", "b")]
    assert found == ["a", "b"]


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(FileNotFoundError, match=r"data\.py"):
        load_module(tmp_path / "data.py")


def test_file_that_is_not_python(tmp_path: Path) -> None:
    """A file of another kind is refused."""
    (tmp_path / "data.csv").write_text("1,2")
    with pytest.raises(FileNotFoundError, match="is not a Python file"):
        load_module(tmp_path / "data.csv")


def test_broken_file(tmp_path: Path) -> None:
    """A module that cannot be loaded leaves nothing behind, and can be loaded once mended."""
    (tmp_path / "data.py").write_text("values = 1 / 0")
    before = set(sys.modules)
    with pytest.raises(ZeroDivisionError):
        load_module(tmp_path / "data.py")
    assert set(sys.modules) == before
    (tmp_path / "data.py").write_text("values = [1, 2, 3]")
    assert load_module(tmp_path / "data.py").values == [1, 2, 3]
