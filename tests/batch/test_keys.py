"""What a report depends on: each such thing changes its key, and nothing else does."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.assignment import load_assignment
from grader.batch.keys import environment_of_runs, files_hash, grader_hash, report_key, run_key

ENVIRONMENT = {"python": "3"}


@pytest.fixture
def hand_in(tmp_path: Path) -> Path:
    """A file that was handed in."""
    path = tmp_path / "hw.ipynb"
    path.write_bytes(b"{}")
    return path


def key_of(folder: Path, paths: list[Path], environment: dict[str, str] = ENVIRONMENT) -> str:
    """The key of a report on these files."""
    return report_key(run_key(load_assignment(folder), environment), paths)


def test_the_same(tiny_folder: Path, hand_in: Path) -> None:
    """The same content gives the same key, wherever the assignment lies."""
    key = key_of(tiny_folder, [hand_in])
    (tiny_folder / "checks" / "__pycache__").mkdir()
    (tiny_folder / "checks" / "__pycache__" / "x.pyc").touch()
    moved = shutil.move(tiny_folder, tiny_folder.parent / "moved")
    assert key_of(moved, [hand_in]) == key


@pytest.mark.parametrize("changed", ["submission", "checks", "environment", "another file"])
def test_what_changes_a_key(tiny_folder: Path, hand_in: Path, changed: str) -> None:
    """A new hand-in, a changed check or another package asks for a new report."""
    key = key_of(tiny_folder, [hand_in])
    paths, environment = [hand_in], ENVIRONMENT
    if changed == "submission":
        hand_in.write_bytes(b"{ }")
    if changed == "checks":
        path = tiny_folder / "checks" / "test_tiny.py"
        path.write_text(path.read_text() + "\n# stricter\n")
    if changed == "environment":
        environment = {"python": "4"}
    if changed == "another file":
        paths = [hand_in, tiny_folder / "assignment.toml"]
    assert key_of(tiny_folder, paths, environment) != key


def test_names_and_contents_do_not_mix() -> None:
    """Files whose names and contents run together differently have different hashes."""
    assert files_hash([("ab", b"c")]) != files_hash([("a", b"bc")])
    assert files_hash([("a", b"1"), ("b", b"2")]) == files_hash([("b", b"2"), ("a", b"1")])
    assert files_hash([("a", b"1"), ("b", b"2")]) != files_hash([("a", b"2"), ("b", b"1")])


def test_environment() -> None:
    """What computes here is named with its version."""
    found = environment_of_runs("landlock")
    assert found["isolation"] == "landlock"
    assert found["numpy"][0].isdigit()
    assert len(grader_hash()) == 64
