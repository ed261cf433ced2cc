"""One kernel for one submission: started by the provisioner, driven by nbclient."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from grader.errors import ExecutionFault
from grader.execution.inside import wire
from grader.execution.limits import Limits
from grader.execution.packages import student_packages
from grader.execution.room import Room
from grader.execution.snapshots import Snapshot
from grader.records import CellRun, CellStatus

SNAPSHOT_SECONDS = 30.0
MAX_ERROR_CHARACTERS = 500


class KernelDied(Exception):
    """The kernel ended while it ran a cell; `run` is what is known of that cell."""

    def __init__(self, run: CellRun) -> None:
        super().__init__(run.error)
        self.run = run


class _OneSpec(KernelSpecManager):  # type: ignore[misc]
    """Knows a single kernel: the agent, started by our provisioner."""

    spec: KernelSpec

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002
        """The agent's, whatever the name."""
        return self.spec


def _kernel_spec(room: Room, control: int, figures: bool) -> KernelSpec:
    arguments = [
        *(sys.executable, "-S", "-s", "-P", str(room.agent), str(control)),
        *(os.pathsep.join(student_packages()), "-f", "{connection_file}"),
        "--HistoryManager.enabled=False",
        "--InteractiveShell.colors=nocolor",
        "--Application.log_level=CRITICAL",
    ]
    if not figures:
        arguments.append("--InlineBackend.figure_formats=set()")
    provisioner = {"provisioner_name": "nn-grader"}
    return KernelSpec(
        argv=arguments,
        display_name="nn-grader",
        language="python",
        metadata={"kernel_provisioner": provisioner},
    )


class Kernel:
    """A running kernel; `run_cell` writes a cell's outputs into `notebook`."""

    def __init__(self, notebook: NotebookNode, room: Room, limits: Limits, figures: bool) -> None:
        self._notebook = notebook
        self._limits = limits
        self._control, self._agent_end = socket.socketpair()
        manager = AsyncKernelManager(
            kernel_name="nn-grader",
            kernel_spec_manager=_OneSpec(),
            transport="ipc",
            connection_file=str(room.path / f"k{self._control.fileno()}.json"),
        )
        manager.kernel_spec_manager.spec = _kernel_spec(room, self._agent_end.fileno(), figures)
        self._client = NotebookClient(
            notebook,
            km=manager,
            timeout=None,
            allow_errors=True,
            startup_timeout=limits.start,
            store_widget_state=False,
        )
        self._room = room

    async def start(self) -> None:
        """Waits until the kernel is ready.

        Raises:
            ExecutionFault: it did not start.
        """
        options = {
            "cwd": str(self._room.work),
            "env": self._room.environment(),
            "pass_fds": (self._agent_end.fileno(),),
        }
        try:
            await self._client.async_start_new_kernel(**options)
            await self._client.async_start_new_kernel_client()
        except (RuntimeError, OSError) as error:
            self.end()
            raise ExecutionFault(f"the kernel did not start: {error}") from error
        finally:
            self._agent_end.close()

    async def run_cell(self, index: int, seconds: float) -> CellRun:
        """Runs one code cell for at most `seconds`, then interrupts it.

        Raises:
            KernelDied: the cell ended the kernel, or ignored the interrupt and was killed.
        """
        start = time.monotonic()
        cell = self._notebook.cells[index]
        running = asyncio.ensure_future(self._client.async_execute_cell(cell, index))
        late = not await self._finished(running, seconds)
        if late:
            await self._client.km.interrupt_kernel()
            if not await self._finished(running, self._limits.interrupt):
                self._client.km.provisioner.process.kill()
        try:
            await running
        except DeadKernelError:
            raise KernelDied(_died(index, time.monotonic() - start, late, seconds)) from None
        return _finished_run(index, cell, time.monotonic() - start, late, seconds)

    @staticmethod
    async def _finished(running: asyncio.Future[NotebookNode], seconds: float) -> bool:
        done, _ = await asyncio.wait({running}, timeout=seconds)
        return bool(done)

    def take_snapshot(self) -> Snapshot | None:
        """Forks the kernel as it is now; None where it does not answer."""
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self._control, [b"+"], [theirs.fileno()])
            message = self._client.kc.session.msg("nn_snapshot_request", {})
            self._client.kc.shell_channel.send(message)
            theirs.close()
            wire.receive(ours, time.monotonic() + SNAPSHOT_SECONDS)
        except (OSError, wire.WireError):
            theirs.close()
            ours.close()
            return None
        return Snapshot(ours)

    def disconnect(self) -> None:
        """Closes the channels to the kernel; its snapshots go on answering."""
        if self._client.kc is not None:
            self._client.kc.stop_channels()
        self._control.close()

    def end(self) -> None:
        """Kills the kernel, its snapshots and everything that they started."""
        provisioner = self._client.km.provisioner
        if provisioner is not None:
            provisioner.end_group()


def _died(index: int, seconds: float, late: bool, limit: float) -> CellRun:
    if late:
        error = f"did not stop after {limit:g} s and ignored the interrupt, so it was killed"
        return CellRun(index, CellStatus.TIMEOUT, seconds, error)
    return CellRun(index, CellStatus.ERROR, seconds, "ended the kernel (an exit or a crash)")


def _finished_run(
    index: int, cell: NotebookNode, seconds: float, late: bool, limit: float
) -> CellRun:
    if late:
        error = f"did not finish within {limit:g} s and was interrupted"
        return CellRun(index, CellStatus.TIMEOUT, seconds, error)
    for output in cell.outputs:
        if output.output_type == "error":
            text = f"{output.ename}: {output.evalue}"[:MAX_ERROR_CHARACTERS]
            return CellRun(index, CellStatus.ERROR, seconds, text)
    return CellRun(index, CellStatus.OK, seconds)
