"""An assignment whose checks a test can write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.assignment import Assignment, load_assignment

HEAD = "import numpy as np\nimport pytest\n\nfrom grader.checks import assert_close\n"
MakeChecked = Callable[..., Assignment]


@pytest.fixture
def checked(tiny_folder: Path) -> MakeChecked:
    """The tiny assignment with these check files instead of its own."""

    def make(text: str, **others: str) -> Assignment:
        folder = tiny_folder / "checks"
        for path in folder.glob("*.py"):
            path.unlink()
        (folder / "test_tiny.py").write_text(HEAD + text)
        for name, content in others.items():
            (folder / f"{name}.py").write_text(content)
        return load_assignment(tiny_folder)

    return make
