"""Snapshots where processes cannot be forked: the kernel keeps its namespaces itself.

The kernel's end is `inside/keeper.py`, which says what is shared between them.
This is for one's own work, on systems such as Windows: a function that does not
stop, and cannot be interrupted, takes every snapshot of its kernel with it.
"""

from __future__ import annotations

import hmac
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from grader.execution.inside import wire
from grader.execution.snapshots import (
    COPY_SEED,
    SNAPSHOT_SECONDS,
    Copy,
    Snapshot,
    SnapshotLost,
    send,
)

# The environment variable by which the kernel learns where to connect; see `inside/keeper.py`.
CONTROL = "NN_GRADER_CONTROL"
# How long an interrupted function may take to end.
INTERRUPT_SECONDS = 5.0
ENDED = "an earlier check's function ended the kernel, or did not stop when it was interrupted"


class Keeper:
    """The grader's end of one kernel that keeps its namespaces itself.

    `interrupt` and `end` do that to the kernel.
    """

    def __init__(self, interrupt: Callable[[], None], end: Callable[[], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._token = secrets.token_hex(16)
        self._interrupt, self._end = interrupt, end
        self._socket: socket.socket | None = None

    @property
    def address(self) -> str:
        """What the kernel needs to connect: the port and the token."""
        return f"{self._listener.getsockname()[1]}:{self._token}"

    def accept(self, seconds: float) -> None:
        """Waits for the kernel, and sees to it that it is the one.

        Raises:
            OSError: it did not come, or somebody else did.
        """
        self._listener.settimeout(seconds)
        with self._listener:
            self._socket, _ = self._listener.accept()
        # A frame is two writes, of which the second would else wait for the first to be heard of.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(seconds)
        said = self._socket.recv(len(self._token), socket.MSG_WAITALL)
        if not hmac.compare_digest(said, self._token.encode()):
            self.close()
            raise OSError("another program connected in the kernel's place")

    def kept(self) -> KeptSnapshot | None:
        """The snapshot that the kernel was asked for; None where it does not answer."""
        try:
            reply, _ = wire.receive(self.socket, time.monotonic() + SNAPSHOT_SECONDS)
        except wire.WireError:
            return None
        number = reply.get("kept") if isinstance(reply, dict) else None
        return KeptSnapshot(self, number) if type(number) is int else None

    def copy(self, snapshot: int, seconds: float) -> Copy:
        """A copy of what was kept.

        Raises:
            SnapshotLost: the kernel no longer answers.
        """
        deadline = time.monotonic() + SNAPSHOT_SECONDS
        try:
            asked = {"op": "copy", "snapshot": snapshot, "seed": COPY_SEED}
            wire.send(self.socket, asked, [], deadline)
            reply, _ = wire.receive(self.socket, deadline)
            return KeptCopy(self, int(reply["copy"]), seconds)
        except (wire.WireError, KeyError, TypeError, ValueError) as error:
            self.close()
            raise SnapshotLost(ENDED) from error

    @property
    def socket(self) -> socket.socket:
        """The connection to the kernel.

        Raises:
            Closed: there is none any more.
        """
        if self._socket is None:
            raise wire.Closed(ENDED)
        return self._socket

    def answer(self, deadline: float) -> tuple[Any, list[Any]]:
        """The kernel's answer; a function that is late is interrupted, and ended if need be.

        Raises:
            Late, Closed: it did not come.
        """
        try:
            return wire.receive(self.socket, deadline)
        except wire.Late:
            self._interrupt()
            try:
                wire.receive(self.socket, time.monotonic() + INTERRUPT_SECONDS)
            except wire.WireError:
                self.close()
            raise
        except wire.WireError:
            # Whatever comes next on this connection would answer something else.
            self.close()
            raise

    def disconnect(self) -> None:
        """Closes the connection."""
        self._listener.close()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def close(self) -> None:
        """Ends the kernel."""
        self.disconnect()
        self._end()


class KeptSnapshot(Snapshot):
    """A namespace that the kernel has kept."""

    def __init__(self, keeper: Keeper, number: int) -> None:
        self._keeper = keeper
        self._number = number

    def copy(self, seconds: float) -> Copy:
        """A copy of its own.

        Raises:
            SnapshotLost: the kernel no longer answers.
        """
        return self._keeper.copy(self._number, seconds)

    def close(self) -> None:
        """Ends the kernel, and so all of its snapshots."""
        self._keeper.close()


class KeptCopy(Copy):
    """A copy in the kernel's own process."""

    def __init__(self, keeper: Keeper, number: int, seconds: float) -> None:
        super().__init__(keeper.socket, lambda: None, seconds)
        self._keeper = keeper
        self._number = number

    def _exchange(self, content: Any, arrays: list[Any], deadline: float) -> tuple[Any, list[Any]]:
        asked = {"op": "ask", "copy": self._number, "request": content}
        send(self._keeper.socket, asked, arrays, deadline)
        return self._keeper.answer(deadline)

    def close(self) -> None:
        """Lets the kernel forget it."""
        with suppress(wire.WireError):
            deadline = time.monotonic() + SNAPSHOT_SECONDS
            wire.send(self._keeper.socket, {"op": "discard", "copy": self._number}, [], deadline)
