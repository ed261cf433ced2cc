"""The student's bundle: what is in it, and that it works at home."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest

from grader import grade, load_assignment
from grader.assignment import Assignment, bundled_assignments
from grader.audit import release_submission, solution_submission
from grader.errors import AssignmentError, UsageError
from grader.records import CheckStatus, QuestionStatus
from grader.releasing import make_bundle, write_bundle

# Grades a notebook with the checks of a release, where `reference` cannot be imported.
AT_HOME = """
import sys

class NoReference:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "reference":
            raise ImportError("blocked")

sys.meta_path.insert(0, NoReference())
from grader import grade
report = grade(sys.argv[1], sys.argv[2])
print([[c.name, c.status.value] for q in report.questions for c in q.checks])
"""


@pytest.fixture
def released(tiny: Assignment, tmp_path: Path) -> Path:
    """The tiny assignment's release."""
    write_bundle(make_bundle(tiny), tmp_path / "release")
    return tmp_path / "release"


def test_files(tiny: Assignment, released: Path) -> None:
    """Notebook, checks, settings and a README are in it, and nothing else."""
    files = {p.relative_to(released).as_posix() for p in released.rglob("*") if p.is_file()}
    assert files == {
        *("tiny.ipynb", "checks/test_tiny.py", "assignment.toml", "README.md"),
        ".release/tiny.ipynb",
    }
    notebook = nbformat.read(released / "tiny.ipynb", as_version=4)
    assert notebook == tiny.release
    assert [cell.id for cell in notebook.cells] == [cell.id for cell in tiny.solution.cells]
    assert notebook.cells[4].metadata == {"nn_grader": {"question": "1a", "role": "answer"}}


def test_settings(tiny_folder: Path, released: Path) -> None:
    """assignment.toml says the same without its comments, and names the notebook."""
    original = tomllib.loads((tiny_folder / "assignment.toml").read_text())
    settings = tomllib.loads((released / "assignment.toml").read_text())
    assert settings == {"notebook": ".release/tiny.ipynb", **original}


def test_readme(released: Path) -> None:
    """The README names the notebook, the questions and the command that checks at home."""
    text = (released / "README.md").read_text()
    assert "# A tiny assignment" in text
    assert "\ngrader check\n" in text
    assert "tries 4 checks on it" in text
    assert "`%check 1a`" in text
    assert "| 2a the sum of squares | 1 | code |" in text


def test_at_home(tiny: Assignment, released: Path, tmp_path: Path) -> None:
    """The released checks pass on the solution, without solution.ipynb and `reference`."""
    hand_in = tmp_path / "hand-in.ipynb"
    hand_in.write_bytes(solution_submission(tiny).files["solution.ipynb"])
    command = [sys.executable, "-c", AT_HOME, str(released), str(hand_in)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    checks = json.loads(ran.stdout.replace("'", '"'))
    assert checks == [
        ["test_square", "passed"],
        ["test_square_grad", "passed"],
        ["test_sum_of_squares", "passed"],
        ["test_total", "passed"],
    ]


def test_at_home_in_place(tiny: Assignment, released: Path) -> None:
    """A student who works in the released notebook itself gets the points for it."""
    notebook = released / "tiny.ipynb"
    notebook.write_bytes(solution_submission(tiny).files["solution.ipynb"])
    report = grade(released, notebook)
    assert {q.id for q in report.questions if q.status is QuestionStatus.PASSED} == {
        *("1a", "2a", "2c")
    }
    (released / "more.csv").write_text("1,2")
    assert load_assignment(released).files == {"more.csv": b"1,2"}


def test_released_modules(tmp_path: Path) -> None:
    """Files that answer questions are released with blanks, and kept as they were."""
    modular = load_assignment(Path(__file__).parents[1] / "modular")
    files = make_bundle(modular).files
    for path in modular.answer_files:
        assert b"SOLUTION" not in files[path]
        assert files[f".release/{path}"] == files[path]
    write_bundle(make_bundle(modular), tmp_path / "release")
    at_home = load_assignment(tmp_path / "release")
    assert at_home.files == modular.files


def test_at_home_untouched(released: Path) -> None:
    """The release itself gets nothing at home, and a failure is not repaired."""
    assignment = load_assignment(released)
    assert assignment.is_release
    report = grade(assignment, release_submission(assignment))
    assert report.score == 0.0
    assert {q.status for q in report.questions} == {QuestionStatus.NOT_ATTEMPTED}
    statuses = [c.status for q in report.questions for c in q.checks]
    assert CheckStatus.PASSED not in statuses


def test_helper_files(tiny_folder: Path) -> None:
    """What lies in files/ stands beside the notebook, also in folders of its own."""
    (tiny_folder / "files" / "data").mkdir(parents=True)
    (tiny_folder / "files" / "utils.py").write_text("N = 3\n")
    (tiny_folder / "files" / "data" / "x.bin").write_bytes(b"\xff\x00")
    files = make_bundle(load_assignment(tiny_folder)).files
    assert files["utils.py"] == b"N = 3\n"
    assert files["data/x.bin"] == b"\xff\x00"


def test_name_taken(tiny_folder: Path) -> None:
    """A file that would overwrite the notebook or the settings is refused."""
    (tiny_folder / "files").mkdir()
    (tiny_folder / "files" / "README.md").write_text("mine")
    with pytest.raises(AssignmentError, match=r"README\.md would stand in the release twice"):
        make_bundle(load_assignment(tiny_folder))


def test_release_of_a_release(released: Path) -> None:
    """A release is not released again."""
    with pytest.raises(AssignmentError, match="is a release already"):
        make_bundle(load_assignment(released))


def test_leak_is_refused(tiny_folder: Path, tmp_path: Path) -> None:
    """Where something would leak, no bundle is made."""
    (tiny_folder / "files").mkdir()
    (tiny_folder / "files" / "solved.py").write_text("### BEGIN SOLUTION\n")
    with pytest.raises(AssignmentError, match="tiny is not released, for it would leak"):
        make_bundle(load_assignment(tiny_folder))


def test_folder_must_be_empty(tiny: Assignment, released: Path) -> None:
    """Nothing is written over, or beside, what is there already."""
    (released / "old.txt").write_text("")
    with pytest.raises(UsageError, match="is not empty"):
        write_bundle(make_bundle(tiny), released)


@pytest.mark.parametrize("slug", bundled_assignments())
def test_bundled_assignments(slug: str) -> None:
    """Every bundled assignment can be released, with checks that do without `reference`."""
    bundle = make_bundle(load_assignment(slug))
    for text in bundle.checks.files.values():
        assert "reference" not in text
    # Whoever writes an assignment should know that students have nothing to check with.
    assert bundle.checks.released
