"""Whole verdicts on hand-ins of modules, with and without a notebook."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from grader import grade
from grader.assignment import Assignment, load_assignment
from grader.audit import load_mutants, load_variants, plant, rewrite
from grader.errors import AssignmentError, SubmissionError
from grader.records import QuestionReport, QuestionStatus, Report
from grader.reports import render_instructor, render_student

HandIn = Callable[..., Path]
BROKEN = "def double(x)\n    return 2 * x\n"
FULL = {"a": 2.0, "b": 1.0, "c": 1.0, "d": 0.0, "e": 1.0}


def points(report: Report) -> dict[str, float]:
    """Each question's points."""
    return {question.id: question.points for question in report.questions}


def question(report: Report, identity: str) -> QuestionReport:
    """One question's report."""
    return next(q for q in report.questions if q.id == identity)


def test_a_folder(modular: Assignment, handed_in: HandIn) -> None:
    """Modules, a text and a notebook are all graded; files have no cells, but show their parts."""
    report = grade(modular, handed_in({"notes.md": "## 1 Thoughts\n\n2. It is a **sum**.\n"}))
    assert points(report) == FULL
    loss = question(report, "c")
    assert (loss.cells, loss.answer) == ((), ())
    [part] = loss.files
    assert (part.path, part.first_line) == ("net/loss.py", 8)
    assert part.source.startswith("def forward(self, x):")
    assert question(report, "d").status is QuestionStatus.PENDING
    assert question(report, "d").files[0].source == "2. It is a **sum**."
    assert [run.cell for run in report.execution] == [0, 2]


def test_pages_show_files(modular: Assignment, handed_in: HandIn) -> None:
    """Both pages show code highlighted, with its file and line, and text as text."""
    report = grade(modular, handed_in({"notes.md": "## 1\n\n2. It is a **sum** <b>&.\n"}))
    for page in (render_instructor(report), render_student(report)):
        assert "net/loss.py, from line 8" in page
        assert '<span class="k">def</span>' in page
        assert "<strong>sum</strong>" in page
        assert "<b>&.</b>" not in page


@pytest.mark.parametrize("folder", ["", "hw1_code/"])
def test_a_zip_without_a_notebook(
    modular: Assignment, handed_in: HandIn, tmp_path: Path, folder: str
) -> None:
    """Modules are found wherever they lie in the zip; what cells answer was not attempted."""
    path = tmp_path / "bob.zip"
    root = handed_in({"hw.ipynb": None})
    with zipfile.ZipFile(path, "w") as archive:
        for file in root.rglob("*.*"):
            archive.write(file, f"{folder}{file.relative_to(root)}")
    report = grade(modular, path)
    assert points(report) == FULL | {"e": 0.0}
    cell = question(report, "e")
    assert cell.status is QuestionStatus.NOT_ATTEMPTED
    assert cell.notes == ("no notebook (.ipynb) is among the files",)
    assert ("the files were looked for in the folder hw1_code" in report.notes) == bool(folder)


def test_a_notebook_alone(modular: Assignment, handed_in: HandIn) -> None:
    """Without the files their questions were not attempted, and the notebook is graded."""
    report = grade(modular, handed_in() / "hw.ipynb")
    statuses = {q.id: q.status for q in report.questions}
    missing = QuestionStatus.NOT_ATTEMPTED
    assert [statuses[identity] for identity in "abcd"] == [missing] * 4
    assert question(report, "c").notes == ("net/loss.py is not among the files",)
    # Its own import met the release's module, which computes nothing.
    assert statuses["e"] is not QuestionStatus.PASSED


def test_neither(modular: Assignment, tiny: Assignment, tmp_path: Path) -> None:
    """A folder with nothing that was asked for is refused, with the names that are missing."""
    (tmp_path / "other.py").write_text("x = 1")
    with pytest.raises(SubmissionError, match=r"neither a notebook .* net/layers.py, net/loss.py"):
        grade(modular, tmp_path)
    (tmp_path / "other.py").rename(tmp_path / "other.txt")
    with pytest.raises(SubmissionError, match=r"there is no notebook \(\.ipynb\) in it"):
        grade(tiny, tmp_path)


