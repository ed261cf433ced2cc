"""The report on a session whose checks have run."""

from __future__ import annotations

import platform
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

from nbformat import NotebookNode

from grader.alignment import AlignedAnswer, candidate_lines
from grader.answer_files import has_region, readable
from grader.assignment import Assignment
from grader.checks.outcome import CheckOutcome
from grader.execution.isolation import Level
from grader.privacy import masked
from grader.records import (
    AnswerCell,
    CandidateCell,
    CellEnding,
    CellOutput,
    CellRun,
    CellStatus,
    QuestionKind,
    QuestionReport,
    QuestionStatus,
    Report,
    SubmissionRecord,
)
from grader.release import is_solution
from grader.scoring import score_question, totals
from grader.session import Session

REPORTED_PACKAGES = ("numpy", "scipy", "ipykernel", "matplotlib", "scikit-learn")
NOT_JUDGED = "not judged: the checks had not come to it"
PRINT_STATEMENT = "Missing parentheses in call to 'print'"
SOLUTION_MARKERS = "the markers of an assignment's solution"
# What the release's blanks raise is no news.
UNFINISHED = "NotImplementedError"
# What concerns a submission as a whole: later cells may lack what these would have done.
UNFINISHED_ENDINGS = (
    *(CellEnding.INTERRUPTED, CellEnding.KILLED, CellEnding.DIED),
    *(CellEnding.NOT_REACHED, CellEnding.EXPERIMENT, CellEnding.UNAVAILABLE),
)
NO_NOTES: Mapping[str, str] = MappingProxyType({})
# Richest first: a figure is shown as an image, not as its textual stand-in.
SHOWN_MEDIA = ("image/png", "image/jpeg", "image/gif", "image/svg+xml", "text/plain")


def report_on(
    session: Session,
    outcomes: Sequence[CheckOutcome],
    seconds: float = 0.0,
    notes: Mapping[str, str] = NO_NOTES,
) -> Report:
    """The report on a session whose checks have run, without secrets and addresses.

    `notes` are of single questions, by id.
    """
    questions = _question_reports(session, outcomes, notes)
    score, maximum, pending = totals(questions)
    report = Report(
        assignment=session.assignment.slug,
        title=session.assignment.title,
        submission=session.submission.record,
        score=score,
        max_score=maximum,
        pending=pending,
        isolation=session.execution.level.value,
        environment=environment(),
        seconds=round(seconds, 3),
        questions=questions,
        execution=tuple(_runs(session)),
        notes=tuple(_notes(session)),
        repairs=session.repairs,
    )
    return masked(report)


def report_so_far(session: Session, outcomes: Sequence[CheckOutcome], seconds: float) -> Report:
    """The report while checks are still being run: the questions before the last one's count.

    Checks run in the order of the questions, so that those are complete. The
    others are left ungraded, and say so; so are those that may have a better
    answer elsewhere in the notebook.
    """
    order = [question.id for question in session.assignment.questions]
    begun = order.index(outcomes[-1].question) if outcomes else 0
    finished = frozenset(order[:begun])
    known = [outcome for outcome in outcomes if outcome.question in finished]
    report = report_on(session, known, seconds)
    questions = tuple(
        question if question.id in finished and _is_final(session, question) else _left(question)
        for question in report.questions
    )
    score, maximum, pending = totals(questions)
    return replace(report, questions=questions, score=score, max_score=maximum, pending=pending)


def _is_final(session: Session, question: QuestionReport) -> bool:
    alternatives = session.alignment[question.id].alternatives
    return question.status is QuestionStatus.PASSED or not alternatives


def _left(question: QuestionReport) -> QuestionReport:
    if question.kind is not QuestionKind.CODE:
        return question
    return replace(
        question, points=0.0, status=QuestionStatus.UNGRADED, checks=(), notes=(NOT_JUDGED,)
    )


def report_without_grading(
    assignment: Assignment, submission: SubmissionRecord, reason: str
) -> Report:
    """A report that says why a submission could not be graded: no points given, none taken."""
    questions = [
        QuestionReport(q.id, q.title, q.kind, 0.0, q.points, QuestionStatus.UNGRADED)
        for q in assignment.questions
    ]
    total = sum(question.max_points for question in questions)
    report = Report(
        assignment=assignment.slug,
        title=assignment.title,
        submission=submission,
        score=0.0,
        max_score=total,
        pending=total,
        isolation=Level.NONE.value,
        environment={},
        seconds=0.0,
        questions=tuple(questions),
        notes=(reason,),
    )
    return masked(report)


def environment() -> dict[str, str]:
    """The versions that a verdict may depend on."""
    found = {"python": platform.python_version(), "nn-grader": _version("nn-grader")}
    return found | {name: _version(name) for name in REPORTED_PACKAGES if _version(name)}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _question_reports(
    session: Session, outcomes: Sequence[CheckOutcome], notes: Mapping[str, str]
) -> tuple[QuestionReport, ...]:
    by_question = defaultdict(list)
    for outcome in outcomes:
        by_question[outcome.question].append(outcome)
    reports = []
    for question in session.assignment.questions:
        answer = session.alignment[question.id]
        said = [notes[question.id]] if question.id in notes else []
        handed_in = replace(answer, cells=session.arrangement.handed_in(answer.cells))
        found = candidate_lines(session.arrangement, answer.candidates)
        reports.append(
            score_question(
                question,
                handed_in,
                by_question[question.id],
                _answer_cells(session, answer),
                [*said, *_failed_cells(session, answer)],
                tuple(CandidateCell(cell, line) for cell, line in found),
            )
        )
    return tuple(reports)


