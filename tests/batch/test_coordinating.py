"""A batch's course: faults are tried again, what stands is kept, what is killed goes on."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from grader.assignment import Assignment
from grader.batch.coordinating import BatchOptions, BatchResult, run_batch
from grader.batch.jobs import Job, Outcome, report_without_grading
from grader.gradebook import open_gradebook
from grader.lms.records import Download, FoundSubmission
from grader.records import QuestionStatus, Report
from grader.reports import to_json


class Watching:
    """Notes what an observer is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def counted(self, total: int, done: int) -> None:
        """How many there are."""
        self.lines.append(f"{done} of {total}")

    def started(self, submission: str) -> None:
        """One is begun."""
        self.lines.append(f"start {submission}")

    def finished(self, report: Report) -> None:
        """One is done."""
        self.lines.append(f"done {report.submission.id}")

    def retrying(self, submission: str, fault: str) -> None:
        """One has failed."""
        self.lines.append(f"again {submission}")


@pytest.fixture
def batch(tiny: Assignment, tmp_path: Path, answered: Callable[..., Any]) -> Any:
    """Runs a batch of three hand-ins with an executor, into the same folder each time."""
    found = []
    for name in ("ann", "bob", "eve"):
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(answered().notebook, path)
        found.append(FoundSubmission(name, (path,)))

    def run(execute: Any, **options: Any) -> tuple[BatchResult, list[str]]:
        watching = Watching()
        download = Download("files", tuple(found))
        with open_gradebook(tmp_path / "out", create=True) as book:
            given = (tiny, download, book, execute, watching, BatchOptions(**options))
            return run_batch(*given), watching.lines

    run.tiny = tiny  # type: ignore[attr-defined]
    run.out = tmp_path / "out"  # type: ignore[attr-defined]
    return run


def graded(tiny: Assignment, job: Job) -> Outcome:
    """A report without a run: the batch does not look at what is in it."""
    return Outcome(job.id, to_json(report_without_grading(tiny, job, "not run")), "", 0.0)


def test_faults_are_tried_once_more(batch: Any) -> None:
    """A fault of ours is tried again after the others, and counts only if it happens twice."""
    tried: list[str] = []

    def execute(jobs: Iterable[Job], started: Callable[[str], None]) -> Iterator[Outcome]:
        for job in jobs:
            tried.append(job.id)
            fails = job.id == "eve" or (job.id == "bob" and tried.count("bob") == 1)
            yield Outcome(job.id, "", "its worker died", 0.0) if fails else graded(batch.tiny, job)

    result, lines = batch(execute)
    assert tried == ["ann", "bob", "eve", "bob", "eve"]
    assert lines == ["0 of 3", "done ann", "again bob", "again eve", "done bob", "done eve"]
    assert result.faults == {"eve": "its worker died"}
    with open_gradebook(batch.out) as book:
        stored = book.report("eve")
        assert stored is not None
        assert {q.status for q in stored.report.questions} == {QuestionStatus.UNGRADED}
        assert "its worker died" in stored.report.notes[0]
    tried.clear()
    batch(execute)
    assert tried == ["eve", "eve"]


def test_what_is_killed_goes_on(batch: Any) -> None:
    """A batch that ends in the middle has kept what was done, and the next does the rest."""

    def killed(jobs: Iterable[Job], started: Callable[[str], None]) -> Iterator[Outcome]:
        yield graded(batch.tiny, next(iter(jobs)))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch(killed)
    assert (batch.out / "ann" / "report.json").is_file()
    result, lines = batch(lambda jobs, started: (graded(batch.tiny, job) for job in jobs))
    assert lines == ["1 of 3", "done bob", "done eve"]
    assert (result.graded, result.kept) == (2, 1)


def test_fresh(batch: Any) -> None:
    """`fresh` grades what stands again, and keeps the history of both."""

    def execute(jobs: Iterable[Job], started: Callable[[str], None]) -> Iterator[Outcome]:
        return (graded(batch.tiny, job) for job in jobs)

    batch(execute)
    result, _ = batch(execute, fresh=True)
    assert (result.graded, result.kept, result.impacts) == (3, 0, [])
    with open_gradebook(batch.out) as book:
        assert len(book.history("ann", "1a")) == 2


def test_a_dry_run_keeps_nothing(batch: Any) -> None:
    """A dry run grades, and leaves neither files nor entries."""
    result, _ = batch(lambda jobs, started: (graded(batch.tiny, job) for job in jobs), dry_run=True)
    assert result.graded == 3
    assert not (batch.out / "ann").exists()
    with open_gradebook(batch.out) as book:
        assert book.keys() == {}


def test_files_that_are_gone(batch: Any, tmp_path: Path) -> None:
    """A submission that can no longer be read has a report that says so, each time anew."""
    seen: list[Job] = []

    def execute(jobs: Iterable[Job], started: Callable[[str], None]) -> Iterator[Outcome]:
        for job in jobs:
            seen.append(job)
            yield graded(batch.tiny, job)

    (tmp_path / "bob.ipynb").unlink()
    batch(execute)
    assert "bob.ipynb" in next(job.problem for job in seen if job.id == "bob")
    seen.clear()
    result, _ = batch(execute)
    assert [job.id for job in seen] == ["bob"]
    assert result.kept == 2


def test_maps(batch: Any) -> None:
    """A map of cells goes with its submission, and only what it changes is graded again."""
    seen: list[Job] = []

    def execute(jobs: Iterable[Job], started: Callable[[str], None]) -> Iterator[Outcome]:
        for job in jobs:
            seen.append(job)
            yield graded(batch.tiny, job)

    batch(execute)
    seen.clear()
    result, _ = batch(execute, maps={"bob": {"1a": (4,)}, "eve": {"1a": (99,)}})
    assert result.kept == 1
    assert [(job.id, dict(job.cell_map)) for job in seen] == [("bob", {"1a": (4,)}), ("eve", {})]
    assert "has 16 cells" in seen[1].problem
    assert pickle.loads(pickle.dumps(seen[0])).cell_map == {"1a": (4,)}