def test_a_broken_module(modular: Assignment, handed_in: HandIn) -> None:
    """A module that does not import costs its own questions; what builds on it is repaired."""
    report = grade(modular, handed_in({"net/layers.py": BROKEN}))
    assert points(report) == FULL | {"a": 0.0, "b": 0.0, "e": 0.0}
    assert "net/layers.py, line 1: def double(x)" in question(report, "a").checks[0].message
    assert question(report, "c").notes[-1].endswith("in place of yours for a")


def test_a_broken_module_that_nothing_needs(modular: Assignment, handed_in: HandIn) -> None:
    """The same package's other modules lose nothing, though its `__init__` imports all."""
    report = grade(modular, handed_in({"net/loss.py": "from . import nowhere\n"}))
    # The notebook itself imports the package, as anybody who runs it would.
    assert points(report) == FULL | {"c": 0.0, "e": 0.0}
    assert "cannot import name 'nowhere'" in question(report, "c").checks[0].message


def test_a_broken_module_gives_no_points_for_its_neighbour(
    modular_folder: Path, handed_in: HandIn
) -> None:
    """The solution's module does not stand in for a file whose own question is judged."""
    checks = modular_folder / "checks" / "test_modular.py"
    checks.write_text(checks.read_text().replace('question("b")', 'question("b", needs=["a"])'))
    report = grade(load_assignment(modular_folder), handed_in({"net/layers.py": BROKEN}))
    assert points(report)["b"] == 0.0


def test_a_wrong_prerequisite_is_charged_once(modular: Assignment, handed_in: HandIn) -> None:
    """What was imported by name from a wrong module is the solution's in the second try."""
    wrong = "def double(x):\n    return 3 * x\n\n\ndef half(x):\n    return x / 2\n"
    report = grade(modular, handed_in({"net/layers.py": wrong}))
    assert points(report) == FULL | {"a": 0.0}


def test_the_files_are_judged_as_handed_in(modular: Assignment, handed_in: HandIn) -> None:
    """What the notebook imports, patches or writes has no part in the verdict on files."""
    wrong = "def double(x):\n    return 3 * x\n\n\ndef half(x):\n    return x\n"
    cells = [
        "import net.layers\nnet.layers.double = lambda x: 2 * x",
        "%%writefile net/layers.py\ndef double(x): return 2 * x\ndef half(x): return x / 2",
        "import os; os.chdir('/')",
        "total = 3.0",
    ]
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
    folder = handed_in({"net/layers.py": wrong, "hw.ipynb": nbformat.writes(notebook)})
    report = grade(modular, folder)
    assert points(report) == FULL | {"a": 0.0, "b": 0.0}


def test_untouched_files(modular: Assignment, handed_in: HandIn) -> None:
    """A file as it was released was not attempted, whatever other files hold."""
    released = {name: modular.files[name].decode() for name in ("net/loss.py", "notes.md")}
    report = grade(modular, handed_in(released))
    assert question(report, "a").status is QuestionStatus.PASSED
    assert question(report, "c").status is QuestionStatus.NOT_ATTEMPTED
    assert question(report, "d").status is QuestionStatus.NOT_ATTEMPTED


def test_a_text_in_another_format(modular: Assignment, handed_in: HandIn) -> None:
    """A PDF in the place of the text waits for a person, and is named."""
    folder = handed_in({"notes.md": None})
    (folder / "notes.pdf").write_bytes(b"%PDF-1.7\0")
    written = question(grade(modular, folder), "d")
    assert written.status is QuestionStatus.PENDING
    assert written.notes == ("handed in as notes.pdf, which is not shown here",)
    assert written.files == ()


