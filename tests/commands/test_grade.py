"""`grader grade` on whatever students hand in: a report, or one sentence and exit code 2."""

from __future__ import annotations

import copy
import json
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode, v4

from grader import session
from grader.assignment import Assignment
from grader.execution.isolation import Level
from grader.execution.probing import reached_level
from grader.records import CellStatus, QuestionReport, QuestionStatus, Report
from grader.reports import from_json

TINY = Path(__file__).parents[1] / "tiny"
FULL = {"1a": 2.0, "1b": 0.0, "2a": 1.0, "2b": 0.0, "2c": 1.0}
Call = Callable[..., int]
GradeFile = Callable[..., Report]
IGNORE_INTERRUPTS = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)"


@pytest.fixture
def call(call_command: Call) -> Call:
    """Runs `grader grade ARGUMENTS` in this process and returns the exit code."""
    return partial(call_command, "grade")


@pytest.fixture
def grade_file(call: Call, tmp_path: Path) -> GradeFile:
    """Grades a notebook, or a file by its path, and reads the report that was written."""

    def grade_file(
        content: NotebookNode | dict[str, Any] | Path, assignment: Path = TINY
    ) -> Report:
        path = content if isinstance(content, Path) else tmp_path / "hw.ipynb"
        if not isinstance(content, Path):
            path.write_text(json.dumps(content))
        assert call(assignment, path, "--json", tmp_path / "report.json") == 0
        return from_json((tmp_path / "report.json").read_text())

    return grade_file


@pytest.fixture
def quick(tiny_folder: Path) -> Path:
    """The tiny assignment with a second for each cell."""
    path = tiny_folder / "assignment.toml"
    path.write_text(path.read_text().replace("cell = 5", "cell = 1\ninterrupt = 0.5"))
    return tiny_folder


@pytest.fixture
def solved(tiny: Assignment) -> NotebookNode:
    """The solution as a student would have written it, without the markers."""
    notebook = copy.deepcopy(tiny.solution)
    for cell in notebook.cells:
        lines = [line for line in cell.source.splitlines() if "SOLUTION" not in line]
        cell.source = "\n".join(lines)
    return notebook


def points(report: Report) -> dict[str, float]:
    """Each question's points."""
    return {question.id: question.points for question in report.questions}


def question(report: Report, identity: str) -> QuestionReport:
    """The report's question with this id."""
    return next(q for q in report.questions if q.id == identity)


# --- isolation ---------------------------------------------------------------------


def test_too_weak_a_machine(
    call: Call,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    solved: NotebookNode,
    tmp_path: Path,
) -> None:
    """Without the isolation that is asked for, one sentence names the cure, and none will do."""
    nbformat.write(solved, tmp_path / "hw.ipynb")
    monkeypatch.setattr(session, "reached_level", lambda: Level.NONE)
    assert call(TINY, tmp_path / "hw.ipynb") == 2
    assert "--isolation none" in " ".join(capsys.readouterr().err.split())
    assert call(TINY, tmp_path / "hw.ipynb", "--isolation", "none", "--json", "-") == 0
    assert from_json(capsys.readouterr().out).isolation == "none"
    assert call(TINY, tmp_path / "hw.ipynb", "--isolation", "much") == 2


def test_report_names_the_level(grade_file: GradeFile, solved: NotebookNode) -> None:
    """The report says how far the hand-in was kept apart."""
    assert grade_file(solved).isolation == reached_level().value


