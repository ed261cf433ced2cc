"""The figures of aalto_ex09 that are the course's own, and hand-ins that need a close look."""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Mapping

import nbformat
import numpy as np
import pytest
import scipy.io

from grader import grade, load_assignment
from grader.audit import load_mutants
from grader.checks import load_module
from grader.records import CellStatus, QuestionKind, QuestionReport, QuestionStatus, Report
from grader.session import open_session
from grader.submission import Submission, read_notebook
from reference.training import a2

ASSIGNMENT = load_assignment("aalto_ex09")
DATA = load_module(ASSIGNMENT.folder / "data.py")
SETTINGS = (0.0, 10, 30, 0.01, 0.0, False, 10)
FIGURE = 2.303780629747699
COURSE_FIGURE, COURSE_FIGURE_AFTER_3 = "2.301906765216956", "2.3025673934869757"
UNREPORTED = {"q2-report-answer": ""}


def hand_in(
    sources: Mapping[str, str] | None = None,
    *,
    outputs: Mapping[str, str] | None = None,
    files: Mapping[str, bytes] | None = None,
    strip: bool = False,
) -> Submission:
    """The solution with other sources and printed outputs of some cells, by their ids.

    Exercise 3 is left out: it trains 14 times. `strip` takes all ids and metadata away.
    """
    notebook = copy.deepcopy(ASSIGNMENT.solution)
    changed = {"q3-runs": "print('run before')", **(sources or {})}
    for cell in notebook.cells:
        cell.source = changed.pop(cell.id, cell.source)
        if cell.cell_type == "code":
            cell.execution_count = 1
            text = (outputs or {}).get(cell.id, "")
            cell.outputs = [nbformat.v4.new_output("stream", text=text)] if text else []
        if strip:
            cell.metadata.clear()
            cell.id = nbformat.v4.new_markdown_cell().id
    assert not changed
    content = nbformat.writes(notebook).encode()
    return Submission(
        "h", "h.ipynb", read_notebook(content, "h.ipynb"), {"h.ipynb": content, **(files or {})}
    )


def report_on(*arguments: Mapping[str, str], **keywords: object) -> Report:
    """The report on such a hand-in."""
    return grade(ASSIGNMENT, hand_in(*arguments, **keywords))  # type: ignore[arg-type]


def question(report: Report, identity: str) -> QuestionReport:
    """One question's report."""
    return next(q for q in report.questions if q.id == identity)


def reported(**keywords: object) -> float:
    """The points for the report of such a hand-in, which has full marks for its gradient."""
    report = report_on(**keywords)  # type: ignore[arg-type]
    assert question(report, "2").points == 3.0
    return question(report, "2.report").points


def failures(report: Report) -> set[str]:
    """The names of all checks that failed."""
    return {c.name for q in report.questions for c in q.checks if c.status.value != "passed"}


def replaced(identity: str, old: str, new: str) -> dict[str, str]:
    """A cell's source with one text in place of another."""
    source = next(cell.source for cell in ASSIGNMENT.solution.cells if cell.id == identity)
    assert source.count(old) == 1
    return {identity: source.replace(old, new)}


def data_file(data: Mapping[str, Mapping[str, np.ndarray]]) -> bytes:
    """A data.mat."""
    content = io.BytesIO()
    scipy.io.savemat(content, {"data": data}, do_compression=True)
    return content.getvalue()


# --- figures ------------------------------------------------------------------


def test_points() -> None:
    """There are 10 points: 4 for code and its result, 6 for what a person reads."""
    by_id = {q.id: q.points for q in ASSIGNMENT.questions}
    assert by_id == {"1": 3.0, "2": 3.0, "2.a2": 0.0, "2.report": 1.0, "3": 3.0}
    written = [q.points for q in ASSIGNMENT.questions if q.kind is QuestionKind.WRITTEN]
    assert sum(written) == 6.0


def test_data_are_those_that_data_py_makes() -> None:
    """The release's data.mat is what data.py writes, small, and has the course's shapes."""
    made, read = DATA.digits(), DATA.read()
    for ours, theirs in DATA.NAMES.items():
        np.testing.assert_array_equal(read[ours]["inputs"], made[theirs]["inputs"])
        np.testing.assert_array_equal(read[ours]["target"], made[theirs]["targets"])
        assert read[ours]["inputs"].shape[0] == 256
        assert (read[ours]["target"].sum(axis=0) == 1).all()
    assert read["train"]["inputs"].shape[1] == 1000
    assert DATA.FILE.stat().st_size < 300_000


def test_figure_of_the_stand_in() -> None:
    """On the stand-in data the reference's training loss is the one that the solution reports."""
    found = a2(*SETTINGS, DATA.read())
    assert found.classification_loss["train"] == pytest.approx(FIGURE, rel=1e-12)
    answer = next(c for c in ASSIGNMENT.solution.cells if c.id == "q2-report-answer")
    assert str(FIGURE) in answer.source


