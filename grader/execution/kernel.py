"""One kernel for one submission: started by the provisioner, driven by nbclient."""

from __future__ import annotations

import asyncio
import math
import os
import queue
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from grader.errors import ExecutionFault
from grader.execution.forkless import CONTROL, Keeper
from grader.execution.inside import wire
from grader.execution.isolation import Level, can_fork
from grader.execution.limits import Limits
from grader.execution.packages import student_packages
from grader.execution.provisioner import Sandbox
from grader.execution.room import Room
from grader.execution.snapshots import Snapshot
from grader.records import CellEnding, CellRun, CellStatus

SNAPSHOT_SECONDS = 30.0
# The client notices within a second or two that a kernel has died or gone quiet.
SETTLE_SECONDS = 15.0
MAX_ERROR_CHARACTERS = 500
MAX_OUTPUT_CHARACTERS = 2 << 20
# Together these bound what waits in memory when a cell shows more than can be read.
MAX_MESSAGE_BYTES = 8 << 20
MAX_WAITING_MESSAGES = 4


@dataclass(frozen=True)
class KernelSettings:
    """How kernels are started: `forks` are the snapshots and copies that we add ourselves.

    `hidden` are folders that a submission must not see, wherever they lie.
    """

    level: Level
    figures: bool = False
    forks: int = 0
    hidden: tuple[Path, ...] = ()


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


class _Client(AsyncKernelClient):  # type: ignore[misc]
    """Bounds what may wait for it; has no heartbeat, whose thread a kernel can hold for ever."""

    def _context_default(self) -> zmq.asyncio.Context:
        context: zmq.asyncio.Context = super()._context_default()
        context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        context.setsockopt(zmq.RCVHWM, MAX_WAITING_MESSAGES)
        return context

    def start_channels(self, *arguments: bool, **keywords: bool) -> None:
        super().start_channels(*arguments, **{**keywords, "hb": False})


def _kernel_spec(
    level: Level, room: Room, control: int, figures: bool, *, forkless: bool
) -> KernelSpec:
    plain = level is Level.NONE
    script = room.keeper if forkless else room.agent
    command = [sys.executable, "-S", "-s", "-P", str(script), str(control)]
    command.append(os.pathsep.join(student_packages()))
    arguments = [
        *(command if plain else ["sandbox"]),
        *("-f", "{connection_file}"),
        "--HistoryManager.enabled=False",
        "--InteractiveShell.colors=nocolor",
        # It draws a tip for each greeting from the generator that notebooks draw from.
        "--InteractiveShell.enable_tip=False",
        # Of an error only its last line is kept; the rest takes 70 ms to write.
        "--InteractiveShell.xmode=Minimal",
        "--Application.log_level=CRITICAL",
    ]
    if not figures:
        arguments.append("--InlineBackend.figure_formats=set()")
    provisioner = {"provisioner_name": "nn-grader-plain" if plain else "nn-grader"}
    return KernelSpec(
        argv=arguments,
        display_name="nn-grader",
        language="python",
        metadata={"kernel_provisioner": provisioner},
    )


class _CappedClient(NotebookClient):  # type: ignore[misc]
    """Drops what a cell shows beyond a cap; an error, shortened to its line, has one of its own."""

    def open_cell(self) -> None:
        """Gives the next cell its room, in characters."""
        self._room = {"error": MAX_OUTPUT_CHARACTERS, "other": MAX_OUTPUT_CHARACTERS}

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        kind, content = msg["msg_type"], msg["content"]
        if kind == "error":
            content.update(evalue=str(content["evalue"])[:MAX_ERROR_CHARACTERS], traceback=[])
        if kind != "status":
            room, size = "error" if kind == "error" else "other", len(str(content))
            if size > self._room[room]:
                return None
            self._room[room] -= size
        return super().process_message(msg, cell, cell_index)


