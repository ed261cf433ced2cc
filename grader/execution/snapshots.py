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
# What these do to something that lasts, a later check would find.
CHANGING = ("call", "map", "set")
RUNNING_CODE = ("execute", "run_cells")
# Keeps and puts back the state of generators that outlast the check.
REPEATING = ("random",)


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
            number = _copy_number(reply)
        except (wire.WireError, OSError) as error:
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
    """A throwaway fork of a snapshot: requests go in, values come out.

    `spoiled` says whether a request may have changed what the next check would find.
    """

    def __init__(self, sock: socket.socket, discard: Callable[[], None], seconds: float) -> None:
        self._socket = sock
        self._discard = discard
        self._seconds = self._left = seconds
        self._refers_to_lasting = False
        self.spoiled = False

    def begin(self) -> bool:
        """Makes this copy ready for another check; whether that finds what `settle` saw.

        Its time starts anew, and so do its random numbers.
        """
        self._left = self._seconds
        return self.request("begin", {}, lambda tree: None, seed=COPY_SEED) is True

    def settle(self) -> None:
        """Takes what was done so far for the state in which checks are to find this copy."""
        self.request("watch", {}, lambda tree: None)
        self.spoiled = False

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
            TypeError, ValueError: the check sends what the wire does not carry.
        """
        packer = wire.Packer(self._refer)
        content: dict[str, Any] = {"id": secrets.token_hex(8), "op": op, **plain}
        # Only waiting for the student's side counts, not what a check computes in between.
        start = time.monotonic()
        deadline = start + self._left
        # Until an answer has come that can be used.
        spoiled, self.spoiled = self.spoiled, True
        self._refers_to_lasting = False
        try:
            content |= _pack_all(packer, values)
            reply, arrays = self._exchange(content, packer.arrays, deadline)
            value = self._read(reply, content["id"], wire.Unpacker(arrays, make_object))
            self.spoiled = spoiled or self._changes(op)
            return value
        except wire.Late:
            raise StudentTimeout(
                f"your code did not finish within the check's {self._seconds:g} seconds"
            ) from None
        except wire.Closed:
            raise StudentDied("your code ended its process while it was being checked") from None
        except wire.WireError as error:
            raise UnreadableAnswer(f"your code's result cannot be used: {error}") from None
        except (StudentRaised, MissingName):
            self.spoiled = spoiled or self._changes(op)
            raise
        finally:
            self._left -= time.monotonic() - start

    def _exchange(
        self, content: dict[str, Any], arrays: list[Any], deadline: float
    ) -> tuple[Any, list[Any]]:
        send(self._socket, content, arrays, deadline)
        return wire.receive(self._socket, deadline)

    def _changes(self, op: str) -> bool:
        return op in (*RUNNING_CODE, *REPEATING) or (op in CHANGING and self._refers_to_lasting)

    def _read(self, reply: Any, identity: str, unpacker: wire.Unpacker) -> Any:
        if not isinstance(reply, dict) or reply.get("id") != identity:
            raise wire.WireError("an answer to a question that was not asked")
        if "error" in reply:
            raise _as_fault(reply["error"])
        return unpacker.unpack(reply.get("value"))

    def _refer(self, value: object) -> dict[str, Any]:
        """The number of an object of this copy's, in a check's request."""
        reference = getattr(value, "_reference", None)
        if not isinstance(reference, int):
            raise TypeError(f"a check cannot send a {type(value).__name__} to the student's code")
        if getattr(value, "_copy", self) is not self:
            raise ValueError("a check cannot send an object of one copy to another")
        self._refers_to_lasting |= getattr(value, "_lasting", True)
        return {"v": reference}

    def close(self) -> None:
        """Kills the copy."""
        self._socket.close()
        self._discard()


def _copy_number(reply: Any) -> int:
    number = reply.get("copy") if isinstance(reply, dict) else None
    if type(number) is not int:
        raise wire.WireError("the snapshot does not say which copy it made")
    return number


def _pack_all(packer: wire.Packer, values: dict[str, Any]) -> dict[str, Any]:
    try:
        return {name: packer.pack(value) for name, value in values.items()}
    except wire.WireError as error:
        raise ValueError(f"a check sends too much: {error}") from error


def send(sock: socket.socket, content: Any, arrays: list[Any], deadline: float) -> None:
    """Sends a check's request.

    Raises:
        Late, Closed: the other side does not take it.
        ValueError: the check sends too much.
    """
    try:
        wire.send(sock, content, arrays, deadline)
    except (wire.Late, wire.Closed):
        raise
    except wire.WireError as error:
        raise ValueError(f"a check sends too much: {error}") from error


def _as_fault(error: Any) -> StudentRaised | MissingName | UnreadableAnswer:
    if not isinstance(error, dict):
        raise wire.WireError("an error that cannot be read")
    kind, name, text, where = (
        _as_text(error.get(key)) for key in ("kind", "type", "text", "where")
    )
    if kind == "missing":
        return MissingName(f"`{text}` is not defined")
    if kind == "unreadable":
        return UnreadableAnswer(f"your code's result cannot be used: {text}")
    sentence = f"your code raised {name}"
    sentence += f": {text}" if text else ""
    sentence += f" (in {where})" if where else ""
    return StudentRaised(sentence, name)


def _as_text(value: Any) -> str:
    """Text that can be written to any file: half a surrogate pair cannot."""
    return value[:2000].encode(errors="replace").decode() if isinstance(value, str) else ""
