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

from grader.execution.isolation import Level, candidates
from grader.execution.limits import Limits
from grader.execution.plan import CellPlan
from grader.execution.probing import failings, reached_level
from grader.execution.room import Room
from grader.execution.runner import Execution, run_notebook
from grader.execution.zygote import current_zygote
from grader.records import CellRun

SHORT = Limits(cell=2, notebook=60, check=2, interrupt=1)


@dataclass
class Ran:
    """A notebook that was run, its room, and how often progress was called."""

    execution: Execution
    room: Room
    progress: list[tuple[int, int]] = field(default_factory=list)
    supervisors: list[psutil.Process] = field(default_factory=list)
    seen: set[psutil.Process] = field(default_factory=set)

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
        self.processes()
        self.execution.close()
        self.room.close()

    def processes(self) -> list[psutil.Process]:
        """The live processes of the submission, those included that were seen earlier.

        In a sandbox they descend from its supervisors; else their command line names the room.
        """
        for supervisor in self.supervisors:
            self.seen |= {supervisor, *descendants(supervisor)}
        if not self.supervisors:
            self.seen |= {one for one in psutil.process_iter() if self._names_room(one)}
        return [process for process in self.seen if is_alive(process)]

    def _names_room(self, process: psutil.Process) -> bool:
        try:
            return any(str(self.room.path) in part for part in process.cmdline())
        except psutil.NoSuchProcess:
            return False

    def processes_left(self, seconds: float = 3.0) -> list[psutil.Process]:
        """Those that are still alive after a moment."""
        deadline = time.monotonic() + seconds
        while (found := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found


def descendants(process: psutil.Process) -> list[psutil.Process]:
    """All that descend from a process; none where it has gone."""
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def supervisors() -> set[psutil.Process]:
    """The first processes of all sandboxes that this process asked for."""
    zygote = psutil.Process(current_zygote()._process.pid)
    return {child for child in zygote.children() if is_alive(child)}


class Runner:
    """Runs notebooks; whatever they left is ended with the fixture."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __call__(
        self,
        *sources: str,
        boundaries: Collection[int] | None = None,
        limits: Limits = SHORT,
        level: Level | None = None,
        figures: bool = False,
        files: Mapping[str, bytes] | None = None,
        name: str = "hand-in.ipynb",
        plans: Mapping[int, CellPlan] | None = None,
    ) -> Ran:
        """Runs code cells, or Markdown where a source starts with `#!md`.

        Without a `level`, the strongest that this machine reaches.
        """
        cells = [
            new_markdown_cell(source) if source.startswith("#!md") else new_code_cell(source)
            for source in sources
        ]
        if boundaries is None:
            boundaries = range(len(cells) + 1)
        room = self._stack.enter_context(Room(files or {}, name))
        calls: list[tuple[int, int]] = []
        level = reached_level() if level is None else level
        others = set() if level is Level.NONE else supervisors()
        execution = run_notebook(
            new_notebook(cells=cells),
            boundaries,
            room,
            limits,
            level=level,
            figures=figures,
            plans=plans,
            progress=lambda done, total: calls.append((done, total)),
        )
        self._stack.callback(execution.close)
        ours = set() if level is Level.NONE else supervisors() - others
        return Ran(execution, room, calls, list(ours))


def held(level: Level) -> Level:
    """The level, where it holds; the summary names those that do not, and why."""
    if level is not Level.NONE and (reasons := failings(level)):
        pytest.skip(f"this machine does not reach isolation {level}: {', '.join(reasons)}")
    return level


@pytest.fixture(params=[*candidates(), Level.NONE], ids=str)
def level(request: pytest.FixtureRequest) -> Level:
    """Each level that this machine reaches in turn."""
    return held(Level(request.param))


@pytest.fixture(params=candidates(), ids=str)
def sandbox(request: pytest.FixtureRequest) -> Level:
    """Each level with a sandbox that this machine reaches in turn."""
    return held(Level(request.param))


@pytest.fixture(scope="session")
def namespaces() -> Level:
    """The strongest level, where it has a file system and processes of its own."""
    return held(candidates()[0]) if candidates() else pytest.skip("namespaces need Linux")


@pytest.fixture(scope="module")
def run_cells() -> Iterator[Runner]:
    """Runs notebooks whose kernels live as long as the test module."""
    with ExitStack() as stack:
        yield Runner(stack)