def test_a_text_outside_of_the_modules_folder(
    modular: Assignment, handed_in: HandIn, tmp_path: Path
) -> None:
    """A text that lies beside the folder of the modules is found there."""
    path = tmp_path / "bob.zip"
    root = handed_in({"Notes.md": "## 1\n\n2. A sum.\n", "notes.md": None})
    with zipfile.ZipFile(path, "w") as archive:
        for file in root.rglob("*.*"):
            folder = "" if file.suffix == ".md" else "code/"
            archive.write(file, f"{folder}{file.relative_to(root)}")
    report = grade(modular, path)
    assert points(report) == FULL
    assert question(report, "d").files[0].source == "2. A sum."


def test_a_text_without_its_places(modular: Assignment, handed_in: HandIn) -> None:
    """A text in which the question cannot be found is shown whole."""
    written = question(grade(modular, handed_in({"notes.md": "My thoughts."})), "d")
    assert written.status is QuestionStatus.PENDING
    assert written.files[0].source == "My thoughts."
    assert "shown as a whole" in written.notes[0]


def test_a_missing_module_of_the_assignments(modular: Assignment, handed_in: HandIn) -> None:
    """A module that the assignment allows and this machine lacks is no student's fault."""
    allowed = replace(modular, run=replace(modular.run, optional_modules=("nowhere",)))
    report = grade(allowed, handed_in({"net/loss.py": "import nowhere\n"}))
    lost = question(report, "c")
    assert lost.status is QuestionStatus.UNGRADED
    assert lost.checks[0].cause == "environment"


def test_mutants_and_variants_of_files(modular: Assignment) -> None:
    """Bugs are planted in a question's file, and a variant's section can be a file."""
    [mutant] = load_mutants(modular)
    planted = plant(modular, mutant)
    assert b"3 * x" in planted.files["net/layers.py"]
    assert points(grade(modular, planted)) == FULL | {"a": 0.0}
    [variant] = load_variants(modular)
    assert points(grade(modular, rewrite(modular, variant))) == FULL
    with pytest.raises(AssignmentError, match="does not stand exactly once in the answer to a"):
        plant(modular, replace(mutant, find="return"))


def test_a_variant_of_a_questions_id(modular_folder: Path) -> None:
    """A section that names a question whose answer is a file says what to name instead."""
    (modular_folder / "variants" / "other.py").write_text("# %% a\nx = 1\n")
    with pytest.raises(AssignmentError, match="a is answered by a file: open it by"):
        load_variants(load_assignment(modular_folder))


def test_rerun_is_for_cells(modular_folder: Path, handed_in: HandIn) -> None:
    """Asking to run a file's cells again is the author's mistake, and said so."""
    checks = modular_folder / "checks" / "test_modular.py"
    checks.write_text(checks.read_text().replace('needs=["a"]', 'needs=["a"], rerun=True'))
    with pytest.raises(AssignmentError, match="rerun=True is for cells"):
        grade(load_assignment(modular_folder), handed_in())


def test_no_notebook_at_all(modular_folder: Path, handed_in: HandIn) -> None:
    """An assignment of modules alone needs no solution.ipynb, and runs no cell of a hand-in's."""
    (modular_folder / "solution.ipynb").unlink()
    written = modular_folder / "assignment.toml"
    written.write_text(written.read_text().partition('[[question]]\nid = "e"')[0])
    checks = modular_folder / "checks" / "test_modular.py"
    checks.write_text(checks.read_text().partition('@pytest.mark.question("e")')[0])
    assignment = load_assignment(modular_folder)
    assert not assignment.cells_answer_code
    report = grade(assignment, handed_in())
    assert points(report) == {"a": 2.0, "b": 1.0, "c": 1.0, "d": 0.0}
    assert report.execution == ()
    assert any("the notebook was not run" in note for note in report.notes)
