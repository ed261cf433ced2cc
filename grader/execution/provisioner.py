"""How a student's kernel is launched: the seam at which isolation is put in.

`nbclient` and `jupyter_client` drive the kernel as any other; these classes
decide which process it is, what it inherits and how it ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import LocalProvisioner

from grader.execution.cgroups import MemoryGroup, memory_group
from grader.execution.inside import wire
from grader.execution.isolation import Level, make_order
from grader.execution.limits import Limits
from grader.execution.room import Room
from grader.execution.zygote import current_zygote

END_SECONDS = 15.0
POLL_SECONDS = 0.02


@dataclass(frozen=True, eq=False)
class Sandbox:
    """What a sandboxed kernel is made from; `agent` is its end of the control socket.

    `sockets` is the folder for the sockets on which it is driven.
    """

    room: Room
    sockets: Path
    limits: Limits
    agent: socket.socket
    level: Level
    forks: int
    hidden: tuple[Path, ...]


class SandboxProvisioner(LocalProvisioner):  # type: ignore[misc]
    """A kernel that the zygote forks into a sandbox; `km.start_kernel` passes on `sandbox`."""

    supervisor: socket.socket | None = None
    exit_status: int | None = None
    breach: str = ""
    group: MemoryGroup | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Writes the connection file, as for any local kernel."""
        sandbox = kwargs.pop("sandbox")
        prepared: dict[str, Any] = await super().pre_launch(**kwargs)
        return {**prepared, "sandbox": sandbox}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        """Spawns the sandbox and waits until the kernel's sockets are bound.

        Raises:
            ExecutionFault: the zygote could not do it.
            RuntimeError: the sandbox could not be built.
            WireError: it ended without a word, or did not answer in time.
        """
        wanted: Sandbox = kwargs["sandbox"]
        given = (wanted.level, wanted.room, wanted.sockets, wanted.limits)
        self.group = memory_group(int(wanted.limits.memory))
        order = make_order(
            *given,
            cmd[1:],
            forks=wanted.forks,
            hidden=wanted.hidden,
            members=str(self.group.members) if self.group else "",
        )
        self.supervisor = current_zygote().spawn(order, wanted.agent)
        self._handle(self._next_event(wanted.limits.start))
        info: dict[str, Any] = self.connection_info
        return info

    @property
    def has_process(self) -> bool:
        """Whether there is a sandbox."""
        return self.supervisor is not None

    async def poll(self) -> int | None:
        """The kernel's exit status; None while it lives."""
        try:
            while self.exit_status is None and self._has_event():
                self._handle(self._next_event(END_SECONDS))
        except (wire.WireError, RuntimeError):
            # The supervisor has gone, and with it every process of the submission.
            self.exit_status = -signal.SIGKILL
        if self.exit_status is not None and self.group is not None and self.group.has_killed():
            self.breach = self.breach or "memory"
        return self.exit_status

    async def wait(self) -> int | None:
        """Waits until the kernel has ended."""
        while await self.poll() is None:  # noqa: ASYNC110 - news comes over a socket
            await asyncio.sleep(POLL_SECONDS)
        return self.exit_status

    async def send_signal(self, signum: int) -> None:
        """Interrupts the kernel, or kills it; snapshots are left alone."""
        if self.supervisor is not None and self.exit_status is None:
            op = "interrupt" if signum == signal.SIGINT else "kill"
            with suppress(wire.WireError):
                wire.send(self.supervisor, {"op": op}, [], time.monotonic() + END_SECONDS)

    async def kill(self, restart: bool = False) -> None:  # noqa: ARG002
        """Kills the kernel alone."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """Kills the kernel alone."""
        await self.kill(restart)

    def end_group(self) -> None:
        """Ends the sandbox and every process in it, and waits until it is gone."""
        if self.supervisor is None:
            return
        with suppress(OSError):
            self.supervisor.shutdown(socket.SHUT_WR)
        with suppress(wire.WireError):
            while True:
                self._next_event(END_SECONDS)
        self.supervisor.close()
        if self.group is not None:
            self.group.close()
        self.supervisor, self.exit_status = None, self.exit_status or -signal.SIGKILL

    def _has_event(self) -> bool:
        if self.supervisor is None:
            return False
        self.supervisor.settimeout(0)
        try:
            self.supervisor.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    def _next_event(self, seconds: float) -> dict[str, Any]:
        if self.supervisor is None:
            raise wire.Closed("there is no sandbox")
        event, _ = wire.receive(self.supervisor, time.monotonic() + seconds)
        return event if isinstance(event, dict) else {}

    def _handle(self, event: dict[str, Any]) -> None:
        kind = event.get("event")
        if kind == "failed":
            raise RuntimeError(f"the sandbox could not be built: {event.get('reason')}")
        if kind == "exited":
            self.exit_status = int(event["status"])
        if kind == "breach":
            self.breach = str(event["limit"])


class PlainProvisioner(LocalProvisioner):  # type: ignore[misc]
    """A local process without isolation, in a process group of its own.

    `km.start_kernel` passes on `env` (all that the kernel sees of the
    environment), `cwd`, and `pass_fds`.
    """

    breach: str = ""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Keeps the grader's own environment, tokens included, out of the kernel's."""
        environment = dict(kwargs["env"])
        prepared: dict[str, Any] = await super().pre_launch(**kwargs)
        prepared["env"] = environment
        # What a kernel writes past its channels must not land in the grader's own output.
        prepared["stdout"] = prepared["stderr"] = subprocess.DEVNULL
        return prepared

    async def kill(self, restart: bool = False) -> None:  # noqa: ARG002
        """Kills the kernel alone: its snapshots share its process group and live on."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()

    def interrupt(self) -> None:
        """Interrupts the kernel alone."""
        if self.process is None or self.process.poll() is not None:
            return
        if sys.platform == "win32":
            from jupyter_client.win_interrupt import send_interrupt  # only there is it

            send_interrupt(self.process.win32_interrupt_event)
        else:
            self.process.send_signal(signal.SIGINT)

    def end_group(self) -> None:
        """Kills the kernel, its snapshots, their copies and whatever they started."""
        if self.process is None:
            return
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait()
