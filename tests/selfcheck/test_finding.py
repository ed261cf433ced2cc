"""What a student means who names little or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import AssignmentError, SubmissionError, UsageError
from grader.selfcheck.finding import find_work


def test_nothing_named(at_home: Path) -> None:
    """In the folder that was handed out, and below it, notebook and assignment are found."""
    (at_home / "plots").mkdir()
    for start in (at_home, at_home / "plots"):
        work = find_work(start=start)
        assert work.assignment.folder == at_home
        assert work.path == at_home / "tiny.ipynb"
        assert work.read().name == "tiny.ipynb"


def test_notebook_alone(at_home: Path, tmp_path: Path) -> None:
    """A notebook's own folder tells its assignment, wherever the command is given."""
    (at_home / "tiny.ipynb").rename(at_home / "try 2.ipynb")
    assert find_work(at_home / "try 2.ipynb", start=tmp_path).assignment.folder == at_home
    assert find_work(start=at_home).path.name == "try 2.ipynb"


def test_folder_alone(at_home: Path, tmp_path: Path) -> None:
    """A student's folder tells its notebook; an author's does not, and the cure is said."""
    assert find_work(at_home, start=tmp_path).path == at_home / "tiny.ipynb"
    with pytest.raises(UsageError, match=r"which notebook.*grader check radboud_a1 hand-in"):
        find_work("radboud_a1", start=tmp_path)


def test_nothing_there(at_home: Path, tmp_path: Path) -> None:
    """Where there is nothing, or too much, the sentence says what to give."""
    with pytest.raises(AssignmentError, match=r"no assignment.toml at or above .*go to the folder"):
        find_work(start=tmp_path)
    with pytest.raises(SubmissionError, match="there is no such file"):
        find_work(at_home / "gone.ipynb", start=at_home)
    (at_home / "tiny.ipynb").rename(at_home / "b.ipynb")
    (at_home / "a.ipynb").write_text("{}")
    with pytest.raises(SubmissionError, match=r"which notebook\? There are a.ipynb, b.ipynb"):
        find_work(start=at_home)
    for path in at_home.glob("*.ipynb"):
        path.unlink()
    with pytest.raises(SubmissionError, match=r"no notebook .*it was called tiny.ipynb"):
        find_work(start=at_home)


def test_what_students_keep_beside(at_home: Path) -> None:
    """A virtual environment and hidden folders in the student's folder are none of the files."""
    for name in ("venv/pyvenv.cfg", "venv/lib/numpy.py", ".git/config", "data/more.csv"):
        (at_home / name).parent.mkdir(parents=True, exist_ok=True)
        (at_home / name).write_text("x")
    assert set(find_work(start=at_home).assignment.files) == {"data/more.csv"}


def test_files_that_answer(modular_folder: Path, tmp_path: Path) -> None:
    """Where files answer questions, those beside the notebook are handed in with it."""
    from grader.assignment import load_assignment
    from grader.releasing import make_bundle, write_bundle

    write_bundle(make_bundle(load_assignment(modular_folder)), tmp_path / "home")
    work = find_work(start=tmp_path / "home")
    handed_in = work.read()
    for path in work.assignment.answer_files:
        assert handed_in.answers[path] == (tmp_path / "home" / path).read_bytes()
        assert tmp_path / "home" / path in work.watched()