# --- files that are refused --------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("hw.ipynb", b"print('hello')", "it is not even JSON"),
        ("hw.ipynb", b"", "the file is empty"),
        ("hw.ipynb", b"version https://git-lfs.github.com/spec/v1\n", "run `git lfs pull`"),
        ("hw.pdf", b"%PDF-1.7", "this is a PDF"),
        ("hw.csv", b"1,2", "give a notebook (.ipynb), or a folder or .zip with one"),
        ("hw.ipynb", None, "there is no such file"),
        ("hw.zip", b"PK\x05\x06", "the zip file cannot be read"),
        (
            "hw.ipynb",
            b'{"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"language": "R"}}}',
            "this notebook is written in R, not in Python",
        ),
    ],
)
def test_refused(
    call: Call,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    name: str,
    content: bytes | None,
    words: str,
) -> None:
    """What is no notebook ends with code 2 and one sentence that says what to do."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert call(TINY, tmp_path / name) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_unknown_assignment(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    """An assignment that is not there ends with code 2 and the names of those that are."""
    assert call("no_such", "hw.ipynb") == 2
    assert "nor a bundled one (" in capsys.readouterr().err


# --- hand-ins that are graded --------------------------------------------------------


def as_version_3(notebook: NotebookNode) -> dict[str, Any]:
    """The notebook as Jupyter 2 wrote it."""
    cells = []
    for cell in notebook.cells:
        made = {"cell_type": cell.cell_type, "metadata": {}}
        if cell.cell_type == "code":
            made |= {"input": cell.source, "language": "python", "outputs": [], "collapsed": False}
        else:
            made |= {"source": cell.source}
        cells.append(made)
    return {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": cells, "metadata": {}}],
    }


def as_version_4(minor: int) -> Callable[[NotebookNode], dict[str, Any]]:
    """The notebook as a Jupyter before cell ids wrote it, with sources as lists of lines."""

    def convert(notebook: NotebookNode) -> dict[str, Any]:
        made = json.loads(json.dumps(notebook))
        made["nbformat_minor"] = minor
        for cell in made["cells"]:
            del cell["id"]
            cell["source"] = cell["source"].splitlines(keepends=True)
        return dict(made)

    return convert


def with_odd_ids_and_outputs(notebook: NotebookNode) -> dict[str, Any]:
    """Ids doubled and missing, a kernel that nobody has, outputs that break the format."""
    made = json.loads(json.dumps(notebook))
    made["cells"][5]["id"] = made["cells"][4]["id"]
    del made["cells"][10]["id"]
    made["metadata"]["kernelspec"] = {"name": "my-laptop-env", "display_name": "?"}
    made["cells"][4]["outputs"] = [
        {"output_type": "display_data", "metadata": {}},
        {"output_type": "hologram", "data": {"text/plain": "x"}},
        {"output_type": "stream", "name": "stdout", "text": "kept"},
    ]
    return dict(made)


@pytest.mark.parametrize(
    "convert",
    [as_version_3, as_version_4(0), as_version_4(1), as_version_4(4), with_odd_ids_and_outputs],
    ids=["3", "4.0", "4.1", "4.4", "odd"],
)
def test_formats(
    grade_file: GradeFile, solved: NotebookNode, convert: Callable[[NotebookNode], dict[str, Any]]
) -> None:
    """Whatever the format says of the same work, it gets the same points."""
    report = grade_file(convert(solved))
    assert points(report) == FULL
    assert report.notes == ()


def test_solution(grade_file: GradeFile) -> None:
    """The solution itself gets full marks, and a note that it is one."""
    report = grade_file(TINY / "solution.ipynb")
    assert (report.score, report.pending, report.max_score) == (4.0, 1.0, 5.0)
    assert report.notes == ("this notebook still has the markers of an assignment's solution",)


def test_untouched_release(grade_file: GradeFile, tiny: Assignment) -> None:
    """The release as it is handed out gets nothing, and was not attempted."""
    report = grade_file(tiny.release)
    assert (report.score, report.pending) == (0.0, 0.0)
    assert {q.status for q in report.questions} == {QuestionStatus.NOT_ATTEMPTED}
    assert all(q.notes == () for q in report.questions)


def test_no_code(grade_file: GradeFile, tiny: Assignment) -> None:
    """A notebook of text alone gets a report: the text waits, the rest was not attempted."""
    notebook = copy.deepcopy(tiny.release)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    notebook.cells[4].source = "It is convex."
    report = grade_file(notebook)
    assert question(report, "1b").status is QuestionStatus.PENDING
    others = {q.status for q in report.questions if q.id != "1b"}
    assert others == {QuestionStatus.NOT_ATTEMPTED}
    assert report.score == 0.0


def test_no_cells(grade_file: GradeFile) -> None:
    """An empty notebook gets a report without a point."""
    report = grade_file(v4.new_notebook())
    assert (report.score, report.execution) == (0.0, ())


def test_python_2(grade_file: GradeFile, solved: NotebookNode) -> None:
    """Python 2 code gets a report that says so, and points for what runs in Python 3."""
    solved.cells[4].source = "def square(x):\n    print 'squaring', x\n    return x * x"
    report = grade_file(solved)
    assert any("Python 2" in note for note in report.notes)
    assert question(report, "1a").status is QuestionStatus.FAILED
    assert any("SyntaxError" in note for note in question(report, "1a").notes)


def test_syntax_error(grade_file: GradeFile, solved: NotebookNode) -> None:
    """A syntax error costs the question that it is in; the others are graded."""
    solved.cells[14].source = "total = = 14"
    report = grade_file(solved)
    assert points(report) == FULL | {"2c": 0.0}
    assert question(report, "2c").notes[0].startswith("cell 14 raised SyntaxError")


def test_missing_data(grade_file: GradeFile, solved: NotebookNode) -> None:
    """A data file that was not handed in costs what needs it, and the report names it."""
    solved.cells[14].source = "total = np.loadtxt('my_data.csv').sum()"
    report = grade_file(solved)
    assert points(report) == FULL | {"2c": 0.0}
    assert "FileNotFoundError: my_data.csv" in question(report, "2c").notes[0]


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        ("while True: pass", CellStatus.TIMEOUT, "did not finish within 1 s"),
        (f"{IGNORE_INTERRUPTS}\nwhile True: pass", CellStatus.TIMEOUT, "ignored the interrupt"),
    ],
)
def test_cell_that_never_ends(
    grade_file: GradeFile,
    quick: Path,
    solved: NotebookNode,
    source: str,
    status: CellStatus,
    words: str,
) -> None:
    """A cell without end costs nothing else, even one that cannot be interrupted."""
    solved.cells.insert(12, v4.new_code_cell(source))
    report = grade_file(solved, quick)
    assert points(report) == FULL
    [run] = [run for run in report.execution if run.cell == 12]
    assert run.status is status
    assert words in run.error


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import sys; sys.exit()", "SystemExit"),
        ("import os; os._exit(0)", "ended the kernel"),
        ("import ctypes; ctypes.string_at(0)", "ended the kernel"),
    ],
)
def test_cell_that_does_not_end_well(
    grade_file: GradeFile, solved: NotebookNode, source: str, words: str
) -> None:
    """A cell that exits or crashes costs nothing else, and the report says what it did."""
    solved.cells.insert(12, v4.new_code_cell(source))
    report = grade_file(solved)
    assert points(report) == FULL
    [run] = [run for run in report.execution if run.cell == 12]
    assert run.status is CellStatus.ERROR
    assert words in run.error
    assert any(words in note for note in question(report, "2b").notes)


def test_answer_that_crashes(grade_file: GradeFile, solved: NotebookNode) -> None:
    """An answer that ends the kernel gets no points; what comes before and after it is graded."""
    solved.cells[10].source += "\nimport os\nos._exit(1)"
    report = grade_file(solved)
    assert points(report)["1a"] == 2.0
    assert question(report, "2a").status is QuestionStatus.FAILED
    assert "ended the kernel" in question(report, "2a").notes[0]
    assert any("cell 10 ended the kernel" in note for note in report.notes)
    assert points(report)["2c"] == 1.0


# --- folders and zips ------------------------------------------------------------------


def test_folder_and_zip(grade_file: GradeFile, solved: NotebookNode, tmp_path: Path) -> None:
    """A folder, or a zip, with a notebook and the module that it imports is graded."""
    solved.cells[10].source = "from helpers.sums import sum_of_squares"
    module = "import numpy as np\n\ndef sum_of_squares(x):\n    return np.sum(np.square(x))\n"
    folder = tmp_path / "ann"
    (folder / "code" / "helpers").mkdir(parents=True)
    nbformat.write(solved, folder / "code" / "hw.ipynb")
    (folder / "code" / "helpers" / "sums.py").write_text(module)
    with zipfile.ZipFile(tmp_path / "ann.zip", "w") as archive:
        for path in folder.rglob("*.*"):
            archive.write(path, path.relative_to(folder))
    for path in (folder, tmp_path / "ann.zip"):
        report = grade_file(path)
        assert points(report) == FULL
        assert report.submission.id == "ann"
        assert report.submission.files == ("code/helpers/sums.py", "code/hw.ipynb")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a.ipynb", "b.ipynb"], "a.ipynb: this is JSON, but not a Jupyter notebook"),
        (["a.csv"], "there is no notebook (.ipynb) in it"),
        (["../a.ipynb"], "leads out of it"),
    ],
)
def test_refused_zip(
    call: Call, capsys: pytest.CaptureFixture[str], tmp_path: Path, names: list[str], words: str
) -> None:
    """A zip without a notebook, or with a path out of it, ends with code 2."""
    with zipfile.ZipFile(tmp_path / "ann.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "{}")
    assert call(TINY, tmp_path / "ann.zip") == 2
    assert words in capsys.readouterr().err


def test_report_on_a_refused_file(call: Call, tmp_path: Path) -> None:
    """A file that cannot be graded gets a report that says why, and costs nobody a point."""
    (tmp_path / "hw.pdf").write_bytes(b"%PDF-1.7")
    assert call(TINY, tmp_path / "hw.pdf", "-o", tmp_path / "out") == 2
    report = from_json((tmp_path / "out" / "report.json").read_text())
    assert (report.submission.files, report.pending) == (("hw.pdf",), report.max_score)
    assert "this is a PDF" in report.notes[0]
    assert "this is a PDF" in (tmp_path / "out" / "feedback.html").read_text()


def test_anonymous(call: Call, solved: NotebookNode, tmp_path: Path) -> None:
    """An anonymous report has neither the file's name nor what is personal in the notebook."""
    solved.cells[10].source += "\nraise ValueError('ada@uni.nl, /home/quill/hw')"
    nbformat.write(solved, tmp_path / "ada_quill.ipynb")
    assert call(TINY, tmp_path / "ada_quill.ipynb", "-o", tmp_path / "out", "--anonymous") == 0
    for path in (tmp_path / "out").iterdir():
        text = path.read_text().casefold()
        assert not [known for known in ("quill", "ada@") if known in text]
    report = from_json((tmp_path / "out" / "report.json").read_text())
    assert report.submission.files == ("file-1.ipynb",)
    errors = "".join(run.error for run in report.execution)
    assert "[e-mail address], /home/[user]/hw" in errors