def test_printed_losses() -> None:
    """The notebook's own a2 prints the reference's figures for the settings of the report."""
    with open_session(ASSIGNMENT, hand_in()) as session:
        printed = session.execution.output_of(session.alignment["2.report"].cells)
    found = a2(*SETTINGS, DATA.read())
    losses = np.stack([found.training_losses, found.validation_losses], axis=1)[2::3]
    final = [(found.loss[n], found.classification_loss[n], found.error_rate[n]) for n in DATA.NAMES]
    figures = [float(figure) for figure in re.findall(r"\d+\.\d+", printed)]
    np.testing.assert_allclose(figures, [*losses.ravel(), *np.ravel(final)], rtol=1e-12)


def test_many_mistakes_are_named() -> None:
    """The report's name is held for at least 30 of the planted bugs."""
    assert len([mutant for mutant in load_mutants(ASSIGNMENT) if mutant.diagnosis]) >= 30


def test_release_is_complete() -> None:
    """The release brings its data and utils.py, and its blank stands between the course's marks."""
    assert set(ASSIGNMENT.files) == {"data.mat", "utils.py"}
    cell = next(c for c in ASSIGNMENT.release.cells if c.id == "q2-answer")
    blank = r"#--your-code-starts-here--#\s+# YOUR CODE HERE\s+raise NotImplementedError\s+#--your"
    assert re.search(blank, cell.source)
    assert str(FIGURE) not in "".join(c.source for c in ASSIGNMENT.release.cells)


# --- the gradient ---------------------------------------------------------------


def test_follow_through_from_another_loss() -> None:
    """A gradient of the summed loss is right where the student's own `loss` sums, too."""
    summed = replaced("given-loss", "-np.mean(", "-np.sum(")
    gradient = replaced("q2-answer", ") / n_cases\n", ")\n")
    report = report_on({**summed, **gradient, "q2-report-run": ""})
    assert question(report, "2").points == 3.0


def test_no_follow_through_from_a_trivial_loss() -> None:
    """A `loss` that was made to fit a trivial gradient earns nothing for the chain rule."""
    trivial = (
        "def loss(model, data, wd):\n"
        "    return sum((w ** 2).sum() for w in model.values()) * (1 + wd / 2)\n"
    )
    gradient = (
        "def d_loss_by_d_model(model, data, wd):\n"
        "    return {name: (2 + wd) * w for name, w in model.items()}\n"
    )
    given = next(c.source for c in ASSIGNMENT.solution.cells if c.id == "given-loss")
    report = report_on({"given-loss": given + "\n\n" + trivial, "q2-answer": gradient})
    assert {"test_hid_to_class", "test_input_to_hid"} <= failures(report)


def test_zeros_earn_nothing() -> None:
    """The course's own release, whose gradient is zero, gets no point for its gradient."""
    zeros = (
        "def d_loss_by_d_model(model, data, wd):\n    return {n: w * 0 for n, w in model.items()}"
    )
    report = report_on({"q2-answer": zeros, **UNREPORTED})
    assert report.score == 0.0


def test_sizes_of_the_course() -> None:
    """A gradient for the course's sizes alone loses what the check of other sizes is worth."""
    sizes = replaced(
        "q2-answer",
        "@ data['inputs'].T",
        "@ data['inputs'].T\n    assert data['inputs'].shape[0] == 256",
    )
    report = report_on(sizes)
    assert failures(report) == {"test_sizes[small]", "test_sizes[wide]"}
    assert question(report, "2").points == pytest.approx(2.8)


# --- the training function ----------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "failed"),
    [
        ("momentum_multiplier * speed", "speed", {"test_momentum", "test_early_stopping"}),
        ("theta = best_theta", "pass", {"test_early_stopping"}),
    ],
)
def test_changed_training_function(old: str, new: str, failed: set[str]) -> None:
    """Where a2 was changed, its own checks say so, and nothing else is lost."""
    report = report_on(replaced("q2-a2-given", old, new))
    assert failures(report) == failed
    assert report.score == 4.0


def test_names_that_numpy_has_no_more() -> None:
    """The training function may begin its early stopping with np.Inf, as the course's does."""
    report = report_on(replaced("q2-a2-given", "np.inf", "np.Inf"))
    assert failures(report) == set()


def test_manners_of_the_original() -> None:
    """Data of another machine, `import utils` and a test that exits cost nothing."""
    sources = {
        **replaced("imports", "data_dir = '.'", "import utils, sys\ndata_dir = '/home/of/another'"),
        **replaced("given-loss", "    theta = model", "    sys.exit('wrong')\n    theta = model"),
        **replaced("q2-a2-given", "= from_data_file", "= utils.from_data_file"),
        "q2-report-run": "test_gradient(initial_model(2), None, 0)",
    }
    report = report_on(sources, strip=True)
    assert failures(report) == set()
    assert report.score == 4.0
    errors = [run.error for run in report.execution if run.status is CellStatus.ERROR]
    assert errors == ["SystemExit: wrong"]


