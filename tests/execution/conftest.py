"""Runs small notebooks in real kernels, and counts the processes that they leave."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader.execution.limits import Limits
from grader.execution.room import Room
from grader.execution.runner import Execution, run_notebook
from grader.records import CellRun

SHORT = Limits(cell=2, notebook=60, check=2, interrupt=1)


@dataclass
class Ran:
    """A notebook that was run, its room, and how often progress was called."""

    execution: Execution
    room: Room
    progress: list[tuple[int, int]] = field(default_factory=list)

    def run(self, index: int) -> CellRun:
        """The record of one cell."""
        return next(run for run in self.execution.cells if run.cell == index)

    def value(self, boundary: int, name: str) -> Any:
        """A variable's value at a boundary."""
        copy = self.execution.snapshots[boundary].copy(5)
        try:
            return copy.request("lookup", {}, lambda tree: tree, name=name)
        finally:
            copy.close()

    def close(self) -> None:
        """Ends its processes and removes its room."""
        self.execution.close()
        self.room.close()

    def processes(self) -> list[psutil.Process]:
        """The live processes whose command line names the room: kernels and all their forks."""
        found = []
        for process in psutil.process_iter():
            try:
                alive = process.status() != psutil.STATUS_ZOMBIE
                if alive and any(str(self.room.path) in part for part in process.cmdline()):
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found

    def processes_left(self, seconds: float = 3.0) -> list[psutil.Process]:
        """Those that are still alive after a moment."""
        deadline = time.monotonic() + seconds
        while (found := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found


class Runner:
    """Runs notebooks; whatever they left is ended with the fixture."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __call__(
        self,
        *sources: str,
        boundaries: Collection[int] | None = None,
        limits: Limits = SHORT,
        figures: bool = False,
        files: Mapping[str, bytes] | None = None,
        name: str = "hand-in.ipynb",
    ) -> Ran:
        """Runs code cells, or Markdown where a source starts with `#!md`."""
        cells = [
            new_markdown_cell(source) if source.startswith("#!md") else new_code_cell(source)
            for source in sources
        ]
        if boundaries is None:
            boundaries = range(len(cells) + 1)
        room = self._stack.enter_context(Room(files or {}, name))
        calls: list[tuple[int, int]] = []
        execution = run_notebook(
            new_notebook(cells=cells),
            boundaries,
            room,
            limits,
            figures=figures,
            progress=lambda done, total: calls.append((done, total)),
        )
        self._stack.callback(execution.close)
        return Ran(execution, room, calls)


@pytest.fixture(scope="module")
def run_cells() -> Iterator[Runner]:
    """Runs notebooks whose kernels live as long as the test module."""
    with ExitStack() as stack:
        yield Runner(stack)
