"""`grader package`: what it writes, and where."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

Call = Callable[..., int]


def test_package(
    tiny_folder: Path, tmp_path: Path, call_command: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    """A zip file for Gradescope, a folder for others, which is never written into twice."""
    path = tmp_path / "autograder.zip"
    assert call_command("package", tiny_folder, "--for", "gradescope", "-o", path) == 0
    assert f"wrote {path}" in capsys.readouterr().out
    assert {"setup.sh", "run_autograder"} <= set(zipfile.ZipFile(path).namelist())
    folder = tmp_path / "template"
    assert call_command("package", tiny_folder, "--for", "github", "-o", folder) == 0
    assert (folder / ".github" / "workflows" / "grade.yml").is_file()
    assert call_command("package", tiny_folder, "--for", "github", "-o", folder) == 2
    assert "not empty" in capsys.readouterr().err


def test_usage(tiny_folder: Path, tmp_path: Path, call_command: Call) -> None:
    """A system that is not known, and an assignment that is not there, are refused."""
    assert call_command("package", tiny_folder, "--for", "moodle", "-o", tmp_path / "a") == 2
    assert call_command("package", tmp_path, "--for", "github", "-o", tmp_path / "a") == 2
    assert not (tmp_path / "a").exists()
