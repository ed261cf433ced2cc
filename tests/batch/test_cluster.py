"""A real Dask cluster of two worker processes, one of which is killed in the middle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from batch_standins import die_once

from grader.assignment import Assignment
from grader.batch import cluster
from grader.batch.cluster import cluster_executor, dask_client, pack
from grader.batch.jobs import Job, grade_job
from grader.errors import UsageError
from grader.reports import from_json

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
pytestmark = [
    pytest.mark.xdist_group("dask"),
    # Dask's own event loop and sockets end a moment after the test.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Any]:
    """A scheduler and two workers, each a process of its own."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as made:
        yield made


@pytest.fixture
def jobs(tiny: Assignment, answered: Callable[..., Any]) -> list[Job]:
    """Two right hand-ins, a wrong one, and one that cannot be read."""
    wrong = answered(**{"q1a-answer": "def square(x):\n    return 3 * x"})
    right = [Job(name, "no/such/folder", answered()) for name in ("ann", "bob")]
    return [*right, Job("tom", "", wrong), Job("eve", "", None, "no notebook in it")]


def test_the_same_results(scheduler: Any, tiny: Assignment, jobs: list[Job]) -> None:
    """A cluster gives the scores that this process gives, and needs no disk in common."""
    started: list[str] = []
    execute = cluster_executor("dask", scheduler.scheduler_address, 2, tiny)
    found = {outcome.id: outcome for outcome in execute(iter(jobs), started.append)}
    assert started == [job.id for job in jobs]
    assert {name: outcome.fault for name, outcome in found.items()} == dict.fromkeys(started, "")
    scores = {name: from_json(outcome.report).score for name, outcome in found.items()}
    here = grade_job(Job("tom", str(tiny.folder), jobs[2].submission))
    assert scores == {"ann": 4.0, "bob": 4.0, "tom": from_json(here.report).score, "eve": 0.0}


def test_a_worker_is_killed(
    scheduler: Any, tiny: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The jobs of a worker that is killed are done by another one; none is lost."""
    monkeypatch.setattr(cluster, "grade_there", die_once)
    marker = str(tmp_path / "died")
    names = ["a", "fatal", "b", "c", "d"]
    execute = cluster_executor("dask", scheduler.scheduler_address, 2, tiny)
    found = list(execute((Job(name, marker, None) for name in names), lambda name: None))
    assert sorted(outcome.id for outcome in found) == sorted(names)
    assert {outcome.report for outcome in found} == {"graded"}
    assert Path(marker).exists()


def test_nobody_answers(tiny: Assignment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler that does not answer is named; without an address the option is."""
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:1"), dask_client("tcp://127.0.0.1:1"):
        pass
    with pytest.raises(UsageError, match="--scheduler"), dask_client(None):
        pass


def test_another_grader(
    scheduler: Any, tiny: Assignment, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers with another version of the grader are refused: the same verdict everywhere."""
    monkeypatch.setattr(cluster, "grader_hash", lambda: "of another version")
    execute = cluster_executor("dask", scheduler.scheduler_address, 2, tiny)
    with pytest.raises(UsageError, match="another version"):
        list(execute(iter(jobs), lambda name: None))


def test_the_assignment_travels(tiny: Assignment) -> None:
    """What is packed has every file of the assignment, and what Python leaves behind has not."""
    unpacked = Path(cluster._unpacked(pack(tiny.folder)))
    assert unpacked.name == tiny.folder.name
    assert (unpacked / "checks" / "test_tiny.py").read_bytes() == (
        tiny.checks / "test_tiny.py"
    ).read_bytes()
    assert not list(unpacked.rglob("__pycache__"))


def test_without_the_extra(tiny: Assignment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Dask is not installed, the command that installs it is named."""
    with pytest.raises(UsageError, match=r"nn-grader\[dask\]"):
        cluster._import("no_such_dask")
