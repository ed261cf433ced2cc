"""`pytest FOLDER --submission FILE`: the grader's verdict by pytest alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from grader import grade
from grader.assignment import Assignment
from grader.submission import Submission

USAGE_ERROR = 4
Answer = Callable[..., Submission]


def run_pytest(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """A pytest process of its own, with none of this project's settings."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def hand_in(answered: Answer, tmp_path: Path) -> Path:
    """A hand-in with a wrong square, on which right answers build."""
    made = answered(**{"q1a-answer": "def square(x):\n    return 3 * x"})
    path = tmp_path / "ann.ipynb"
    path.write_bytes(made.files[made.name])
    return path


def test_same_verdict(tiny: Assignment, tiny_folder: Path, hand_in: Path) -> None:
    """The table, pytest's outcomes and the JUnit file say what `grade` says.

    Even where the project's settings ask for several processes.
    """
    (tiny_folder.parent / "pytest.ini").write_text("[pytest]\naddopts = -n 2")
    ran = run_pytest(tiny_folder, "--submission", hand_in, "--junitxml=o.xml", folder=tiny_folder)
    report = grade(tiny, hand_in)
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED, ran.stdout + ran.stderr
    assert f"Score: {report.score:g} / {report.max_score:g}" in ran.stdout
    assert "score of ann" in ran.stdout
    suite = ET.parse(tiny_folder / "o.xml").getroot()[0]
    failed = {case.get("name") for case in suite if case.find("failure") is not None}
    checks = [check for question in report.questions for check in question.checks]
    assert failed == {check.name for check in checks if check.points == 0}
    assert len(suite) == len(checks)
    # What GitLab shows is the text: words for the student, no traceback of the check.
    told = {case.get("name"): case.findtext("failure") for case in suite}
    assert "square(x) multiplies each element by itself." in str(told["test_square"])
    assert "test_tiny.py" not in str(told["test_square"])


def test_one_check(tiny_folder: Path, hand_in: Path) -> None:
    """A single check can be run, from within the assignment's folder as well."""
    ran = run_pytest("--submission", hand_in, "-k", "test_square_grad", folder=tiny_folder)
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 failed" in ran.stdout
    assert "`square_grad` is not defined" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tiny"], "checks need a hand-in: pytest assignments/NAME --submission"),
        (["tiny", "--submission", "nothing.ipynb"], "there is no such file"),
        (["--submission", "ann.ipynb"], "no assignment.toml at or above"),
    ],
)
def test_usage(tiny_folder: Path, hand_in: Path, arguments: list[str], words: str) -> None:
    """What is missing is told in a sentence, as pytest tells of its own options."""
    ran = run_pytest(*arguments, folder=hand_in.parent)
    assert ran.returncode == USAGE_ERROR
    assert words in ran.stderr


def test_wrong_marker(tiny_folder: Path, hand_in: Path) -> None:
    """A marker that names no question ends the run with the check's name."""
    path = tiny_folder / "checks" / "test_tiny.py"
    path.write_text(path.read_text().replace('"2c"', '"9z"'))
    ran = run_pytest(tiny_folder, "--submission", hand_in, folder=tiny_folder)
    assert ran.returncode == USAGE_ERROR
    assert "test_tiny.py::test_total: no question 9z" in ran.stderr
