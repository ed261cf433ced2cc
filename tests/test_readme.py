"""What the README shows is true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_there_is_an_example() -> None:
    """The README shows at least one piece of Python."""
    assert BLOCKS


@pytest.mark.parametrize("block", BLOCKS)
def test_example_prints_what_it_says(block: str) -> None:
    """Each Python example runs, and prints what its comments say."""
    promised = re.findall(r"print\(.*\)  # (.*)", block)
    printed = subprocess.run(
        [sys.executable, "-c", block], capture_output=True, text=True, check=True
    ).stdout
    assert printed.split("\n")[:-1] == promised


def test_links_lead_somewhere() -> None:
    """Every relative link and picture in the README exists."""
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_ci_runs_the_commands_shown() -> None:
    """The commands under "Start" and "Develop" are the ones that .ci/run takes from the README."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for heading in ("## Start", "## Develop"):
        assert f'"{heading}"' in script
        assert re.search(
            rf"^{heading}\n\n```sh\npython -m pip install .*&& \w+", README, re.MULTILINE
        )
