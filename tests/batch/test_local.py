"""Worker processes: what one does wrong costs its own job alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest
from batch_standins import misbehave

from grader.batch import local
from grader.batch.jobs import Job, Outcome
from grader.batch.local import run_locally


def jobs(*names: str) -> Iterable[Job]:
    """Jobs of these names."""
    return [Job(name, "", None) for name in names]


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> dict[str, Outcome]:
    """What two workers make of good and bad jobs."""
    monkeypatch.setattr(local, "grade_job", misbehave)
    names = ("a", "dies", "hangs", "b", "raises", "grows", "c", "d")
    return {o.id: o for o in run_locally(jobs(*names), 2, 3.0, lambda name: None)}


def test_each_fault_is_of_one_job(outcomes: dict[str, Outcome]) -> None:
    """A worker that dies, hangs, raises or grows is named, and the other jobs are done."""
    assert {name for name, outcome in outcomes.items() if outcome.report} == {"a", "b", "c", "d"}
    assert "SIGKILL" in outcomes["dies"].fault
    assert "did not finish within 3 s" in outcomes["hangs"].fault
    assert "no good" in outcomes["raises"].fault
    assert "MemoryError" in outcomes["grows"].fault


def test_jobs_are_made_as_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few submissions are in memory at a time, and none is done in this process."""
    monkeypatch.setattr(local, "grade_job", misbehave)
    made: list[str] = []

    def make() -> Iterable[Job]:
        for name in map(str, range(30)):
            made.append(name)
            yield from jobs(name)

    finished = run_locally(make(), 2, 30.0, lambda name: None)
    first = next(iter(finished))
    assert len(made) <= 4
    assert first.report != f"graded by {os.getpid()}"
    assert len(list(finished)) == 29


def test_stopping_ends_the_workers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who stops listening leaves no worker behind."""
    monkeypatch.setattr(local, "grade_job", misbehave)
    others = psutil.Process().children(recursive=True)
    finished = run_locally(jobs("a", "hangs", "hangs"), 2, 60.0, lambda name: None)
    next(iter(finished))
    workers = set(psutil.Process().children(recursive=True)).difference(others)
    finished.close()  # type: ignore[attr-defined]
    assert workers
    assert [worker for worker in workers if is_worker(worker)] == []


def is_worker(process: psutil.Process) -> bool:
    """Whether a process runs and is not what multiprocessing itself leaves until the end."""
    try:
        words = str(process.cmdline())
        return process.status() != psutil.STATUS_ZOMBIE and "resource_tracker" not in words
    except psutil.NoSuchProcess:
        return False
