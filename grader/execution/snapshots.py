"""The grader's ends of the sockets to a snapshot and to its copies."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from grader.errors import MissingName, StudentDied, StudentRaised, StudentTimeout, UnreadableAnswer
from grader.execution.inside import wire

# A snapshot runs no student code, so it answers at once or not at all.
SNAPSHOT_SECONDS = 30.0
COPY_SEED = 20240229


class SnapshotLost(Exception):
    """A snapshot's process no longer answers."""


class Snapshot:
    """The namespace at one point of the notebook, held by a process that only forks copies."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def copy(self, seconds: float) -> Copy:
        """A fresh fork of the snapshot whose requests may take `seconds` in all.

        Raises:
            SnapshotLost: the snapshot's process has gone.
        """
        ours, theirs = socket.socketpair()
        deadline = time.monotonic() + SNAPSHOT_SECONDS
        try:
            wire.send(self._socket, {"op": "copy", "seed": COPY_SEED}, [], deadline)
            socket.send_fds(self._socket, [b"+"], [theirs.fileno()])
            reply, _ = wire.receive(self._socket, deadline)
            number = int(reply["copy"])
        except (wire.WireError, OSError, KeyError, TypeError, ValueError) as error:
            ours.close()
            raise SnapshotLost(str(error)) from error
        finally:
            theirs.close()
        return Copy(ours, lambda: self._discard(number), seconds)

    def _discard(self, number: int) -> None:
        deadline = time.monotonic() + SNAPSHOT_SECONDS
        with suppress(wire.WireError):
            wire.send(self._socket, {"op": "discard", "copy": number}, [], deadline)

    def close(self) -> None:
        """Ends the snapshot's process."""
        self._socket.close()


class Copy:
    """A throwaway fork of a snapshot: requests go in, values come out."""

    def __init__(self, sock: socket.socket, discard: Callable[[], None], seconds: float) -> None:
        self._socket = sock
        self._discard = discard
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    def request(
        self,
        op: str,
        values: dict[str, Any],
        make_object: Callable[[dict[str, Any]], Any],
        **plain: Any,
    ) -> Any:
        """Sends one operation of the agent's and returns the value it answers.

        `values` are packed for the wire, `plain` goes as JSON; `make_object`
        builds what stands for a reference in the answer.

        Raises:
            StudentRaised, MissingName, StudentTimeout, StudentDied,
            UnreadableAnswer: what the student's side did instead of answering.
        """
        packer = wire.Packer(_refuse)
        content: dict[str, Any] = {"id": secrets.token_hex(8), "op": op, **plain}
        content |= {name: packer.pack(value) for name, value in values.items()}
        try:
            wire.send(self._socket, content, packer.arrays, self._deadline)
            reply, arrays = wire.receive(self._socket, self._deadline)
            return self._read(reply, content["id"], wire.Unpacker(arrays, make_object))
        except wire.Late:
            raise StudentTimeout(
                f"your code did not finish within the check's {self._seconds:g} seconds"
            ) from None
        except wire.Closed:
            raise StudentDied("your code ended its process while it was being checked") from None
        except wire.WireError as error:
            raise UnreadableAnswer(f"your code's result cannot be used: {error}") from None

    def _read(self, reply: Any, identity: str, unpacker: wire.Unpacker) -> Any:
        if not isinstance(reply, dict) or reply.get("id") != identity:
            raise wire.WireError("an answer to a question that was not asked")
        if "error" in reply:
            raise _as_fault(reply["error"])
        return unpacker.unpack(reply.get("value"))

    def close(self) -> None:
        """Kills the copy."""
        self._socket.close()
        self._discard()


def _refuse(value: object) -> dict[str, Any]:
    reference = getattr(value, "_reference", None)
    if not isinstance(reference, int):
        raise TypeError(f"a check cannot send a {type(value).__name__} to the student's code")
    return {"v": reference}


def _as_fault(error: Any) -> StudentRaised | MissingName:
    if not isinstance(error, dict):
        raise wire.WireError("an error that cannot be read")
    kind, name, text, where = (
        str(error.get(key, ""))[:2000] for key in ("kind", "type", "text", "where")
    )
    if kind == "missing":
        return MissingName(f"`{text}` is not defined")
    sentence = f"your code raised {name}"
    sentence += f": {text}" if text else ""
    sentence += f" (in {where})" if where else ""
    return StudentRaised(sentence, name)
