"""A student's folder of the tiny assignment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.assignment import Assignment
from grader.releasing import make_bundle, write_bundle


@pytest.fixture
def at_home(tiny: Assignment, tmp_path: Path) -> Path:
    """The tiny assignment's release, as a student has unpacked it somewhere."""
    write_bundle(make_bundle(tiny), tmp_path / "homework 3")
    return tmp_path / "homework 3"


@pytest.fixture
def write(at_home: Path, answered: Callable[..., object]) -> Callable[..., Path]:
    """Saves the solution in the student's notebook, with the sources of some cells replaced."""

    def write(**sources: str) -> Path:
        made = answered(**sources)
        (at_home / "tiny.ipynb").write_bytes(made.files["hand-in.ipynb"])  # type: ignore[attr-defined]
        return at_home / "tiny.ipynb"

    return write
