"""Runs a notebook cell by cell and keeps a snapshot at each boundary that is asked for.

Boundary `i` is the state before cell `i` runs; boundary `i + 1` is the state
after it.
"""

from __future__ import annotations

import asyncio
import copy
import math
import sys
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from nbformat import NotebookNode

from grader.execution.isolation import Level
from grader.execution.kernel import Kernel, KernelDied, KernelSettings
from grader.execution.limits import Limits
from grader.execution.plan import CellPlan
from grader.execution.room import Room
from grader.execution.snapshots import Snapshot
from grader.records import CellEnding, CellRun, CellStatus

Progress = Callable[[int, int], None]
T = TypeVar("T")
# Checks ask few copies at a time.
COPIES = 20
AS_HANDED_IN = CellPlan()


@dataclass
class Execution:
    """What a run left: each cell's outcome and output, live snapshots, and why some lack.

    `close` ends every process of the submission.
    """

    notebook: NotebookNode
    level: Level
    cells: list[CellRun] = field(default_factory=list)
    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    lost: dict[int, str] = field(default_factory=dict)
    kernels: list[Kernel] = field(default_factory=list)

    def output_of(self, cells: Collection[int]) -> str:
        """What these cells printed to stdout."""
        outputs = [o for i in cells for o in self.notebook.cells[i].get("outputs", [])]
        return "".join(o.text for o in outputs if o.get("name") == "stdout")

    def close(self) -> None:
        """Ends the kernels, the snapshots and whatever the student's code started."""
        for kernel in self.kernels:
            kernel.end()
        for snapshot in self.snapshots.values():
            snapshot.close()


def run_notebook(
    notebook: NotebookNode,
    boundaries: Collection[int],
    room: Room,
    limits: Limits,
    *,
    level: Level,
    figures: bool = False,
    hidden: Collection[Path] = (),
    progress: Progress | None = None,
    plans: Mapping[int, CellPlan] | None = None,
) -> Execution:
    """Runs every code cell of `notebook`, going on after a failing one.

    Nothing of what is in `hidden` can be seen from within, wherever it lies.
    `plans` are of the cells that are skipped, or not run as they were handed in.
    A cell that ends its kernel is skipped in a fresh one, where the cells before
    it are run again, at most `limits.restarts` times.

    Raises:
        ExecutionFault: a kernel did not start.
    """
    forks = 2 * len(boundaries) + COPIES
    settings = KernelSettings(level, figures, forks, tuple(hidden))
    run = _Run(copy.deepcopy(notebook), boundaries, room, limits, settings, progress, plans or {})
    _run_to_end(run.all_cells())
    return run.execution


