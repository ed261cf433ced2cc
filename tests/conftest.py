"""What several test modules need: a tiny assignment and ways to hand something in for it."""

from __future__ import annotations

import copy
import shutil
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from grader import cli
from grader.assignment import Assignment, load_assignment
from grader.submission import Submission

TINY = Path(__file__).parent / "tiny"
# What several test modules import; worker processes are given this path too.
sys.path.insert(0, str(Path(__file__).parent / "importable"))
MODULAR = Path(__file__).parent / "modular"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The checks of these assignments are run by the grader, not collected as tests."""
    is_assignment = collection_path in (TINY, MODULAR)
    return True if is_assignment and not config.getoption("submission") else None


@pytest.fixture(scope="session")
def tiny() -> Assignment:
    """An assignment of five questions that runs in a second."""
    return load_assignment(TINY)


@pytest.fixture(scope="session")
def modular() -> Assignment:
    """An assignment of which modules answer a, b and c, a text d, and a cell e."""
    return load_assignment(MODULAR)


@pytest.fixture
def handed_in(modular: Assignment, tmp_path: Path) -> Callable[..., Path]:
    """Writes the modular solution as a folder, with some files' texts replaced.

    `handed_in({"net/loss.py": "…"})`; None leaves a file out.
    """

    def write(changes: dict[str, str | None] | None = None) -> Path:
        notebook = nbformat.writes(modular.solution)
        texts = {**modular.solution_files, "hw.ipynb": notebook, **(changes or {})}
        for name, text in texts.items():
            if text is not None:
                path = tmp_path / "ann" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        return tmp_path / "ann"

    return write


@pytest.fixture
def modular_folder(tmp_path: Path) -> Path:
    """A copy of the modular assignment's folder that a test may change."""
    ignore = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(MODULAR, tmp_path / "modular", ignore=ignore))


@pytest.fixture
def tiny_folder(tmp_path: Path) -> Path:
    """A copy of the tiny assignment's folder that a test may change."""
    ignore = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(TINY, tmp_path / "tiny", ignore=ignore))


@pytest.fixture
def answered(tiny: Assignment) -> Callable[..., Submission]:
    """Makes a hand-in from the tiny solution, with the sources of some cells replaced by id.

    `answered(**{"q1a-answer": "def square(x): ..."})`; `strip=True` takes ids and metadata away.
    """

    def make(*, strip: bool = False, **sources: str) -> Submission:
        notebook = copy.deepcopy(tiny.solution)
        for cell in notebook.cells:
            cell.source = sources.pop(cell.id, cell.source)
            if strip:
                cell.metadata.clear()
                cell.id = uuid.uuid4().hex[:8]
        assert not sources, f"no such cells: {sources}"
        from hand_ins import submit  # found by the path above

        return submit(notebook)

    return make


@pytest.fixture
def call_command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs `grader COMMAND ARGUMENTS` and returns the exit code."""

    def call(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["grader", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        code = caught.value.code
        assert isinstance(code, int)
        return code

    return call