# --- what is written -------------------------------------------------------------------


def test_json_on_the_terminal(
    call: Call, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """With `--json -` stdout is JSON and nothing else; the files are still written."""
    assert call(TINY, TINY / "solution.ipynb", "--json", "-", "-o", tmp_path / "out") == 0
    captured = capsys.readouterr()
    report = from_json(captured.out)
    assert report.score == 4.0
    names = {"report.json", "report.html", "feedback.html"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert from_json((tmp_path / "out" / "report.json").read_text()) == report
    assert all(str(tmp_path / "out" / name) in captured.err for name in names)


@pytest.mark.parametrize("option", ["-o", "--json"])
def test_unwritable(
    call: Call, capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str
) -> None:
    """A report that cannot be written is the user's mistake, told after the table."""
    (tmp_path / "file").write_text("")
    assert call(TINY, TINY / "solution.ipynb", option, tmp_path / "file" / "out") == 2
    captured = capsys.readouterr()
    assert "Score: 4 / 5" in captured.out
    assert "the report cannot be written" in captured.err


def test_author_fault(call: Call, capsys: pytest.CaptureFixture[str], tiny_folder: Path) -> None:
    """A broken check file ends with code 2 and the file's name."""
    (tiny_folder / "checks" / "test_broken.py").write_text("import no_such_package")
    assert call(tiny_folder, TINY / "solution.ipynb") == 2
    error = capsys.readouterr().err
    assert "test_broken.py" in error
    assert "no_such_package" in error


def test_missing_package(call: Call, capsys: pytest.CaptureFixture[str], tiny_folder: Path) -> None:
    """A package that the assignment needs and that is missing is told with its cure."""
    path = tiny_folder / "assignment.toml"
    path.write_text(f'requires = ["no_such_package"]\n{path.read_text()}')
    assert call(tiny_folder, TINY / "solution.ipynb") == 2
    assert "(no_such_package): python -m pip install" in capsys.readouterr().err


def test_experiments(call: Call, tiny_folder: Path, tmp_path: Path) -> None:
    """Cells marked as experiments are skipped, and run where the command says so."""
    path = tiny_folder / "solution.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][14]["metadata"]["nn_grader"]["experiment"] = True
    path.write_text(json.dumps(notebook))
    scores = []
    for options in ((), ("--experiments", "run")):
        out = tmp_path / "report.json"
        assert call(tiny_folder, path, "--json", out, *options) == 0
        scores.append(from_json(out.read_text()).score)
    assert scores == [3.0, 4.0]


def test_map(call: Call, solved: NotebookNode, tmp_path: Path) -> None:
    """What a person says of an answer's cells counts, from options before a file, and is said."""
    moved = copy.deepcopy(solved)
    answer = moved.cells[10].source
    moved.cells[10].source = answer.replace("sum_of_squares", "add_squares")
    moved.cells.append(v4.new_code_cell(answer))
    (tmp_path / "hw.ipynb").write_text(json.dumps(moved))
    (tmp_path / "cells.toml").write_text('[map]\n"2a" = 10\n[map.hw]\n"1b" = "7-8"\n')
    options = ["--map", "2a=16", "--map-file", tmp_path / "cells.toml"]
    assert call(TINY, tmp_path / "hw.ipynb", *options, "--json", tmp_path / "r.json") == 0
    questions = {q.id: q for q in from_json((tmp_path / "r.json").read_text()).questions}
    assert (questions["2a"].cells, questions["2a"].points) == ((16,), 1.0)
    assert "taken from cell 16, as the map says" in questions["2a"].notes
    assert questions["1b"].cells == (7, 8)


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("2a", "write QUESTION=CELLS"),
        ("9z=3", "'9z'; those of tiny are 1a, 1b, 2a, 2b, 2c"),
        ("2a=99", "the notebook has 16 cells, 0 to 15"),
    ],
)
def test_map_to_nothing(
    call: Call,
    solved: NotebookNode,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    option: str,
    reason: str,
) -> None:
    """A map to what there is not is refused in a sentence."""
    (tmp_path / "hw.ipynb").write_text(json.dumps(solved))
    assert call(TINY, tmp_path / "hw.ipynb", "--map", option) == 2
    assert reason in capsys.readouterr().err
