"""One submission, aligned and run: what the checks are asked against."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import PurePosixPath
from types import TracebackType
from typing import Self

from nbformat import NotebookNode, v4

from grader.alignment import NO_MAP, AlignedAnswer, Arrangement, CellMap, arrange_all
from grader.answer_files import module_name
from grader.assignment import Assignment, Question
from grader.execution.answered import AnsweredQuestion, ModuleReplacement
from grader.execution.hand_in import HandIn
from grader.execution.isolation import Level, require
from grader.execution.plan import CellPlan
from grader.execution.probing import reached_level
from grader.execution.room import Room
from grader.execution.runner import Execution, Progress, run_notebook
from grader.execution.snapshots import Snapshot
from grader.losses import Losses, absent_module, find_losses
from grader.planning import RunPlan, plan_run
from grader.records import CellEnding, QuestionKind, Repair
from grader.repair.causes import explain
from grader.repair.planning import (
    RepairPlan,
    plan_repairs,
    refuse_python_2,
    repaired_meanwhile,
)
from grader.rewriting import parse_cell
from grader.scans import with_scans
from grader.submission import Submission

NOT_KEPT = (
    "this check needs the state before the question, which only a fresh run of the notebook has: "
    "use grader check"
)
STATE_LOST = "the notebook's state at this question was not kept"


@dataclass(frozen=True, eq=False)
class _Run:
    """One kernel's snapshots, and the folder in which it runs."""

    execution: Execution
    room: Room | None

    def close(self) -> None:
        """Ends its processes and removes its folder."""
        self.execution.close()
        if self.room is not None:
            self.room.close()


@dataclass(frozen=True, eq=False)
class Session:
    """Live snapshots of one submission; `close` ends all of its processes.

    `alignment` counts cells as in the notebook of the `arrangement`, which is
    the one that was run. Of its `runs` the last is the notebook's, unless files
    alone answer what code answers: then no cell is run. The first is that of a
    process in which nothing was run yet, where files answer: they are imported
    there, whatever the notebook does.
    """

    assignment: Assignment
    submission: Submission
    arrangement: Arrangement
    alignment: Mapping[str, AlignedAnswer]
    runs: tuple[_Run, ...]
    plan: RunPlan
    losses: Losses
    planned_repairs: RepairPlan = field(default_factory=RepairPlan)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the submission's processes and removes its folder."""
        for run in self.runs:
            run.close()

    @property
    def execution(self) -> Execution:
        """The notebook's, or that of no cells."""
        return self.runs[-1].execution

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """What was repaired, before the notebook ran and while it did."""
        files = beside(self.assignment, self.submission)
        meanwhile = repaired_meanwhile(self.execution.notebook, files)
        number = self.arrangement.handed_in
        found = (*self.planned_repairs.repairs, *meanwhile)
        return tuple(replace(repair, cells=number(repair.cells)) for repair in found)

    @cached_property
    def hand_in(self) -> HandIn:
        """The submission as it arrived, for the checks."""
        return self.submission.hand_in

    def answered(self, question: str) -> AnsweredQuestion:
        """What the run left of a question, on the student's own work."""
        answer = self.alignment[question]
        if self.assignment.question(question).file:
            return self._answered_by_file(answer)
        cells = self.execution.notebook.cells
        first, last = answer.first(len(cells)), answer.last(len(cells))
        code = [i for i in answer.cells if cells[i].cell_type == "code"]
        sources = [str(cells[i].source) for i in code if i not in self.plan.skipped]
        skipped = [str(cells[i].source) for i in sorted(self.plan.skipped) if i < first]
        texts = [str(cells[i].source) for i in answer.cells if cells[i].cell_type == "markdown"]
        return AnsweredQuestion(
            before=self.execution.snapshots.get(first),
            after=self.execution.snapshots.get(last),
            sources=tuple(sources),
            output=self.execution.output_of(answer.cells),
            seconds=self.assignment.limits.check,
            experiments=(*map(_definitions, skipped), *(str(cells[i].source) for i in code)),
            markdown="\n\n".join(texts),
            lost=self.execution.lost.get(last, STATE_LOST),
            by_student=last in self.execution.lost,
            hand_in=self.hand_in,
        )

    def with_cells(self, question: str, cells: tuple[int, ...]) -> Session:
        """The same, with other cells for a question's answer."""
        answer = replace(self.alignment[question], cells=cells)
        return replace(self, alignment={**self.alignment, question: answer})

    def _answered_by_file(self, answer: AlignedAnswer) -> AnsweredQuestion:
        modules = self.runs[0].execution
        snapshot = modules.snapshots.get(0)
        return AnsweredQuestion(
            before=snapshot,
            after=snapshot,
            sources=tuple(part.source for part in answer.files),
            output="",
            seconds=self.assignment.limits.check,
            lost=modules.lost.get(0, STATE_LOST),
            hand_in=self.hand_in,
        )

    def repaired(self, question: str, prerequisites: list[str], rerun: bool) -> AnsweredQuestion:
        """The same, with the solution's work in place of the student's for `prerequisites`."""
        needed = [self.assignment.question(identity) for identity in prerequisites]
        definitions = [self.assignment.definitions(q.id) for q in needed if not q.file]
        own = self.assignment.question(question).file
        return replace(
            self.answered(question),
            replacements="\n\n".join(definitions),
            # Another question's work in the same file must not come with it.
            modules=tuple(
                ModuleReplacement(
                    name=module_name(q.file),
                    source=self.assignment.solution_files[q.file],
                    names=q.names,
                    whole=q.file != own,
                )
                for q in needed
                if q.file
            ),
            rerun=rerun,
        )

    def excuse(self, question: str, names: Collection[str], raised: str) -> str:
        """Why a check that asked for `names` must not count against the student; "" if it may.

        `raised` is what is known of an exception: a file may have asked for a missing module.
        """
        if self.assignment.question(question).file:
            return absent_module(raised, self.plan.missing)
        return self.losses.excuse(self.alignment[question].cells, names)


