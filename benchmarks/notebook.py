"""Seconds and memory of grading one notebook, beside plain nbclient on the same file.

    python benchmarks/notebook.py [NOTEBOOK] [--runs 5]

The two run in turn, each in a process of its own; the ratios are taken pair by
pair, so that they hold on a machine whose speed drifts. Memory is the peak of
all processes together (proportional set size, so shared pages count once).
Sandboxed processes are orphans; this process adopts them, and so counts them.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from measuring import adopt_orphans, cpu_of_children, descendants_memory, ratio, reap

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
    before = cpu_of_children()
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code, str(notebook)])
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, descendants_memory())
        time.sleep(SAMPLE_SECONDS)
    wall = time.monotonic() - start
    if process.returncode:
        raise SystemExit(f"the run failed with exit code {process.returncode}")
    reap()
    return Run(wall, cpu_of_children() - before, peak)


def main() -> None:
    """Prints medians and ratios."""
    example = load_assignment("radboud_a1").folder / "examples" / "mixed.ipynb"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path, nargs="?", default=example)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    adopt_orphans()
    measure(GRADE, options.notebook)
    pairs = []
    for number in range(options.runs):
        pairs.append((measure(GRADE, options.notebook), measure(NBCLIENT, options.notebook)))
        print(f"run {number + 1} of {options.runs}", file=sys.stderr)
    print(f"{options.notebook.name}, medians of {options.runs} pairs")
    print(f"{'':14}{'grader':>10}{'nbclient':>10}{'ratio':>8}")
    for field, unit in (("wall", "s"), ("cpu", "s"), ("memory", "MB")):
        ours, theirs = ([getattr(run, field) for run in runs] for runs in zip(*pairs, strict=True))
        medians = f"{statistics.median(ours):10.2f}{statistics.median(theirs):10.2f}"
        print(f"{f'{field} [{unit}]':14}{medians}{ratio(ours, theirs):8.2f}")


if __name__ == "__main__":
    main()
