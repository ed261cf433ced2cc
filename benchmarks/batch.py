"""How fast a batch goes with one worker and with two, and what a worker needs.

    python benchmarks/batch.py [NOTEBOOK] [--assignment radboud_a1] [--copies 20] [--workers 1 2]

Grades copies of a hand-in with `run_batch`, gradebook and reports included. The
clock starts when each worker has done one submission: until then it starts its
zygote and reads the assignment. From there to the last report

- a rate is submissions by wall time, and a ratio the rate by the first one's;
- a worker's CPU seconds are those of all processes below this one, ended ones by
  their parents' account, and the coordinator's are this process's own;
- memory is the proportional set size, so that shared pages count once: the peak
  of everything below this process, shared out among the workers.

Rates mean something on a quiet machine only; the load is printed as well.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from pathlib import Path

import psutil
from measuring import adopt_orphans, descendants_memory, reap

from grader.assignment import Assignment, load_assignment
from grader.batch.coordinating import BatchOptions, run_batch
from grader.batch.jobs import Job, Outcome
from grader.batch.local import run_locally
from grader.batch.summary import write_summary
from grader.gradebook import open_gradebook
from grader.lms import find_submissions
from grader.records import Report

JOB_SECONDS = 1200.0
SAMPLE_SECONDS = 0.5
MEGABYTE = 1 << 20


class Quiet:
    """An observer that tells nobody."""

    def counted(self, total: int, done: int) -> None:
        """Nothing."""

    def started(self, submission: str) -> None:
        """Nothing."""

    def finished(self, report: Report) -> None:
        """Nothing."""

    def retrying(self, submission: str, fault: str) -> None:
        """A retry would count twice."""
        raise SystemExit(f"{submission}: {fault}")


@dataclass
class Meter:
    """What was used between the first and the last reports."""

    workers: int
    outcomes: int = 0
    marks: list[tuple[float, float, float]] = field(default_factory=list)
    peak: float = 0.0
    sampling: float = 0.0

    def mark(self) -> None:
        """Notes the clock, the workers' CPU seconds and this process's own."""
        own = time.process_time() - self.sampling
        self.marks.append((time.perf_counter(), cpu_of_descendants(), own))

    def execute(self, jobs: Iterable[Job], started: Callable[[str], None]) -> Iterator[Outcome]:
        """`run_locally`, with a mark when every worker is warm, and one when all is done."""
        for outcome in run_locally(jobs, self.workers, JOB_SECONDS, started):
            yield outcome
            self.outcomes += 1
            # The pool is alive here, its processes can be asked.
            if self.outcomes >= self.workers:
                self.mark()

    def watch_memory(self, done: threading.Event) -> None:
        """Keeps the peak until `done`."""
        while not done.wait(SAMPLE_SECONDS):
            with suppress(psutil.Error):
                self.peak = max(self.peak, descendants_memory())
            self.sampling = time.thread_time()

    def figures(self) -> dict[str, float]:
        """By submission, or by worker."""
        counted = self.outcomes - self.workers
        wall, below, own = (b - a for a, b in zip(self.marks[0], self.marks[-1], strict=True))
        return {
            "submissions a minute": 60 * counted / wall,
            "CPU seconds a submission, workers": below / counted,
            "CPU seconds a submission, coordinator": own / counted,
            "peak MB a worker": self.peak / self.workers,
        }


def cpu_of_descendants() -> float:
    """User and system seconds of the living below this process, and of whom they waited for."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            total += sum(process.cpu_times()[:4])
    return total


def measure(assignment: Assignment, folder: Path, workers: int, out: Path) -> dict[str, float]:
    """Grades every submission in a folder."""
    meter, done = Meter(workers), threading.Event()
    watcher = threading.Thread(target=meter.watch_memory, args=[done])
    watcher.start()
    try:
        with open_gradebook(out, create=True) as book:
            download = find_submissions(folder)
            run_batch(assignment, download, book, meter.execute, Quiet(), BatchOptions())
            done.set()
            watcher.join()
            start = time.process_time()
            write_summary(book)
            summary = time.process_time() - start
    finally:
        done.set()
    # Python's own helper for spawned processes lives as long as this one.
    reap(resource_tracker._resource_tracker._pid or 0)
    count = len(download.submissions)
    stored = sum(path.stat().st_size for path in out.glob("gradebook.sqlite*"))
    files = sum(path.stat().st_size for path in out.glob("*/*"))
    return meter.figures() | {
        "CPU seconds a submission, summary": summary / count,
        "MB a submission, gradebook": stored / count / MEGABYTE,
        "MB a submission, reports": files / count / MEGABYTE,
    }


def make_copies(notebook: Path, count: int, folder: Path) -> None:
    """The same hand-in of so many students."""
    for number in range(count):
        shutil.copy(notebook, folder / f"student{number:04}.ipynb")


def print_machine(assignment: Assignment, notebook: Path, copies: int) -> None:
    """What the figures hold for."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = psutil.virtual_memory().total / 2**30
    packages = ("nn-grader", "numpy", "ipykernel", "nbclient", "pebble")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    print(f"{copies} copies of {notebook.name}, {assignment.slug}")
    print(f"{os.cpu_count()} cores ({model}), {memory:.0f} GB, Python {platform.python_version()}")
    print(versions)
    print(f"load average before: {os.getloadavg()[0]:.1f}")


def main() -> None:
    """Prints a column of figures for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path, nargs="?", help="default: the assignment's example")
    parser.add_argument("--assignment", default="radboud_a1")
    parser.add_argument("--copies", type=int, default=20)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    if options.copies <= max(options.workers):
        parser.error("more copies than workers, please: each worker's first does not count")
    adopt_orphans()
    assignment = load_assignment(options.assignment)
    notebook = options.notebook or assignment.folder / "examples" / "mixed.ipynb"
    print_machine(assignment, notebook, options.copies)
    columns = []
    for workers in options.workers:
        with tempfile.TemporaryDirectory() as temporary:
            folder, out = Path(temporary) / "submissions", Path(temporary) / "out"
            folder.mkdir()
            make_copies(notebook, options.copies, folder)
            columns.append(measure(assignment, folder, workers, out))
    print(f"\n{'workers':40}" + "".join(f"{workers:10}" for workers in options.workers))
    for name in columns[0]:
        print(f"{name:40}" + "".join(f"{column[name]:10.2f}" for column in columns))
    rates = [column["submissions a minute"] for column in columns]
    print(f"{'ratio of rates':40}" + "".join(f"{rate / rates[0]:10.2f}" for rate in rates))
    print(f"load average after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