def test_training_with_a_wrong_gradient() -> None:
    """The training function is judged with the solution's gradient where the student's is wrong."""
    report = report_on(replaced("q2-answer", ") / n_cases\n", ")\n"))
    assert question(report, "2.a2").status is QuestionStatus.PASSED
    assert question(report, "2.report").points == 1.0


# --- the reported loss ----------------------------------------------------------


def test_number_in_words() -> None:
    """Without the variable, the one number that the notebook's words name counts."""
    prompt = next(c.source for c in ASSIGNMENT.solution.cells if c.id == "q2-report-prompt")
    words = {"q2-report-prompt": f"{prompt}\n\nTraining data classification loss: {FIGURE}"}
    assert reported(sources={**UNREPORTED, **words}) == 1.0
    assert reported(sources={**UNREPORTED, **words}, strip=True) == 1.0


def test_several_numbers_in_words() -> None:
    """Several numbers are none: it is not clear which one is reported."""
    words = f"The training classification loss is {FIGURE}, the classification loss was 2.30468."
    prompt = next(c.source for c in ASSIGNMENT.solution.cells if c.id == "q2-report-prompt")
    assert reported(sources={**UNREPORTED, "q2-report-prompt": f"{prompt}\n\n{words}"}) == 0.0


@pytest.mark.parametrize(
    ("value", "points"),
    [("2.3038", 1.0), ("2.3040", 0.0)],
)
def test_rounded_number(value: str, points: float) -> None:
    """A rounded loss counts where it has four decimals at least, and those are right."""
    assert reported(sources={"q2-report-answer": f"reported_loss = '{value}'"}) == points


def test_course_data() -> None:
    """The figure for the course's own data counts for a notebook that was run with them."""
    sources = {"q2-report-answer": f"reported_loss = {COURSE_FIGURE}"}
    printed = f"After 3: {COURSE_FIGURE_AFTER_3}\nclassification loss: {COURSE_FIGURE}"
    assert reported(sources=sources) == 0.0
    assert reported(sources=sources, outputs={"q2-report-run": printed}) == 1.0


def test_own_data_file() -> None:
    """The loss is computed again with a data.mat that was handed in."""
    digits = DATA.digits()
    dim = {part: {**d, "inputs": d["inputs"] / 3} for part, d in digits.items()}
    files = {"data/data.mat": data_file(dim)}
    parts = {"train": dim["training"], "val": dim["validation"]}
    data = {n: {"inputs": p["inputs"], "target": p["targets"]} for n, p in parts.items()}
    loss = a2(*SETTINGS, data).classification_loss["train"]
    assert abs(loss - FIGURE) > 1e-4
    assert reported(sources={"q2-report-answer": f"reported_loss = {loss}"}, files=files) == 1.0


def test_useless_data_file() -> None:
    """A data.mat that is no data, or has no labels, is passed over."""
    digits = DATA.digits()
    blank = {part: {**d, "targets": 0 * d["targets"]} for part, d in digits.items()}
    files = {"a/data.mat": b"not a file of MATLAB's", "b/data.mat": data_file(blank)}
    zero = {"q2-report-answer": "reported_loss = '0.00000'"}
    assert reported(sources=zero, files=files) == 0.0
    assert reported(files=files) == 1.0


def test_loss_by_a_wrong_gradient() -> None:
    """A wrong gradient costs its own question: the loss that it leads to is reported rightly."""
    data = DATA.read()
    trained = a2(0.0, 10, 30, 0.02, 0.0, False, 10, data).classification_loss["train"]
    sources = {
        **replaced("q2-answer", ") / n_cases\n", ") * 2 / n_cases\n"),
        "q2-report-answer": f"reported_loss = {trained}",
    }
    report = report_on(sources)
    assert 0 < question(report, "2").points < 3.0
    assert question(report, "2.report").points == 1.0


# --- the derivation on paper ------------------------------------------------------


def test_scan() -> None:
    """A derivation that was handed in as a PDF waits for a person, as one in the notebook does."""
    sources = {"q1-answer": "*Your answer here.*"}
    report = report_on(sources, files={"Derivation.PDF": b"%PDF-1.4"})
    assert question(report, "1").status is QuestionStatus.PENDING
    assert question(report, "1").notes == ("handed in as a file: Derivation.PDF",)
    report = report_on(sources)
    assert question(report, "1").status is QuestionStatus.NOT_ATTEMPTED
    assert "none came with this one" in question(report, "1").notes[0]
