"""The plugin in the runs of other projects: there, and in nobody's way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECK = "import pytest\n@pytest.mark.question('1a')\ndef test_check(student): pass\n"


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A pytest process of its own in this folder."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_other_projects(tmp_path: Path) -> None:
    """A project's own `student` fixture is its own."""
    (tmp_path / "test_school.py").write_text(
        "import pytest\n"
        "@pytest.fixture\n"
        "def student(): return 'Ann'\n"
        "def test_name(student): assert student == 'Ann'\n"
    )
    ran = run_pytest(tmp_path)
    assert ran.returncode == pytest.ExitCode.OK, ran.stdout


def test_checks_among_other_tests(tmp_path: Path) -> None:
    """Checks that are collected with other tests fail one by one and leave those alone."""
    (tmp_path / "test_mixed.py").write_text(f"{CHECK}def test_other(): pass\n")
    ran = run_pytest(tmp_path, "--strict-markers")
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 passed, 1 error" in ran.stdout
    assert "checks need a hand-in: pytest assignments/NAME --submission" in ran.stdout


def test_collection_alone(tmp_path: Path) -> None:
    """Editors can list checks without a hand-in."""
    (tmp_path / "test_checks.py").write_text(CHECK)
    ran = run_pytest(tmp_path, "--collect-only", "-q")
    assert ran.returncode == pytest.ExitCode.OK
    assert "test_checks.py::test_check" in ran.stdout


def test_marker_is_documented(tmp_path: Path) -> None:
    """`pytest --markers` says how a check names its question."""
    assert "@pytest.mark.question(id, points=1" in run_pytest(tmp_path, "--markers").stdout