def open_session(
    assignment: Assignment,
    submission: Submission,
    *,
    isolation: Level | None = None,
    progress: Progress | None = None,
    only: Collection[str] | None = None,
    cell_map: CellMap = NO_MAP,
) -> Session:
    """Aligns and runs a submission, kept apart as far as this machine can.

    `isolation` is the least level accepted, instead of the assignment's own.
    With `only`, no cell is run that comes after the last of these questions, and
    no state is kept for others. `cell_map` is a person's word on which cells
    answer a question.

    Raises:
        UsageError: this machine does not reach that level, or the map names a
            question or a cell that there is not.
        AssignmentError: a package that the assignment's notebooks need is not installed.
        SubmissionError: it is Python 2, or asks for a kernel and that is not to be repaired.
        ExecutionFault: the grader could not start a kernel.
    """
    assignment.require_packages()
    level = reached_level()
    require(level, isolation or assignment.run.isolation)
    files = beside(assignment, submission)
    notebook = submission.notebook if submission.name else None
    arrangement = arrange_all(assignment, notebook, submission.answers, cell_map)
    whole = arrangement.notebook
    repairs = _repairs(assignment, submission, whole, files)
    alignment = with_scans(arrangement.answers, assignment, submission)
    wanted = [q for q in assignment.questions if only is None or q.id in only]
    end = len(whole.cells) if only is None else _end(wanted, alignment, len(whole.cells))
    plan = plan_run(assignment, alignment, whole, repairs.sources, arrangement.origins)
    start = partial(_start, assignment, files, level, progress, repairs.order)
    runs: list[_Run] = []
    try:
        if any(question.file for question in wanted):
            runs.append(start(v4.new_notebook(), submission.folder / "modules.ipynb", {0}, {}))
        if _is_run(assignment, submission) and (_by_cells(wanted) or not assignment.answer_files):
            notebook = v4.new_notebook(cells=whole.cells[:end], metadata=whole.metadata)
            boundaries = _boundaries(wanted, alignment, end)
            name = PurePosixPath(submission.name)
            runs.append(start(notebook, name, boundaries, plan.cells))
        if not runs:
            runs.append(start(v4.new_notebook(), submission.folder / "empty.ipynb", {0}, {}))
    except BaseException:
        for run in runs:
            run.close()
        raise
    losses = _settle(runs[-1].execution, plan)
    _explain(runs[-1].execution, files, assignment)
    return Session(
        assignment, submission, arrangement, alignment, tuple(runs), plan, losses, repairs
    )


def _is_run(assignment: Assignment, submission: Submission) -> bool:
    """Whether there is a notebook whose cells are run."""
    asked_for = assignment.cells_answer_code or not assignment.answer_files
    return bool(submission.name) and asked_for


def _repairs(
    assignment: Assignment,
    submission: Submission,
    notebook: NotebookNode,
    files: Mapping[str, bytes],
) -> RepairPlan:
    """The plan for what is run of a submission, unless it is Python 2."""
    run_here = notebook if _is_run(assignment, submission) else v4.new_notebook()
    answers = {path: submission.answers.get(path, b"") for path in assignment.answer_files}
    refuse_python_2(run_here, answers)
    return plan_repairs(
        run_here,
        str(submission.folder),
        files,
        assignment.run.repairs,
        assignment.missing_modules(),
    )


