"""A batch from beginning to end: found, graded where need be, kept, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from grader.alignment import NO_MAP, CellMap, check_map
from grader.assignment import Assignment
from grader.batch.impact import Impact, compare
from grader.batch.jobs import Job, Outcome, report_without_grading
from grader.batch.keys import environment_of_runs, report_key, run_key
from grader.batch.publishing import Publisher
from grader.errors import SubmissionError, UsageError
from grader.gradebook import Gradebook
from grader.lms import Download, FoundSubmission, load_found
from grader.records import Report
from grader.reports.json_report import from_json

Executor = Callable[[Iterable[Job], Callable[[str], None]], Iterator[Outcome]]
ATTEMPTS = 2


class Observer(Protocol):
    """Who watches a batch; each is called in the main process."""

    def counted(self, total: int, done: int) -> None:
        """So many submissions there are, and so many have their report already."""

    def started(self, submission: str) -> None:
        """A submission has been given to a worker."""

    def finished(self, report: Report) -> None:
        """A submission has its report."""

    def retrying(self, submission: str, fault: str) -> None:
        """A fault of ours cost a first try."""


@dataclass
class BatchResult:
    """What a batch did: reports made, reports that stood, and what changed by it."""

    graded: int = 0
    kept: int = 0
    faults: dict[str, str] = field(default_factory=dict)
    impacts: list[Impact] = field(default_factory=list)


@dataclass(frozen=True)
class BatchOptions:
    """`fresh` grades again what stands; `dry_run` keeps nothing of what it finds.

    `anonymous` shows and writes everything under pseudonyms.
    `maps` say, by submission, which cells answer a question.
    """

    isolation: str = ""
    fresh: bool = False
    dry_run: bool = False
    anonymous: bool = False
    repairs: tuple[str, ...] | None = None
    maps: Mapping[str, CellMap] = field(default_factory=dict)


def run_batch(
    assignment: Assignment,
    download: Download,
    gradebook: Gradebook,
    execute: Executor,
    observer: Observer,
    options: BatchOptions,
) -> BatchResult:
    """Grades what has no report made from the same files by the same checks.

    A report counts once it is in the gradebook; its files are written from
    there, so that an interrupted batch loses at most what was being graded.
    """
    batch = _Batch(assignment, gradebook, observer, options, download)
    jobs = batch.outstanding(download.submissions)
    observer.counted(len(download.submissions), batch.result.kept)

    def started(identity: str) -> None:
        observer.started(batch.publisher.shown(identity))

    batch.run = 0 if options.dry_run else gradebook.begin_run(assignment.slug, batch.environment)
    for outcome in execute(jobs, started):
        batch.take(outcome)
    # One by one, so that whatever ended a worker meets no other job.
    for identity in list(batch.faults):
        for outcome in execute([batch.job(batch.found[identity])], started):
            batch.take(outcome, is_last=True)
    if not options.dry_run:
        gradebook.finish_run(batch.run)
    return batch.result


class _Batch:
    """The state of one `run_batch`."""

    def __init__(
        self,
        assignment: Assignment,
        gradebook: Gradebook,
        observer: Observer,
        options: BatchOptions,
        download: Download,
    ) -> None:
        self.assignment, self.gradebook = assignment, gradebook
        self.observer, self.options = observer, options
        self.result = BatchResult()
        self.run = 0
        self.found: dict[str, FoundSubmission] = {}
        self.keys: dict[str, str] = {}
        self.faults: dict[str, str] = {}
        self.environment = environment_of_runs(options.isolation, options.repairs)
        for found in () if options.dry_run else download.submissions:
            gradebook.add_submission(found)
        self.publisher = publisher_for(gradebook, assignment, download, options.anonymous)
        self._run_key = run_key(assignment, self.environment)

    def outstanding(self, submissions: Iterable[FoundSubmission]) -> Iterator[Job]:
        """The jobs to do; what stands already has its files written again where they lack."""
        standing = {} if self.options.fresh else self.gradebook.keys()
        todo: list[FoundSubmission] = []
        for found in submissions:
            self.found[found.id] = found
            key = self.keys[found.id] = self._key(found)
            if key and standing.get(found.id) == key:
                self.result.kept += 1
                if not self.options.dry_run:
                    self.publisher.write_missing(found.id)
            else:
                todo.append(found)
        return map(self.job, todo)

    def _key(self, found: FoundSubmission) -> str:
        """What the report depends on; empty, and so never the same, where nothing can be read."""
        try:
            return report_key(self._run_key, found.paths, self._map(found))
        except OSError:
            return ""

    def _map(self, found: FoundSubmission) -> CellMap:
        return self.options.maps.get(found.id, NO_MAP)

    def job(self, found: FoundSubmission) -> Job:
        """A job for a submission, with its files read now."""
        folder, isolation = str(self.assignment.folder), self.options.isolation
        try:
            submission = load_found(found, self.assignment.answer_files, self.assignment.release)
            check_map(self._map(found), self.assignment, len(submission.notebook.cells))
        except (SubmissionError, UsageError) as error:
            problem = _without_folders(error, found)
            return Job(found.id, folder, None, problem, isolation, files=_names(found))
        return Job(
            found.id,
            folder,
            submission,
            isolation=isolation,
            repairs=self.options.repairs,
            cell_map=dict(self._map(found)),
        )

    def take(self, outcome: Outcome, *, is_last: bool = False) -> None:
        """Keeps what came of a job, or puts it aside for a second try."""
        if outcome.fault and not is_last:
            self.faults[outcome.id] = outcome.fault
            self.observer.retrying(self.publisher.shown(outcome.id), outcome.fault)
            return
        report = from_json(outcome.report) if outcome.report else self._fault_report(outcome)
        report = self.publisher.kept(report)
        shown = self.publisher.shown(outcome.id)
        if outcome.fault:
            self.result.faults[shown] = outcome.fault
        before = self.gradebook.report(outcome.id)
        if before is not None:
            impacts = compare(before.report, report)
            self.result.impacts += [replace(impact, submission=shown) for impact in impacts]
        if not self.options.dry_run:
            # A fault of ours is no verdict: the next batch tries again.
            key = "" if outcome.fault else self.keys[outcome.id]
            self.gradebook.add_report(self.run, key, report)
            self.publisher.write(report)
        self.result.graded += 1
        self.observer.finished(self.publisher.published(report))

    def _fault_report(self, outcome: Outcome) -> Report:
        reason = f"a fault of the grader's, tried {ATTEMPTS} times: {outcome.fault}"
        return report_without_grading(self.assignment, self.job(self.found[outcome.id]), reason)


def publisher_for(
    gradebook: Gradebook,
    assignment: Assignment,
    download: Download | None = None,
    is_anonymous: bool = False,
) -> Publisher:
    """What writes a batch's reports."""
    keep = (*assignment.answer_files, *assignment.files)
    return Publisher(gradebook, is_anonymous=is_anonymous, keep=keep, download=download)


def _names(found: FoundSubmission) -> tuple[str, ...]:
    return found.names or tuple(path.name for path in found.paths)


def _without_folders(error: SubmissionError | UsageError, found: FoundSubmission) -> str:
    """Why a submission cannot be read, without the path of a folder of the teacher's."""
    text = str(error)
    for path, name in zip(found.paths, _names(found), strict=True):
        text = text.replace(str(path), name)
    return text
