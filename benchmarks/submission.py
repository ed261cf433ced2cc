"""CPU seconds of grading one submission in a warm worker, beside its cells in plain Python.

    python benchmarks/submission.py [NOTEBOOK] [--assignment radboud_a1] [--runs 5]

The worker has loaded the assignment, started its zygote and graded the notebook
once. What it uses is the sum of

- this process: reading, alignment, nbclient, pytest, checks, the report;
- the sandbox: supervisor, kernel, snapshots and copies. Its supervisor waits for
  all of them, so that their CPU time stands in its own account when it has ended,
  and in its parent's when that has reaped it (see `measuring.py`);
- the zygote, which lives on: its forks, from /proc, in ticks of 10 ms.

The plain process imports everything that the cells import before its clock
starts, then runs them with `exec`, going on after a failing one. Matplotlib uses
Agg and renders nothing. Both use one BLAS thread, and take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measuring import adopt_orphans, cpu_of_sandboxes, reap

from grader import pipeline, session
from grader.assignment import Assignment, load_assignment
from grader.checks import grading
from grader.execution import runner
from grader.execution.kernel import Kernel
from grader.execution.snapshots import Copy, Snapshot
from grader.execution.zygote import Zygote, current_zygote
from grader.records import Report
from grader.reports import to_json
from grader.submission import load_submission

FACTOR, ALLOWANCE = 1.5, 0.4
PLAIN = r"""
import ast, contextlib, importlib, io, json, re, sys, time, warnings
warnings.simplefilter("ignore")
import numpy, matplotlib
matplotlib.use("agg")
import matplotlib.pyplot
with open(sys.argv[1], encoding="utf-8") as file:
    cells = [c for c in json.load(file)["cells"] if c["cell_type"] == "code"]