class _Run:
    """The state of one `run_notebook`."""

    def __init__(
        self,
        notebook: NotebookNode,
        boundaries: Collection[int],
        room: Room,
        limits: Limits,
        settings: KernelSettings,
        progress: Progress | None,
        plans: Mapping[int, CellPlan],
    ) -> None:
        self.cells = notebook.cells
        self.plans = plans
        for index, cell in enumerate(self.cells):
            if cell.cell_type == "code":
                source = self._plan(index).source
                cell.update(outputs=[], source=cell.source if source is None else source)
        self.execution = Execution(notebook, settings.level)
        self.boundaries = frozenset(boundaries)
        self.room, self.limits, self.settings = room, limits, settings
        self.progress = progress or (lambda done, total: None)
        self.deadline = time.monotonic() + limits.notebook
        self.fatal: set[int] = set()
        self.unchanged: Snapshot | None = None

    async def all_cells(self) -> None:
        """Runs the notebook, in as many kernels as it takes."""
        first = 0
        try:
            while self._unfinished(first):
                if len(self.fatal) > self.limits.restarts:
                    return self._give_up(first)
                first = await self._in_one_kernel(first)
        except BaseException:
            self.execution.close()
            raise

    def _unfinished(self, first: int) -> bool:
        """Whether a cell is left, or the boundary after a last cell that ended its kernel."""
        end = len(self.cells)
        return first < end or (first == end and end in self.boundaries)

    async def _in_one_kernel(self, first: int) -> int:
        """Runs cells from `first` on; returns the cell at which to go on in another kernel."""
        kernel = Kernel(self.execution.notebook, self.room, self.limits, self.settings)
        self.execution.kernels.append(kernel)
        try:
            await kernel.start()
            await self._catch_up(kernel, first)
            await self._go_on(kernel, first)
            return len(self.cells) + 1
        except KernelDied as death:
            self.fatal.add(death.run.cell)
            if kernel.holds_snapshots:
                # They are taken once more on the way back to where it ended.
                self.execution.snapshots.clear()
            if death.run.cell < first:
                return first
            self._record(death.run)
            return death.run.cell + 1
        finally:
            await kernel.disconnect()

    async def _catch_up(self, kernel: Kernel, first: int) -> None:
        self.unchanged = None
        for index in range(first):
            self._keep_boundary(index, kernel)
            skipped = index in self.fatal or self._plan(index).skip
            if self.cells[index].cell_type != "code" or skipped or self._out_of_time():
                continue
            self.unchanged = None
            await kernel.run_cell(index, self._cell_seconds(index))

    async def _go_on(self, kernel: Kernel, first: int) -> None:
        self.unchanged = None
        for index in range(first, len(self.cells)):
            self._keep_boundary(index, kernel)
            if self.cells[index].cell_type == "code":
                self.unchanged = None
                self._record(await self._run_or_skip(kernel, index))
        self._keep_boundary(len(self.cells), kernel)

    async def _run_or_skip(self, kernel: Kernel, index: int) -> CellRun:
        if reason := self._plan(index).skip:
            return CellRun(index, CellStatus.SKIPPED, 0.0, reason, CellEnding.EXPERIMENT)
        if self._out_of_time():
            return _not_reached(index, self._used_up())
        return await kernel.run_cell(index, self._cell_seconds(index))

    def _give_up(self, first: int) -> None:
        reason = f"the kernel had ended {len(self.fatal)} times"
        for index in self._code_cells(first, len(self.cells)):
            self._record(_not_reached(index, reason))
        for boundary in self.boundaries:
            if boundary >= first:
                self.execution.lost[boundary] = f"not run: {reason}"

    def _keep_boundary(self, boundary: int, kernel: Kernel) -> None:
        if boundary not in self.boundaries or boundary in self.execution.snapshots:
            return
        if self._out_of_time():
            self.execution.lost[boundary] = f"not run: {self._used_up()}"
            return
        # Text between two boundaries changes nothing: they share a snapshot.
        self.unchanged = self.unchanged or kernel.take_snapshot()
        if self.unchanged is not None:
            self.execution.snapshots[boundary] = self.unchanged

    def _record(self, run: CellRun) -> None:
        plan = self._plan(run.cell)
        if math.isfinite(plan.seconds):
            # What experiments take is not taken from the other cells.
            self.deadline += run.seconds
            run = _over_budget(run) if run.status is CellStatus.TIMEOUT else run
        self.execution.cells.append(replace(run, note=plan.note))
        self.progress(len(self.execution.cells), len(self._code_cells(0, len(self.cells))))

    def _code_cells(self, start: int, stop: int) -> list[int]:
        return [i for i in range(start, stop) if self.cells[i].cell_type == "code"]

    def _plan(self, index: int) -> CellPlan:
        return self.plans.get(index, AS_HANDED_IN)

    def _cell_seconds(self, index: int) -> float:
        left = self.deadline - time.monotonic()
        return max(0.1, min(self.limits.cell, self._plan(index).seconds, left))

    def _out_of_time(self) -> bool:
        return time.monotonic() >= self.deadline

    def _used_up(self) -> str:
        return f"the notebook had used up its {self.limits.notebook:g} s"


def _not_reached(index: int, reason: str) -> CellRun:
    ending = CellEnding.NOT_REACHED
    return CellRun(index, CellStatus.SKIPPED, 0.0, f"not run: {reason}", ending)


def _over_budget(run: CellRun) -> CellRun:
    """The record of an experiment that was cut off, which is no fault of its author's."""
    error = f"it is an experiment, and was stopped after {run.seconds:.0f} s"
    ending = CellEnding.EXPERIMENT
    return replace(run, status=CellStatus.SKIPPED, error=error, ending=ending)


def _run_to_end(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine, in a thread of its own where an event loop is running already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run(coroutine)
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(_run, coroutine).result()


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    # The loop that Windows takes by itself cannot wait for a kernel's sockets.
    factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(coroutine)
