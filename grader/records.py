"""The records that cross module borders: what was run, judged and reported."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class QuestionKind(StrEnum):
    """How a question is answered; `written` and `plot` wait for a person."""

    CODE = "code"
    WRITTEN = "written"
    PLOT = "plot"


class CheckStatus(StrEnum):
    """The outcome of one check; whatever is not `passed` carries a cause."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    TIMEOUT = "timeout"
    SKIPPED = "skipped"
    INCONCLUSIVE = "inconclusive"


class QuestionStatus(StrEnum):
    """The outcome of one question."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    NOT_ATTEMPTED = "not_attempted"
    PENDING = "pending"
    UNGRADED = "ungraded"


class CellStatus(StrEnum):
    """How one cell of the notebook ran."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    SKIPPED = "skipped"


class CellEnding(StrEnum):
    """How one cell came to its status; the last two are no fault of the student's.

    `unreadable`: it showed what cannot be read; `interrupted`, `killed`: too
    slow; `died`: it ended its kernel; `not_reached`: time or kernels were used
    up; `experiment`: skipped as one, or over an experiment's budget;
    `unavailable`: it needs a module that is not installed here, or what a
    skipped cell defines.
    """

    FINISHED = "finished"
    RAISED = "raised"
    UNREADABLE = "unreadable"
    INTERRUPTED = "interrupted"
    KILLED = "killed"
    DIED = "died"
    NOT_REACHED = "not_reached"
    EXPERIMENT = "experiment"
    UNAVAILABLE = "unavailable"


# Below this confidence, a question whose checks do not all pass is left to a person.
LEAST_CONFIDENCE = 0.6


@dataclass(frozen=True)
class Diagnosis:
    """A named bug: a stable code, a sentence for the student, a confidence in [0, 1]."""

    code: str
    text: str
    confidence: float


@dataclass(frozen=True)
class GradientElement:
    """One element of a checked gradient; `relative_error` is |a - n| / max(|a|, |n|)."""

    index: tuple[int, ...]
    analytic: float
    numeric: float
    relative_error: float


@dataclass(frozen=True)
class GradientEvidence:
    """What a failed gradient check saw, small enough for a report.

    `worst` is sorted by falling relative error; `points` are (analytic,
    numeric) pairs for a picture.
    """

    worst: tuple[GradientElement, ...]
    points: tuple[tuple[float, float], ...]
    relative_tolerance: float
    evaluations: int


@dataclass(frozen=True)
class CheckResult:
    """One check's outcome; `message` is for a reader, `cause` names whose fault it was.

    `cause` is `""` for a pass, else `student`, `author`, `grader`,
    `prerequisite` or `environment` (what the answer needs was not run here).
    """

    name: str
    description: str
    hidden: bool
    status: CheckStatus
    points: float
    max_points: float
    message: str = ""
    cause: str = ""
    diagnosis: Diagnosis | None = None
    evidence: GradientEvidence | None = None


@dataclass(frozen=True)
class CellOutput:
    """One recorded output: text as it is, an image as base64 of its bytes."""

    media_type: str
    data: str


@dataclass(frozen=True)
class AnswerCell:
    """One cell of a student's answer as it was handed in, outputs included."""

    cell: int
    cell_type: str
    source: str
    outputs: tuple[CellOutput, ...] = ()


@dataclass(frozen=True)
class AnswerFile:
    """What a file holds of a student's answer; `first_line` is where in the file it begins."""

    path: str
    first_line: int
    source: str


@dataclass(frozen=True)
class CandidateCell:
    """A cell that may be an answer, and what it begins with."""

    cell: int
    first_line: str


@dataclass(frozen=True)
class QuestionReport:
    """One question's points, checks and the cells or files that answer it.

    `notes` say what the grader did besides judging: which cells it took and
    why, which prerequisite was replaced by the solution's. `confidence`, in
    [0, 1], is how sure it is that `cells` are the answer, for the reasons in
    `evidence`; None where that is no question. `candidates` are cells that may
    be the answer where it is not sure.
    """

    id: str
    title: str
    kind: QuestionKind
    points: float
    max_points: float
    status: QuestionStatus
    cells: tuple[int, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    answer: tuple[AnswerCell, ...] = ()
    files: tuple[AnswerFile, ...] = ()
    notes: tuple[str, ...] = ()
    confidence: float | None = None
    evidence: tuple[str, ...] = ()
    candidates: tuple[CandidateCell, ...] = ()


@dataclass(frozen=True)
class GivenItem:
    """An item of a question's rubric that a person has found in an answer."""

    text: str
    points: float


@dataclass(frozen=True)
class GivenScore:
    """What a person gave for one question; `points` is None where the grader's points count.

    `comment` is Markdown.
    """

    points: float | None
    comment: str = ""
    items: tuple[GivenItem, ...] = ()

    @property
    def words(self) -> str:
        """Everything that is said of the answer, as text."""
        items = [f"{item.points:+g} {item.text}" for item in self.items]
        return "; ".join([*items, *filter(None, [self.comment])])


@dataclass(frozen=True)
class CellRun:
    """How one cell ran here; `error` is one line, empty for `ok`.

    `note` says in what the code that was run differs from the cell's own.
    """

    cell: int
    status: CellStatus
    seconds: float
    error: str = ""
    ending: CellEnding = CellEnding.FINISHED
    note: str = ""


@dataclass(frozen=True)
class Repair:
    """One repair of the environment in which the submission ran.

    `kind` is its word in the assignment's settings, `text` says what was done;
    `cells` and `files` are where the submission asked for it.
    """

    kind: str
    text: str
    cells: tuple[int, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class SubmissionRecord:
    """Which files were graded; `sha256` is of their names and contents."""

    id: str
    files: tuple[str, ...]
    sha256: str


@dataclass(frozen=True)
class Report:
    """The whole verdict on one submission; every renderer and exporter reads this.

    `score` sums the graded questions, `pending` the points that wait for a
    person (written, plot and ungraded questions), `max_score` all of them.
    `notes` concern the submission as a whole.
    """

    assignment: str
    title: str
    submission: SubmissionRecord
    score: float
    max_score: float
    pending: float
    isolation: str
    environment: dict[str, str]
    seconds: float
    questions: tuple[QuestionReport, ...]
    execution: tuple[CellRun, ...] = ()
    notes: tuple[str, ...] = ()
    repairs: tuple[Repair, ...] = ()
    schema: str = field(default="nn-grader/report/v1")