sources = [re.sub(r"^\s*[%!].*$", "", "".join(c["source"]), flags=re.MULTILINE) for c in cells]
for source in sources:
    with contextlib.suppress(SyntaxError):
        for node in ast.walk(ast.parse(source)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            for name in names + [getattr(node, "module", None) or "sys"]:
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
cpu, wall = time.process_time(), time.perf_counter()
namespace = {"__name__": "__main__"}
for source in sources:
    with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
        exec(compile(source, "cell", "exec"), namespace)
    matplotlib.pyplot.close("all")
print(json.dumps([time.process_time() - cpu, time.perf_counter() - wall]))
"""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Used:
    """CPU seconds by where they were used, and the wall's."""

    wall: float
    grader: float
    sandbox: float
    zygote: float

    @property
    def cpu(self) -> float:
        """All of them."""
        return self.grader + self.sandbox + self.zygote


class Stopwatches:
    """Adds up the wall time and this process's CPU time inside some functions."""

    def __init__(self) -> None:
        self.wall: defaultdict[str, float] = defaultdict(float)
        self.cpu: defaultdict[str, float] = defaultdict(float)
        self.calls: defaultdict[str, int] = defaultdict(int)

    def watch(self, owner: Any, name: str, label: str) -> None:
        """Times every call of `owner.name` from now on."""
        function = getattr(owner, name)
        if name in ("start", "run_cell", "disconnect"):
            setattr(owner, name, self._timed_coroutine(function, label))
        else:
            setattr(owner, name, self._timed(function, label))

    def _timed(self, function: Callable[..., Any], label: str) -> Callable[..., Any]:
        def timed(*arguments: Any, **keywords: Any) -> Any:
            with self.timing(label):
                return function(*arguments, **keywords)

        return timed

    def _timed_coroutine(self, function: Callable[..., Any], label: str) -> Callable[..., Any]:
        async def timed(*arguments: Any, **keywords: Any) -> Any:
            with self.timing(label):
                return await function(*arguments, **keywords)

        return timed

    @contextmanager
    def timing(self, label: str) -> Iterator[None]:
        """Times what it encloses."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.wall[label] += time.perf_counter() - wall
            self.cpu[label] += time.process_time() - cpu
            self.calls[label] += 1


def watch_stages(watches: Stopwatches) -> None:
    """The stages of a grade; those with a dot lie inside the one above them."""
    for owner, name, label in (
        (session, "arrange_all", "align"),
        (session, "run_notebook", "run the notebook"),
        (Kernel, "start", ". start of the kernel"),
        (Kernel, "run_cell", ". cells"),
        (Kernel, "take_snapshot", ". snapshots"),
        (Kernel, "disconnect", ". disconnect"),
        (pipeline, "check_all", "checks"),
        (Snapshot, "copy", ". copies"),
        (Copy, "request", ". questions to the copies"),
        (Copy, "close", ". ends of the copies"),
        (grading.Grading, "_passes_repaired", ". second tries, with repairs"),
        (pipeline, "report_on", "report"),
        (runner.Execution, "close", "end of the sandbox"),
    ):
        watches.watch(owner, name, label)


def grade_once(assignment: Assignment, notebook: Path, zygote: Zygote) -> tuple[Used, Report]:
    """Reads, grades and reports one submission, and waits until its sandbox has gone."""
    pid = zygote._process.pid
    forks, sandboxes = cpu_of_sandboxes(pid)
    start, cpu = time.perf_counter(), time.process_time()
    report = pipeline.grade(assignment, load_submission(notebook))
    to_json(report)
    own, wall = time.process_time() - cpu, time.perf_counter() - start
    reap(pid)
    forks_after, sandboxes_after = cpu_of_sandboxes(pid)
    return Used(wall, own, sandboxes_after - sandboxes, forks_after - forks), report


def run_plain(notebook: Path) -> tuple[float, float]:
    """CPU and wall seconds of the cells in one plain process."""
    run = subprocess.run(
        [sys.executable, "-c", PLAIN, str(notebook.resolve())],
        env={**os.environ, **ONE_THREAD},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=notebook.parent,
        check=True,
    )
    cpu, wall = json.loads(run.stdout.splitlines()[-1])
    return cpu, wall


def main() -> None:
    """Prints medians, where the time went, and the target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path, nargs="?", help="default: the assignment's example")
    parser.add_argument("--assignment", default="radboud_a1")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    adopt_orphans()
    assignment = load_assignment(options.assignment)
    notebook = options.notebook or assignment.folder / "examples" / "mixed.ipynb"
    zygote = current_zygote()
    grade_once(assignment, notebook, zygote)
    watches = Stopwatches()
    watch_stages(watches)
    ours, theirs = [], []
    for _ in range(options.runs):
        used, report = grade_once(assignment, notebook, zygote)
        ours.append(used)
        theirs.append(run_plain(notebook))
    print(f"{notebook.name}, {report.score:g} of {report.max_score:g} points,", end=" ")
    print(f"isolation {report.isolation}, medians of {options.runs} pairs")
    print_used(ours, theirs)
    print_stages(watches, options.runs)
    beyond = statistics.median(u.cpu - FACTOR * t[0] for u, t in zip(ours, theirs, strict=True))
    print(f"ours - {FACTOR} * plain: {beyond:.2f} s of CPU (at most {ALLOWANCE})")
    sys.exit(0 if beyond <= ALLOWANCE else 1)


def print_used(ours: list[Used], theirs: list[tuple[float, float]]) -> None:
    """Seconds of both."""
    print(f"{'[s]':32}{'cpu':>8}{'wall':>8}")
    print(f"{'ours':32}{_median(u.cpu for u in ours):8.2f}{_median(u.wall for u in ours):8.2f}")
    for part in ("grader", "sandbox", "zygote"):
        print(f"  of that, {part:21}{_median(getattr(u, part) for u in ours):8.2f}")
    print(f"{'plain':32}{_median(t[0] for t in theirs):8.2f}{_median(t[1] for t in theirs):8.2f}")


def print_stages(watches: Stopwatches, runs: int) -> None:
    """Where the grader's own process was, a grade."""
    print(f"\n{'stages [ms a grade]':32}{'wall':>8}{'own cpu':>9}{'calls':>7}")
    for label, wall in watches.wall.items():
        cpu, calls = watches.cpu[label], watches.calls[label]
        print(f"{label:32}{1000 * wall / runs:8.0f}{1000 * cpu / runs:9.0f}{calls / runs:7.0f}")
    print()


def _median(values: Iterator[float]) -> float:
    return statistics.median(values)


if __name__ == "__main__":
    main()