def _runs(session: Session, cells: Collection[int] | None = None) -> list[CellRun]:
    """How the cells ran, as they were handed in: of one that was taken apart, its parts as one."""
    parts = defaultdict(list)
    for run in session.execution.cells:
        origin = session.arrangement.origins[run.cell]
        if origin >= 0 and (cells is None or run.cell in cells):
            parts[origin].append(run)
    return [_as_one(cell, runs) for cell, runs in parts.items()]


def _as_one(cell: int, runs: Sequence[CellRun]) -> CellRun:
    """The first part that did not end well speaks for all."""
    worst = next((run for run in runs if run.status is not CellStatus.OK), runs[0])
    seconds = round(sum(run.seconds for run in runs), 6) if runs[1:] else worst.seconds
    notes = dict.fromkeys(run.note for run in runs if run.note)
    return replace(worst, cell=cell, seconds=seconds, note="; ".join(notes))


def _failed_cells(session: Session, answer: AlignedAnswer) -> list[str]:
    """What a question's cells did wrong when they were run: often why its checks fail."""
    runs = _runs(session, answer.cells)
    failed = [run for run in runs if run.status is not CellStatus.OK and run.error != UNFINISHED]
    return _sentences((run, _fate(run)) for run in failed) + _changes(runs)


def _fate(run: CellRun) -> str:
    """What became of a cell that did not finish, to follow its number."""
    if run.ending is CellEnding.RAISED:
        return f"raised {run.error}"
    if run.ending in (CellEnding.EXPERIMENT, CellEnding.UNAVAILABLE):
        return f"skipped: {run.error}; the recorded outputs stand"
    return run.error


def _changes(runs: Iterable[CellRun]) -> list[str]:
    """In what the code of some cells was changed before it was run."""
    return _sentences((run, run.note) for run in runs if run.note)


def _sentences(said: Iterable[tuple[CellRun, str]]) -> list[str]:
    """One sentence for all cells of which the same is to be said."""
    cells = defaultdict(list)
    for run, words in said:
        cells[words].append(str(run.cell))
    return [f"{'cells' if c[1:] else 'cell'} {', '.join(c)} {words}" for words, c in cells.items()]


def _notes(session: Session) -> list[str]:
    runs = _runs(session)
    notes = list(session.arrangement.notes)
    notes += _sentences((run, _fate(run)) for run in runs if run.ending in UNFINISHED_ENDINGS)
    notes += _changes(runs)
    notes += _supplies_that_raised(session)
    submission = session.submission
    notes += submission.notes
    if submission.notebook.cells and not session.assignment.cells_answer_code:
        notes.append("the notebook was not run: files answer the questions that code answers")
    if session.assignment.answer_files and str(submission.folder) != ".":
        notes.append(f"the files were looked for in the folder {submission.folder}")
    if is_solution(submission.notebook):
        notes.insert(0, f"this notebook still has {SOLUTION_MARKERS}")
    elif _has_solution_file(session):
        notes.insert(0, f"these files still have {SOLUTION_MARKERS}")
    if _is_python_2(session):
        notes.insert(0, "this looks like Python 2 code; it was run with Python 3, as the course is")
    return notes


def _supplies_that_raised(session: Session) -> list[str]:
    """What was put in for cells that lack it, and did not run either."""
    origins = session.arrangement.origins
    errors = [
        run.error
        for run in session.execution.cells
        if origins[run.cell] < 0 and run.status is not CellStatus.OK
    ]
    return [f"code that was run for what cells lack raised {error}" for error in errors]


def _has_solution_file(session: Session) -> bool:
    handed_in = session.submission.answers
    files = [handed_in.get(path, b"") for path in session.assignment.answer_files]
    return any(has_region(readable(content) or "") for content in files)


def _is_python_2(session: Session) -> bool:
    metadata = session.submission.notebook.metadata
    written = str(metadata.get("language_info", {}).get("version", ""))
    errors = [run.error for run in session.execution.cells]
    return written.startswith("2.") or any(PRINT_STATEMENT in error for error in errors)


def _answer_cells(session: Session, answer: AlignedAnswer) -> tuple[AnswerCell, ...]:
    """The answer as it was handed in, with the outputs that the student recorded."""
    parts = defaultdict(list)
    for cell in answer.cells:
        parts[session.arrangement.origins[cell]].append(cell)
    return tuple(_answer_cell(session, number, cells) for number, cells in parts.items())


def _answer_cell(session: Session, number: int, parts: Sequence[int]) -> AnswerCell:
    """A cell as it was handed in; of one that answers several questions, the parts for this one."""
    cell = session.submission.notebook.cells[number]
    outputs = [shown for output in cell.get("outputs", []) if (shown := _shown(output))]
    source = _text(cell.source)
    if session.arrangement.origins.count(number) > len(parts):
        cells = session.arrangement.notebook.cells
        source = "\n\n".join(_text(cells[part].source) for part in parts)
    return AnswerCell(number, cell.cell_type, source, tuple(outputs))


def _shown(output: NotebookNode) -> CellOutput | None:
    if output.output_type == "stream":
        return CellOutput("text/plain", _text(output.text))
    if output.output_type == "error":
        return CellOutput("text/plain", f"{output.ename}: {output.evalue}")
    data = output.get("data", {})
    for media in SHOWN_MEDIA:
        if media in data:
            return CellOutput(media, _text(data[media]))
    return None


def _text(value: object) -> str:
    """nbformat lets a text be a list of lines."""
    return "".join(map(str, value)) if isinstance(value, list) else str(value)
