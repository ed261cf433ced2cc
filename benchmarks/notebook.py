"""Seconds and memory of grading one notebook, beside plain nbclient on the same file.

    python benchmarks/notebook.py [NOTEBOOK] [--runs 5]

The two run in turn, each in a process of its own; the ratios are taken pair by
pair, so that they hold on a machine whose speed drifts. Memory is the peak of
the whole process tree (proportional set size, so shared pages count once).
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from grader.assignment import load_assignment

GRADE = """
import sys
from grader import grade
grade("radboud_a1", sys.argv[1])
"""
NBCLIENT = """
import sys
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=600, allow_errors=True, kernel_name="python3").execute()
"""
SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Run:
    """Wall and CPU seconds of one run, and its peak memory in MB."""

    wall: float
    cpu: float
    memory: float


def measure(code: str, notebook: Path) -> Run:
    """Runs `code` on `notebook` in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code, str(notebook)])
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, tree_memory(process.pid))
        time.sleep(SAMPLE_SECONDS)
    if process.returncode:
        raise SystemExit(f"the run failed with exit code {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(time.monotonic() - start, cpu, peak)


def tree_memory(pid: int) -> float:
    """Proportional set size of a process and its descendants, in MB."""
    total = 0
    try:
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            total += process.memory_full_info().pss
    except psutil.Error:
        pass
    return total / 2**20


def main() -> None:
    """Prints medians and ratios."""
    example = load_assignment("radboud_a1").folder / "examples" / "mixed.ipynb"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path, nargs="?", default=example)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    measure(GRADE, options.notebook)
    pairs = []
    for number in range(options.runs):
        pairs.append((measure(GRADE, options.notebook), measure(NBCLIENT, options.notebook)))
        print(f"run {number + 1} of {options.runs}", file=sys.stderr)
    print(f"{options.notebook.name}, medians of {options.runs} pairs")
    print(f"{'':14}{'grader':>10}{'nbclient':>10}{'ratio':>8}")
    for field, unit in (("wall", "s"), ("cpu", "s"), ("memory", "MB")):
        ours, theirs = ([getattr(run, field) for run in runs] for runs in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        name = f"{field} [{unit}]"
        print(
            f"{name:14}{statistics.median(ours):10.2f}{statistics.median(theirs):10.2f}{ratio:8.2f}"
        )


if __name__ == "__main__":
    main()
