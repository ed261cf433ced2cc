"""Worker processes on this machine, each with a zygote of its own.

A worker that dies or hangs is replaced, and costs nothing but its own job:
`pebble`'s pool sees to that.
"""

from __future__ import annotations

import multiprocessing
import resource
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait

from pebble import ProcessExpired, ProcessPool

from grader.batch.jobs import Job, Outcome, grade_job

# A grader that needs more than this is out of hand; submissions have limits of their own.
WORKER_BYTES = 4 << 30

Started = Callable[[str], None]


def run_locally(
    jobs: Iterable[Job], workers: int, seconds: float, started: Started
) -> Iterator[Outcome]:
    """Grades jobs in `workers` processes, in the order in which they are done.

    A job that takes longer than `seconds` ends with its worker. Jobs are made as
    they are needed: few are in memory at a time.
    """
    waiting = iter(jobs)
    running: dict[Future[Outcome], Job] = {}
    context = multiprocessing.get_context("spawn")
    pool = ProcessPool(max_workers=workers, initializer=_prepare, context=context)
    try:
        while True:
            # One more than workers: none waits for its next job.
            while len(running) <= workers and (job := next(waiting, None)) is not None:
                started(job.id)
                running[pool.schedule(grade_job, args=[job], timeout=seconds)] = job
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield _outcome(future, running.pop(future), seconds)
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()


def _outcome(future: Future[Outcome], job: Job, seconds: float) -> Outcome:
    try:
        outcome: Outcome = future.result()
        return outcome
    except TimeoutError:
        fault = f"its worker did not finish within {seconds:g} s and was ended"
    except ProcessExpired as error:
        fault = f"its worker process ended ({_how(error.exitcode)})"
    except (Exception, CancelledError) as error:  # noqa: BLE001 - whatever a worker raises is ours
        fault = f"{type(error).__name__}: {error}"
    return Outcome(job.id, "", fault, 0.0)


def _how(status: int | None) -> str:
    if status is not None and status < 0:
        return f"signal {signal.Signals(-status).name}"
    return f"exit status {status}"


def _prepare() -> None:
    """In each worker: Ctrl-C is the main process's business, and memory has an end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (WORKER_BYTES, hard))