class Kernel:
    """A running kernel; `run_cell` writes a cell's outputs into `notebook`."""

    def __init__(
        self, notebook: NotebookNode, room: Room, limits: Limits, settings: KernelSettings
    ) -> None:
        self._notebook = notebook
        self._limits = limits
        self._settings = settings
        self._control, self._agent_end = socket.socketpair()
        self._sockets = room.new_sockets()
        forkless = settings.level is Level.NONE and not can_fork()
        self._keeper = Keeper(self._interrupt_checks, self.end) if forkless else None
        manager = AsyncKernelManager(
            client_factory=_Client,
            kernel_name="nn-grader",
            kernel_spec_manager=_OneSpec(),
            # Without fork there may be no Unix sockets either.
            transport="tcp" if forkless else "ipc",
            connection_file=str(self._sockets / "kernel.json"),
        )
        manager.kernel_spec_manager.spec = _kernel_spec(
            settings.level,
            room,
            self._agent_end.fileno(),
            settings.figures,
            forkless=forkless,
        )
        # Kept here too: the client forgets its manager when a kernel does not start.
        self._manager = manager
        self._client = _CappedClient(
            notebook,
            km=manager,
            shutdown_kernel="immediate",
            timeout=None,
            allow_errors=True,
            startup_timeout=math.ceil(limits.start),
            store_widget_state=False,
        )
        self._room = room

    async def start(self) -> None:
        """Waits until the kernel is ready.

        Raises:
            ExecutionFault: it did not start.
        """
        try:
            await self._client.async_start_new_kernel(**self._launch_options())
            await self._connect()
            if self._keeper is not None:
                self._keeper.accept(self._limits.start)
        except (RuntimeError, OSError, wire.WireError) as error:
            self.end()
            raise ExecutionFault(f"the kernel did not start: {error}") from error
        finally:
            self._agent_end.close()

    async def _connect(self) -> None:
        """Opens the channels; nbclient's own way would wait 0.2 s for silence at the end."""
        client = self._client.kc = self._manager.client()
        client.start_channels(stdin=False, hb=False, control=False)
        client.allow_stdin = False
        deadline = time.monotonic() + self._limits.start
        while time.monotonic() < deadline:
            if await self._is_heard(client.kernel_info()):
                return
            if not await self._manager.is_alive():
                raise RuntimeError("the kernel ended while it started")
        raise RuntimeError("it did not answer in time")

    async def _is_heard(self, request: str) -> bool:
        """Whether the answer came, and the news of it: a subscription takes a moment to hold."""
        client = self._client.kc
        with suppress(queue.Empty):
            await client.get_shell_msg(timeout=1)
            while True:
                news = await client.get_iopub_msg(timeout=0.05)
                ours = news["parent_header"].get("msg_id") == request
                if ours and news["content"].get("execution_state") == "idle":
                    return True
        return False

    def _launch_options(self) -> dict[str, Any]:
        settings = self._settings
        if self._keeper is not None:
            environment = {**self._room.environment(), CONTROL: self._keeper.address}
            return {"cwd": str(self._room.work), "env": environment}
        if settings.level is Level.NONE:
            return {
                "cwd": str(self._room.work),
                "env": self._room.environment(),
                "pass_fds": (self._agent_end.fileno(),),
            }
        given = (self._room, self._sockets, self._limits, self._agent_end)
        return {"sandbox": Sandbox(*given, settings.level, settings.forks, settings.hidden)}

    async def run_cell(self, index: int, seconds: float) -> CellRun:
        """Runs one code cell for at most `seconds`, then interrupts it.

        Raises:
            KernelDied: the cell ended the kernel, or ignored the interrupt and was killed.
        """
        start = time.monotonic()
        cell = self._notebook.cells[index]
        self._client.open_cell()
        running = asyncio.ensure_future(self._client.async_execute_cell(cell, index))
        late = not await self._finished(running, seconds) and await self._manager.is_alive()
        dead = late and not await self._interrupt(running)
        try:
            await asyncio.wait_for(running, SETTLE_SECONDS)
            run = _finished_run(index, cell, time.monotonic() - start, late, seconds)
        except (DeadKernelError, TimeoutError):
            dead = True
        except Exception as error:  # noqa: BLE001
            # Code can write what it likes to its kernel's channels.
            reason = f"its outputs cannot be read ({type(error).__name__})"
            seconds_taken = time.monotonic() - start
            run = CellRun(index, CellStatus.ERROR, seconds_taken, reason, CellEnding.UNREADABLE)
        if dead:
            breach = self._manager.provisioner.breach
            raise KernelDied(_died(index, time.monotonic() - start, late, seconds, breach))
        return run

    async def _interrupt(self, running: asyncio.Future[NotebookNode]) -> bool:
        """Asks a cell to stop; kills the kernel, and returns False, if it does not."""
        await self._manager.interrupt_kernel()
        if await self._finished(running, self._limits.interrupt):
            return True
        await self._manager.provisioner.kill()
        return False

    @staticmethod
    async def _finished(running: asyncio.Future[NotebookNode], seconds: float) -> bool:
        done, _ = await asyncio.wait({running}, timeout=seconds)
        return bool(done)

    def take_snapshot(self) -> Snapshot | None:
        """Forks the kernel as it is now; None where it does not answer."""
        if self._keeper is not None:
            self._request("nn_snapshot_request")
            return self._keeper.kept()
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self._control, [b"+"], [theirs.fileno()])
            self._request("nn_snapshot_request")
            theirs.close()
            wire.receive(ours, time.monotonic() + SNAPSHOT_SECONDS)
        except (OSError, wire.WireError):
            theirs.close()
            ours.close()
            return None
        return Snapshot(ours)

    def _request(self, kind: str) -> None:
        self._client.kc.shell_channel.send(self._client.kc.session.msg(kind, {}))

    @property
    def holds_snapshots(self) -> bool:
        """Whether its snapshots end with it."""
        return self._keeper is not None

    def _interrupt_checks(self) -> None:
        self._manager.provisioner.interrupt()

    async def disconnect(self) -> None:
        """Closes all that leads to the kernel; its snapshots go on answering."""
        if self._client.kc is not None:
            if self._keeper is not None:
                self._request("nn_serve_request")
            self._client.kc.stop_channels()
        await self._manager.cleanup_resources()
        self._control.close()

    def end(self) -> None:
        """Kills the kernel, its snapshots and everything that they started."""
        if self._keeper is not None:
            self._keeper.disconnect()
        provisioner = self._manager.provisioner
        if provisioner is not None:
            provisioner.end_group()


def _died(index: int, seconds: float, late: bool, limit: float, breach: str) -> CellRun:
    if breach:
        error = f"ended the kernel (the submission used more {breach} than it may)"
        return CellRun(index, CellStatus.ERROR, seconds, error, CellEnding.DIED)
    if late:
        error = f"did not stop after {limit:g} s and ignored the interrupt, so it was killed"
        return CellRun(index, CellStatus.TIMEOUT, seconds, error, CellEnding.KILLED)
    error = "ended the kernel (an exit or a crash)"
    return CellRun(index, CellStatus.ERROR, seconds, error, CellEnding.DIED)


def _finished_run(
    index: int, cell: NotebookNode, seconds: float, late: bool, limit: float
) -> CellRun:
    if late:
        error = f"did not finish within {limit:g} s and was interrupted"
        return CellRun(index, CellStatus.TIMEOUT, seconds, error, CellEnding.INTERRUPTED)
    for output in cell.outputs:
        if output.output_type == "error":
            text = f"{output.ename}: {output.evalue}"[:MAX_ERROR_CHARACTERS].rstrip(": ")
            return CellRun(index, CellStatus.ERROR, seconds, text, CellEnding.RAISED)
    return CellRun(index, CellStatus.OK, seconds)
