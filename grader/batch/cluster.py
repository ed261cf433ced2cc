"""The same jobs on a Dask cluster: one that runs already, or one that SLURM starts.

Everything travels as bytes, the assignment's folder too: workers need no disk
in common, only the same version of nn-grader.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from grader.answer_files import read_files
from grader.assignment import Assignment
from grader.batch.jobs import Job, Outcome, grade_job
from grader.batch.keys import grader_hash
from grader.errors import UsageError
from grader.execution.folders import TemporaryFolder

INSTALL = "python -m pip install 'nn-grader[dask]'"
CONNECT_SECONDS = 30
# A worker has its next job by the time it has done one.
JOBS_A_CORE = 2

Connect = Callable[[], Any]


def run_on_cluster(
    jobs: Iterable[Job], connect: Connect, assignment: Assignment, started: Callable[[str], None]
) -> Iterator[Outcome]:
    """Grades jobs on the workers that `connect` leads to, in the order in which they are done."""
    from distributed import as_completed  # an extra, which may not be installed

    waiting = iter(jobs)
    with connect() as client:
        _require_same_grader(client)
        bundle = client.scatter(pack(assignment.folder), broadcast=True, hash=True)
        running = as_completed()
        submitted: dict[str, str] = {}
        places = max(1, JOBS_A_CORE * sum(client.nthreads().values()))

        def submit() -> None:
            job = next(waiting, None)
            if job is not None:
                started(job.id)
                # Pure tasks would be looked up by their arguments, which takes hashing them.
                future = client.submit(grade_there, job, bundle, pure=False)
                submitted[future.key] = job.id
                running.add(future)

        for _ in range(places):
            submit()
        for future in running:
            yield _outcome(future, submitted.pop(future.key))
            submit()


def grade_there(job: Job, bundle: bytes) -> Outcome:
    """On a worker: unpacks the assignment once, then grades."""
    return grade_job(replace(job, assignment=_unpacked(bundle)))


def pack(folder: Path) -> bytes:
    """The assignment's folder as the bytes of a zip file, by its name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in read_files(folder).items():
            archive.writestr(f"{folder.name}/{path}", content)
    return packed.getvalue()


@contextmanager
def dask_client(address: str | None) -> Iterator[Any]:
    """A client of a scheduler that runs already.

    Raises:
        UsageError: the extra is not installed, or nobody answers there.
    """
    distributed = _import("distributed")
    if not address:
        raise UsageError("--executor dask needs --scheduler, such as tcp://host:8786")
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        raise UsageError(f"no Dask scheduler answers at {address} ({error})") from error
    with client:
        if not client.nthreads():
            raise UsageError(f"the Dask scheduler at {address} has no workers: start some first")
        yield client


@contextmanager
def slurm_client(workers: int) -> Iterator[Any]:
    """A client of a cluster that SLURM starts, by the settings in Dask's own configuration.

    Raises:
        UsageError: the extra is not installed, or the queue is not set up.
    """
    distributed, jobqueue = _import("distributed"), _import("dask_jobqueue")
    try:
        cluster = jobqueue.SLURMCluster(cores=1, processes=1)
    except (ValueError, OSError) as error:
        raise UsageError(f"SLURM's settings (jobqueue.slurm of Dask's): {error}") from error
    with cluster, distributed.Client(cluster) as client:
        cluster.scale(jobs=workers)
        client.wait_for_workers(1)
        yield client


def cluster_executor(
    name: str, scheduler: str | None, workers: int, assignment: Assignment
) -> Callable[[Iterable[Job], Callable[[str], None]], Iterator[Outcome]]:
    """What `run_batch` calls for `--executor dask` and `slurm`."""
    connect: Connect = (
        functools.partial(dask_client, scheduler)
        if name == "dask"
        else functools.partial(slurm_client, workers)
    )
    return lambda jobs, started: run_on_cluster(jobs, connect, assignment, started)


def _outcome(future: Any, identity: str) -> Outcome:
    try:
        outcome: Outcome = future.result()
    except (Exception, CancelledError) as error:  # noqa: BLE001 - whatever it is, it is ours
        return Outcome(identity, "", f"its worker was lost or failed ({error})", 0.0)
    return outcome


def _hash_there() -> str:
    """Sent by its name: on a worker, this is the worker's own."""
    return grader_hash()


def _require_same_grader(client: Any) -> None:
    here = grader_hash()
    try:
        there = client.run(_hash_there)
    except ImportError as error:
        raise UsageError(f"nn-grader is not installed on the workers ({error})") from error
    others = sorted(str(worker) for worker, found in there.items() if found != here)
    if others:
        raise UsageError(f"these workers have another version of nn-grader: {', '.join(others)}")


@functools.cache
def _unpacked(bundle: bytes) -> str:
    made = TemporaryFolder("assignment-")
    atexit.register(made.close)
    folder = made.path / "assignments"
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        archive.extractall(folder)
    return str(next(folder.iterdir()))


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(f"the executor needs {name}: {INSTALL}") from error
