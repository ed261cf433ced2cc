"""Files that are to be released, looked through wherever they lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from grader.assignment import Assignment, load_assignment
from grader.releasing import make_bundle, write_bundle
from grader.releasing.scanning import assignments_below, scan

Call = Callable[..., int]


@pytest.fixture
def released(tiny: Assignment, tmp_path: Path) -> Path:
    """The tiny assignment's bundle, as students get it."""
    write_bundle(make_bundle(tiny), tmp_path / "release")
    return tmp_path / "release"


def test_a_release_is_clean(tiny: Assignment, released: Path) -> None:
    """What `grader release` writes passes, and every file of it is looked at."""
    found = scan([released], [tiny])
    assert found.leaks == ()
    assert found.looked_at == 5


def test_leaks(tiny: Assignment, released: Path) -> None:
    """An answer, a marker, recorded output and a hidden check are each found and placed."""
    path = released / "tiny.ipynb"
    notebook = nbformat.read(path, as_version=4)
    answer = next(c for c in tiny.solution.cells if "def sum_of_squares" in c.source)
    notebook.cells[-1].source = answer.source.replace("### BEGIN SOLUTION", "").replace(
        "### END SOLUTION", ""
    )
    notebook.cells.append(
        nbformat.v4.new_code_cell(
            "### BEGIN SOLUTION", outputs=[nbformat.v4.new_output("stream", text="1")]
        )
    )
    nbformat.write(notebook, path)
    (released / "checks" / "extra.py").write_text(
        "@pytest.mark.question('1a', hidden=True)\ndef test_x(student): ..."
    )
    leaks = "\n".join(scan([released], [tiny]).leaks)
    for words in ("an answer of the solution", "'BEGIN SOLUTION'", "recorded output", "as hidden"):
        assert words in leaks
    # Without the assignment its answers are unknown, and the rest is found all the same.
    without = "\n".join(scan([path], []).leaks)
    assert "an answer" not in without
    assert "recorded output" in without


def test_hidden_check_without_its_mark(tiny: Assignment, released: Path) -> None:
    """A hidden check is known by its name where the assignment is known."""
    path = released / "checks" / "test_tiny.py"
    path.write_text(path.read_text() + "\ndef test_square_of_many(student): ...\n")
    assert "the hidden check test_square_of_many" in scan([path], [tiny]).leaks[0]


def test_sources_are_passed_over(tiny_folder: Path) -> None:
    """Solutions belong into an assignment's own folder; it is found by itself."""
    assert [a.slug for a in assignments_below(tiny_folder.parent)] == ["tiny"]
    found = scan([tiny_folder], [load_assignment(tiny_folder)])
    assert (found.leaks, found.looked_at) == ((), 0)
    assert tiny_folder / "solution.ipynb" in found.sources


def test_what_is_no_notebook(tmp_path: Path) -> None:
    """A notebook that cannot be looked through is not taken for a clean one."""
    for name, text in [("a.ipynb", "{"), ("b.ipynb", "[]"), ("c.ipynb", '{"cells": 3}')]:
        (tmp_path / name).write_text(text)
    assert len(scan([tmp_path], []).leaks) == 3


def test_command(
    released: Path,
    tiny_folder: Path,
    call_command: Call,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit code 0 for what is clean, 1 for a leak, 2 for a file that is not there."""
    monkeypatch.chdir(tiny_folder.parent)
    assert call_command("leaks", released) == 0
    assert "0 leaks in 5 files, compared with tiny" in capsys.readouterr().out
    (released / "tiny.ipynb").write_bytes((tiny_folder / "solution.ipynb").read_bytes())
    assert call_command("leaks", released / "tiny.ipynb", tiny_folder / "solution.ipynb") == 1
    printed = capsys.readouterr().out
    assert "is the assignment's own solution.ipynb" in printed
    assert "1 of authors passed over" in printed
    assert call_command("leaks", released / "none.ipynb") == 2