@dataclass(frozen=True, eq=False)
class LiveSession(Session):
    """One snapshot of a kernel in which its owner works, for all questions.

    What the namespace was before a question, nobody knows any more; what its
    cells printed is what the notebook says.
    """

    def answered(self, question: str) -> AnsweredQuestion:
        """What the kernel holds, whatever was run last."""
        snapshot = self.execution.snapshots[0]
        return replace(super().answered(question), before=None, after=snapshot, lost=NOT_KEPT)


def live_session(assignment: Assignment, submission: Submission, snapshot: Snapshot) -> LiveSession:
    """A session on the state of a kernel that is running, in which no cell is run."""
    arrangement = arrange_all(assignment, submission.notebook, submission.answers)
    # Whether there is an answer, the kernel tells, and not the notebook.
    alignment = {q: answer.in_kernel() for q, answer in arrangement.answers.items()}
    execution = Execution(arrangement.notebook, Level.NONE, snapshots={0: snapshot})
    runs = (_Run(execution, None),)
    return LiveSession(assignment, submission, arrangement, alignment, runs, RunPlan(), Losses(()))


def _start(
    assignment: Assignment,
    files: Mapping[str, bytes],
    level: Level,
    progress: Progress | None,
    order: Mapping[str, object] | None,
    notebook: NotebookNode,
    name: PurePosixPath,
    boundaries: set[int],
    plans: Mapping[int, CellPlan],
) -> _Run:
    room = Room(files, str(name), order)
    try:
        execution = run_notebook(
            notebook,
            boundaries,
            room,
            assignment.limits,
            level=level,
            figures=assignment.run.figures,
            hidden=[assignment.folder],
            progress=progress,
            plans=plans,
        )
    except BaseException:
        room.close()
        raise
    return _Run(execution, room)


def _definitions(source: str) -> str:
    """What a cell defines in no time: imports, functions, classes and literal constants."""
    tree = parse_cell(source)
    body = [node for node in tree.body if _is_definition(node)] if tree else []
    return ast.unparse(ast.Module(body, type_ignores=[]))


def _is_definition(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        with suppress(ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            ast.literal_eval(node.value)
            return True
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return isinstance(node, kinds)


def _settle(execution: Execution, plan: RunPlan) -> Losses:
    """Marks the cells that failed for want of what could not be run here."""
    cells = execution.notebook.cells
    sources = {i: str(cell.source) for i, cell in enumerate(cells) if cell.cell_type == "code"}
    losses = find_losses(sources, execution.cells, plan)
    execution.cells[:] = losses.runs
    return losses


def _explain(execution: Execution, files: Mapping[str, bytes], assignment: Assignment) -> None:
    """Adds to the errors of cells what of the environment was missing."""
    for place, run in enumerate(execution.cells):
        if run.ending is CellEnding.RAISED:
            cure = explain(run.error, files, assignment.run.repairs)
            if cure:
                execution.cells[place] = replace(run, error=f"{run.error} ({cure})")


def beside(assignment: Assignment, submission: Submission) -> Mapping[str, bytes]:
    """The submission's files, and those of the release that it lacks, in its own folder."""
    handed_out = {
        str(submission.folder / name): content for name, content in assignment.files.items()
    }
    return {**handed_out, **submission.files}


def _by_cells(questions: Iterable[Question]) -> list[Question]:
    """Those that code in cells answers."""
    return [q for q in questions if q.kind is QuestionKind.CODE and not q.file]


def _end(questions: Iterable[Question], alignment: Mapping[str, AlignedAnswer], end: int) -> int:
    """The boundary after the last cell that these questions need."""
    answers = [a for q in _by_cells(questions) for a in _places(alignment[q.id])]
    return max((answer.last(end) for answer in answers), default=0)


def _places(answer: AlignedAnswer) -> list[AlignedAnswer]:
    """An answer, and the same in each place where it may stand instead."""
    return [answer, *(replace(answer, cells=cells) for cells in answer.alternatives)]


def _boundaries(
    questions: Iterable[Question], alignment: Mapping[str, AlignedAnswer], end: int
) -> set[int]:
    """Before and after each question that code in cells answers, wherever it may stand."""
    answers = [a for q in _by_cells(questions) for a in _places(alignment[q.id])]
    return {answer.first(end) for answer in answers} | {answer.last(end) for answer in answers}
