"""The authors' tutorial works when it is followed from an empty folder.

Its audits take minutes and are left out; what they prove of the hand-ins is proven here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.assignment import load_assignment
from grader.audit.promises import hand_ins, judge
from grader.audit.trial import grade_whole

GUIDE = Path(__file__).parents[1] / "docs" / "author.md"
BLOCK = re.compile(r"(?:^`([^`\n]+)`\n\n)?```(\w+)\n(.*?)```", re.MULTILINE | re.DOTALL)
pytestmark = pytest.mark.xdist_group("author guide")


def blocks() -> Iterator[tuple[str, str, str]]:
    """A file's path or nothing, a language, and the text of each block."""
    yield from BLOCK.findall(GUIDE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder after all steps, and what each command printed."""
    folder = tmp_path_factory.mktemp("author")
    printed = {}
    for path, language, text in blocks():
        if path:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        elif language == "sh":
            for command in text.strip().splitlines():
                if not command.startswith("grader audit"):
                    printed[command] = run(command, folder)
    return folder, printed


def run(command: str, folder: Path) -> str:
    """What a command prints; it must succeed, or find that a release is not answered."""
    own = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{own}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == int(command.startswith("grader check")), ran.stderr
    return ran.stdout


def test_commands(followed: tuple[Path, dict[str, str]]) -> None:
    """Every command does what the text around it says."""
    _, printed = followed
    assert "1 questions and 0 checks" in printed["grader new week_1 --from homework.ipynb"]
    released = printed["grader release week_1 -o release"]
    assert "3 visible checks are in it, 1 hidden ones are not" in released
    assert "Score: 2 / 2" in printed["grader grade week_1 week_1/solution.ipynb"]
    assert "0 of 3 checks passed" in printed["grader check release"]


def test_promises(followed: tuple[Path, dict[str, str]]) -> None:
    """The finished assignment keeps the promises that its audit looks at."""
    assignment = load_assignment(followed[0] / "week_1")
    results = [judge(h, grade_whole(assignment, h.submission)) for h in hand_ins(assignment)]
    assert len(results) == 4
    assert [result.found for result in results if not result.kept] == []


def test_audits_are_shown() -> None:
    """The guide runs an audit before and after the checks are mended."""
    commands = [text.strip() for _, language, text in blocks() if language == "sh"]
    assert [c for c in commands if c.startswith("grader audit")] == [
        "grader audit week_1",
        "grader audit week_1 -o audit",
    ]
